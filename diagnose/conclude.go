package diagnose

import (
	"fmt"
	"sort"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// conclude makes the verdict from the readings of every sign.
func (s *Session) conclude(states []SignState) *Verdict {
	v := &Verdict{At: s.history.now, Signs: states, Cluster: s.cluster(), Coverage: coverage(states)}
	v.Alerts = s.alerts(v)
	groups := s.catalogue.groups(states)
	lean(groups, s.Reported())
	var found []*Finding
	for _, g := range groups {
		of, loose := g.weigh()
		found = append(found, of...)
		v.Unexplained = append(v.Unexplained, loose...)
		v.RuledOut = append(v.RuledOut, g.dropped...)
	}
	for _, f := range found {
		f.pass(s.history.now)
	}
	v.Findings = join(apart(found, groups))
	past := &View{history: s.history, reads: map[*fact.Def]bool{}}
	v.Context = append(planned(v.Findings), work(past)...)
	if said, ok := s.answer(v); ok {
		v.Context = append(v.Context, said)
	}
	v.Changed = s.changed(v.Findings)
	v.LastSeen, v.Copy = searched(past), standingOf(past)
	alarming := v.unaccounted()
	v.Unexplained = append(v.Unexplained, alarming...)
	v.Status = status(v)
	v.Runs = s.newestRuns()
	if v.Next = next(s.catalogue, groups, v, s.catalogue.behind(v)); v.Next == nil {
		v.Next = s.catalogue.lookAt(past, alarming)
	}
	if len(v.Findings) > 0 {
		v.Branch = v.Findings[0].Cause.InBranch()
	}
	v.Headline = headline(v)
	v.Flow = s.flow(v)
	return v
}

// first is the root to act on first; nil when none is sure or worth naming.
func (v *Verdict) first() *Finding {
	for _, f := range v.Findings {
		if f.Severity.Rank() > Info.Rank() {
			return f
		}
	}
	return nil
}

// All is every finding, each root followed by its consequences.
func (v *Verdict) All() []*Finding { return flat(v.Findings) }

func status(v *Verdict) Status {
	open := len(v.Coverage.Unknown) > 0 || len(v.Unexplained) > 0
	any := false
	for _, f := range v.Findings {
		serious := f.Severity.Rank() >= Major.Rank()
		if f.Band.Sure() && serious {
			return StatusFault
		}
		open = open || serious
		any = true
	}
	switch {
	case open || v.Coverage.Total == 0:
		return StatusIncomplete
	case any:
		return StatusAdvice
	}
	return StatusClear
}

func headline(v *Verdict) string {
	if f := v.first(); f != nil {
		if f.Band == CannotTell {
			return "cannot tell: " + f.Cause.ID + " on " + f.Subject.String() + "? " + f.Says
		}
		return f.Says
	}
	seen := fmt.Sprintf("%d of %d signs seen", v.Coverage.Seen, v.Coverage.Total)
	if v.Coverage.Seen < v.Coverage.Total {
		seen = fmt.Sprintf("in the %d of %d signs I could see", v.Coverage.Seen, v.Coverage.Total)
	}
	if len(v.Unexplained) > 0 {
		u := v.Unexplained[0]
		return fmt.Sprintf("not explained: %s: %s: %s", u.Subject, u.Sign.Title, u.Text)
	}
	return "no fault found: " + seen
}

// planned is the planned work to know of before the findings.
func planned(roots []*Finding) []Context {
	var all []Context
	for _, f := range roots {
		if f.Cause.Context && f.Band.Sure() {
			all = append(all, Context{f.Cause.ID, f.Says})
		}
	}
	return all
}

func (s *Session) newestRuns() []fact.Run {
	all := make([]fact.Run, 0, len(s.runs))
	for _, r := range s.runs {
		all = append(all, r)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Probe < all[j].Probe })
	return all
}

// coverage counts what was seen.
func coverage(states []SignState) Coverage {
	var c Coverage
	type gap struct {
		sign   *Sign
		reason fact.Reason
	}
	applies, unseen := map[*Sign]bool{}, map[*Sign]bool{}
	gaps, away := map[gap]bool{}, map[fact.Subject]bool{}
	for _, st := range states {
		switch {
		case st.Outcome == NotApplicable:
			continue
		case st.Outcome != Unknown:
			applies[st.Sign] = true
			continue
		case st.elsewhere():
			if broker, ok := st.Subject.Owner(); ok && broker.Name != fact.Any && !away[broker] {
				away[broker] = true
				c.Elsewhere = append(c.Elsewhere, broker)
			}
			continue
		}
		applies[st.Sign], unseen[st.Sign] = true, true
		if g := (gap{st.Sign, st.Because.Reason}); !gaps[g] {
			gaps[g] = true
			c.Unknown = append(c.Unknown, Missing{Sign: st.Sign, Subject: st.Subject, Because: st.Because})
		}
	}
	c.Total = len(applies)
	c.Seen = c.Total - len(unseen)
	sortSubjects(c.Elsewhere)
	return c
}
