package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// Brokers finds the brokers and controllers of this host: those that run, and
// those that did or should.
var Brokers = &probe.Probe{
	Name:    "host.brokers",
	Doc:     "Kafka processes of this host, and brokers that belong here and do not run",
	Cost:    probe.Free,
	Every:   3 * time.Second,
	Yields:  []fact.Key{fact.LocalBrokers},
	Observe: observeBrokers,
}

// census is what discovery remembers between runs.
type census struct {
	mu    sync.Mutex
	found []found // running and dead, the latest of each broker
}

// found is a broker and what tells its process from a later one of the same
// number.
type found struct {
	fact.LocalBroker
	start uint64 // ticks since boot; 0: unknown
}

type censusKey struct{}

func censusOf(t *probe.Target) *census {
	return probe.Shared(t, censusKey{}, func() *census { return &census{} })
}

// start is when the process of a broker started, in ticks since boot.
func (c *census) start(pid int) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.found {
		if f.PID == pid {
			return f.start
		}
	}
	return 0
}

func observeBrokers(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	running, err := running(ctx, t)
	c := censusOf(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	all := running
	for _, old := range c.found {
		if old.NodeID < 0 {
			continue // gone, and nothing says that it was a broker of any cluster
		}
		old.Running = false
		all = join(all, old)
	}
	if t.PID == 0 {
		started := unitsInTime(ctx, t)
		if t.BrokerConfig != "" {
			f, bad := configured(t, started)
			err = errors.Join(err, bad)
			if bad != nil || !complete(all, f) {
				all = join(all, f)
			}
		}
		for _, f := range leftBehind(t) {
			all = join(all, f)
		}
		for _, f := range ended(ctx, t, all, started) {
			all = join(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.PID, b.PID))
	})
	c.found = all
	brokers := make([]fact.LocalBroker, 0, len(all))
	for _, f := range all {
		brokers = append(brokers, f.LocalBroker)
	}
	t.SetBrokers(brokers)
	switch {
	case len(brokers) > 0 || err != nil:
	case t.PID != 0:
		err = probe.Fail(fact.NotObserved, fmt.Sprintf("process %d is not a Kafka broker", t.PID), "give --pid a process whose main class is "+mainClass)
	case !seesAll(t):
		err = probe.Fail(fact.NotAllowed, "/proc shows this user's own processes only", "run as the broker's user, or root")
	}
	if len(brokers) == 0 && err != nil {
		return nil, err
	}
	return []fact.Observation{fact.LocalBrokers.Is(thisHost(), brokers)}, err
}

// join adds a broker unless it is there already: the same node id, the same
// properties file or the same process.
func join(all []found, more found) []found {
	for _, f := range all {
		switch {
		case more.NodeID >= 0 && f.NodeID == more.NodeID,
			more.Config != "" && f.Config == more.Config,
			more.PID != 0 && f.PID == more.PID:
			return all
		}
	}
	return append(all, more)
}

// running is the Kafka processes, or the one asked for. An error beside some of them says what could
// not be read of them.
func running(ctx context.Context, t *probe.Target) ([]found, error) {
	pids, err := process.PidsWithContext(rooted(ctx, t))
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	t.Ledger.Note("open", t.Root+"/proc", 0, 0)
	var all []found
	var errs []error
	for _, pid := range pids {
		if ctx.Err() != nil {
			return all, errors.Join(append(errs, ctx.Err())...)
		}
		if t.PID != 0 && int(pid) != t.PID {
			continue
		}
		f, ok, err := kafkaProcess(ctx, t, int(pid))
		if ok {
			all = append(all, f)
			errs = append(errs, err)
		}
	}
	// Of two processes with one configuration the older is the broker: the
	// other will fail on the lock of the log dir.
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(a.start, b.start) })
	t.SetRivals(rivals(all))
	var first []found
	for _, f := range all {
		first = join(first, f)
	}
	return first, errors.Join(errs...)
}

// kafkaProcess looks at one process. Processes that end meanwhile are no
// Kafka processes.
func kafkaProcess(ctx context.Context, t *probe.Target, pid int) (found, bool, error) {
	// Reading a command line waits for a lock of the process, which one that
	// hangs in the kernel may hold.
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	file := t.Proc(pid, "cmdline")
	cmdline, err := probe.Within(short, t, "read "+file, func() ([]byte, error) { return t.ReadFile(file, 2<<20) })
	stat, statErr := ReadStat(t, pid)
	if statErr != nil || stat.Ended() {
		return found{}, false, nil
	}
	if err != nil {
		f, ok := censusOf(t).known(pid, stat.Start)
		return f, ok, nil
	}
	command := ParseCommand(cmdline)
	if !command.IsKafka() {
		command, err = commandFromPerf(t, pid, cmdline)
		if err != nil || !command.IsKafka() {
			return found{}, false, nil
		}
	}
	b, err := brokerOf(t, pid, command)
	if errors.Is(err, context.DeadlineExceeded) { // its configuration was read before
		if f, ok := censusOf(t).known(pid, stat.Start); ok {
			return f, true, err
		}
	}
	return found{b, stat.Start}, true, err
}

// known is the broker that ran as this process when its command line could
// still be read.
func (c *census) known(pid int, start uint64) (found, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.found {
		if f.PID == pid && f.start == start {
			f.Running = true
			return f, true
		}
	}
	return found{}, false
}

// commandFromPerf reads the command from the JVM's perf data, where the command
// line hides it in an argument file.
func commandFromPerf(t *probe.Target, pid int, cmdline []byte) (Command, error) {
	if !usesArgumentFile(cmdline) {
		return Command{}, nil
	}
	for _, path := range hsperf.Candidates(t, pid) {
		f, err := hsperf.Open(t, path)
		if err != nil {
			continue
		}
		d, err := f.Read()
		f.Close()
		if err == nil {
			return parseJavaCommand(d.Command(), d.Strings["java.rt.vmArgs"], d.Strings["java.property.java.class.path"]), nil
		}
	}
	return Command{}, errors.New("no perf data")
}

// brokerOf describes a running broker. What cannot be read is left out, and the
// error says so.
func brokerOf(t *probe.Target, pid int, command Command) (fact.LocalBroker, error) {
	cwd, err := os.Readlink(t.Proc(pid, "cwd"))
	if err != nil {
		cwd = ""
	}
	b := fact.LocalBroker{NodeID: -1, PID: pid, Running: true, FoundBy: "process"}
	b.Config = absolute(command.Args[0], cwd)
	b.LogsDir = command.logsDir(cwd)
	c, err := readConfig(t, pid, b.Config, command.overrides(), cwd)
	fill(t, &b, c)
	return b, err
}
