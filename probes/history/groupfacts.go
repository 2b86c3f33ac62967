package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Bounds of what is told of groups and transactions at one look.
const (
	mostPasts = 1000 // groups
	mostOfOne = 50   // generations, rewinds, … of a group
	mostOpen  = 500  // transactions
)

// forget drops events that are older than what is told.
func (g *Groups) forget(before time.Time) {
	g.events = slices.DeleteFunc(g.events, func(e groupEvent) bool { return e.at < before.UnixMilli() })
}

// pastFacts is a value for each group, those first with which most happened where
// there are too many.
func (c *coordinators) pastFacts() []fact.Observation {
	happened := map[*Group][]*groupEvent{}
	for i := range c.groups.events {
		e := &c.groups.events[i]
		happened[e.group] = append(happened[e.group], e)
	}
	var groups []*Group
	for _, one := range c.groups.All() {
		if one.State != GroupDead || len(happened[one]) > 0 {
			groups = append(groups, one)
		}
	}
	if len(groups) > mostPasts {
		slices.SortStableFunc(groups, func(a, b *Group) int { return cmp.Compare(len(happened[b]), len(happened[a])) })
		groups = groups[:mostPasts]
	}
	var all []fact.Observation
	for _, one := range groups {
		p := one.past(happened[one], c.groups.Last)
		if at := c.offsets.at[one.Partition]; at != nil {
			p.First, p.Last = at.First, at.Last
		}
		all = append(all, fact.GroupOnDisk.Is(fact.Subject{Scope: fact.Group, Name: one.Name}, p))
	}
	return all
}

// past is what happened to a group, as a value.
func (one *Group) past(events []*groupEvent, last time.Time) fact.GroupPast {
	p := fact.GroupPast{Partition: one.Partition, State: string(one.State), Generations: fact.GenerationTimes{At: []time.Time{}, Number: []int32{}, Members: []int32{}}}
	for _, n := range one.Generations {
		if last.Sub(n.At) <= told {
			p.Generations.At, p.Generations.Number, p.Generations.Members = append(p.Generations.At, n.At), append(p.Generations.Number, n.Number), append(p.Generations.Members, int32(n.Members))
		}
	}
	if over := len(p.Generations.At) - mostOfOne; over > 0 {
		p.Generations = fact.GenerationTimes{At: p.Generations.At[over:], Number: p.Generations.Number[over:], Members: p.Generations.Members[over:]}
		p.Left += over
	}
	for _, e := range events {
		at := time.UnixMilli(e.at).UTC()
		switch e.kind {
		case OffsetRewound:
			w := fact.Rewind{At: at, Topic: e.of.Topic, Partition: e.of.Partition, From: e.before, To: e.after, Now: e.of.Offset, Another: e.another}
			if !e.of.Gone.IsZero() {
				w.Now = -1
			}
			p.Rewinds = append(p.Rewinds, w)
		case OffsetsExpired, OffsetsDeleted:
			n := fact.GoneOffset{At: at, Topic: e.of.Topic, Partition: e.of.Partition, Was: e.before, How: "deleted", To: -1}
			if e.kind == OffsetsExpired {
				if n.How = "expired"; !e.sure {
					n.How = "expired or deleted"
				}
			}
			if e.of.ended.Equal(at) {
				n.Again, n.To = e.of.again, e.of.begun
			}
			p.Gone = append(p.Gone, n)
		}
	}
	for _, o := range one.Offsets {
		if o.still(last) && last.Sub(o.Moved) <= told {
			p.Still = append(p.Still, fact.StillOffset{Since: o.Moved, Topic: o.Topic, Partition: o.Partition, Offset: o.Offset})
		}
	}
	p.Rewinds, p.Gone, p.Still = newest(&p, p.Rewinds), newest(&p, p.Gone), newest(&p, p.Still)
	return p
}

// newest is the newest of a list, and counts what it leaves out.
func newest[T any](p *fact.GroupPast, all []T) []T {
	over := max(0, len(all)-mostOfOne)
	p.Left += over
	return all[over:]
}

// fact is the transactions that are open, as a value.
func (x *Transactions) fact(last time.Time) fact.LastTransactions {
	f := fact.LastTransactions{Last: last, Open: []fact.LastTransaction{}}
	for _, one := range x.by {
		if !one.Open() {
			continue
		}
		o := fact.LastTransaction{ID: one.ID, Producer: one.ProducerID, Epoch: one.Epoch, State: one.State, Started: one.Started, Timeout: one.Timeout, Topic: []string{}, Partition: []int32{}}
		for _, n := range one.Topics {
			for _, p := range n.Partitions {
				if len(o.Topic) < mostTxnTopics {
					o.Topic, o.Partition = append(o.Topic, n.Topic), append(o.Partition, p)
				}
			}
		}
		f.Open = append(f.Open, o)
	}
	slices.SortFunc(f.Open, func(a, b fact.LastTransaction) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID))
	})
	if over := len(f.Open) - mostOpen; over > 0 {
		f.Open, f.Left = f.Open[:mostOpen], over
	}
	return f
}
