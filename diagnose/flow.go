package diagnose

import "github.com/ktriage/ktriage/diagnose/fact"

// flow is the state of every box.
func (s *Session) flow(v *Verdict) []BoxState {
	all := make([]BoxState, 0, len(s.catalogue.Boxes))
	for _, box := range s.catalogue.Boxes {
		b := BoxState{Box: box, Recommended: v.Next != nil && v.Next.Box == box}
		b.Seen, b.Total, b.Found = count(box, v.Signs)
		switch {
		case box.State != nil:
			b.State = box.State(s, v)
		case b.Found > 0:
			b.State = Found
		case b.Total == 0:
			b.State = Pending
		case b.Seen == b.Total:
			b.State = Done
		case waiting(box, v.Signs):
			b.State = Looking
		default:
			b.State = CannotSee
		}
		all = append(all, b)
	}
	return all
}

// count is how many of a box's signs are seen, apply, and are trouble. A sign
// that cannot be seen from this place at all does not count, as in Coverage.
func count(box *Box, states []SignState) (seen, total, found int) {
	for _, sign := range box.Signs {
		applies, unseen, yes := false, false, false
		for i := range states {
			st := &states[i]
			if st.Sign != sign || st.Outcome == NotApplicable || st.elsewhere() {
				continue
			}
			applies = true
			unseen = unseen || st.Outcome == Unknown
			yes = yes || st.Outcome == Yes && sign.Trouble
		}
		if !applies {
			continue
		}
		total++
		if !unseen {
			seen++
		}
		if yes {
			found++
		}
	}
	return seen, total, found
}

// waiting says whether some sign of a box only wants another sample.
func waiting(box *Box, states []SignState) bool {
	for _, sign := range box.Signs {
		for i := range states {
			if st := &states[i]; st.Sign == sign && st.Outcome == Unknown && st.Because.Reason == fact.NotYet {
				return true
			}
		}
	}
	return false
}

// States of the boxes that have no signs of their own.

func reportState(s *Session, v *Verdict) State { return Done }

func collectState(s *Session, v *Verdict) State {
	if len(s.rounds) == 0 {
		return Pending
	}
	for _, sign := range s.catalogue.Signs {
		for _, k := range sign.keys() {
			if !s.history.answered(k.Def()) {
				return Looking
			}
		}
	}
	return Done
}

// metricsState wants two samples: rates have no meaning before.
func metricsState(s *Session, v *Verdict) State {
	if len(s.rounds) == 0 {
		return Pending
	}
	for name, n := range s.rounds {
		if n < 2 && s.runs[name].Status != fact.NotAsked {
			return Looking
		}
	}
	for _, a := range v.Alerts {
		if a.State == "firing" || a.State == "pending" {
			return Found
		}
	}
	return Done
}

func classifyState(s *Session, v *Verdict) State {
	switch {
	case v.Branch != "":
		return Found
	case len(s.rounds) == 0:
		return Pending
	case v.Status == StatusIncomplete:
		return CannotSee
	}
	return Done
}

// planState is found where the branch has a root with a playbook to open.
func planState(b Branch) func(*Session, *Verdict) State {
	return func(s *Session, v *Verdict) State {
		for _, f := range v.Findings {
			if f.Cause.InBranch() == b && f.Severity.Rank() > Info.Rank() {
				return Found
			}
		}
		return Pending
	}
}

func applyState(s *Session, v *Verdict) State {
	if s.FixApplied().IsZero() {
		return Pending
	}
	return Done
}

func verifyState(s *Session, v *Verdict) State {
	at := s.FixApplied()
	if at.IsZero() {
		return Pending
	}
	all := s.Verify(at)
	if len(all) == 0 {
		return Pending // there was no trouble to be gone
	}
	for _, m := range all {
		if m.Change != Fixed {
			return Looking
		}
	}
	return Done
}

func documentState(s *Session, v *Verdict) State { return Pending }
