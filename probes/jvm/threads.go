package jvm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// Threads sorts the threads of each broker by what they are for.
var Threads = &probe.Probe{
	Name:    "jvm.threads",
	Doc:     "CPU time, waits and states of the brokers' threads by role, from /proc/PID/task",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{host.Brokers},
	Yields:  []fact.Key{fact.JVMThreadRoles},
	Observe: observeThreads,
}

// maxThreads is how many threads of one process are looked at.
const maxThreads = 10000

// thread is one look at a thread; seconds.
type thread struct {
	tid       int
	comm      string
	state     string
	cpu, wait float64
}

// census is what is remembered of a process's threads between looks. A thread
// takes its counts along when it ends, so that sums over the living are no
// counters: what each has used more since the last look is summed instead.
type census struct {
	start uint64 // of the process, so that a reused number begins anew
	last  map[int]thread
	plane map[int]string // threads of the data plane by what they were seen waiting in
	sums  map[string]*fact.ThreadRole
}

type censuses struct {
	mu sync.Mutex
	of map[int]*census
}

type censusKey struct{}

func observeThreads(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	all := probe.Shared(t, censusKey{}, func() *censuses { return &censuses{of: map[int]*census{}} })
	return eachBroker(ctx, t, []fact.Key{fact.JVMThreadRoles}, living(func(ctx context.Context, s fact.Subject, b fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
		stat, err := host.ReadStat(t, b.PID)
		if probe.Missing(err) {
			return nil, gone
		}
		if err != nil {
			return nil, probe.Because(fmt.Errorf("read the threads: %w", err))
		}
		threads, err := threadsOf(ctx, t, b.PID)
		if err != nil {
			return nil, probe.Because(err)
		}
		all.mu.Lock()
		defer all.mu.Unlock()
		c := all.of[b.PID]
		if c == nil || c.start != stat.Start {
			c = &census{start: stat.Start, plane: map[int]string{}, sums: map[string]*fact.ThreadRole{}}
			all.of[b.PID] = c
		}
		c.learn(t, b.PID, threads)
		return []fact.Observation{fact.JVMThreadRoles.Is(s, c.add(threads))}, nil
	}))
}

// learn looks what threads of the data plane wait in that are not told apart yet.
func (c *census) learn(t *probe.Target, pid int, threads []thread) {
	for _, th := range threads {
		if c.plane[th.tid] != "" || roleOf(th.comm) != dataPlane || th.state != "S" {
			continue
		}
		b, err := t.ReadFile(fmt.Sprintf("%s/%d/syscall", t.Proc(pid, "task"), th.tid), 4<<10)
		if err != nil {
			return // not allowed: then for none of them
		}
		if role := planeRole(b); role != "" {
			c.plane[th.tid] = role
		}
	}
}

// role is what a thread is for.
func (c *census) role(th thread) string {
	role := roleOf(th.comm)
	if role == dataPlane {
		if told := c.plane[th.tid]; told != "" {
			return told
		}
	}
	return role
}

// add adds what each thread has used since the last look; what it had used before
// the first does not count. The answer is sorted by CPU time, most first.
func (c *census) add(threads []thread) []fact.ThreadRole {
	for _, sum := range c.sums {
		sum.Count, sum.Running, sum.Blocked = 0, 0, 0
	}
	busiest, now := map[string]float64{}, make(map[int]thread, len(threads))
	for _, th := range threads {
		now[th.tid] = th
		role := c.role(th)
		sum := c.sums[role]
		if sum == nil {
			sum = &fact.ThreadRole{Role: role}
			c.sums[role] = sum
		}
		sum.Count++
		switch th.state {
		case "R":
			sum.Running++
		case "D":
			sum.Blocked++
		}
		if c.last == nil {
			continue
		}
		before := c.last[th.tid] // zero for a thread that began since
		if before.comm != th.comm && before.tid != 0 && before.cpu > th.cpu {
			before = thread{} // another thread has the number
		}
		ran := max(0, th.cpu-before.cpu)
		sum.CPU += ran
		sum.Wait += max(0, th.wait-before.wait)
		busiest[role] = max(busiest[role], ran)
	}
	c.last = now
	for tid := range c.plane {
		if _, lives := now[tid]; !lives {
			delete(c.plane, tid)
		}
	}
	all := make([]fact.ThreadRole, 0, len(c.sums))
	for role, sum := range c.sums {
		sum.Busiest += busiest[role]
		all = append(all, *sum)
	}
	slices.SortFunc(all, func(a, b fact.ThreadRole) int { return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(a.Role, b.Role)) })
	return all
}

// threadsOf looks at every thread of a process. Those that end meanwhile are left
// out.
func threadsOf(ctx context.Context, t *probe.Target, pid int) ([]thread, error) {
	dir := t.Proc(pid, "task")
	f, err := t.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list the threads: %w", err)
	}
	names, err := f.Readdirnames(maxThreads)
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("list the threads: %w", err)
	}
	var buf [1024]byte
	threads := make([]thread, 0, len(names))
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read the threads of process %d: %w", pid, ctx.Err())
		}
		tid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if th, ok := readThread(buf[:], dir+"/"+name, tid); ok {
			threads = append(threads, th)
		}
	}
	return threads, nil
}

func readThread(buf []byte, dir string, tid int) (thread, bool) {
	line, err := probe.ReadStart(buf, dir+"/stat")
	if err != nil {
		return thread{}, false
	}
	th, err := parseThread(line)
	if err != nil {
		return thread{}, false
	}
	th.tid = tid
	if line, err = probe.ReadStart(buf, dir+"/schedstat"); err == nil {
		if ran, waited, ok := parseSchedstat(line); ok {
			th.cpu, th.wait = ran, waited // finer than the hundredths of stat
		}
	}
	return th, true
}

// parseThread reads /proc/PID/task/TID/stat.
func parseThread(line []byte) (thread, error) {
	s, err := host.ParseStat(line)
	if err != nil {
		return thread{}, err
	}
	return thread{comm: commOf(line), state: s.State, cpu: s.CPU}, nil
}

// parseSchedstat reads nanoseconds run and waited: 4793210 331942 2. Where the
// kernel does not count them all are 0, which is no answer.
func parseSchedstat(line []byte) (ran, waited float64, ok bool) {
	words := strings.Fields(string(line))
	if len(words) < 3 || words[2] == "0" {
		return 0, 0, false
	}
	r, err1 := strconv.ParseUint(words[0], 10, 64)
	w, err2 := strconv.ParseUint(words[1], 10, 64)
	return float64(r) / 1e9, float64(w) / 1e9, err1 == nil && err2 == nil
}
