package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of replicas whose logs do not end where their leader's does, as the
// replicas tell it themselves.

// replicaSample is what replicas told at a time.
type replicaSample struct {
	fact.ReplicaEnds
	at time.Time
}

// replicaSamples is the newest sample and an earlier one, at least so long before.
func replicaSamples(v *View, apart time.Duration) (now, before replicaSample, ok bool) {
	past := v.Past(fact.ReplicaLogs.Def(), fact.TheCluster)
	if len(past) == 0 {
		return now, before, false
	}
	newest := past[len(past)-1]
	now.ReplicaEnds, _ = newest.Value.(fact.ReplicaEnds)
	now.at = newest.At
	for _, s := range slices.Backward(past[:len(past)-1]) {
		if newest.At.Sub(s.At) >= apart {
			before.ReplicaEnds, ok = s.Value.(fact.ReplicaEnds)
			before.at = s.At
			return now, before, ok
		}
	}
	return now, before, false
}

// apart says whether one replica that is out of sync suits, by its row and by how many
// records its log ends beyond its leader's. Who is in sync follows its leader: that
// it seems ahead is only that it was asked later.
func (now replicaSample) apart(view *clusterViewOf, suits func(i int, ahead int64) bool) bool {
	for i := range now.Topic {
		p := view.At(now.Topic[i], now.Partition[i])
		if p < 0 || view.Leader[p] < 0 || now.Broker[i] == view.Leader[p] || slices.Contains(view.ISR.At(p), now.Broker[i]) {
			continue
		}
		if lead := now.At(now.Topic[i], now.Partition[i], view.Leader[p]); lead >= 0 && suits(i, now.End[i]-now.End[lead]) {
			return true
		}
	}
	return false
}

// apartFrom is by how much the log of row i ends before its leader's, in two
// samples, and how much the leader's grew from one to the other. ok is false where
// one of them did not tell, or the row is the leader's own.
func apartFrom(now, before replicaSample, view *clusterViewOf, p, i int) (behind, was, grew int64, ok bool) {
	leader := view.Leader[p]
	if leader < 0 || now.Broker[i] == leader {
		return 0, 0, 0, false
	}
	lead := now.At(now.Topic[i], now.Partition[i], leader)
	old := now.Same(i, before.ReplicaEnds)
	if lead < 0 || old < 0 {
		return 0, 0, 0, false
	}
	oldLead := now.Same(lead, before.ReplicaEnds)
	if oldLead < 0 {
		return 0, 0, 0, false
	}
	return now.End[lead] - now.End[i], before.End[oldLead] - before.End[old], now.End[lead] - before.End[oldLead], true
}

var replicasAhead = &Sign{
	ID: "replicas-ahead-of-leader", Title: "replicas have records that their leader lacks", On: fact.Cluster, Trouble: true, Leak: 0.0005,
	Doc:   "The log of a replica ends beyond that of its leader, in two samples five seconds apart or more, by more than was written in between: when it follows, what is beyond is cut off. The replicas are asked one after the other, so a log that is written to says nothing by less.",
	Needs: []fact.Key{fact.Metadata, fact.ReplicaLogs},
	Uses:  []fact.Key{fact.Configs},
	Test:  func(v *View) Reading { return replicasBeyond(v, false) },
}

// replicasBeyond is replicas ahead of their leader, of topics that allow unclean
// election or do not.
func replicasBeyond(v *View, unclean bool) Reading {
	view, known := clusterView(v)
	if !known {
		return cannotTell(v.why(fact.Metadata))
	}
	if because := v.Why(fact.ReplicaLogs, fact.TheCluster); because != nil {
		return cannotTell(because)
	}
	now, before, ok := replicaSamples(v, 5*time.Second)
	allowed := uncleanTopics(v)
	if !ok {
		if !now.apart(view, func(i int, ahead int64) bool { return ahead > 0 && allowed(now.Topic[i]) == unclean }) {
			return no("no replica out of sync is ahead of its leader")
		}
		return notYet("wants two samples five seconds apart")
	}
	var bad []int
	var text []string
	records := int64(0)
	for i := range now.Topic {
		p := view.At(now.Topic[i], now.Partition[i])
		if p < 0 || allowed(now.Topic[i]) != unclean {
			continue
		}
		behind, was, grew, ok := apartFrom(now, before, view, p, i)
		if !ok || -behind <= grew || -was <= grew || grew < 0 {
			continue
		}
		text = append(text, fmt.Sprintf("%s on broker %d by %d", view.names([]int{p}), now.Broker[i], -behind))
		records += -behind
		bad = append(bad, p)
	}
	if len(bad) == 0 {
		return no("no replica of %d is ahead of its leader", len(now.Topic))
	}
	r := yes("%s ahead of the leader (%s): %d records that it will cut off when it follows", plural(len(bad), "replica"), listed(text), records)
	r.Affected = view.affected(slices.Compact(bad))
	return r
}

var replicasStandStill = &Sign{
	ID: "replicas-stand-still", Title: "copies on it stand still behind their leaders", On: fact.Broker, Trouble: true, Leak: 0.002,
	Doc:  "The log of a replica that is not in sync ends before its leader's and has not grown for ten seconds or more, as the replica tells it itself: it is not fetched. A replica that catches up grows.",
	Uses: []fact.Key{fact.Metadata, fact.ReplicaLogs},

	Subjects: func(v *View) []fact.Subject { return fact.Metadata.Subjects(v) },
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		view, ok := clusterView(v)
		if !ok {
			return cannotTell(v.why(fact.Metadata))
		}
		if !view.Lives(id) {
			return notApplicable("it is not live: its logs tell nothing")
		}
		if because := v.Why(fact.ReplicaLogs, fact.TheCluster); because != nil {
			return cannotTell(because)
		}
		now, before, ok := replicaSamples(v, 10*time.Second)
		if !ok && !now.apart(view, func(i int, ahead int64) bool { return ahead < 0 && now.Broker[i] == id }) {
			return no("no copy on it is out of sync and behind its leader")
		}
		if !ok {
			return notYet("wants two samples ten seconds apart")
		}
		var bad []int
		told, catching, most := 0, 0, int64(0)
		for i := range now.Topic {
			p := view.At(now.Topic[i], now.Partition[i])
			if now.Broker[i] != id || p < 0 {
				continue
			}
			told++
			behind, was, _, ok := apartFrom(now, before, view, p, i)
			if !ok || behind <= 0 || was <= 0 || slices.Contains(view.ISR.At(p), id) {
				continue
			}
			if old := now.Same(i, before.ReplicaEnds); now.End[i] > before.End[old] {
				catching++
				continue
			}
			bad, most = append(bad, p), max(most, behind)
		}
		switch {
		case told == 0:
			return notApplicable("it told the ends of none of its logs")
		case len(bad) == 0 && catching > 0:
			return no("%s of it behind, and catching up", copies(catching))
		case len(bad) == 0:
			return no("none of %d copies on it stands still behind its leader", told)
		}
		r := yes("%s on it behind their leaders and not growing for %s (%s), by up to %d records", copies(len(bad)), duration(now.at.Sub(before.at).Seconds()), view.names(bad), most)
		r.Affected = view.affected(bad)
		r.Affected.Brokers = []int32{id}
		return r
	},
}

// copies is "1 copy", "2 copies".
func copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}
