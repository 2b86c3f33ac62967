package host

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// ticksPerSecond is USER_HZ: what /proc counts in, 100 on every architecture
// that Kafka is run on, whatever the kernel's own HZ.
const ticksPerSecond = 100

// Stat is what is taken from /proc/PID/stat.
type Stat struct {
	State    string  // R S D T t Z X I
	CPU      float64 // seconds, user and system
	Faults   uint64  // page faults that had to read from a disk
	Threads  int64
	Start    uint64 // ticks since boot
	VM       uint64 // bytes of address space
	RSSPages int64
}

// ParseStat reads the one line of /proc/PID/stat:
//
//	12773 (java) S 14980 12773 … 762 87 0 0 20 0 102 0 395187 2992177152 94822 …
//
// The name in parentheses may itself hold blanks and parentheses.
func ParseStat(line []byte) (Stat, error) {
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return Stat{}, fmt.Errorf("process stat: expected a name in parentheses")
	}
	fields := strings.Fields(string(line[end+1:]))
	const first = 3 // the number that proc(5) gives to the field after the name
	field := func(n int) (uint64, error) {
		if n-first >= len(fields) {
			return 0, fmt.Errorf("process stat: field %d: missing, there are %d", n, len(fields)+first-1)
		}
		v, err := strconv.ParseUint(fields[n-first], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("process stat: field %d: expected a number: %q", n, fields[n-first])
		}
		return v, nil
	}
	var numbers [7]uint64
	for i, n := range []int{14, 15, 20, 22, 24, 12, 23} {
		v, err := field(n)
		if err != nil {
			return Stat{}, err
		}
		numbers[i] = v
	}
	return Stat{
		State:    fields[0],
		CPU:      (float64(numbers[0]) + float64(numbers[1])) / ticksPerSecond,
		Threads:  int64(numbers[2]),
		Start:    numbers[3],
		Faults:   numbers[5],
		VM:       numbers[6],
		RSSPages: int64(numbers[4]),
	}, nil
}

// Ended says whether the process is no more, though its parent has not asked
// for its exit status yet.
func (s Stat) Ended() bool { return s.State == "Z" || s.State == "X" || s.State == "x" }

// ReadStat reads a process's state; an error for which probe.Missing holds says
// that there is no such process.
func ReadStat(t *probe.Target, pid int) (Stat, error) {
	line, err := t.ReadFile(t.Proc(pid, "stat"), 8<<10)
	if err != nil {
		return Stat{}, err
	}
	s, err := ParseStat(line)
	if err != nil {
		return s, fmt.Errorf("process %d: %w", pid, err)
	}
	return s, nil
}

// Started is when the process started, by the host's boot time.
func (s Stat) Started(boot time.Time) time.Time {
	if boot.IsZero() || s.Start > 1<<40 {
		return time.Time{}
	}
	return boot.Add(time.Duration(s.Start) * (time.Second / ticksPerSecond))
}

// BootTime is when the host started; zero where /proc/stat does not say.
func BootTime(t *probe.Target) time.Time {
	stat, err := t.ReadFile(t.Root+"/proc/stat", 4<<20)
	if err != nil {
		return time.Time{}
	}
	return parseBootTime(stat)
}

func parseBootTime(stat []byte) time.Time {
	for line := range bytes.Lines(stat) {
		if rest, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			if s, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64); err == nil {
				return time.Unix(s, 0)
			}
		}
	}
	return time.Time{}
}
