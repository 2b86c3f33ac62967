package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// LastSeen is the cluster as this host's metadata log had it last, for when nobody
// answers. It speaks of the past: never instead of a live answer.
type LastSeen struct {
	fact.LastCluster
	Age     time.Duration // of the newest record
	Holders []fact.Holder // most needed first
	Gone    bool          // every broker in it is seen to be gone; else another may lead by now
	Unseen  []Unseen      // those that are not seen to be gone
}

// Unseen is a broker that does not answer, and of which nothing says that it is
// gone.
type Unseen struct {
	Broker int32
	How    string // it does not answer: "timed-out at tcp"; "not tried"
}

// lastSeen is the metadata log's word, where no broker gives its own; nil
// otherwise.
func lastSeen(v *View) *LastSeen {
	if _, answers := clusterView(v); answers {
		return nil
	}
	c, known := fact.LastSeen.Latest(v, fact.TheCluster)
	if !known {
		return nil
	}
	return &LastSeen{LastCluster: c, Age: max(0, v.Now().Sub(c.Copy.Last)), Holders: holders(&c)}
}

// searched is lastSeen with what is seen of each of its brokers.
func searched(v *View) *LastSeen {
	last := lastSeen(v)
	if last == nil {
		return nil
	}
	for _, b := range last.Brokers {
		if how, is := gone(v, b.ID); !is {
			last.Unseen = append(last.Unseen, Unseen{b.ID, how})
		}
	}
	last.Gone = len(last.Brokers) > 0 && len(last.Unseen) == 0
	return last
}

// allGone is lastSeen where every broker that is registered is seen to be gone:
// one that merely does not answer from here may lead what others led.
func allGone(v *View) *LastSeen {
	if last := searched(v); last != nil && last.Gone {
		return last
	}
	return nil
}

// gone says whether a broker's port refuses, or its process is no more; how is
// what is seen of one that is not.
func gone(v *View, id int32) (how string, is bool) {
	if reach, ok := fact.BrokerReach.Latest(v, fact.BrokerOf(id)); ok {
		return came(reach), reach.Outcome == fact.Refused
	}
	p, ok := fact.BrokerProcess.Latest(v, fact.ProcessOf(id))
	return "not tried", ok && !p.Exists
}

// Unsettled says whom it would take to know what leads by now; empty where every
// broker is gone.
func (l *LastSeen) Unsettled() string {
	by := map[string][]int32{}
	var hows []string
	for _, u := range l.Unseen {
		if by[u.How] == nil {
			hows = append(hows, u.How)
		}
		by[u.How] = append(by[u.How], u.Broker)
	}
	for i, how := range hows {
		hows[i] = fmt.Sprintf("broker %s (%s)", ids(by[how]), how)
	}
	if len(hows) == 0 {
		return ""
	}
	return listed(hows) + " may lead by now"
}

// holding is who has all that was acknowledged of a partition.
func holding(c *fact.LastCluster, p int) []int32 {
	all := slices.Clone(c.ISR.At(p))
	for _, id := range c.ELR.At(p) {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

func holders(c *fact.LastCluster) []fact.Holder {
	by := fact.Holders{}
	for p := range c.Partition {
		by.Add(holding(c, p))
	}
	return by.Ranked()
}

// when says of which time it speaks; a quorum that works writes twice a second.
func (l *LastSeen) when() string {
	if l.Age < 2*time.Second {
		return "as of " + clock(l.Copy.Last)
	}
	return fmt.Sprintf("as of %s, %s before now", clock(l.Copy.Last), duration(l.Age.Seconds()))
}

// affected is what all its partitions are.
func (l *LastSeen) affected() Affected {
	a := Affected{Partitions: len(l.Partition) + l.Left, Topics: slices.Clone(l.Topics)}
	return a
}

// Headline is one line about the past, for a list of it.
func (l *LastSeen) Headline() string {
	who := "this host"
	if l.Copy.Node >= 0 {
		who = fmt.Sprintf("node %d", l.Copy.Node)
	}
	return fmt.Sprintf("metadata log of %s, newest record %s UTC, %s before now", who, clock(l.Copy.Last), duration(l.Age.Seconds()))
}

// FirstBack says who must come back first, so that nothing is lost that was
// acknowledged; empty where no partition is known.
func (l *LastSeen) FirstBack() string {
	n := len(l.Partition)
	if n == 0 || len(l.Holders) == 0 {
		return ""
	}
	first := l.Holders[0]
	if first.Alone == 0 {
		var names []int32
		for _, h := range l.Holders {
			if h.All == n {
				names = append(names, h.Broker)
			}
		}
		switch {
		case len(names) > 0:
			slices.Sort(names)
			return fmt.Sprintf("no partition hangs on one broker: each of broker %s has all that was acknowledged", ids(names))
		case len(l.Holders) == 1:
			return ""
		}
		return fmt.Sprintf("no partition hangs on one broker: broker %d has all that was acknowledged of most, %d of %d", first.Broker, first.All, n)
	}
	text := fmt.Sprintf("broker %d must come back first: it alone has all that was acknowledged of %d of %s", first.Broker, first.Alone, plural(n, "partition"))
	for _, h := range l.Holders[1:] {
		if h.Alone > 0 {
			text += fmt.Sprintf("; broker %d of %d", h.Broker, h.Alone)
		}
	}
	return text
}

// WorstFirst is the partitions, those first that fewest surely have all of.
func (l *LastSeen) WorstFirst() []int {
	rows := make([]int, len(l.Partition))
	for p := range rows {
		rows[p] = p
	}
	rank := func(p int) int {
		n := len(holding(&l.LastCluster, p)) * 2
		if l.Leader[p] >= 0 {
			n++
		}
		return n
	}
	slices.SortStableFunc(rows, func(a, b int) int { return rank(a) - rank(b) })
	return rows
}
