package host

import (
	"fmt"
	"math"
	"path"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

func (l *limits) cpu(c cgroup, err error) {
	counters := []fact.Key{fact.CgroupCPUPeriods, fact.CgroupThrottledPeriods, fact.CgroupThrottledSeconds}
	var limit float64
	var dir string
	if err == nil {
		limit, dir, err = l.tightest(c, func(dir string) (float64, error) { return l.processors(dir, c.v2) })
	}
	if err != nil {
		l.unknown(err, append(counters, fact.CgroupCPULimit)...)
		return
	}
	l.add(fact.CgroupCPULimit.Is(l.s, limit))
	if limit == 0 {
		l.add(all(l.s, counters, unlimited)...)
		return
	}
	// v1 counts the time in nanoseconds, v2 in microseconds.
	throttled := figure{"throttled_time", fact.CgroupThrottledSeconds, 1e-9}
	if c.v2 {
		throttled = figure{"throttled_usec", fact.CgroupThrottledSeconds, 1e-6}
	}
	l.figures(path.Join(dir, "cpu.stat"), []figure{{"nr_periods", fact.CgroupCPUPeriods, 1}, {"nr_throttled", fact.CgroupThrottledPeriods, 1}, throttled})
}

// figures observes the numbers of a file of a cgroup.
func (l *limits) figures(file string, table []figure) {
	var numbers map[string]float64
	text, err := l.t.ReadFile(file, 64<<10)
	if err == nil {
		numbers, err = ParseNumbers(file, text, table)
	}
	l.add(observe(l.s, table, path.Base(file), numbers, err)...)
}

// one observes a file that holds one number.
func (l *limits) one(k fact.Of[float64], file string) {
	v, err := l.number(file)
	if err == nil && math.IsInf(v, 1) {
		err = fmt.Errorf("%s: expected a number, not max", file)
	}
	if err != nil {
		l.unknown(err, k)
		return
	}
	l.add(k.Is(l.s, v))
}

func (l *limits) memory(c cgroup, err error) {
	used := []fact.Key{fact.CgroupMemUsed, fact.CgroupMemCache, fact.CgroupMemFailures}
	limitFile, usedFile, cache := "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
	if c.v2 {
		limitFile, usedFile, cache = "memory.max", "memory.current", "inactive_file"
	}
	var limit float64
	var dir string
	if err == nil {
		limit, dir, err = l.tightest(c, func(dir string) (float64, error) { return l.number(path.Join(dir, limitFile)) })
	}
	if err != nil {
		l.unknown(err, append(used, fact.CgroupMemLimit, fact.CgroupOOMKills)...)
		return
	}
	l.add(fact.CgroupMemLimit.Is(l.s, limit))
	l.kills(c)
	if limit == 0 {
		l.add(all(l.s, used, unlimited)...)
		return
	}
	l.one(fact.CgroupMemUsed, path.Join(dir, usedFile))
	l.figures(path.Join(dir, "memory.stat"), []figure{{cache, fact.CgroupMemCache, 1}})
	if c.v2 {
		l.figures(path.Join(dir, "memory.events"), []figure{{"max", fact.CgroupMemFailures, 1}})
	} else {
		l.one(fact.CgroupMemFailures, path.Join(dir, "memory.failcnt"))
	}
}

// kills observes how many processes of the cgroup were killed for want of memory:
// both versions count where the killed process was, whoever was full.
func (l *limits) kills(c cgroup) {
	file := "memory.oom_control"
	if c.v2 {
		file = "memory.events"
	}
	if c.isRoot() {
		l.add(fact.CgroupOOMKills.Unknown(l.s, &fact.Unknown{Reason: fact.Absent, Detail: "its cgroup is the root of them: host.oom-kills counts"}))
		return
	}
	l.figures(path.Join(c.top, c.below, file), []figure{{"oom_kill", fact.CgroupOOMKills, 1}})
}

func (l *limits) threads(c cgroup, err error) {
	var limit float64
	var dir string
	if err == nil {
		limit, dir, err = l.tightest(c, func(dir string) (float64, error) { return l.number(path.Join(dir, "pids.max")) })
	}
	if err != nil {
		l.unknown(err, fact.CgroupThreadLimit, fact.CgroupThreads)
		return
	}
	l.add(fact.CgroupThreadLimit.Is(l.s, limit))
	if limit == 0 {
		l.add(fact.CgroupThreads.Unknown(l.s, unlimited))
		return
	}
	l.one(fact.CgroupThreads, path.Join(dir, "pids.current"))
}

func (l *limits) frozen(c cgroup, err error) {
	switch {
	case err != nil:
		l.unknown(err, fact.CgroupFrozen)
		return
	case c.isRoot(): // which cannot be frozen
		l.add(fact.CgroupFrozen.Is(l.s, false))
		return
	}
	file := "freezer.state"
	if c.v2 {
		file = "cgroup.events"
	}
	text, err := l.t.ReadFile(path.Join(c.top, c.below, file), 4<<10)
	if err != nil {
		l.unknown(fmt.Errorf("ask whether its cgroup is frozen: %w", err), fact.CgroupFrozen)
		return
	}
	frozen, err := ParseFrozen(file, text)
	if err != nil {
		l.unknown(err, fact.CgroupFrozen)
		return
	}
	l.add(fact.CgroupFrozen.Is(l.s, frozen))
}

// ParseFrozen reads freezer.state of cgroup v1 (THAWED, FREEZING, FROZEN) or the
// line frozen of cgroup.events of v2. FREEZING is not frozen yet.
func ParseFrozen(what string, file []byte) (bool, error) {
	switch strings.TrimSpace(string(file)) {
	case "FROZEN":
		return true, nil
	case "THAWED", "FREEZING":
		return false, nil
	}
	numbers, err := ParseNumbers(what, file, []figure{{name: "frozen"}})
	if err != nil {
		return false, err
	}
	v, ok := numbers["frozen"]
	if !ok {
		return false, fmt.Errorf("%s: expected THAWED, FROZEN or a line frozen: %q", what, cut(string(file), 40))
	}
	return v != 0, nil
}

func (l *limits) pressure(c cgroup, err error) {
	if err == nil && c.isRoot() {
		l.add(all(l.s, keysOf(cgroupPressure), &fact.Unknown{Reason: fact.Absent, Detail: "its cgroup is the root of them: host.pressure tells"})...)
		return
	}
	for _, f := range cgroupPressure {
		var numbers map[string]float64
		failed := err
		if failed == nil {
			var of map[string]float64
			of, failed = readPressure(l.t, path.Join(c.top, c.below, f.name+".pressure"))
			numbers = map[string]float64{f.name: of["some"]}
		}
		if failed == nil || err != nil {
			l.add(observe(l.s, []figure{f}, "", numbers, failed)...)
			continue
		}
		if because := probe.Because(failed); because.Reason == fact.NotSupported {
			failed = probe.Fail(fact.NotSupported, "no pressure is counted for this cgroup: it is the root, or the kernel counts none", "")
		}
		l.unknown(failed, f.key)
	}
}
