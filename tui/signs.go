package tui

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// signsOfBox is the signs of the selected box on their subjects: found first,
// then what cannot be told, then what is fine. Those that do not apply are left
// out.
func (m Model) signsOfBox() []*diagnose.SignState {
	all := m.boxes()
	box := m.selected()
	if box >= len(all) {
		return nil
	}
	mine := map[*diagnose.Sign]bool{}
	for _, s := range all[box].Box.Signs {
		mine[s] = true
	}
	v := m.verdict()
	var states []*diagnose.SignState
	for i := range v.Signs {
		if st := &v.Signs[i]; mine[st.Sign] && st.Outcome != diagnose.NotApplicable {
			states = append(states, st)
		}
	}
	sort.SliceStable(states, func(i, j int) bool { return urgency(states[i]) < urgency(states[j]) })
	return states
}

func urgency(st *diagnose.SignState) int {
	switch {
	case st.Outcome == diagnose.Yes && st.Sign.Trouble:
		return 0
	case st.Outcome == diagnose.Unknown && st.Because != nil && st.Because.Reason == fact.NotObserved:
		return 3
	case st.Outcome == diagnose.Unknown:
		return 1
	}
	return 2
}

// signRow is a sign in one line: mark, what was seen, who saw it and how old
// that is.
func (m Model) signRow(st *diagnose.SignState, w int) row {
	right := row{{"  " + m.seenBy(st), dim}}
	text := span{signText(st), plain}
	if st.Outcome == diagnose.Unknown {
		text.style = yellow
	}
	return split(row{m.glyphs.marked(m.glyphs.outcome(st)), text}, right, w)
}

// signText says on whom and what.
func signText(st *diagnose.SignState) string {
	who := ""
	if st.Subject != fact.TheCluster {
		who = subject(st.Subject, 34) + ": "
	}
	switch {
	case st.Outcome == diagnose.Unknown:
		return who + st.Sign.Title + ": " + because(st.Because)
	case st.Text == "":
		return who + st.Sign.Title
	}
	return who + st.Text
}

// subject is a subject in at most w columns.
func subject(s fact.Subject, w int) string {
	if s.Name == fact.Any {
		return "every " + string(s.Scope)
	}
	return middle(clean(s.String()), w)
}

// seenBy is the probe, and the age of what it saw.
func (m Model) seenBy(st *diagnose.SignState) string {
	if st.Source == "" {
		return ""
	}
	return st.Source + " " + m.ageOf(st.At)
}

// ageOf is how long ago a time was; nothing for no time.
func (m Model) ageOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return age(m.time().Sub(at))
}

// boxRows is the selected box in short, h rows.
func (m Model) boxRows(w, h int) []row {
	all := m.boxes()
	if m.selected() >= len(all) || h < 1 {
		return nil
	}
	b := all[m.selected()]
	right := row{}
	if b.Total > 0 {
		right = row{{fmt.Sprintf("seen %d of %s", b.Seen, plural(b.Total, "sign")), dim}}
	}
	rows := []row{split(in(bold, b.Box.Title), right, w)}
	states := m.signsOfBox()
	if len(states) == 0 {
		rows = append(rows, m.stepsOfBox(b.Box, w)...)
	}
	for _, st := range states {
		rows = append(rows, append(say(" "), m.signRow(st, w-1)...))
	}
	if len(rows) > h && h > 1 {
		rows = append(rows[:h-1], in(dim, fmt.Sprintf("  %d more: enter", len(rows)-h+1)))
	}
	return rows[:min(len(rows), h)]
}

// signPane is the selected box with its sign in full, for the second pane.
func (m Model) signPane(w, h int) []row {
	rows := m.boxRows(w, max(6, h/2))
	states := m.signsOfBox()
	if m.sign < len(states) {
		rows = append(append(rows, nil), m.signDetail(states[m.sign], w, h-len(rows)-1)...)
	}
	return rows
}

