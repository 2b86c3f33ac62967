package host

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Process reads the process of each broker of this host.
var Process = &probe.Probe{
	Name:    "host.process",
	Doc:     "state, CPU time, memory, threads and descriptors of the brokers' processes, from /proc/PID",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  append([]fact.Key{fact.BrokerProcess}, processFigures...),
	Observe: observeProcess,
}

// processFigures is what a process that is gone does not have.
var processFigures = []fact.Key{
	fact.ProcessCPU, fact.ProcessRSS, fact.ProcessVM, fact.ProcessVMLimit, fact.ProcessMajorFaults, fact.ProcessThreads, fact.ProcessThreadLimit,
	fact.ProcessFDs, fact.ProcessFDLimit,
}

func observeProcess(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	brokers := t.Brokers()
	if len(brokers) == 0 {
		return Nowhere(append([]fact.Key{fact.BrokerProcess}, processFigures...), NoBroker), nil
	}
	boot := BootTime(t)
	var seen []fact.Observation
	for _, b := range brokers {
		seen = append(seen, processOf(t, b, boot)...)
	}
	return seen, nil
}

// processOf observes one broker's process. A process that has ended and whose
// parent has not yet noticed (state Z) exists no more.
func processOf(t *probe.Target, b fact.LocalBroker, boot time.Time) []fact.Observation {
	s := SubjectOf(b)
	state := fact.ProcessState{PID: b.PID, Found: b.FoundBy}
	if b.FoundBy != "process" && b.Config != "" {
		state.Found += " (" + b.Config + ")"
	}
	of, err := Stat{}, error(syscall.ESRCH)
	if b.PID != 0 {
		of, err = ReadStat(t, b.PID)
	}
	if probe.Missing(err) && !seesAll(t) {
		err = outOfSight(t, b.PID)
	}
	var other bool // the number belongs to another process by now
	if start := censusOf(t).start(b.PID); err == nil {
		other = start != of.Start && (start != 0 || !b.Running)
	}
	switch {
	case err != nil && !probe.Missing(err):
		return append([]fact.Observation{fact.BrokerProcess.Unknown(s, probe.Because(err))}, all(s, processFigures, probe.Because(err))...)
	case err != nil || other:
		return append([]fact.Observation{fact.BrokerProcess.Is(s, state)}, all(s, processFigures, gone)...)
	}
	state.State, state.Started = of.State, of.Started(boot)
	state.Exists = !of.Ended()
	seen := []fact.Observation{fact.BrokerProcess.Is(s, state)}
	if !state.Exists {
		return append(seen, all(s, processFigures, gone)...)
	}
	seen = append(seen,
		fact.ProcessCPU.Is(s, of.CPU),
		fact.ProcessRSS.Is(s, float64(of.RSSPages)*float64(os.Getpagesize())),
		fact.ProcessVM.Is(s, float64(of.VM)),
		fact.ProcessMajorFaults.Is(s, float64(of.Faults)),
		fact.ProcessThreads.Is(s, float64(of.Threads)),
		descriptors(t, s, b.PID))
	return append(seen, limitsOf(t, s, b.PID)...)
}

var gone = &fact.Unknown{Reason: fact.Absent, Detail: "its process is gone"}

// descriptors counts the open files of the process. Kernels from 6.2 give their
// number as the size of the directory; on older ones it is read.
func descriptors(t *probe.Target, s fact.Subject, pid int) fact.Observation {
	name := t.Proc(pid, "fd")
	var fs unix.Statfs_t
	if info, err := stat(t, name); err == nil && info.Size() > 0 && unix.Statfs(name, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC {
		return fact.ProcessFDs.Is(s, float64(info.Size()))
	}
	dir, err := t.Open(name)
	if err != nil {
		return fact.ProcessFDs.Unknown(s, probe.Because(fmt.Errorf("count the descriptors: %w", err)))
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fact.ProcessFDs.Unknown(s, probe.Because(fmt.Errorf("count the descriptors: %w", err)))
	}
	return fact.ProcessFDs.Is(s, float64(len(names)))
}

// limitsOf reads the soft limits of the process itself: what ulimit says in a
// shell is another matter.
func limitsOf(t *probe.Target, s fact.Subject, pid int) []fact.Observation {
	file, err := t.ReadFile(t.Proc(pid, "limits"), 64<<10)
	var soft map[string]float64
	if err == nil {
		soft, err = ParseLimits(file)
	}
	if err != nil {
		err = fmt.Errorf("read the limits of process %d: %w", pid, err)
	}
	return observe(s, softLimits, "limits", soft, err)
}

var softLimits = []figure{
	{"Max open files", fact.ProcessFDLimit, 1}, {"Max address space", fact.ProcessVMLimit, 1}, {"Max processes", fact.ProcessThreadLimit, 1},
}

// ParseLimits reads the soft limits out of /proc/PID/limits, 0 where there is
// none:
//
//	Limit                     Soft Limit           Hard Limit           Units
//	Max open files            20000                20000                files
//	Max address space         unlimited            unlimited            bytes
func ParseLimits(file []byte) (map[string]float64, error) {
	soft := map[string]float64{}
	n := 0
	for line := range strings.Lines(string(file)) {
		n++
		for _, f := range softLimits {
			rest, ok := strings.CutPrefix(line, f.name+" ")
			if !ok {
				continue
			}
			words := strings.Fields(rest)
			if len(words) < 2 {
				return nil, fmt.Errorf("limits, line %d: expected a soft and a hard limit", n)
			}
			if words[0] == "unlimited" {
				soft[f.name] = 0
				continue
			}
			v, err := strconv.ParseUint(words[0], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("limits, line %d: expected a number or unlimited: %q", n, words[0])
			}
			soft[f.name] = float64(v)
		}
	}
	return soft, nil
}
