package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of how a group's partitions move against each other, and over time.

// Limits of what is called hot, frozen or a surge.
const (
	hotTimes     = 4.0  // a hot partition gets so many times what its topic's others get, in the middle
	hotShare     = 0.8  // of a group's lag that stands on hot partitions
	evenRecords  = 50.0 // on the other partitions, in the middle: fewer may be one batch
	frozenWindow = 20.0 // seconds without a commit, where the partitions that move keep up
	busyWindow   = 45.0 // the same where they lag too: a fetch brings large batches of one partition at a time
	surgeTimes   = 3.0  // the rate now, against before
)

// moved is how one partition of a group moved between two samples.
type moved struct {
	index             int     // in the newer sample
	produced, commits float64 // records
	lag               float64
}

// movements is every partition that two samples know, in the newer one's order.
func (now offsets) movements(before offsets) []moved {
	var all []moved
	now.each(before, func(i, j int) {
		all = append(all, moved{i, float64(max(0, now.LogEnd[i]-before.LogEnd[j])), float64(max(0, now.Committed[i]-before.Committed[j])), float64(max(0, now.LogEnd[i]-now.Committed[i]))})
	})
	return all
}

var lagOnHotPartitions = &Sign{
	ID: "lag-on-hot-partitions", Title: "its lag stands on partitions that get more than others", On: fact.Group, Trouble: true, Leak: 0.001,
	Doc:   "Within one topic some partitions get four times what the others get, and 80% or more of the group's lag, growing, stands on these: a hot key, not slow consumers.",
	Needs: []fact.Key{fact.Offsets},
	Uses:  []fact.Key{fact.GroupState, fact.GroupGeneration},
	Test: func(v *View) Reading {
		if abandoned(v) {
			return notApplicable("nobody consumes")
		}
		now, before, over, reading := lagPair(v, stableSince(v))
		if reading != nil {
			return *reading
		}
		all := now.movements(before)
		if over < commitWindow {
			if now.even(all) {
				return now.unlessBlind(no("no partition gets twice what the others get"))
			}
			return notYet("rates want " + duration(commitWindow))
		}
		total, onHot := 0.0, 0.0
		var hot []int
		var fastest, usual float64
		for _, m := range all {
			total += m.lag
			typical, others := now.typical(all, m)
			if others >= 2 && m.produced >= hotTimes*max(typical, 1) && m.commits < m.produced {
				hot = append(hot, m.index)
				onHot += m.lag
				if m.produced > fastest {
					fastest, usual = m.produced, typical
				}
			}
		}
		if len(hot) == 0 || total == 0 {
			return now.unlessBlind(no("no partition lags for getting more than the others"))
		}
		r := atLeast(onHot/total, hotShare, fact.Ratio, "%s of the lag stands on %s, which gets %.0f records/s where others get %.0f", percent(onHot/total), now.named(hot), fastest/over, usual/over)
		if lag, was := now.lags(before); r.Outcome == Yes && lag <= was {
			r.Outcome = No
			r.Text += "; the lag shrinks"
		}
		return now.unlessBlind(now.about(v, hot, r))
	},
}

// typical is the middle of what the other partitions of a partition's topic got,
// and how many these are.
func (now offsets) typical(all []moved, of moved) (middle float64, others int) {
	var rates []float64
	for _, m := range all {
		if m.index != of.index && now.Topic[m.index] == now.Topic[of.index] {
			rates = append(rates, m.produced)
		}
	}
	if len(rates) == 0 {
		return 0, 0
	}
	slices.Sort(rates)
	return rates[len(rates)/2], len(rates)
}

// even is whether every partition gets about what the others of its topic get, with
// records enough that a longer look would say the same.
func (now offsets) even(all []moved) bool {
	for _, m := range all {
		if typical, others := now.typical(all, m); others > 0 && (typical < evenRecords || m.produced > typical*hotTimes/2) {
			return false
		}
	}
	return len(all) > 0
}

