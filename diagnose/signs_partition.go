package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of partitions that cannot be written or read.

var underReplicated = &Sign{
	ID: "under-replicated", Title: "partitions are under-replicated", On: fact.Cluster, Leak: 0.1,
	Doc:   "Partitions with a leader whose ISR is smaller than their replica set, without replicas that a reassignment is only adding. A consequence, never a cause.",
	Needs: []fact.Key{fact.Metadata},
	Uses:  []fact.Key{fact.Reassigned},
	Test: func(v *View) Reading {
		view, _ := clusterView(v)
		coming := adding(v)
		bad := view.where(func(p int) bool {
			short := len(view.Replicas.At(p)) - len(view.ISR.At(p))
			if short <= 0 || view.Leader[p] < 0 {
				return false
			}
			for _, id := range coming[placeOf{view.topic(p), view.Partition[p]}] {
				if !slices.Contains(view.ISR.At(p), id) {
					short--
				}
			}
			return short > 0
		})
		r := atLeast(float64(len(bad)), 1, fact.Count, "%d of %s under-replicated", len(bad), plural(len(view.Partition), "partition"))
		r.Affected, r.Blames = view.affected(bad), view.lacking(bad)
		return r
	},
}

var partitionsUnderMinISR = &Sign{
	ID: "partitions-under-min-isr", Title: "partitions are under min ISR", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:   "Partitions with a leader whose ISR is smaller than min.insync.replicas, and min.insync.replicas no larger than the replica set: writes with acks=all fail.",
	Needs: []fact.Key{fact.Metadata, fact.Configs},
	Uses:  []fact.Key{fact.GroupState},
	Test: func(v *View) Reading {
		view, _ := clusterView(v)
		configs, _ := fact.Configs.Latest(v, fact.TheCluster)
		min := map[string]int32{}
		for i, t := range configs.Topics {
			min[t] = configs.MinISR[i]
		}
		bad := view.where(func(p int) bool {
			need := int(min[view.topic(p)])
			return view.Leader[p] >= 0 && need <= len(view.Replicas.At(p)) && len(view.ISR.At(p)) < need
		})
		untold := view.where(func(p int) bool {
			_, told := min[view.topic(p)]
			return !told && view.Leader[p] >= 0 && len(view.ISR.At(p)) < len(view.Replicas.At(p))
		})
		if len(bad) == 0 && len(untold) > 0 {
			return cannotTell(&fact.Unknown{Reason: fact.NotYet, How: "wait for the next sample; if it stays, the ACL DESCRIBE_CONFIGS on the topics",
				Detail: "min.insync.replicas was not told of " + view.names(untold) + ", whose ISR is short"})
		}
		r := atLeast(float64(len(bad)), 1, fact.Count, "%d of %s under min ISR", len(bad), plural(len(view.Partition), "partition"))
		if len(bad) > 0 {
			groups := view.groupsAt(v, bad)
			r.Text += fmt.Sprintf(" (%s): producers with acks=all fail there", view.names(bad)) + cutOff(groups)
			r.Affected.Groups = groups
		}
		r.Blames, r.Through = view.lacking(bad), view.soleLeader(bad)
		r.Affected.add(view.affected(bad))
		return r
	},
}

var notEnoughReplicasLogged = &Sign{
	ID: "not-enough-replicas-logged", Title: "leaders refuse writes", On: fact.Cluster, Trouble: true,
	Doc:   "NotEnoughReplicasException in a leader's log within two minutes: a producer with acks=all met an ISR below the minimum.",
	Needs: []fact.Key{fact.LogNotEnoughReplicas},
	Uses:  []fact.Key{fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.Metadata, fact.LastSeen},
	Test: func(v *View) Reading {
		const recent = 2 * time.Minute
		var newest fact.LogLines
		var at fact.Subject
		read := 0
		for _, b := range fact.LogNotEnoughReplicas.Subjects(v) {
			lines, ok := fact.LogNotEnoughReplicas.Latest(v, b)
			if ok {
				read++
			}
			if ok && lines.Count > 0 && lines.Last.After(newest.Last) {
				newest, at = lines, b
			}
		}
		if newest.Count == 0 || v.Now().Sub(newest.Last) > recent {
			if brokers := len(knownBrokers(v)); read < brokers {
				return notApplicable(fmt.Sprintf("no such line, in the logs of %d of %d brokers", read, brokers))
			}
			return no("no NotEnoughReplicasException in the last %s", recent)
		}
		return between(time.Time{}, newest.Last, yes("%s refused %d writes for too few in-sync replicas, last at %s", at, newest.Count, clock(newest.Last)))
	},
}

