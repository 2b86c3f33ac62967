package history

import (
	"cmp"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Bounds of what is told at one look.
const (
	mostTold    = 1 << 20 // partitions
	mostChanges = 400
	mostInOne   = 20    // parts of a change
	mostFolded  = 100e3 // events that are looked at for changes
	mostMoved   = 100
	mostShrinks = 1000
	movedTimes  = 3 // how often a leader has changed to be told
	movedWithin = time.Hour
)

// facts is what was told last: the values are shared while nothing changes.
type facts struct {
	cluster  fact.LastCluster
	changes  fact.ChangeList
	shrinks  map[int32][]time.Time
	standing fact.StandingTimes
}

// observe tells what the log holds now.
func (f *follower) observe() []fact.Observation {
	c, from := f.log.Cluster, f.log.Last.Add(-told)
	if f.log.First.After(from) {
		from = f.log.First
	}
	at := f.log.copy(f.place, from)
	if f.moved != c.moved {
		f.facts = facts{clusterFact(c), changesFact(c, from), c.shrinks(f.log.Last.Add(-told)), standingFact(c, from)}
		f.moved = c.moved
	}
	f.facts.cluster.Copy, f.facts.changes.Copy = at, at
	all := []fact.Observation{fact.LastSeen.Is(fact.TheCluster, f.facts.cluster), fact.Changed.Is(fact.TheCluster, f.facts.changes),
		fact.Standing.Is(fact.TheCluster, f.facts.standing), fact.LeaderChanges.Is(fact.TheCluster, leadersFact(c, f.log.Last, from))}
	for _, b := range c.Nodes() {
		all = append(all, fact.ISRShrinks.Is(fact.BrokerOf(b.ID), fact.ShrinkTimes{From: at.First, To: at.Last, At: append([]time.Time{}, f.facts.shrinks[b.ID]...)}))
	}
	return all
}

// clusterFact is the state in columns.
func clusterFact(c *Cluster) fact.LastCluster {
	f := fact.LastCluster{Controller: c.Controller, Epoch: c.Epoch, Brokers: []fact.LastBroker{}, Topics: []string{}}
	for _, b := range c.Nodes() {
		f.Brokers = append(f.Brokers, fact.LastBroker{BrokerAddress: addressOf(b), Fenced: b.Fenced, Leaving: b.Controlled && !b.Fenced, Planned: b.Fenced && b.Planned && !b.starting, Starting: b.Fenced && b.starting, Since: b.Since.UTC()})
	}
	c.Partitions(func(p *Partition) bool {
		if len(f.Partition) >= mostTold {
			f.Left++
			return true
		}
		if n := len(f.Topics); n == 0 || f.Topics[n-1] != p.Topic {
			f.Topics = append(f.Topics, p.Topic)
		}
		if p.Recovering {
			f.Recovering = append(f.Recovering, int32(len(f.Partition)))
		}
		f.Topic, f.Partition = append(f.Topic, int32(len(f.Topics)-1)), append(f.Partition, p.Partition)
		f.Leader, f.LeaderEpoch = append(f.Leader, p.Leader), append(f.LeaderEpoch, p.Epoch)
		f.Replicas.Add(p.Replicas)
		f.ISR.Add(p.ISR)
		f.ELR.Add(p.ELR)
		f.LastELR.Add(p.LastELR)
		return true
	})
	return f
}

// addressOf is the first endpoint of a broker.
func addressOf(b *Broker) fact.BrokerAddress {
	a := fact.BrokerAddress{ID: b.ID, Rack: b.Rack}
	if len(b.Endpoints) == 0 {
		return a
	}
	if u, err := url.Parse(b.Endpoints[0]); err == nil {
		if host, port, err := net.SplitHostPort(u.Host); err == nil {
			n, _ := strconv.ParseUint(port, 10, 16)
			a.Host, a.Port = host, int32(n)
		}
	}
	return a
}

// changesFact is the newest changes since a time.
func changesFact(c *Cluster, from time.Time) fact.ChangeList {
	all := c.Changes(Want{Since: from, Broker: -1, newest: mostFolded})
	f := fact.ChangeList{From: from.UTC(), All: []fact.Change{}}
	if n := len(c.events) - mostFolded; n > 0 && c.events[n-1].at >= from.UnixMilli() && len(all) > 0 {
		f.From, f.Left = all[0].At, n
	}
	more := listOf(all, f.From)
	more.Left += f.Left
	return more
}

// listOf is the newest of some changes, told since a time.
func listOf(all []Change, from time.Time) fact.ChangeList {
	f := fact.ChangeList{From: from.UTC(), All: []fact.Change{}}
	if n := len(all) - mostChanges; n > 0 {
		all, f.Left = all[n:], n
		f.From = all[0].At
	}
	for _, one := range all {
		ch := fact.Change{At: one.At, Until: one.Until, Kind: string(one.Kind), Scope: one.Subject.Scope, Name: one.Subject.Name, Topic: one.Topic, Broker: one.Broker,
			Before: one.Before, After: one.After, Count: one.Count, Text: one.Text, Through: one.through}
		for _, p := range one.Parts[:min(len(one.Parts), mostInOne)] {
			ch.Parts = append(ch.Parts, p.Text)
		}
		f.All = append(f.All, ch)
	}
	return f
}

// shrinks is when each broker, as leader, put followers out of ISRs.
func (c *Cluster) shrinks(from time.Time) map[int32][]time.Time {
	all := map[int32][]time.Time{}
	for i := range c.events {
		if e := &c.events[i]; e.kind == ISRShrunk && e.led >= 0 && e.at >= from.UnixMilli() {
			all[e.led] = append(all[e.led], time.UnixMilli(e.at).UTC())
		}
	}
	for id, times := range all {
		all[id] = times[max(0, len(times)-mostShrinks):]
	}
	return all
}

// leadersFact is the partitions whose leaders changed most within the last hour.
func leadersFact(c *Cluster, to, first time.Time) fact.LeadersMoved {
	type row struct {
		topic, partition, times int32
		first, last             int64
	}
	from := to.Add(-movedWithin)
	if first.After(from) {
		from = first
	}
	rows := map[[2]int32]*row{}
	for i := range c.events {
		e := &c.events[i]
		if e.kind != LeaderChanged && e.kind != UncleanElection || e.at < from.UnixMilli() || e.topic < 0 || c.topics[e.topic].gone {
			continue
		}
		r := rows[[2]int32{e.topic, e.partition}]
		if r == nil {
			r = &row{e.topic, e.partition, 0, e.at, 0}
			rows[[2]int32{e.topic, e.partition}] = r
		}
		r.times, r.last = r.times+1, e.at
	}
	var most []*row
	for _, r := range rows {
		if r.times >= movedTimes {
			most = append(most, r)
		}
	}
	slices.SortFunc(most, func(a, b *row) int {
		return cmp.Or(cmp.Compare(b.times, a.times), strings.Compare(c.topics[a.topic].name, c.topics[b.topic].name), cmp.Compare(a.partition, b.partition))
	})
	f := fact.LeadersMoved{Topic: []string{}, To: to.UTC(), Seconds: to.Sub(from).Seconds()}
	for _, r := range most[:min(len(most), mostMoved)] {
		f.Topic, f.Partition, f.Times = append(f.Topic, c.topics[r.topic].name), append(f.Partition, r.partition), append(f.Times, r.times)
		f.First, f.Last = append(f.First, time.UnixMilli(r.first).UTC()), append(f.Last, time.UnixMilli(r.last).UTC())
	}
	return f
}

// copy is how far the log of a place was read, from a time on.
func (l *Log) copy(from place, first time.Time) fact.LogCopy {
	return fact.LogCopy{Node: from.node, Dir: filepath.Dir(from.dir), First: first.UTC(), Last: l.Last.UTC(), End: l.End,
		Passed: l.Unknown + l.Newer + l.Undecoded, Damage: strings.Join(l.Damage, "; ")}
}
