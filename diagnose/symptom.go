package diagnose

import (
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// A symptom is what the operator reports: a fault of the catalogue, by its id. It
// moves how likely its causes are before anybody looked, and so in which order to
// look. What is seen stays what it is, and what is confirmed stays confirmed.

// Bounds of what a report is worth.
const (
	reportedOdds  = 3.0 // a reported fault's causes are so much likelier beforehand
	reportedPrior = 0.2 // and at most so likely
)

// Symptoms is the ids of what can be reported, in the order of the catalogue.
func Symptoms(c *Catalogue) []string {
	var all []string
	for _, cause := range c.Causes {
		if !slices.Contains(all, cause.Fault.ID) {
			all = append(all, cause.Fault.ID)
		}
	}
	return all
}

// Reported is the id of the fault that the operator last reported; "": none.
func (s *Session) Reported() string {
	id := ""
	for _, m := range s.marks {
		if m.Kind == fact.Symptom {
			id = m.Text
		}
	}
	return id
}

// shows says whether a cause shows in a fault, by itself or by what it leads to.
func (c *Cause) shows(fault string) bool {
	return c.Fault.ID == fault || slices.ContainsFunc(c.Leads, func(lead *Cause) bool { return lead.shows(fault) })
}

// lean makes the causes of a reported fault likelier beforehand.
func lean(groups []*group, fault string) {
	if fault == "" {
		return
	}
	for _, g := range groups {
		for _, cand := range g.cands {
			if cand.cause.shows(fault) {
				odds := reportedOdds * cand.prior / (1 - cand.prior)
				cand.prior = max(cand.prior, min(odds/(1+odds), reportedPrior))
			}
		}
	}
}

// answer says what the findings make of what was reported; false: nothing was.
func (s *Session) answer(v *Verdict) (Context, bool) {
	id := s.Reported()
	i := slices.IndexFunc(s.catalogue.Causes, func(c *Cause) bool { return c.Fault.ID == id })
	if i < 0 {
		return Context{}, false
	}
	text := s.catalogue.Causes[i].Fault.Title
	if !slices.ContainsFunc(v.All(), func(f *Finding) bool { return f.Band.Sure() && f.Cause.shows(id) }) {
		text += "; nothing that was found explains it"
	}
	return Context{ID: "reported", Text: text}, true
}