var partitionsWithoutLeader = &Sign{
	ID: "partitions-without-leader", Title: "partitions have no leader", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:  "Partitions with leader -1: neither produced to nor consumed. Where every registered broker is gone, all those that the metadata log on this host knows.",
	Uses: []fact.Key{fact.Metadata, fact.LastSeen, fact.BrokerReach, fact.BrokerProcess, fact.GroupState},
	Test: func(v *View) Reading {
		view, answers := clusterView(v)
		if !answers {
			if r, told := leaderlessAsLastSeen(v); told {
				return r
			}
			return cannotTell(v.why(fact.Metadata))
		}
		bad := view.leaderless()
		r := atLeast(float64(len(bad)), 1, fact.Count, "%d of %s without a leader", len(bad), plural(len(view.Partition), "partition"))
		if len(bad) > 0 {
			groups := view.groupsAt(v, bad)
			r.Text += " (" + view.names(bad) + ")" + cutOff(groups)
			r.Affected.Groups = groups
		}
		r.Blames = view.lacking(bad)
		r.Affected.add(view.affected(bad))
		return r
	},
}

var inSyncReplicasLost = &Sign{
	ID: "in-sync-replicas-lost", Title: "every replica that may lead is gone", On: fact.Cluster, Leak: 0.001,
	Doc:  "Of each partition without a leader, every member of the ISR, of the eligible leader replicas and of the last known ones is on a broker that is not live, or in a dir that is offline. Where every registered broker is gone, as the metadata log on this host had it.",
	Uses: []fact.Key{fact.Metadata, fact.Eligible, fact.LastSeen, fact.BrokerReach, fact.BrokerProcess},
	Test: func(v *View) Reading {
		view, answers := clusterView(v)
		if !answers {
			if r, told := candidatesAsLastSeen(v); told {
				return r
			}
			return cannotTell(v.why(fact.Metadata))
		}
		bad := view.leaderless()
		if len(bad) == 0 {
			return no("every partition has a leader")
		}
		eligible, known := fact.Eligible.Latest(v, fact.TheCluster)
		var may []int32
		for _, p := range bad {
			candidates := slices.Clone(view.ISR.At(p))
			for i := range eligible.Topic {
				if eligible.Topic[i] == view.topic(p) && eligible.Partition[i] == view.Partition[p] {
					candidates = append(append(candidates, eligible.ELR.At(i)...), eligible.LastKnown.At(i)...)
				}
			}
			if len(candidates) == 0 && !known {
				return cannotTell(v.Why(fact.Eligible, fact.TheCluster))
			}
			for _, id := range candidates {
				if view.Lives(id) && !slices.Contains(view.Offline.At(p), id) {
					return no("broker %d is live and may lead %s", id, view.names([]int{p}))
				}
			}
			may = append(may, candidates...)
		}
		slices.Sort(may)
		may = slices.Compact(may)
		if len(may) == 0 {
			return no("Kafka names no replica that may lead: an unclean election is all that is left")
		}
		r := yes("only %s may lead them, and none is live", ids(may))
		for _, id := range may {
			r.Blames = append(r.Blames, fact.BrokerOf(id))
		}
		return r
	},
}

var quorumWithoutLeader = &Sign{
	ID: "quorum-without-leader", Title: "the controller quorum has no leader", On: fact.Cluster, Trouble: true, Leak: 0.001,
	For:  10 * time.Second, // an election takes a moment
	Doc:  "For 10 s or more, DescribeQuorum names no leader, or brokers that answer everything else get no answer to it from a controller: nothing can be elected, created or fenced.",
	Uses: []fact.Key{fact.QuorumState, fact.Metadata, fact.BrokerReach, fact.QuorumVoters},
	Test: func(v *View) Reading {
		q, ok := fact.QuorumState.Latest(v, fact.TheCluster)
		if !ok {
			return silentVoters(v, quorumSilent(v))
		}
		if q.Leader < 0 {
			return silentVoters(v, yes("no leader among %s", plural(len(q.Voters), "voter")))
		}
		return no("controller %d leads, epoch %d, %s", q.Leader, q.Epoch, plural(len(q.Voters), "voter"))
	},
}

