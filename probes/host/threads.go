package host

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Threads reads what the threads of each broker wait for, all together.
var Threads = &probe.Probe{
	Name:    "host.threads",
	Doc:     "run-queue delay and threads in state D of the brokers' processes, from /proc/PID/task",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  threadKeys,
	Observe: observeThreads,
}

var threadKeys = []fact.Key{fact.ProcessBlocked, fact.ProcessRunQueue}

// maxThreads is how many threads of one process are looked at.
const maxThreads = 10000

// waits remembers how long each thread of a process had waited at the last look.
// A thread takes its own count along when it ends, so that the sum over the
// living is no counter: what each has waited more since the last look is summed
// instead.
type waits struct {
	mu sync.Mutex
	of map[int]*waited // by process id
}

type waited struct {
	start uint64 // of the process, so that a reused id begins anew
	last  map[int]float64
	total float64
}

type waitsKey struct{}

func observeThreads(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	w := probe.Shared(t, waitsKey{}, func() *waits { return &waits{of: map[int]*waited{}} })
	w.mu.Lock()
	defer w.mu.Unlock()
	return eachProcess(t, threadKeys, func(s fact.Subject, b fact.LocalBroker) []fact.Observation {
		blocked, now, err := lookAtThreads(ctx, t, b.PID)
		if err != nil {
			return all(s, threadKeys, probe.Because(err))
		}
		seen := []fact.Observation{fact.ProcessBlocked.Is(s, float64(blocked))}
		if now == nil {
			return append(seen, fact.ProcessRunQueue.Unknown(s, &fact.Unknown{Reason: fact.NotSupported, Detail: "this kernel has no schedstat, or does not count"}))
		}
		return append(seen, fact.ProcessRunQueue.Is(s, w.add(b.PID, censusOf(t).start(b.PID), now)))
	})
}

// add adds what the threads of a process waited since the last look, and returns
// the sum. What they had waited before the first look does not count, as those
// that ended before it do not either.
func (w *waits) add(pid int, start uint64, now map[int]float64) float64 {
	of := w.of[pid]
	if of == nil || of.start != start {
		of = &waited{start: start, last: now}
		w.of[pid] = of
	}
	for tid, seconds := range now {
		if more := seconds - of.last[tid]; more > 0 {
			of.total += more
		}
	}
	of.last = now
	return of.total
}

// lookAtThreads counts the threads of a process in state D, and says how long each
// has waited for a processor, in seconds; nil where the kernel does not count.
// Threads that end meanwhile are left out.
func lookAtThreads(ctx context.Context, t *probe.Target, pid int) (blocked int, waited map[int]float64, err error) {
	dir := t.Proc(pid, "task")
	f, err := t.Open(dir)
	if err != nil {
		return 0, nil, fmt.Errorf("list the threads: %w", err)
	}
	names, err := f.Readdirnames(maxThreads)
	f.Close()
	if err != nil {
		return 0, nil, fmt.Errorf("list the threads: %w", err)
	}
	waited = map[int]float64{}
	counts := false
	var buf [512]byte
	for _, name := range names {
		if ctx.Err() != nil {
			return 0, nil, fmt.Errorf("read the threads of process %d: %w", pid, ctx.Err())
		}
		line, err := probe.ReadStart(buf[:], dir+"/"+name+"/stat")
		if err != nil {
			continue
		}
		if stat, err := ParseStat(line); err == nil && stat.State == "D" {
			blocked++
		}
		line, err = probe.ReadStart(buf[:], dir+"/"+name+"/schedstat")
		if err != nil {
			continue
		}
		tid, bad := strconv.Atoi(name)
		wait, ran, err := ParseTaskSchedstat(line)
		if bad != nil || err != nil {
			return 0, nil, fmt.Errorf("thread %s: %w", name, errors.Join(bad, err))
		}
		waited[tid] = wait
		counts = counts || ran > 0 // else the kernel has the file and does not count
	}
	t.Ledger.Note("read", dir+"/*/stat", int64(len(names)), 0)
	t.Ledger.Note("read", dir+"/*/schedstat", int64(len(names)), 0)
	if !counts {
		return blocked, nil, nil
	}
	return blocked, waited, nil
}

// ParseTaskSchedstat reads how long a thread has waited for a processor, and how
// long it ran, in seconds: the second and the first number, nanoseconds.
//
//	4793210 331942 2
func ParseTaskSchedstat(line []byte) (waited, ran float64, err error) {
	words := strings.Fields(string(line))
	if len(words) < 3 {
		return 0, 0, fmt.Errorf("schedstat: expected three numbers: %q", cut(string(line), 40))
	}
	var numbers [2]uint64
	for i := range numbers {
		if numbers[i], err = strconv.ParseUint(words[i], 10, 64); err != nil {
			return 0, 0, fmt.Errorf("schedstat: field %d: expected a number: %q", i+1, words[i])
		}
	}
	return float64(numbers[1]) / 1e9, float64(numbers[0]) / 1e9, nil
}
