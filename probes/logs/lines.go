// Package logs reads the brokers' own logs for the lines that tell what no
// metric does: why a broker stopped, and what a log dir died of.
package logs

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// Probes is the probes of this package.
var Probes = []*probe.Probe{Lines}

// Lines reads the ends of server.log and its kin of each node on this host, then
// what is added to them.
var Lines = &probe.Probe{
	Name:    "logs.lines",
	Doc:     "known lines of the brokers' logs since their last start",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{host.Brokers},
	Yields:  allKeys,
	Observe: observe,
}

var (
	// ownKeys is what a node's own log tells of it.
	ownKeys = []fact.Key{fact.LogSigterm, fact.LogStarted, fact.LogOutOfMemory, fact.LogAllDirsFailed, fact.LogFatal, fact.LogNotEnoughReplicas}
	// controllerKeys is what a controller's log tells of every broker.
	controllerKeys = []fact.Key{fact.LogControlledShutdown, fact.LogFenced, fact.LogUnfenced, fact.LogController}
	dirKeys        = []fact.Key{fact.LogDirFailed, fact.LogNoSpace, fact.LogIOError, fact.LogOtherErr}
	allKeys        = slices.Concat(ownKeys, controllerKeys, dirKeys, lineKeys)
)

// node is a broker or controller whose logs are read, and what they say.
type node struct {
	fact.LocalBroker
	server, controller, out report
	others                  []report // of otherLogs, in their order
}

// report is what one log file says; err: why it says nothing.
type report struct {
	err   error
	node  int32
	since time.Time
	last  time.Time
	lines map[subject]fact.LogLines
	named []int32

	shrinks    []fact.ISRShrink
	rebalances []fact.Rebalance
}

func observe(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	nodes := nodesOf(t)
	if len(nodes) == 0 {
		return host.Nowhere(allKeys, host.NoBroker), nil
	}
	var wait sync.WaitGroup
	for i := range nodes {
		n := &nodes[i]
		wait.Go(func() { n.server = follow(ctx, t, n.LocalBroker, "server.log", patterns) })
		wait.Go(func() { n.out = follow(ctx, t, n.LocalBroker, "kafkaServer.out", outPatterns) })
		if n.controls() {
			wait.Go(func() { n.controller = follow(ctx, t, n.LocalBroker, "controller.log", patterns) })
		}
		n.others = make([]report, len(otherLogs))
		for j, o := range otherLogs {
			wait.Go(func() { n.others[j] = follow(ctx, t, n.LocalBroker, o.file, patterns) })
		}
	}
	wait.Wait()
	var seen []fact.Observation
	for i := range nodes {
		seen = append(seen, nodes[i].own()...)
		seen = append(seen, nodes[i].more()...)
	}
	point(&t.Suspects, seen)
	return append(seen, registrations(nodes)...), unread(nodes)
}

