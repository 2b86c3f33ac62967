package host

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
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

func (l *limits) io(c cgroup, err error) {
	byDevice := map[string]*fact.IOLimit{}
	if err == nil {
		for _, dir := range c.chain() {
			err = errors.Join(err, l.ioOf(dir, c.v2, byDevice))
		}
	}
	if err != nil {
		l.unknown(err, fact.CgroupIOLimits)
		return
	}
	limits := []fact.IOLimit{}
	for number, limit := range byDevice {
		limit.Device = number
		if link, err := os.Readlink(l.t.Root + "/sys/dev/block/" + number); err == nil {
			limit.Device = filepath.Base(link)
		}
		limits = append(limits, *limit)
	}
	slices.SortFunc(limits, func(a, b fact.IOLimit) int { return strings.Compare(a.Device, b.Device) })
	l.add(fact.CgroupIOLimits.Is(l.s, limits))
}

// ioOf adds what one directory limits.
func (l *limits) ioOf(dir string, v2 bool, byDevice map[string]*fact.IOLimit) error {
	files := map[string]string{"io.max": ""}
	if !v2 {
		files = map[string]string{"blkio.throttle.read_bps_device": "rbps", "blkio.throttle.write_bps_device": "wbps",
			"blkio.throttle.read_iops_device": "riops", "blkio.throttle.write_iops_device": "wiops"}
	}
	for name, what := range files {
		file, err := l.t.ReadFile(path.Join(dir, name), 64<<10)
		if probe.Missing(err) {
			continue
		}
		if err == nil {
			err = ParseIOLimits(path.Join(dir, name), what, file, byDevice)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ParseIOLimits reads io.max of cgroup v2, or a throttle file of v1, whose numbers
// are all of the kind what. A limit already there stays if it is lower.
//
//	8:16 rbps=2097152 wbps=max riops=max wiops=120
//	7:0 1048576
func ParseIOLimits(file, what string, text []byte, byDevice map[string]*fact.IOLimit) error {
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		for _, word := range words[1:] {
			kind, value, named := strings.Cut(word, "=")
			if !named {
				kind, value = what, word
			}
			if value == "max" {
				continue
			}
			v, err := strconv.ParseUint(value, 10, 64)
			if err != nil || kind == "" {
				return fmt.Errorf("%s, line %d: expected a limit: %q", file, n, cut(word, 40))
			}
			lower(byDevice, words[0], kind, float64(v))
		}
	}
	return nil
}

func lower(byDevice map[string]*fact.IOLimit, device, kind string, v float64) {
	l := byDevice[device]
	if l == nil {
		l = &fact.IOLimit{}
	}
	at := map[string]*float64{"rbps": &l.ReadBytes, "wbps": &l.WriteBytes, "riops": &l.Reads, "wiops": &l.Writes}[kind]
	if at == nil {
		return // a kind that later kernels have
	}
	if *at == 0 || v < *at {
		*at = v
	}
	byDevice[device] = l
}