// signsRows is the screen of a box: its signs above, the selected one below.
func (m Model) signsRows(w, h int) []row {
	all := m.boxes()
	states := m.signsOfBox()
	if len(states) == 0 {
		return m.boxRows(w, h)
	}
	at := min(m.sign, len(states)-1)
	b := all[m.selected()]
	rows := []row{split(in(bold, b.Box.Title), row{{fmt.Sprintf("seen %d of %s", b.Seen, plural(b.Total, "sign")), dim}}, w)}
	var lines []row
	for i, st := range states {
		cursor := span{"  ", plain}
		if i == at {
			cursor = span{m.glyphs.cursor + " ", bold}
		}
		lines = append(lines, append(row{cursor}, m.signRow(st, w-2)...))
	}
	rows = append(rows, around(lines, at, min(len(lines), max(3, h/2-2)))...)
	return append(append(rows, nil), m.signDetail(states[at], w, h-len(rows)-1)...)
}

// signDetail is all there is to say of a sign on a subject, in h rows: what was
// seen, the limit, since when, why it is unknown and what would show it, and
// its numbers as a graph where there is room.
func (m Model) signDetail(st *diagnose.SignState, w, h int) []row {
	mark := m.glyphs.outcome(st)
	rows := []row{{{m.glyphs.line + " ", dim}, {st.Sign.Title, bold}, {"  " + subject(st.Subject, 40) + "  ", plain}, {string(st.Outcome), mark.style}}}
	add := func(r ...row) { rows = append(rows, r...) }
	text := signText(st)
	for _, line := range wrap(text, w) {
		add(say(line))
	}
	if st.Because != nil && st.Because.How != "" {
		for _, line := range wrap("to see it: "+st.Because.How, w) {
			add(in(cyan, line))
		}
	}
	facts := ""
	if st.Unit != "" {
		facts = number(st.Value, st.Unit) + limitText(st)
	}
	if st.Outcome == diagnose.Yes {
		facts += "  since " + clock(st.Since) + " (" + m.ageOf(st.Since) + ")"
	}
	if by := m.seenBy(st); by != "" {
		facts += "  seen by " + by + " ago"
	}
	add(in(dim, facts))
	for _, line := range wrap(st.Sign.Doc, w) {
		add(in(dim, line))
	}
	if room := h - len(rows) - 1; room >= graphMin {
		add(m.graphRows(st.Sign, st.Subject, w, min(room, 10))...)
	}
	return rows[:min(len(rows), max(0, h))]
}

// limitText is where yes begins.
func limitText(st *diagnose.SignState) string {
	word := "at or over"
	if st.Below {
		word = "at or under"
	}
	return fmt.Sprintf("  (yes %s %s)", word, number(st.Limit, st.Unit))
}

// because is a reason in words, with what lies behind it.
func because(u *fact.Unknown) string {
	if u == nil {
		return "unknown"
	}
	text := strings.ReplaceAll(string(u.Reason), "-", " ")
	if u.Detail != "" {
		text += ": " + u.Detail
	}
	return text
}

// stepsOfBox is what stands in a box that has no signs: its own part of the
// verdict, and what it is for.
func (m Model) stepsOfBox(b *diagnose.Box, w int) []row {
	rows := paragraph(dim, b.Doc, w)
	v := m.verdict()
	switch b.ID {
	case "collect-symptoms":
		rows = append(rows, m.runRows(w)...)
	case "check-metrics":
		for _, a := range v.Alerts {
			st := map[string]style{diagnose.Firing: red, diagnose.AlertPending: yellow, diagnose.AlertUnknown: yellow}[a.State]
			rows = append(rows, split(say("  alert "+a.Rule), row{{strings.ReplaceAll(a.State, "-", " "), st}}, w))
			if a.Text != "" {
				rows = append(rows, paragraph(dim, "    "+a.Text, w)...)
			}
		}
	case "classify":
		for _, f := range v.Findings {
			rows = append(rows, row{{pad(string(f.Cause.InBranch()), 13), bold}, {"because of " + f.Cause.ID + " on " + subject(f.Subject, 40), plain}})
		}
	}
	return rows
}