// unread is the error of the nodes whose own log was not read: a broker of this
// host that is silent is not one of another host.
func unread(nodes []node) error {
	var first error
	silent := 0
	for i := range nodes {
		if err := nodes[i].server.err; err != nil {
			silent++
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return nil
	}
	u := *probe.Because(first)
	u.Detail = fmt.Sprintf("the log of %d of %d nodes here was not read: %s", silent, len(nodes), u.Detail)
	return &probe.Error{Unknown: &u}
}

// nodesOf is the nodes of this host. --kafka-logs is for those whose logs dir
// discovery did not find, and for a log without any broker.
func nodesOf(t *probe.Target) []node {
	var nodes []node
	for _, b := range t.Brokers() {
		if b.LogsDir == "" {
			b.LogsDir = t.LogsDir
		}
		nodes = append(nodes, node{LocalBroker: b})
	}
	if len(nodes) == 0 && t.LogsDir != "" {
		nodes = append(nodes, node{LocalBroker: fact.LocalBroker{NodeID: -1, LogsDir: t.LogsDir, LogDirs: t.LogDirs, FoundBy: "--kafka-logs"}})
	}
	return nodes
}

// controls says whether a controller's log can be expected of the node.
func (n *node) controls() bool {
	return n.Roles == "" || slices.Contains(strings.Split(n.Roles, ","), "controller")
}

// follow reads one log as far as it has grown: where Kafka's own configuration
// puts it, or else where the broker's does.
func follow(ctx context.Context, t *probe.Target, b fact.LocalBroker, file string, patterns []pattern) report {
	if t.LogsDir != "" && len(t.Brokers()) == 1 {
		b.LogsDir = t.LogsDir
	}
	r := report{node: -1, err: probe.Fail(fact.Unreadable, "where the broker's logs are is not known", "--kafka-logs DIR")}
	if b.LogsDir != "" {
		r = readLog(ctx, t, b, filepath.Join(b.LogsDir, file), patterns)
	}
	if r.err == nil || b.LogsDir != "" && !probe.Missing(r.err) {
		return r
	}
	if b.LogsDir != "" {
		r.err = probe.Fail(fact.Unreadable, r.err.Error(), "--kafka-logs DIR, where "+file+" is")
	}
	if t.LogsDir != "" || !b.Running || words[file] == "" {
		return r
	}
	found, err := probe.Within(ctx, t, "find "+file+" of "+host.SubjectOf(b).String(), func() (string, error) { return elsewhere(t, b, file) })
	if err != nil {
		if because := probe.Because(err); because.Reason == fact.Unreadable && because.How != "" {
			r.err = err // it says more
		}
		return r
	}
	return readLog(ctx, t, b, found, patterns)
}

// readLog reads a log by the name that its broker knows it by.
func readLog(ctx context.Context, t *probe.Target, b fact.LocalBroker, name string, patterns []pattern) report {
	type key struct {
		name string
		node string
	}
	f := probe.Shared(t, key{name, host.SubjectOf(b).Name}, func() *tail { return &tail{scan: newScan(patterns, b.LogDirs)} })
	r, err := probe.Within(ctx, t, "read "+name+" of "+host.SubjectOf(b).String(), func() (report, error) {
		pid := b.PID
		if !b.Running {
			pid = 0
		}
		if err := f.advance(t, t.PathOf(pid, name)); err != nil {
			return report{}, err
		}
		if f.scan.unlearnt > 16<<10 && !f.scan.learnt {
			return report{}, probe.Fail(fact.Unreadable, "no line of "+name+" begins with a date and a time, or is JSON with one", "a pattern of log4j that begins with %d, as Kafka's own: [%d] %p %m (%c)%n")
		}
		return f.scan.report(), nil
	})
	if err != nil {
		return report{node: -1, err: err}
	}
	return r
}

// report is a copy of what has been found so far.
func (s *scan) report() report {
	r := report{node: s.node, since: s.since, last: s.newest, lines: make(map[subject]fact.LogLines, len(s.lines))}
	for k, l := range s.lines {
		one := *l
		one.Minutes, one.Names = slices.Clone(l.Minutes), slices.Clone(l.Names)
		r.lines[k] = one
	}
	r.shrinks, r.rebalances = slices.Clone(s.shrinks), slices.Clone(s.rebalances)
	r.named = slices.Sorted(maps.Keys(s.named))
	return r
}

// of is the lines of a kind about a subject: none is a finding too.
func (r report) of(k fact.Key, name string) fact.LogLines {
	l := r.lines[subject{k.Def(), name}]
	l.Since = r.since
	return l
}

// merge adds what another log says of the same thing.
func merge(a, b fact.LogLines) fact.LogLines {
	switch {
	case b.Count == 0:
		return a
	case a.Count == 0:
		b.Since = earliest(a.Since, b.Since)
		return b
	}
	if b.First.Before(a.First) {
		a.First, a.Text, a.File = b.First, b.Text, b.File
	}
	if b.Last.After(a.Last) {
		a.Last, a.Latest = b.Last, b.Latest
	}
	a.Count += b.Count
	a.Since = earliest(a.Since, b.Since)
	a.Minutes = mergeMinutes(a.Minutes, b.Minutes)
	a.Names, a.Others = mergeNames(a, b)
	return a
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// id is the node's id: of its configuration, or as its log tells it.
func (n *node) id() int32 {
	if n.NodeID < 0 {
		return n.server.node
	}
	return n.NodeID
}

func (n *node) subject() fact.Subject {
	if id := n.id(); id >= 0 {
		return fact.BrokerOf(id)
	}
	if len(n.Listeners) > 0 {
		return fact.Subject{Scope: fact.Broker, Name: n.Listeners[0]}
	}
	return fact.Subject{Scope: fact.Broker, Name: fmt.Sprintf("pid %d", n.PID)}
}

// own is what the node's own log says of itself and its log dirs.
func (n *node) own() []fact.Observation {
	var seen []fact.Observation
	s := n.subject()
	if n.server.err != nil {
		because := probe.Because(n.server.err)
		for _, k := range ownKeys {
			seen = append(seen, fact.Observation{Key: k.Def(), Subject: s, Because: because})
		}
		for _, d := range n.LogDirs {
			for _, k := range dirKeys {
				seen = append(seen, fact.Observation{Key: k.Def(), Subject: fact.LogDirOf(n.id(), d), Because: because})
			}
		}
		return seen
	}
	for _, k := range ownKeys {
		l := merge(n.server.of(k, ""), n.out.of(k, ""))
		seen = append(seen, fact.Observation{Key: k.Def(), Subject: s, Value: l})
	}
	for _, d := range n.dirs() {
		for _, k := range dirKeys {
			seen = append(seen, fact.Observation{Key: k.Def(), Subject: fact.LogDirOf(n.id(), d), Value: n.server.of(k, filepath.Clean(d))})
		}
	}
	return seen
}

// dirs is the configured log dirs, and those that only the log speaks of.
func (n *node) dirs() []string {
	all := slices.Clone(n.LogDirs)
	for k := range n.server.lines {
		if k.key.Scope == fact.LogDir && !slices.ContainsFunc(all, func(d string) bool { return filepath.Clean(d) == k.name }) {
			all = append(all, k.name)
		}
	}
	slices.Sort(all)
	return all
}
