package history

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// coordinatorLogs tells what the groups and transactions have been through whose
// coordinators' logs are on this host: the newest of them at the first look, then
// what has come since.
var coordinatorLogs = &probe.Probe{
	Name:    "disk.groups",
	Doc:     "the local partitions of __consumer_offsets and __transaction_state: generations, rewinds, expiry, open transactions, also from before anyone looked",
	Cost:    probe.Free,
	Every:   10 * time.Second,
	Yields:  coordinatorKeys,
	Observe: observeCoordinators,
}

var coordinatorKeys = []fact.Key{fact.GroupsChanged, fact.GroupOnDisk, fact.TransactionsOnDisk}

// watchedRoom is how many offsets, members and generations are kept while
// watching: some 20 MB.
const watchedRoom = 100_000

// coordinators is what is read of both topics, between two looks.
type coordinators struct {
	groups       *Groups
	offsets      *tail
	transactions *Transactions
	states       *tail
	records      int64 // of groups, that the values below were made of
	pasts        []fact.Observation
	changes      fact.ChangeList
}

type coordinatorsKey struct{}

func observeCoordinators(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	ctx, cancel := probe.Early(ctx)
	defer cancel()
	node, dirs := logDirsOf(t)
	if len(dirs) == 0 { // no failure: there is nothing to read
		return unknownCoordinators(&fact.Unknown{Reason: fact.NotObserved, Detail: "no broker's log dir is on this host"}), nil
	}
	return probe.Within(ctx, t, "read the coordinators' logs", func() ([]fact.Observation, error) {
		return probe.Shared(t, coordinatorsKey{}, func() *coordinators { return &coordinators{} }).look(ctx, t, node, dirs)
	})
}

func unknownCoordinators(because *fact.Unknown) (all []fact.Observation) {
	for _, k := range coordinatorKeys {
		all = append(all, fact.UnknownEverywhere(k, because))
	}
	return all
}

// logDirsOf is where brokers of this host have their logs, and the node that has
// them; -1 where there are several, or it is not known.
func logDirsOf(t *probe.Target) (node int32, dirs []string) {
	node = -1
	for i, b := range t.Brokers() {
		if node = b.NodeID; i > 0 {
			node = -1
		}
		for _, dir := range b.LogDirs {
			dirs = append(dirs, t.PathOf(b.PID, dir))
		}
	}
	if len(dirs) == 0 {
		return -1, t.LogDirs
	}
	slices.Sort(dirs)
	return node, slices.Compact(dirs)
}

// retentionOf is for how long brokers of this host keep offsets, by their
// properties; 0 where these say nothing, or not the same.
func retentionOf(brokers []fact.LocalBroker) time.Duration {
	seconds := 0.0
	for _, b := range brokers {
		switch {
		case b.OffsetsRetention <= 0:
		case seconds > 0 && b.OffsetsRetention != seconds:
			return 0
		default:
			seconds = b.OffsetsRetention
		}
	}
	return time.Duration(min(seconds, 100*365*86400) * float64(time.Second))
}

// look reads on in both topics.
func (c *coordinators) look(ctx context.Context, t *probe.Target, node int32, dirs []string) ([]fact.Observation, error) {
	if c.groups == nil {
		c.groups = newGroups(CoordinatorOptions{Retention: retentionOf(t.Brokers())})
		c.groups.room = watchedRoom
		c.offsets = newTail(OffsetsTopic, t.Now(), c.groups.apply)
		c.records = -1
	}
	if c.transactions == nil {
		c.transactions = &Transactions{by: map[string]*Transaction{}}
		c.states = newTail(TransactionsTopic, t.Now(), c.transactions.apply)
	}
	if err := c.offsets.advance(ctx, t, dirs); err != nil {
		if errors.Is(err, errAnew) {
			c.groups = nil
		}
		return nil, coordinatorError(OffsetsTopic, err)
	}
	because := (*fact.Unknown)(nil)
	if err := c.states.advance(ctx, t, dirs); err != nil {
		if errors.Is(err, errAnew) {
			c.transactions = nil
		}
		because = probe.Because(coordinatorError(TransactionsTopic, err))
	}
	if len(c.offsets.at)+len(c.states.at) == 0 && because == nil {
		return unknownCoordinators(&fact.Unknown{Reason: fact.Absent, Detail: fmt.Sprintf("no partition of %s in %s", OffsetsTopic, strings.Join(dirs, ", "))}), nil
	}
	return c.observe(t.Now(), node, dirs, because), nil
}

// coordinatorError is the error of a look that has not come to the logs' ends.
func coordinatorError(topic string, err error) error {
	switch {
	case errors.Is(err, errAnew):
		return probe.Fail(fact.NotYet, topic+": "+err.Error(), "wait for the next sample")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return probe.Fail(fact.TimedOut, topic+" was not read to its end in time; the next look goes on from there", "ktriage history, or a longer --timeout")
	}
	return err
}

// observe tells what the logs hold now; because says why nothing is known of
// transactions, or is nil.
func (c *coordinators) observe(now time.Time, node int32, dirs []string, because *fact.Unknown) []fact.Observation {
	read := c.offsets.read()
	if read.Records != c.records || read.Records == 0 {
		c.records = read.Records
		c.groups.First, c.groups.Last = read.First, read.Last
		c.groups.forget(read.Last.Add(-told))
		for _, one := range c.groups.by {
			one.settle()
		}
		c.pasts = c.pastFacts()
		c.changes = listOf(c.groups.Changes(Want{Since: read.Last.Add(-told), Broker: -1}), later(read.First, read.Last.Add(-told)))
	}
	all := slices.Clone(c.pasts)
	list := c.changes
	if because != nil {
		all = append(all, fact.UnknownEverywhere(fact.TransactionsOnDisk, because))
	} else {
		states := c.states.read()
		all = append(all, fact.TransactionsOnDisk.Is(fact.TheCluster, c.transactions.fact(states.Last)))
		if open := c.transactions.Changes(Want{Since: now.Add(-told), Broker: -1}, now); len(open) > 0 {
			more := listOf(open, list.From)
			list.All = slices.Concat(list.All, more.All)
			slices.SortStableFunc(list.All, func(a, b fact.Change) int { return a.At.Compare(b.At) })
			list.Left += more.Left
		}
		read.Damage = append(read.Damage, states.Damage...)
		read.Unknown, read.Newer, read.Undecoded = read.Unknown+states.Unknown, read.Newer+states.Newer, read.Undecoded+states.Undecoded
	}
	list.Copy = fact.LogCopy{Node: node, Dir: filepath.Clean(dirs[0]), First: list.From, Last: read.Last, Passed: c.groups.Unknown + c.groups.Newer + c.groups.Undecoded, Damage: strings.Join(read.Damage, "; ")}
	return append(all, fact.GroupsChanged.Is(fact.TheCluster, list))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
