package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// What the coordinators' logs on this host say of groups and transactions: a second
// source for signs whose first one says nothing, and of what was before anyone
// looked.

const (
	copyCurrent  = time.Minute      // age of a copy's newest record within which what it does not tell did not happen
	befellLately = 10 * time.Minute // within which what befell offsets is told whatever came of it
	beganAnew    = 30 * time.Minute // since a group came back to offsets that were gone
	overdueAfter = 15 * time.Second // after its timeout: coordinators look for overdue ones every ten seconds
)

// onDisk is what the log of its coordinator tells of the sign's group; current
// says whether the copy is young enough to say also what did not happen.
func onDisk(v *View) (p fact.GroupPast, told, current bool) {
	p, told = fact.GroupOnDisk.Latest(v, v.Subject)
	return p, told, told && v.Now().Sub(p.Last) <= copyCurrent
}

// membersOnDisk is a reading of whether the sign's group has members.
func membersOnDisk(v *View) (r Reading, ok bool) {
	p, _, current := onDisk(v)
	switch {
	case !current:
	case p.State == "stable":
		return no("it has members by its coordinator's log on disk"), true
	case p.State == "empty", p.State == "dead":
		return yes("no members by its coordinator's log on disk (%s)", p.State), true
	}
	return r, false
}

// rebalancesOnDisk is when the sign's group began new generations lately, oldest
// first, by the log of its coordinator.
func rebalancesOnDisk(v *View) (events []time.Time, p fact.GroupPast, current bool) {
	p, _, current = onDisk(v)
	for _, at := range p.Generations.At {
		if age := v.Now().Sub(at); age >= 0 && age <= rebalanceWindow {
			events = append(events, at)
		}
	}
	return events, p, current
}

// stormOnDisk is a reading of generations that the coordinator's log tells of.
func stormOnDisk(v *View) (r Reading, current bool) {
	events, p, current := rebalancesOnDisk(v)
	n, g := len(events), p.Generations
	r = atLeast(float64(n), loggedRebalances, fact.Count, "%s within %s by its coordinator's log on disk", plural(n, "generation"), rebalanceWindow)
	if !repeats(v, events, loggedRebalances) {
		r.Outcome = No
		return r, current
	}
	first := len(g.Number) - n
	r.Text = fmt.Sprintf("%d rebalances in %s by its coordinator's log on disk, generation %d to %d, %d to %d members, the last at %s", n, duration(events[n-1].Sub(events[0]).Seconds()),
		g.Number[first], g.Number[len(g.Number)-1], slices.Min(g.Members[first:]), slices.Max(g.Members[first:]), clock(events[n-1]))
	return r, current
}

// add gathers partitions in the columns that readings are about.
func (now *offsets) add(topic string, partition int32) {
	if now.index(topic, partition) < 0 {
		now.Topic, now.Partition = append(now.Topic, topic), append(now.Partition, partition)
	}
}

// every is the indexes of all of them.
func (now *offsets) every() []int {
	all := make([]int, len(now.Topic))
	for i := range all {
		all[i] = i
	}
	return all
}

// rewoundOnDisk is a reading of commits that went back lately, or earlier in the
// last hours and have not come again to where they were while the group works.
func rewoundOnDisk(v *View) (r Reading, current bool) {
	p, told, current := onDisk(v)
	if !told {
		return r, false
	}
	var now offsets
	now.GroupOffsets, _ = fact.Offsets.Latest(v, v.Subject)
	var back offsets
	var most *fact.Rewind
	var first, last time.Time
	for i := range p.Rewinds {
		w := &p.Rewinds[i]
		behind := p.State == "stable" && w.Now >= 0 && w.Now < w.From
		if at := now.index(w.Topic, w.Partition); at >= 0 && now.beyond(at, w.From) {
			continue // put back into the log
		}
		if w.Another || !behind && v.Now().Sub(w.At) > befellLately {
			continue
		}
		if first.IsZero() {
			first = w.At
		}
		last = w.At
		back.add(w.Topic, w.Partition)
		if most == nil || w.From-w.To > most.From-most.To {
			most = w
		}
	}
	if most == nil {
		return no("no commit went back by its coordinator's log on disk, since %s", clock(p.First)), current
	}
	r = yes("commits of %s went back at %s by its coordinator's log on disk: %s-%d from %d to %d, now %d", plural(len(back.Topic), "partition"), clock(first), most.Topic, most.Partition, most.From, most.To, most.Now)
	r.Lasting = true
	return between(first, last, back.about(v, back.every(), r)), current
}

// vanishedOnDisk is a reading of commits that expired or were deleted, of a group
// that has members: lately, or it came back to that lately and began anew.
func vanishedOnDisk(v *View) (r Reading, ok bool) {
	p, told, _ := onDisk(v)
	if !told || p.State != "stable" {
		return r, false
	}
	view, known := clusterView(v)
	var gone offsets
	var when time.Time
	var one *fact.GoneOffset
	for i := range p.Gone {
		g := &p.Gone[i]
		anew := !g.Again.IsZero() && v.Now().Sub(g.Again) <= beganAnew
		there := known && slices.Contains(view.Topics, g.Topic)
		if !anew && (!there || !g.Again.IsZero() || v.Now().Sub(g.At) > befellLately) {
			continue // deleting a topic deletes its commits
		}
		onset := g.At
		if anew {
			onset = g.Again
		}
		if when.IsZero() || onset.Before(when) {
			when, one = onset, g
		}
		gone.add(g.Topic, g.Partition)
	}
	if one == nil {
		return r, false
	}
	text := fmt.Sprintf("commits of %s are gone by its coordinator's log on disk (%s): %s-%d %s at %s", plural(len(gone.Topic), "partition"), gone.named(gone.every()), one.Topic, one.Partition, one.How, clock(one.At))
	if one.Was >= 0 {
		text += fmt.Sprintf(", it was %d", one.Was)
	}
	if !one.Again.IsZero() {
		text += fmt.Sprintf("; begun anew at %s, committed %d", clock(one.Again), one.To)
	}
	return since(when, gone.about(v, gone.every(), yes("%s", text))), true
}

// overdueOnDisk is a reading of transactions that outlived their timeout by the
// coordinators' logs, in partitions where the sign's group waits.
func overdueOnDisk(v *View, now offsets) (r Reading, ok bool) {
	open, told := fact.TransactionsOnDisk.Latest(v, fact.TheCluster)
	if !told {
		return r, false
	}
	var held []int
	var texts []string
	for n := range open.Open {
		x := &open.Open[n]
		age := v.Now().Sub(x.Started)
		if x.Started.IsZero() || age <= time.Duration(x.Timeout*float64(time.Second))+overdueAfter {
			continue
		}
		holds := false
		for k, topic := range x.Topic {
			if i := now.index(topic, x.Partition[k]); i >= 0 && now.heldBack(i) {
				holds = true
				if !slices.Contains(held, i) {
					held = append(held, i)
				}
			}
		}
		if holds {
			texts = append(texts, fmt.Sprintf("%s, %s for %s with a timeout of %s", x.ID, x.State, duration(age.Seconds()), duration(x.Timeout)))
		}
	}
	if len(held) == 0 {
		return r, false
	}
	slices.Sort(held)
	return now.about(v, held, yes("held back, by its coordinator's log on disk, by %s", listed(texts))), true
}
