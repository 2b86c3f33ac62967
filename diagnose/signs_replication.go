package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of where replicas are, who leads, and what holds followers back.

// imbalanced is the share of partitions that another than the preferred leader
// may lead: leader.imbalance.per.broker.percentage is 10 by default. Fewer than
// fewAway of them make no load.
const (
	imbalanced = 0.10
	fewAway    = 3
)

var leadersNotPreferred = &Sign{
	ID: "leaders-not-preferred", Title: "others than the preferred replicas lead", On: fact.Cluster, Trouble: true, Leak: 0.001,
	For:   30 * time.Second,
	Doc:   "More than 10% of the partitions, and no fewer than three, are led by another broker than the first of their replicas, though that one is live and in sync, for 30 s or more, and the controller is not set to move them back by itself.",
	Needs: []fact.Key{fact.Metadata},
	Uses:  []fact.Key{fact.BrokerConfigs},
	Test: func(v *View) Reading {
		view, _ := clusterView(v)
		if len(view.Partition) == 0 {
			return notApplicable("no partitions")
		}
		away := view.where(func(p int) bool {
			all := view.Replicas.At(p)
			return view.Leader[p] >= 0 && len(all) > 0 && view.Leader[p] != all[0] && view.Lives(all[0]) && slices.Contains(view.ISR.At(p), all[0])
		})
		share := float64(len(away)) / float64(len(view.Partition))
		r := atLeast(share, imbalanced, fact.Ratio, "%d of %s not led by the preferred replica, though it is in sync", len(away), plural(len(view.Partition), "partition"))
		if share <= imbalanced || len(away) < fewAway {
			r.Outcome = No
		}
		r.Affected = view.affected(away)
		if r.Outcome == Yes && brokersSay(v, "auto.leader.rebalance.enable", "true") {
			r.Outcome = No
			r.Text += "; the controller moves them back within five minutes (auto.leader.rebalance.enable)"
		}
		return r
	},
}

// brokersSay says whether every broker whose settings are known has a value for a
// setting, and any does.
func brokersSay(v *View, name, value string) (all bool) {
	for _, b := range fact.BrokerConfigs.Subjects(v) {
		set, known := fact.BrokerConfigs.Latest(v, b)
		if !known {
			continue
		}
		s, told := settingOf(set, name)
		if !told {
			continue
		}
		if s.Value != value {
			return false
		}
		all = true
	}
	return all
}

// settingOf is one setting among those of a broker; false when it was not told.
func settingOf(all []fact.NamedSetting, name string) (fact.Setting, bool) {
	for _, s := range all {
		if s.Name == name {
			return s.Setting, true
		}
	}
	return fact.Setting{}, false
}

var reassignmentRunning = &Sign{
	ID: "reassignment-running", Title: "replicas are being moved", On: fact.Cluster, Leak: 0.001,
	Doc:  "Partitions are being reassigned between brokers, or replicas moved between log dirs of one broker.",
	Uses: []fact.Key{fact.Reassigned, fact.LogDirFutures},
	Test: func(v *View) Reading {
		futures := 0.0
		for _, dir := range fact.LogDirFutures.Subjects(v) {
			n, _ := fact.LogDirFutures.Latest(v, dir)
			futures += n
		}
		moved, known := fact.Reassigned.Latest(v, fact.TheCluster)
		r := Reading{Outcome: Yes}
		for i := range moved.Topic {
			if !slices.Contains(r.Affected.Topics, moved.Topic[i]) {
				r.Affected.Topics = append(r.Affected.Topics, moved.Topic[i])
			}
			for _, id := range moved.Adding.At(i) {
				if !slices.Contains(r.Affected.Brokers, id) {
					r.Affected.Brokers = append(r.Affected.Brokers, id)
				}
			}
		}
		r.Affected.Partitions = len(moved.Topic)
		slices.Sort(r.Affected.Brokers)
		switch {
		case len(moved.Topic) > 0:
			r.Text = fmt.Sprintf("%s of %s being moved to broker %s", plural(len(moved.Topic), "partition"), listed(r.Affected.Topics), ids(r.Affected.Brokers))
		case futures > 0:
			r.Text = plural(int(futures), "replica") + " being moved between log dirs"
		case !known:
			return cannotTell(v.Why(fact.Reassigned, fact.TheCluster))
		default:
			return no("nothing is being moved")
		}
		return r
	},
}

