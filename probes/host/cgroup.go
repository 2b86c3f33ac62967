package host

import (
	"context"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Cgroup reads what the cgroups of each broker allow it, and how often they made
// it wait.
var Cgroup = &probe.Probe{
	Name:    "host.cgroup",
	Doc:     "limits, throttling, memory, pressure and freezing of the brokers' cgroups, v1 and v2",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  cgroupKeys,
	Observe: observeCgroup,
}

var (
	cgroupPressure = []figure{
		{"cpu", fact.CgroupPressureCPU, 1e-6}, {"io", fact.CgroupPressureIO, 1e-6}, {"memory", fact.CgroupPressureMem, 1e-6},
	}
	cgroupKeys = append(keysOf(cgroupPressure),
		fact.CgroupCPULimit, fact.CgroupCPUPeriods, fact.CgroupThrottledPeriods, fact.CgroupThrottledSeconds,
		fact.CgroupMemLimit, fact.CgroupMemUsed, fact.CgroupMemCache, fact.CgroupMemFailures, fact.CgroupOOMKills,
		fact.CgroupThreadLimit, fact.CgroupThreads, fact.CgroupFrozen, fact.CgroupIOLimits)
	unlimited = &fact.Unknown{Reason: fact.Absent, Detail: "its cgroups set no such limit"}
)

func observeCgroup(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	mounts, mountErr := read(t, "/proc/self/mountinfo", 16<<20, ParseMountInfo)
	return eachProcess(t, cgroupKeys, func(s fact.Subject, b fact.LocalBroker) []fact.Observation {
		file, err := t.ReadFile(t.Proc(b.PID, "cgroup"), 64<<10)
		var in []Membership
		if err == nil {
			in, err = ParseCgroup(file)
		}
		if err == nil {
			err = mountErr
		}
		if err != nil {
			return all(s, cgroupKeys, probe.Because(fmt.Errorf("find the cgroups of process %d: %w", b.PID, err)))
		}
		l := limits{t: t, s: s}
		find := func(controller string) (cgroup, error) {
			c, err := locate(controller, in, mounts)
			c.top = t.Root + c.top
			return c, err
		}
		l.cpu(find("cpu"))
		l.memory(find("memory"))
		l.threads(find("pids"))
		l.frozen(find("freezer"))
		l.io(find("blkio"))
		l.pressure(find("")) // of v2 only
		return l.seen
	})
}

// limits gathers what is observed of the cgroups of one process.
type limits struct {
	t    *probe.Target
	s    fact.Subject
	seen []fact.Observation
}

func (l *limits) add(o ...fact.Observation) { l.seen = append(l.seen, o...) }

func (l *limits) unknown(err error, keys ...fact.Key) {
	l.add(all(l.s, keys, probe.Because(err))...)
}

// tightest is the lowest limit of a chain of cgroups and the directory that sets
// it, the innermost of equals. The limit is 0 where none sets any.
func (l *limits) tightest(c cgroup, limit func(dir string) (float64, error)) (lowest float64, dir string, err error) {
	lowest = math.Inf(1)
	for _, d := range c.chain() {
		v, err := limit(d)
		if probe.Missing(err) { // the root, or a controller that is not passed on to here
			continue
		}
		if err != nil {
			return 0, "", err
		}
		if v < lowest {
			lowest, dir = v, d
		}
	}
	if math.IsInf(lowest, 1) {
		return 0, "", nil
	}
	return lowest, dir, nil
}

// number reads a file with one number, or the word max.
func (l *limits) number(file string) (float64, error) {
	text, err := l.t.ReadFile(file, 4<<10)
	if err != nil {
		return 0, err
	}
	return ParseLimit(file, text)
}

// ParseLimit reads a limit of a cgroup: a number, or "max". Infinite where there
// is no limit; cgroup v1 says so of memory with a number of some 8 EiB.
func ParseLimit(what string, file []byte) (float64, error) {
	if strings.TrimSpace(string(file)) == "max" {
		return math.Inf(1), nil
	}
	v, err := parseNumber(what, file)
	if v >= 1<<62 {
		v = math.Inf(1)
	}
	return v, err
}

// ParseCPUMax reads cpu.max of cgroup v2, a quota and a period in microseconds,
// as a number of processors. Infinite: no limit.
//
//	200000 100000
func ParseCPUMax(what string, file []byte) (float64, error) {
	words := strings.Fields(string(file))
	if len(words) != 2 {
		return 0, fmt.Errorf("%s: expected a quota and a period: %q", what, cut(string(file), 40))
	}
	if words[0] == "max" {
		return math.Inf(1), nil
	}
	quota, err1 := strconv.ParseUint(words[0], 10, 62)
	period, err2 := strconv.ParseUint(words[1], 10, 62)
	if err1 != nil || err2 != nil || period == 0 {
		return 0, fmt.Errorf("%s: expected a quota and a period: %q", what, cut(string(file), 40))
	}
	return float64(quota) / float64(period), nil
}

// processors is the limit that one directory sets.
func (l *limits) processors(dir string, v2 bool) (float64, error) {
	if v2 {
		file, err := l.t.ReadFile(path.Join(dir, "cpu.max"), 4<<10)
		if err != nil {
			return 0, err
		}
		return ParseCPUMax(path.Join(dir, "cpu.max"), file)
	}
	quota, err := l.t.ReadFile(path.Join(dir, "cpu.cfs_quota_us"), 4<<10)
	if err != nil {
		return 0, err
	}
	if strings.HasPrefix(string(quota), "-") {
		return math.Inf(1), nil
	}
	period, err := l.t.ReadFile(path.Join(dir, "cpu.cfs_period_us"), 4<<10)
	if err != nil {
		return 0, err
	}
	return ParseCPUMax(path.Join(dir, "cpu.cfs_quota_us"), []byte(string(quota)+" "+string(period)))
}