var partitionsFrozen = &Sign{
	ID: "partitions-frozen", Title: "it commits on some partitions and not on others", On: fact.Group, Trouble: true, Leak: 0.002,
	Doc:   "For 20 s or more (45 s where the group lags on all) the group has committed nothing on partitions that get records, while it commits on others: a member's fetcher or worker for these stands still. Partitions that an open transaction holds back do not count.",
	Needs: []fact.Key{fact.Offsets},
	Uses:  []fact.Key{fact.GroupState, fact.GroupGeneration},
	Test: func(v *View) Reading {
		if abandoned(v) {
			return notApplicable("nobody consumes")
		}
		now, before, over, reading := lagPair(v, stableSince(v))
		if reading != nil {
			return *reading
		}
		var frozen []int
		moving, lag, wait := 0, 0.0, frozenWindow
		for _, m := range now.movements(before) {
			switch {
			case m.commits > 0:
				moving++
				if m.lag > lagSeconds*m.produced/over {
					wait = busyWindow
				}
			case m.produced > 0 && m.lag > 1 && !now.heldBack(m.index):
				frozen = append(frozen, m.index)
				lag += m.lag
			}
		}
		switch {
		case len(frozen) == 0 || moving == 0:
			return now.unlessBlind(no("%d partitions with new records stand still, %d move", len(frozen), moving))
		case over < wait:
			return notYet(fmt.Sprintf("%s stand still for %s: a large batch does that too", plural(len(frozen), "partition"), duration(over)))
		}
		r := yes("no commit on %s (%s) for %s, lag %.0f there, while %s move", plural(len(frozen), "partition"), now.named(frozen), duration(over), lag, plural(moving, "partition"))
		return now.about(v, frozen, r)
	},
}

// heldBack says whether a read_committed consumer has read all it may of a
// partition: its commit stands at the last stable offset, short of the log end.
func (now offsets) heldBack(i int) bool {
	return now.LastStable[i] >= 0 && now.LastStable[i] < now.LogEnd[i] && now.Committed[i] >= now.LastStable[i]-1 && now.Committed[i] <= now.LastStable[i]
}

var productionSurged = &Sign{
	ID: "production-surged", Title: "much more is produced than before", On: fact.Group, Leak: 0.005,
	Doc:   "What the group reads is produced three times as fast over the last 20 s as in the time before, as far as two minutes are remembered, and its commits have not slowed down: a surge, not slow consumers.",
	Needs: []fact.Key{fact.Offsets},
	Test: func(v *View) Reading {
		const recent = 20 * time.Second
		past := samplesOf(v)
		if len(past) < 3 {
			return notApplicable("no time before is remembered")
		}
		last := past[len(past)-1]
		mid := -1
		for i, s := range past[:len(past)-1] {
			if last.at.Sub(s.at) >= recent {
				mid = i
			}
		}
		if mid < 1 {
			return notApplicable("no time before is remembered")
		}
		// The calm before: from the oldest sample to the one where the last 20 s begin.
		before, over := past[mid].at.Sub(past[0].at).Seconds(), last.at.Sub(past[mid].at).Seconds()
		if before < commitWindow {
			return notApplicable("no time before is remembered")
		}
		was, is := past[mid].produced(past[0].offsets)/before, last.produced(past[mid].offsets)/over
		committed, _ := past[mid].committedSince(past[0].offsets)
		commits, _ := last.committedSince(past[mid].offsets)
		lag, lagged := last.lags(past[mid].offsets)
		if was == 0 {
			return no("nothing was produced before: %.1f records/s now", is)
		}
		r := atLeast(is/was, surgeTimes, fact.Ratio, "%.0f records/s produced, %.0f before; commits %.0f/s, %.0f before", is, was, commits/over, committed/before)
		switch {
		case r.Outcome != Yes:
		case lag <= lagged || lag < is:
			r.Outcome = No
			r.Text += "; the group keeps up"
		case commits/over < 0.7*committed/before:
			r.Outcome = No
			r.Text += ": they slowed down"
		}
		return last.unlessBlind(r)
	},
}
