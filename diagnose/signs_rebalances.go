package diagnose

import (
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Limits of what is called rebalancing again and again.
const (
	rebalanceWindow = 2 * time.Minute
	rebalanceSpan   = 15 * time.Second // from the first to the last of them
	rebalanceQuiet  = 30 * time.Second // after the last one it is over

	pollWindow  = time.Hour // for members that poll too late: the default interval is five minutes
	pollExpired = 3         // of them

	metRebalances    = 3 // of those that looks from time to time meet
	loggedRebalances = 6 // of those that the coordinator's log tells one by one
)

var rebalancesRepeat = &Sign{
	ID: "rebalances-repeat", Title: "it rebalances again and again", On: fact.Group, Trouble: true, Leak: 0.002,
	Doc:  "Within two minutes the group's generation grew, or the group was met while it rebalanced, three times or more, or its coordinator logged, or wrote to __consumer_offsets, six or more, over 15 s or longer, the last time within 30 s. One rebalance after a deploy is none of this; Stable between two of them is no comfort. Or, however slowly: three times or more within an hour a member left because its application did not poll within max.poll.interval.ms, the last time within ten minutes. Classic groups tell no generation: where neither the log of the coordinator nor a copy of its partition of __consumer_offsets can be read, short rebalances are not seen.",
	Uses: []fact.Key{fact.GroupState, fact.GroupGeneration, fact.LogRebalanceTimes, fact.GroupOnDisk, fact.LogPollExpired},
	Test: func(v *View) Reading {
		if r, late := polledLate(v); late {
			return r
		}
		if logged := rebalancesLogged(v); repeats(v, logged, loggedRebalances) {
			n := len(logged)
			return rebalancing(v, logged, atLeast(float64(n), loggedRebalances, fact.Count, "%d rebalances in %s by its coordinator's log, the last at %s", n, duration(logged[n-1].Sub(logged[0]).Seconds()), clock(logged[n-1])))
		}
		disk, current := stormOnDisk(v)
		state, known := fact.GroupState.Latest(v, v.Subject)
		if events, _, _ := rebalancesOnDisk(v); disk.Outcome == Yes || !known && current {
			return rebalancing(v, events, disk)
		}
		if !known {
			return cannotTell(v.Why(fact.GroupState, v.Subject))
		}
		met, first, last := rebalancesMet(v)
		r := atLeast(float64(len(met)), metRebalances, fact.Count, "%d rebalances seen in %s, generation %.0f to %.0f, %s now", len(met), rebalanceWindow, first, last, state)
		if r.Outcome == Yes && !repeats(v, met, metRebalances) {
			r.Outcome = No
		}
		return rebalancing(v, met, r)
	},
}

// rebalancing is a reading with whom it hits and since when, where it is a yes.
func rebalancing(v *View, events []time.Time, r Reading) Reading {
	if r.Outcome == Yes {
		r.Since = events[0]
		r.Affected.Groups = []string{v.Subject.Name}
	}
	return r
}

// repeats says whether rebalances, oldest first, are enough, over a while, and not
// yet over.
func repeats(v *View, events []time.Time, enough int) bool {
	n := len(events)
	return n >= enough && events[n-1].Sub(events[0]) >= rebalanceSpan && v.Now().Sub(events[n-1]) <= rebalanceQuiet
}

// rebalancesMet is when the sign's group was seen in a rebalance, or in a later
// generation than before, oldest first, and its first and last generation.
func rebalancesMet(v *View) (events []time.Time, first, last float64) {
	note := func(at time.Time) {
		if v.Now().Sub(at) <= rebalanceWindow && !slices.ContainsFunc(events, func(t time.Time) bool { return t.Equal(at) }) {
			events = append(events, at)
		}
	}
	seen := false
	for _, s := range v.Past(fact.GroupGeneration.Def(), v.Subject) {
		g, ok := s.Value.(float64)
		if !ok || v.Now().Sub(s.At) > rebalanceWindow {
			continue
		}
		if !seen {
			first, last, seen = g, g, true
		}
		if g > last {
			note(s.At)
		}
		last = g
	}
	for _, s := range v.Past(fact.GroupState.Def(), v.Subject) {
		if state, _ := s.Value.(string); inRebalance(state) {
			note(s.At)
		}
	}
	slices.SortFunc(events, time.Time.Compare)
	return events, first, last
}

// rebalancesLogged is when coordinators began to rebalance the sign's group, oldest
// first, as far as their logs can be read here.
func rebalancesLogged(v *View) (events []time.Time) {
	for _, b := range fact.LogRebalanceTimes.Subjects(v) {
		all, _ := fact.LogRebalanceTimes.Latest(v, b)
		for _, one := range all {
			if age := v.Now().Sub(one.At); one.Group == v.Subject.Name && age >= 0 && age <= rebalanceWindow {
				events = append(events, one.At)
			}
		}
	}
	slices.SortFunc(events, time.Time.Compare)
	return events
}

// inRebalance says whether a state is that of a group between two assignments, in
// either protocol's words.
func inRebalance(state string) bool {
	switch state {
	case "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling":
		return true
	}
	return false
}

// polledLate is a reading of members that left because their applications polled too
// late: that takes as long as max.poll.interval.ms each time, so that the group is met
// Stable, and begins again where it last committed.
func polledLate(v *View) (r Reading, late bool) {
	for _, b := range fact.LogPollExpired.Subjects(v) {
		lines, _ := fact.LogPollExpired.Latest(v, b)
		i := slices.IndexFunc(lines.Names, func(n fact.NameCount) bool { return n.Name == v.Subject.Name })
		if i < 0 || v.Now().Sub(lines.Names[i].Last) > recently {
			continue
		}
		// How many were within the hour is known of all groups together.
		if n := min(lines.Names[i].Count, lines.Within(v.Now(), pollWindow)); n >= pollExpired {
			r = atLeast(float64(n), pollExpired, fact.Count, "%d members within %s left because they had not polled within max.poll.interval.ms, the last at %s", n, pollWindow, clock(lines.Names[i].Last))
			r.Since = v.Now().Add(-pollWindow)
			if lines.First.After(r.Since) {
				r.Since = lines.First
			}
			r.Affected.Groups = []string{v.Subject.Name}
			return r, true
		}
	}
	return r, false
}
