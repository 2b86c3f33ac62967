package history

import "slices"

// changePartition applies a change of one partition, of which only what is
// written changes.
func (c *Cluster) changePartition(v *values) {
	i, ok := c.byID[v.uuid[topicID]]
	if !ok {
		return
	}
	row, ok := c.row(&c.topics[i], int32(v.num[partitionID]))
	if !ok {
		return
	}
	r := &c.rows
	was := c.partitionAt(row)
	c.counts(row, -1)
	set := func(col column, to []int32) {
		if v.is(col) {
			to[row] = c.lists.of(v.ids[col])
		}
	}
	set(isr, r.isr)
	set(replicas, r.replicas)
	set(removing, r.removing)
	set(adding, r.adding)
	set(elr, r.elr)
	set(lastELR, r.lastELR)
	r.change[row]++
	if to := int32(v.numberOr(leader, -2)); to != -2 {
		r.leader[row] = to
		r.epoch[row]++
	}
	if s := v.numberOr(recovery, -1); s >= 0 {
		r.recovering[row] = s == 1
	}
	c.counts(row, 1)
	now := c.partitionAt(row)
	if c.quiet {
		return
	}
	if now.leader != was.leader || now.isr != was.isr {
		r.since[row] = c.at
	}
	c.tellPartition(row, was, now)
}

// moment is a partition at one moment.
type moment struct {
	leader                               int32
	replicas, isr, adding, removing, elr int32
	recovering                           bool
}

func (c *Cluster) partitionAt(row int32) moment {
	r := &c.rows
	return moment{r.leader[row], r.replicas[row], r.isr[row], r.adding[row], r.removing[row], r.elr[row], r.recovering[row]}
}

// tellPartition adds the events that lie between two moments.
func (c *Cluster) tellPartition(row int32, was, now moment) {
	add := func(kind Kind, broker, before, after int32) {
		c.say(event{kind: kind, topic: c.rows.topic[row], partition: c.rows.partition[row], broker: broker, before: before, after: after})
	}
	moving := func(s moment) bool { return s.adding != none || s.removing != none }
	if moving(now) && (!moving(was) || c.goal(was) != c.goal(now)) { // a move may be given another goal
		add(ReassignmentStarted, -1, was.replicas, c.goal(now))
	}
	unclean := false
	if was.leader != now.leader {
		unclean = c.unclean(was, now)
		kind := LeaderChanged
		if unclean {
			kind = UncleanElection
		}
		add(kind, c.causeOf(was, now), was.leader, now.leader)
	}
	if was.isr != now.isr {
		on, old, isr := c.lists.ids(now.replicas), c.lists.ids(was.isr), c.lists.ids(now.isr)
		gone := slices.DeleteFunc(less(old, isr), func(id int32) bool { return !slices.Contains(on, id) }) // moved away, not fallen behind
		if len(gone) > 0 {
			c.say(event{kind: ISRShrunk, topic: c.rows.topic[row], partition: c.rows.partition[row], broker: gone[0], led: c.shrunkBy(was, now, gone[0]), before: was.isr, after: now.isr})
		}
		if come := less(isr, old); len(come) > 0 && !unclean {
			add(ISRExpanded, come[0], was.isr, now.isr)
		}
	}
	if moving(was) && !moving(now) {
		add(ReassignmentFinished, -1, was.replicas, now.replicas)
	}
}

// goal is the replicas that a partition will have when its move is done.
func (c *Cluster) goal(m moment) int32 {
	return c.lists.of(less(c.lists.ids(m.replicas), c.lists.ids(m.removing)))
}

// unclean says whether a leader was elected that may lack what was acknowledged.
// The controller marks it as recovering then; a leader from outside the ISR is
// no sign of it, for a move may end in the very change that brings the new
// replica into the ISR. Only where it recovers already, the mark is not set anew.
func (c *Cluster) unclean(was, now moment) bool {
	if now.leader < 0 || !now.recovering {
		return false
	}
	return !was.recovering || !slices.Contains(c.lists.ids(was.isr), now.leader) && !slices.Contains(c.lists.ids(was.elr), now.leader)
}

// causeOf is the broker for which a leader changed: the old one where that went,
// otherwise the new one, which was preferred or came back.
func (c *Cluster) causeOf(was, now moment) int32 {
	if was.leader >= 0 {
		b := c.Brokers[was.leader]
		if now.leader < 0 || b == nil || b.Fenced || b.Controlled {
			return was.leader
		}
		if !slices.Contains(c.lists.ids(now.isr), was.leader) {
			return was.leader
		}
	}
	return now.leader
}

// shrunkBy is the leader that put a follower out of the ISR, as its metric counts;
// -1: the controller did, with a broker that it fences or that shuts down. That
// broker's own record may follow in the same batch: see pardon.
func (c *Cluster) shrunkBy(was, now moment, gone int32) int32 {
	if b := c.Brokers[gone]; was.leader != now.leader || was.leader == gone || b == nil || b.Fenced || b.Controlled {
		return -1
	}
	return was.leader
}

// pardon takes back that leaders put a broker out of ISRs, where the controller
// did in the same batch.
func (c *Cluster) pardon(gone int32) {
	for i := len(c.events) - 1; i >= 0 && c.events[i].offset >= c.batch; i-- {
		if e := &c.events[i]; e.kind == ISRShrunk && e.broker == gone {
			e.led = -1
		}
	}
}
