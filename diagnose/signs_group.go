package diagnose

import (
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of consumer groups.

// groupWindow is how far back the rates of a group look. Consumers commit every
// five seconds unless told otherwise, so that less says little.
const (
	groupWindow  = 60 * time.Second
	commitWindow = 10.0 // seconds that a judgement on commits wants
	lagSeconds   = 10.0 // a consumer within this of the end keeps up
)

var groupWithoutMembers = &Sign{
	ID: "group-without-members", Title: "it has no members", On: fact.Group, Leak: 0.3,
	Doc:  "The group is Empty or Dead: nobody consumes for it. Groups are often left behind on purpose. Where no coordinator answers, a copy of its log on this host tells, while that is young.",
	Uses: []fact.Key{fact.GroupState, fact.GroupMembers, fact.GroupType, fact.GroupOnDisk},
	Test: func(v *View) Reading {
		state, known := fact.GroupState.Latest(v, v.Subject)
		if !known {
			if r, ok := membersOnDisk(v); ok {
				return r
			}
			return cannotTell(v.Why(fact.GroupState, v.Subject))
		}
		members, known := fact.GroupMembers.Latest(v, v.Subject)
		if abandoned(v) || known && members == 0 {
			return yes("no members (%s)", state)
		}
		text := state
		if kind, ok := fact.GroupType.Latest(v, v.Subject); ok {
			text += ", " + kind
		}
		if !known {
			return no("its members are not told (%s)", text)
		}
		return no("%.0f members (%s)", members, text)
	},
}

var groupStable = &Sign{
	ID: "group-stable", Title: "it is stable", On: fact.Group, Leak: 0.8,
	Doc:   "The group is Stable and its generation stands still.",
	Needs: []fact.Key{fact.GroupState},
	Uses:  []fact.Key{fact.GroupGeneration},
	Test: func(v *View) Reading {
		state, _ := fact.GroupState.Latest(v, v.Subject)
		if !stable(state) {
			return no("state %s", state)
		}
		now, known := fact.GroupGeneration.Latest(v, v.Subject)
		if !known {
			return yes("Stable; its generation is not told")
		}
		before, _, ok := fact.GroupGeneration.Before(v, v.Subject, groupWindow)
		if ok && now != before {
			return no("generation went from %.0f to %.0f", before, now)
		}
		return yes("Stable in generation %.0f", now)
	},
}

var lagNotShrinking = &Sign{
	ID: "lag-not-shrinking", Title: "its lag does not shrink", On: fact.Group, Trouble: true, Leak: 0.05,
	Doc:   "The group lags, not less than at the beginning of the last minute; while it has members, by more than ten seconds of production.",
	Needs: []fact.Key{fact.Offsets},
	Uses:  []fact.Key{fact.GroupState},
	Test: func(v *View) Reading {
		now, before, over, reading := lagPair(v, time.Time{})
		if reading != nil {
			return *reading
		}
		lag, was := now.lags(before)
		produced := now.produced(before)
		r := atLeast(lag, 1, fact.Count, "lag %.0f, %+.0f in %s", lag, lag-was, duration(over))
		r.Affected.Groups = []string{v.Subject.Name}
		r.Affected.Topics = topicsOf(now)
		switch partitions, _ := now.seen(); {
		case lag < was:
			r.Outcome = No
		case worksOff(v):
			r.Outcome = No
			r.Text += ": it works off what a burst left"
		case produced == 0 && lag <= float64(partitions):
			r.Outcome = No
			r.Text += ": the last records may be transaction markers, which nobody commits"
		case produced > 0 && lag < lagSeconds*produced/over && !abandoned(v):
			r.Outcome = No
			r.Text += ": within " + duration(lagSeconds) + " of the end"
		}
		return now.unlessBlind(r)
	},
}

var lagGrows = &Sign{
	ID: "lag-grows", Title: "its lag grows", On: fact.Group,
	Doc:   "The group's lag is larger than at the beginning of the last minute, while records are produced.",
	Needs: []fact.Key{fact.Offsets},
	Test: func(v *View) Reading {
		now, before, over, reading := lagPair(v, time.Time{})
		if reading != nil {
			return *reading
		}
		lag, was := now.lags(before)
		r := atLeast(lag-was, 1, fact.Count, "lag %+.0f in %s, %.1f records/s produced", lag-was, duration(over), now.produced(before)/over)
		return now.unlessBlind(r)
	},
}

var commitsBehind = &Sign{
	ID: "commits-behind", Title: "its commits advance, and too slowly", On: fact.Group, Leak: 0.005,
	Doc:   "On every partition that lags the group commits, and in sum it commits less than is produced: it works, and cannot keep up.",
	Needs: []fact.Key{fact.Offsets},
	Uses:  []fact.Key{fact.GroupState, fact.GroupGeneration, fact.Metadata},
	Test: func(v *View) Reading {
		if abandoned(v) {
			return notApplicable("nobody consumes")
		}
		now, before, over, reading := lagPair(v, stableSince(v))
		if reading != nil {
			return *reading
		}
		lag, _ := now.Lag()
		produced := now.produced(before)
		if lag == 0 || produced == 0 || lag < lagSeconds*produced/over {
			return now.unlessBlind(no("lag %.0f with %.1f records/s produced: within %s of the end", lag, produced/over, duration(lagSeconds)))
		}
		committed, frozen := now.committedSince(before)
		if frozen > 0 && over < commitWindow {
			return notYet("no commit on " + plural(frozen, "partition") + " in " + duration(over) + ": consumers commit every few seconds")
		}
		if frozen > 0 {
			return no("no commit on %s in %s", plural(frozen, "partition"), duration(over))
		}
		if catchesUp(v, now, produced/over) {
			return no("records come in bursts: it was at the end within %s, and commits since as fast as is produced, %.1f/s", duration(over), produced/over)
		}
		if worksOff(v) {
			return no("it works off what a burst left: lag %.0f, and it shrinks", lag)
		}
		const keepsUp = 0.95
		r := no("commits %.1f/s of %.1f/s produced", committed/over, produced/over)
		r.Value, r.Unit, r.Limit, r.Below = committed/produced, fact.Ratio, keepsUp, true
		if r.Value < keepsUp {
			r.Outcome, r.Blames = Yes, now.servedBy(v)
		}
		return r
	},
}

// servedBy is the brokers that a group is as slow as: those that lead what it reads,
// and those that hold a copy in sync of its commits, each of which waits for all.
func (now offsets) servedBy(v *View) (all []fact.Subject) {
	view, known := clusterView(v)
	if !known {
		return nil
	}
	var ids []int32
	for i := range now.Topic {
		if p := view.At(now.Topic[i], now.Partition[i]); p >= 0 && view.Leader[p] >= 0 {
			ids = append(ids, view.Leader[p])
		}
	}
	if p := view.homeOf(v.Subject.Name); p >= 0 {
		ids = append(ids, view.ISR.At(p)...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		all = append(all, fact.BrokerOf(id))
	}
	return all
}

// catchesUp says whether the group was within a second of the end at a look within
// the window, and has committed since then as many records a second as are produced
// on average: what it lags by came in one burst.
func catchesUp(v *View, now offsets, produced float64) bool {
	past := samplesOf(v)
	for _, old := range slices.Backward(past[:len(past)-1]) {
		since := v.Now().Sub(old.at)
		if since > groupWindow {
			continue
		}
		if lag, _ := old.Lag(); lag <= produced {
			committed, _ := now.committedSince(old.offsets)
			return committed >= produced*since.Seconds()
		}
	}
	return false
}

// worksOff says whether the lag of the sign's group has shrunk from each of its last
// three looks to the next, over ten seconds or more and by a tenth: what made it is over.
func worksOff(v *View) bool {
	const much = 0.1
	past := samplesOf(v)
	n := len(past)
	if n < 3 {
		return false
	}
	first, middle, last := past[n-3], past[n-2], past[n-1]
	mid, then := middle.lags(first.offsets)
	is, _ := last.lags(middle.offsets)
	return last.at.Sub(first.at).Seconds() >= commitWindow && is < mid && mid < then && then-is >= much*then
}

// stable says whether a state is that of a group at work, in either of the words
// that Kafka has for it.
func stable(state string) bool { return state == "Stable" || state == "STABLE" }

// stableSince is when the sign's group was last seen not to be stable, or in another
// generation than before; zero: not in what is remembered.
func stableSince(v *View) (last time.Time) {
	for _, s := range v.Past(fact.GroupState.Def(), v.Subject) {
		if state, _ := s.Value.(string); !stable(state) {
			last = s.At
		}
	}
	was, any := 0.0, false
	for _, s := range v.Past(fact.GroupGeneration.Def(), v.Subject) {
		now, ok := s.Value.(float64)
		if ok && any && now != was && s.At.After(last) {
			last = s.At
		}
		was, any = now, any || ok
	}
	return last
}

// abandoned says whether the sign's group is known to have no members.
func abandoned(v *View) bool {
	state, _ := fact.GroupState.Latest(v, v.Subject)
	return state == "Empty" || state == "Dead"
}

// offsets is a group's offsets with what can be told from two of them.
type offsets struct{ fact.GroupOffsets }

// lagPair is the newest offsets of the sign's group and the oldest within the
// window, and not before a time, that speak of the same partitions; reading is set
// where there is nothing to compare.
func lagPair(v *View, from time.Time) (now, before offsets, over float64, reading *Reading) {
	newest, _ := fact.Offsets.Latest(v, v.Subject)
	now = offsets{newest}
	committed, blind := now.seen()
	if committed == 0 {
		r := notApplicable("no committed offsets")
		return now, before, 0, &r
	}
	if blind == committed {
		r := now.unseen(blind)
		return now, before, 0, &r
	}
	past := v.Past(fact.Offsets.Def(), v.Subject)
	end := past[len(past)-1].At
	for _, sample := range past[:len(past)-1] {
		old, ok := sample.Value.(fact.GroupOffsets)
		if !ok || end.Sub(sample.At) > groupWindow || sample.At.Before(from) || !sample.At.Before(end) {
			continue
		}
		shared := false
		now.each(offsets{old}, func(int, int) { shared = true })
		if shared {
			return now, offsets{old}, end.Sub(sample.At).Seconds(), nil
		}
	}
	r := notYet("wants two samples")
	return now, before, 0, &r
}

// seen is on how many partitions the group has committed, and of how many of
// these the log end is not known.
func (now offsets) seen() (committed, blind int) {
	for i := range now.Committed {
		if now.Committed[i] >= 0 {
			committed++
			if now.LogEnd[i] < 0 {
				blind++
			}
		}
	}
	return committed, blind
}

func (now offsets) unseen(blind int) Reading {
	return cannotTell(&fact.Unknown{Reason: fact.Unreachable, Detail: "the log ends of " + plural(blind, "partition") + " are not known: no leader answers for them"})
}

// unlessBlind is a reading; a no does not stand where a part was not seen.
func (now offsets) unlessBlind(r Reading) Reading {
	if _, blind := now.seen(); blind > 0 && r.Outcome == No {
		return now.unseen(blind)
	}
	return r
}

// each calls with the indexes of every partition whose commit and log end both
// samples know.
func (now offsets) each(before offsets, f func(i, j int)) {
	type place struct {
		topic     string
		partition int32
	}
	at := make(map[place]int, len(before.Topic))
	for j := range before.Topic {
		if before.Committed[j] >= 0 && before.LogEnd[j] >= 0 {
			at[place{before.Topic[j], before.Partition[j]}] = j
		}
	}
	for i := range now.Topic {
		if j, ok := at[place{now.Topic[i], now.Partition[i]}]; ok && now.Committed[i] >= 0 && now.LogEnd[i] >= 0 {
			f(i, j)
		}
	}
}

// lags is the sums of lag then and now, over the partitions that both know. What
// an open transaction keeps from the group is not its lag.
func (now offsets) lags(before offsets) (is, was float64) {
	now.each(before, func(i, j int) {
		if !now.heldBack(i) {
			is += float64(max(0, now.LogEnd[i]-now.Committed[i]))
		}
		if !before.heldBack(j) {
			was += float64(max(0, before.LogEnd[j]-before.Committed[j]))
		}
	})
	return is, was
}

// produced is by how many records the log ends grew.
func (now offsets) produced(before offsets) (sum float64) {
	now.each(before, func(i, j int) { sum += float64(max(0, now.LogEnd[i]-before.LogEnd[j])) })
	return sum
}

// committedSince is by how much the commits grew, and on how many partitions
// that lag they stand still.
func (now offsets) committedSince(before offsets) (sum float64, frozen int) {
	now.each(before, func(i, j int) {
		by := now.Committed[i] - before.Committed[j]
		sum += float64(max(0, by))
		if by <= 0 && now.LogEnd[i] > now.Committed[i] {
			frozen++
		}
	})
	return sum, frozen
}

func topicsOf(o offsets) []string {
	all := slices.Clone(o.Topic)
	slices.Sort(all)
	return slices.Compact(all)
}