// quorumSilent tells a quorum that gives no answer from brokers that give none.
func quorumSilent(v *View) Reading {
	because := v.Why(fact.QuorumState, fact.TheCluster)
	answering := 0
	for _, b := range fact.Metadata.Subjects(v) {
		_, lists := fact.Metadata.Latest(v, b)
		reach, reached := fact.BrokerReach.Latest(v, b)
		if lists && reached && reach.Outcome == fact.Answered {
			answering++
		}
	}
	if because.Reason != fact.TimedOut || answering == 0 {
		return cannotTell(because)
	}
	return yes("%s answer, and no controller answers DescribeQuorum through them (%s)", plural(answering, "broker"), because)
}

// silentVoters is a reading with the controllers that do not answer at their own
// listeners, where it is a yes and they were asked: it is for them that a majority
// is missing.
func silentVoters(v *View, r Reading) Reading {
	voters, asked := fact.QuorumVoters.Latest(v, fact.TheCluster)
	if r.Outcome != Yes || !asked {
		return r
	}
	var silent []int32
	for _, said := range voters {
		if said.ID >= 0 && said.Reach.Outcome != fact.Answered {
			silent = append(silent, said.ID)
			r.Blames = append(r.Blames, fact.BrokerOf(said.ID))
		}
	}
	if len(silent) > 0 {
		r.Text += fmt.Sprintf("; %d of %s do not answer: %s", len(silent), plural(len(voters), "controller"), ids(silent))
	}
	return r
}

// where is the partitions that a test picks.
func (c *clusterViewOf) where(picked func(p int) bool) []int {
	var all []int
	for p := range c.Partition {
		if picked(p) {
			all = append(all, p)
		}
	}
	return all
}

func (c *clusterViewOf) leaderless() []int {
	return c.where(func(p int) bool { return c.Leader[p] < 0 })
}

func (c *clusterViewOf) topic(p int) string { return c.Topics[c.Topic[p]] }

// soleLeader is the broker that leads all of some partitions; none: there are several.
func (c *clusterViewOf) soleLeader(partitions []int) []fact.Subject {
	if len(partitions) == 0 {
		return nil
	}
	first := c.Leader[partitions[0]]
	if slices.ContainsFunc(partitions, func(p int) bool { return c.Leader[p] != first }) {
		return nil
	}
	return []fact.Subject{fact.BrokerOf(first)}
}

// lacking is the brokers of the replicas that are not in the ISR.
func (c *clusterViewOf) lacking(partitions []int) []fact.Subject {
	gone := map[int32]bool{}
	for _, p := range partitions {
		for _, id := range c.Replicas.At(p) {
			if !slices.Contains(c.ISR.At(p), id) {
				gone[id] = true
			}
		}
	}
	all := make([]fact.Subject, 0, len(gone))
	for id := range gone {
		all = append(all, fact.BrokerOf(id))
	}
	sortSubjects(all)
	return all
}

func (c *clusterViewOf) affected(partitions []int) Affected {
	a := Affected{Partitions: len(partitions)}
	for _, p := range partitions {
		if t := c.topic(p); !slices.Contains(a.Topics, t) {
			a.Topics = append(a.Topics, t)
		}
	}
	return a
}

// names is "orders 0 2 5 and invoices 1", shortened.
func (c *clusterViewOf) names(partitions []int) string {
	const most = 8
	var all []string
	at := -1
	for i, p := range partitions {
		if i == most {
			all = append(all, fmt.Sprintf("%d more", len(partitions)-most))
			break
		}
		if at != int(c.Topic[p]) {
			at = int(c.Topic[p])
			all = append(all, c.topic(p))
		}
		all[len(all)-1] += fmt.Sprintf(" %d", c.Partition[p])
	}
	return listed(all)
}
