package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs that rest on the metadata log of a node on this host.

var mustReturn = &Sign{
	ID: "who-must-return-first", Title: "who has all that was acknowledged", On: fact.Cluster, Leak: 0.001,
	Doc:  "Every registered broker is gone. The metadata log on this host names who was in sync or eligible to lead (ISR and ELR) when it ends: one of these must lead each partition again, or acknowledged records are lost. Yes where a partition has one such broker only.",
	Uses: []fact.Key{fact.LastSeen, fact.Metadata, fact.BrokerReach, fact.BrokerProcess},
	Test: func(v *View) Reading {
		if _, answers := clusterView(v); answers {
			return notApplicable("brokers answer")
		}
		last := allGone(v)
		if last == nil {
			if because := v.Why(fact.LastSeen, fact.TheCluster); because != nil {
				return notApplicable("no metadata log tells: " + because.String())
			}
			return notApplicable("not every broker is seen to be gone")
		}
		first := last.FirstBack()
		if first == "" {
			return notApplicable("the metadata log knows of no partition")
		}
		r := yes("%s (%s)", first, last.when())
		if last.Holders[0].Alone == 0 {
			r.Outcome = No
		}
		r.Affected.Partitions = last.Holders[0].Alone
		for _, h := range last.Holders {
			if h.Alone > 0 {
				r.Affected.Brokers = append(r.Affected.Brokers, h.Broker)
				r.Blames = append(r.Blames, fact.BrokerOf(h.Broker))
			}
		}
		return r
	},
}

// leaderless is the reading of partitions without a leader, where nobody answers:
// with all brokers gone there is none, whatever the log said last. ok is false
// where the log does not tell either.
func leaderlessAsLastSeen(v *View) (r Reading, ok bool) {
	last := allGone(v)
	if last == nil || len(last.Partition) == 0 {
		return r, false
	}
	led := map[int32]int{}
	none := 0
	for _, id := range last.Leader {
		if id < 0 {
			none++
		} else {
			led[id]++
		}
	}
	var leaders []string
	for _, b := range last.Brokers {
		if led[b.ID] > 0 {
			leaders = append(leaders, fmt.Sprintf("%d led %d", b.ID, led[b.ID]))
		}
	}
	r = atLeast(float64(len(last.Partition)), 1, fact.Count, "no broker is left to lead any of %s; %s broker %s", plural(len(last.Partition), "partition"), last.when(), listed(leaders))
	if none > 0 {
		r.Text += fmt.Sprintf(", %d without a leader already", none)
	}
	r.Affected = last.affected()
	for _, b := range last.Brokers {
		r.Blames = append(r.Blames, fact.BrokerOf(b.ID))
	}
	return r, true
}

// candidatesAsLastSeen is who may lead, where nobody answers.
func candidatesAsLastSeen(v *View) (r Reading, ok bool) {
	last := allGone(v)
	if last == nil || len(last.Partition) == 0 {
		return r, false
	}
	var may []int32
	for p := range last.Partition {
		may = append(append(may, holding(&last.LastCluster, p)...), last.LastELR.At(p)...)
	}
	slices.Sort(may)
	may = slices.Compact(may)
	r = yes("only %s may lead them, and none is left", ids(may))
	for _, id := range may {
		r.Blames = append(r.Blames, fact.BrokerOf(id))
	}
	return r, true
}

// fencedAsLastSeen is a broker that was fenced when the metadata log ends, where
// nobody answers; ok is false where it was not, for then it may have gone with the
// last controller.
func fencedAsLastSeen(v *View, id int32) (r Reading, ok bool) {
	last := lastSeen(v)
	if last == nil {
		return r, false
	}
	at := slices.IndexFunc(last.Brokers, func(b fact.LastBroker) bool { return b.ID == id })
	if at < 0 || !last.Brokers[at].Fenced {
		return r, false
	}
	r = since(last.Brokers[at].Since, yes("fenced since %s, %s", clock(last.Brokers[at].Since), last.when()))
	r.Affected.Brokers = []int32{id}
	return r, true
}

