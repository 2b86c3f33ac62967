package tui

import (
	"sort"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// groupsPage is the consumer groups with what their signs say, those in trouble
// first.
func (m Model) groupsPage(w int) []row {
	of := map[fact.Subject][]*diagnose.SignState{}
	var groups []fact.Subject
	v := m.verdict()
	for i := range v.Signs {
		st := &v.Signs[i]
		if st.Subject.Scope != fact.Group || st.Outcome == diagnose.NotApplicable {
			continue
		}
		if of[st.Subject] == nil {
			groups = append(groups, st.Subject)
		}
		of[st.Subject] = append(of[st.Subject], st)
	}
	worst := func(g fact.Subject) int {
		least := urgency(of[g][0])
		for _, st := range of[g] {
			least = min(least, urgency(st))
		}
		return least
	}
	sort.SliceStable(groups, func(i, j int) bool { return worst(groups[i]) < worst(groups[j]) })
	rows := []row{split(in(bold, "GROUPS"), say(plural(len(groups), "group")+" seen"), w), nil}
	if len(groups) == 0 {
		return append(rows, say("no sign of any group yet"))
	}
	for _, g := range groups {
		rows = append(rows, in(bold, subject(g, w)))
		for _, st := range of[g] {
			text := st.Text
			if st.Outcome == diagnose.Unknown {
				text = st.Sign.Title + ": " + because(st.Because)
			}
			rows = append(rows, split(row{{"  ", plain}, m.glyphs.marked(m.glyphs.outcome(st)), {text, plain}}, row{{"  " + m.seenBy(st), dim}}, w))
		}
	}
	return rows
}
