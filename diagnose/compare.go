package diagnose

import (
	"sort"
	"time"
)

// Verify compares every sign that is trouble now, or was at a time, with what it
// was then; as a rule that of the mark "fix applied". A sign that was trouble
// and cannot be read now is unchanged: nobody saw it go. One that could not be
// read then is left out, as is one of a subject that is no more. One that is yes
// for the past, as lines of a log within ten minutes, is fixed when a minute has
// brought no more of it.
func (s *Session) Verify(since time.Time) []Moved {
	var all []Moved
	for key, t := range s.track {
		if !key.sign.Trouble || len(t.states) == 0 || !t.asked.Equal(s.history.now) {
			continue
		}
		before, known := t.at(since)
		now := t.states[len(t.states)-1]
		if !known || before.Outcome == Unknown || before.Outcome != Yes && now.Outcome != Yes {
			continue
		}
		moved := Moved{key.sign, key.subject, change(before, now), before, now}
		if before.Outcome == Yes && silent(now, since, s.history.now) {
			moved.Change, moved.After.Text = Fixed, "none since "+clock(now.Last)
		}
		all = append(all, moved)
	}
	order := map[*Sign]int{}
	for i, sign := range s.catalogue.Signs {
		order[sign] = i
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Sign != all[j].Sign {
			return order[all[i].Sign] < order[all[j].Sign]
		}
		return subjectLess(all[i].Subject, all[j].Subject)
	})
	return all
}

// quiet is for how long what is known of the past alone must not have come again.
const quiet = time.Minute

// silent says whether a sign is yes for the past alone, of which a minute has
// brought no more. A fix takes its time: some of it may come after its mark.
func silent(now SignState, fix, at time.Time) bool {
	return now.Outcome == Yes && !now.Last.IsZero() && at.Sub(fix) >= quiet && at.Sub(now.Last) >= quiet
}

// Faded says whether nothing but the past speaks for a finding any more, as
// Verify has it since a time.
func (s *Session) Faded(f *Finding, since time.Time) bool {
	faded := false
	for _, e := range f.Evidence {
		if e.Outcome != Yes || e.Weight <= 0 || !e.Sign.Trouble {
			continue
		}
		if !silent(e.SignState, since, s.history.now) {
			return false
		}
		faded = true
	}
	return faded
}

// at is the state of a sign at a time; known is false when it had not been
// asked by then.
func (t *track) at(when time.Time) (st SignState, known bool) {
	for _, s := range t.states {
		if s.changed.After(when) {
			break
		}
		st, known = s, true
	}
	if p, ok := t.point(when); ok && known {
		st.Value = p.Value
	}
	return st, known
}

// point is the newest number not after a time.
func (t *track) point(when time.Time) (last Point, ok bool) {
	for _, p := range t.points {
		if p.At.After(when) {
			break
		}
		if p.Known {
			last, ok = p, true
		}
	}
	return last, ok
}

// enough is by which share of its distance a number must move to count.
const enough = 0.1

func change(before, now SignState) Change {
	switch {
	case before.Outcome != Yes:
		return New
	case now.Outcome == No || now.Outcome == NotApplicable:
		return Fixed
	case now.Outcome != Yes || now.Unit == "":
		return Unchanged
	}
	was, is := before.Value, now.Value
	if now.Below {
		was, is = -was, -is
	}
	step := enough * abs(was-sided(now))
	switch {
	case is > was && is-was > step:
		return Worse
	case is < was && was-is > step:
		return Improved
	}
	return Unchanged
}

// sided is a reading's limit with the sign that change counts in.
func sided(s SignState) float64 {
	if s.Below {
		return -s.Limit
	}
	return s.Limit
}