// parted is how the metadata log says that a broker went, unless it answers or has
// come back since: yes in order, no without having asked. ok is false where the
// log does not say.
func parted(v *View, back time.Time) (r Reading, ok bool) {
	id, isID := nodeID(v.Subject)
	if reach, known := fact.BrokerReach.Latest(v, v.Subject); !isID || known && reach.Outcome == fact.Answered {
		return r, false
	}
	c, known := fact.LastSeen.Latest(v, fact.TheCluster)
	at := slices.IndexFunc(c.Brokers, func(b fact.LastBroker) bool { return b.ID == id })
	if !known || at < 0 {
		return r, false
	}
	switch b := c.Brokers[at]; {
	case b.Since.Before(back) || b.Starting:
		return r, false
	case b.Leaving:
		return since(b.Since, yes("the metadata log: it asked to shut down at %s", clock(b.Since))), true
	case b.Planned:
		return since(b.Since, yes("the metadata log: it asked to shut down, and was fenced in order at %s", clock(b.Since))), true
	case b.Fenced:
		return no("the metadata log: fenced at %s without having asked to shut down", clock(b.Since)), true
	}
	return r, false
}

// How often a leader may change within an hour: a rolling restart moves each
// leader away and back, more than once where its followers go too.
const (
	flapsLimit  = 6
	flapsWithin = 10 * time.Minute // the last change must be so young
)

var leadersFlap = &Sign{
	ID: "leaders-flap", Title: "leaders change again and again", On: fact.Cluster, Leak: 0.005,
	Doc:   "Partitions changed leader six times or more within the last hour, the last time within ten minutes, as the metadata log on this host tells. A rolling restart moves a leader two to four times.",
	Needs: []fact.Key{fact.LeaderChanges},
	Test: func(v *View) Reading {
		m, _ := fact.LeaderChanges.Latest(v, fact.TheCluster)
		if v.Now().Sub(m.To) > flapsWithin {
			return notApplicable("the metadata log ends at " + clock(m.To))
		}
		r := Reading{Value: 0, Unit: fact.Count, Limit: flapsLimit, Outcome: No}
		bad := 0
		for i := range m.Topic {
			if m.Times[i] < flapsLimit || v.Now().Sub(m.Last[i]) > flapsWithin {
				continue
			}
			if bad++; bad == 1 {
				r.Value, r.Since = float64(m.Times[i]), m.First[i]
				r.Text = fmt.Sprintf("leader of %s-%d changed %d times in %s", m.Topic[i], m.Partition[i], m.Times[i], duration(m.Last[i].Sub(m.First[i]).Seconds()))
			}
			if !slices.Contains(r.Affected.Topics, m.Topic[i]) {
				r.Affected.Topics = append(r.Affected.Topics, m.Topic[i])
			}
		}
		r.Affected.Partitions = bad
		switch {
		case bad == 0:
			r.Text = "no leader changed so often in " + duration(m.Seconds)
			return r
		case bad > 1:
			r.Text += fmt.Sprintf(", and %d more", bad-1)
		}
		r.Outcome = Yes
		return r
	},
}

// electedUnclean is a reading of unclean elections that the metadata log tells of
// within ten minutes; ok is false where it tells of none.
func electedUnclean(v *View) (r Reading, ok bool) {
	const recent = 10 * time.Minute
	changes, _ := Happened(v)
	n := 0
	var all []*fact.Change
	for i := range changes.All {
		c := &changes.All[i]
		if c.Kind != "unclean-election" || v.Now().Sub(c.At) > recent {
			continue
		}
		if n == 0 {
			r = since(c.At, yes("the metadata log: %s, at %s", c.Text, clock(c.At)))
		}
		n += c.Count
		all = append(all, c)
		if c.Topic != "" && !slices.Contains(r.Affected.Topics, c.Topic) {
			r.Affected.Topics = append(r.Affected.Topics, c.Topic)
		}
	}
	r.Text += atStake(v, all)
	r.Affected.Partitions = n
	r.Lasting = true // what was cut off stays away
	return r, n > 0
}