var pairsCut = &Sign{
	ID: "isrs-lack-a-pair", Title: "two brokers do not replicate from each other", On: fact.Cluster, Trouble: true, Leak: 0.001,
	For:   10 * time.Second,
	Doc:   "Two live brokers that answer from here: partitions that one leads lack the other in their ISR, in both directions, while partitions led by third brokers have both. Partitions that nobody writes to stay whole. The followers log nothing for half a minute.",
	Needs: []fact.Key{fact.Metadata},
	Uses:  []fact.Key{fact.BrokerReach, fact.Reassigned},
	Test: func(v *View) Reading {
		view, _ := clusterView(v)
		pairs := view.cutPairs(adding(v))
		var unseen *fact.Unknown
		pairs = slices.DeleteFunc(pairs, func(pair [2]int32) bool {
			return slices.ContainsFunc(pair[:], func(id int32) bool {
				reach, ok := fact.BrokerReach.Latest(v, fact.BrokerOf(id))
				if !ok {
					unseen = v.Why(fact.BrokerReach, fact.BrokerOf(id))
				}
				return !ok || reach.Outcome != fact.Answered
			})
		})
		if len(pairs) == 0 && unseen != nil {
			return cannotTell(unseen)
		}
		if len(pairs) == 0 {
			return no("no two live brokers lack each other in all that they lead")
		}
		var texts []string
		r := yes("")
		for _, pair := range pairs {
			texts = append(texts, fmt.Sprintf("%d and %d", pair[0], pair[1]))
			for _, id := range pair {
				if !slices.Contains(r.Affected.Brokers, id) {
					r.Affected.Brokers = append(r.Affected.Brokers, id)
				}
			}
		}
		bad := view.where(func(p int) bool {
			return slices.ContainsFunc(pairs, func(pair [2]int32) bool { return view.lacks(p, pair[0], pair[1]) })
		})
		r.Affected.Topics, r.Affected.Partitions = view.affected(bad).Topics, len(bad)
		r.Text = fmt.Sprintf("broker %s answer everyone else and do not replicate from each other: %s", listed(texts), plural(len(bad), "partition"))
		return r
	},
}

// lacks says whether partition p is led by one of two brokers and has the other
// among its replicas, and not in its ISR.
func (c *clusterViewOf) lacks(p int, a, b int32) bool {
	follower := b
	switch c.Leader[p] {
	case a:
	case b:
		follower = a
	default:
		return false
	}
	return slices.Contains(c.Replicas.At(p), follower) && !slices.Contains(c.ISR.At(p), follower)
}

// placeOf is a partition by name.
type placeOf struct {
	topic     string
	partition int32
}

// adding is the replicas that a reassignment is adding: not in sync yet, and no fault.
func adding(v *View) map[placeOf][]int32 {
	moved, _ := fact.Reassigned.Latest(v, fact.TheCluster)
	all := map[placeOf][]int32{}
	for i := range moved.Topic {
		all[placeOf{moved.Topic[i], moved.Partition[i]}] = moved.Adding.At(i)
	}
	return all
}

// coming is how many replicas on a broker are being added and are not in sync yet.
func (c *clusterViewOf) coming(id int32, adding map[placeOf][]int32) (n int) {
	if len(adding) == 0 {
		return 0
	}
	for p := range c.Partition {
		if slices.Contains(adding[placeOf{c.topic(p), c.Partition[p]}], id) && slices.Contains(c.Replicas.At(p), id) && !slices.Contains(c.ISR.At(p), id) {
			n++
		}
	}
	return n
}

// cutPairs is the pairs of live brokers that both lack the other in ISRs of what they lead, and
// that follow all others.
func (c *clusterViewOf) cutPairs(adding map[placeOf][]int32) [][2]int32 {
	type edge struct{ leader, follower int32 }
	out := map[edge]int{}
	for p := range c.Partition {
		leader, isr := c.Leader[p], c.ISR.At(p)
		for _, id := range c.Replicas.At(p) {
			switch {
			case id == leader || leader < 0 || slices.Contains(isr, id) || slices.Contains(adding[placeOf{c.topic(p), c.Partition[p]}], id):
				// In sync, or not yet expected to be. Where nothing is written, a
				// follower stays in the ISR that can no longer fetch: it has all there is.
			case c.Lives(id):
				out[edge{leader, id}]++
			default:
				out[edge{leader, id}] = 0
			}
		}
	}
	var pairs [][2]int32
	for e := range out {
		back := edge{e.follower, e.leader}
		if e.leader < e.follower && out[e] > 0 && out[back] > 0 {
			pairs = append(pairs, [2]int32{e.leader, e.follower})
		}
	}
	// A broker that follows nobody is slow or ill itself.
	pairs = slices.DeleteFunc(pairs, func(pair [2]int32) bool {
		for e, n := range out {
			mine := e.leader == pair[0] && e.follower == pair[1] || e.leader == pair[1] && e.follower == pair[0]
			if n > 0 && !mine && (slices.Contains(pair[:], e.follower)) {
				return true
			}
		}
		return false
	})
	slices.SortFunc(pairs, func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	return pairs
}
