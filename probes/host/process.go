package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/process"

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
	Yields:  []fact.Key{fact.BrokerProcess, fact.ProcessCPU, fact.ProcessRSS, fact.ProcessThreads, fact.ProcessFDs, fact.ProcessFDLimit},
	Observe: observeProcess,
}

func observeProcess(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	brokers := t.Brokers()
	if len(brokers) == 0 {
		return Nowhere([]fact.Key{fact.BrokerProcess, fact.ProcessCPU, fact.ProcessRSS, fact.ProcessThreads, fact.ProcessFDs, fact.ProcessFDLimit}, NoBroker), nil
	}
	boot := BootTime(t)
	var seen []fact.Observation
	for _, b := range brokers {
		seen = append(seen, processOf(ctx, t, b, boot)...)
	}
	return seen, nil
}

// processOf observes one broker's process. A process that has ended and whose
// parent has not yet noticed (state Z) exists no more.
func processOf(ctx context.Context, t *probe.Target, b fact.LocalBroker, boot time.Time) []fact.Observation {
	s := SubjectOf(b)
	state := fact.ProcessState{PID: b.PID, Found: b.FoundBy}
	if b.FoundBy != "process" && b.Config != "" {
		state.Found += " (" + b.Config + ")"
	}
	stat, err := Stat{}, error(syscall.ESRCH)
	if b.PID != 0 {
		stat, err = ReadStat(t, b.PID)
	}
	if probe.Missing(err) && !seesAll(t) {
		err = fmt.Errorf("read %s: %w: /proc shows this user's own processes only", t.Proc(b.PID, "stat"), fs.ErrPermission)
	}
	var other bool // the number belongs to another process by now
	if start := censusOf(t).start(b.PID); err == nil {
		other = start != stat.Start && (start != 0 || !b.Running)
	}
	switch {
	case err != nil && !probe.Missing(err):
		return append([]fact.Observation{fact.BrokerProcess.Unknown(s, probe.Because(err))}, noFigures(s, probe.Because(err))...)
	case err != nil || other:
		return append([]fact.Observation{fact.BrokerProcess.Is(s, state)}, noFigures(s, gone)...)
	}
	state.State, state.Started = stat.State, stat.Started(boot)
	state.Exists = !stat.Ended()
	seen := []fact.Observation{fact.BrokerProcess.Is(s, state)}
	if !state.Exists {
		return append(seen, noFigures(s, gone)...)
	}
	seen = append(seen,
		fact.ProcessCPU.Is(s, stat.CPU),
		fact.ProcessRSS.Is(s, float64(stat.RSSPages)*float64(os.Getpagesize())),
		fact.ProcessThreads.Is(s, float64(stat.Threads)))
	return append(seen, descriptors(ctx, t, s, b.PID)...)
}

var gone = &fact.Unknown{Reason: fact.Absent, Detail: "its process is gone"}

// noFigures is the figures of a process that has none.
func noFigures(s fact.Subject, because *fact.Unknown) []fact.Observation {
	return []fact.Observation{
		fact.ProcessCPU.Unknown(s, because), fact.ProcessRSS.Unknown(s, because), fact.ProcessThreads.Unknown(s, because),
		fact.ProcessFDs.Unknown(s, because), fact.ProcessFDLimit.Unknown(s, because),
	}
}

// descriptors counts the open files and reads their limit, both of the process
// itself: what ulimit says in a shell is another matter.
func descriptors(ctx context.Context, t *probe.Target, s fact.Subject, pid int) []fact.Observation {
	p := process.Process{Pid: int32(pid)}
	ctx = rooted(ctx, t)
	var seen []fact.Observation
	t.Ledger.Note("open", t.Proc(pid, "fd"), 0, 0)
	if n, err := p.NumFDsWithContext(ctx); err != nil {
		seen = append(seen, fact.ProcessFDs.Unknown(s, probe.Because(fmt.Errorf("count the descriptors: %w", err))))
	} else {
		seen = append(seen, fact.ProcessFDs.Is(s, float64(n)))
	}
	t.Ledger.Note("open", t.Proc(pid, "limits"), 0, 0)
	limit, err := softLimit(p.RlimitWithContext(ctx))
	if err != nil {
		return append(seen, fact.ProcessFDLimit.Unknown(s, probe.Because(fmt.Errorf("read the limit of descriptors: %w", err))))
	}
	return append(seen, fact.ProcessFDLimit.Is(s, float64(limit)))
}

func softLimit(limits []process.RlimitStat, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	for _, l := range limits {
		if l.Resource == process.RLIMIT_NOFILE {
			return l.Soft, nil
		}
	}
	return 0, errors.New("no line for open files")
}
