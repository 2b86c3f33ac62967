package tui

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose"
)

// whyPage is all evidence of the selected finding, sign by sign.
func (m Model) whyPage(w int) []row {
	f := m.current()
	if f == nil {
		return m.nothingPage(w)
	}
	rows := []row{{
		{f.Cause.ID + "  ", bold}, {subject(f.Subject, w/2), plain}, {"  " + string(f.Severity) + "  ", severityStyle(f.Severity)},
		bandSpan(f.Band), {fmt.Sprintf("  probability %.2f", f.Probability), dim},
	}}
	add := func(st style, indent, text string) {
		for _, line := range wrap(text, w-width(indent)) {
			rows = append(rows, in(st, indent+line))
		}
	}
	add(dim, "", f.Cause.Doc)
	rows = append(rows, nil, in(bold, "evidence, heaviest first"))
	for _, e := range f.Evidence {
		rows = append(rows, split(
			row{weightSpan(e), {e.Sign.Title, plain}, {"  " + string(e.Outcome), bold}, {decisive(e), boldRed}},
			row{{m.seenBy(&e.SignState), dim}}, w))
		text := e.Text
		if e.Unit != "" {
			text += "  " + number(e.Value, e.Unit) + limitText(&e.SignState)
		}
		add(dim, "    ", subject(e.Subject, 40)+": "+text)
	}
	if len(f.Unknown) > 0 {
		rows = append(rows, nil, in(bold, "not seen"))
	}
	for _, u := range f.Unknown {
		moves := ""
		if u.Moves {
			moves = "  would change the verdict"
		}
		rows = append(rows, row{{"?   ", yellow}, {u.Sign.Title, plain}, {moves, cyan}})
		add(dim, "    ", subject(u.Subject, 40)+": "+because(u.Because))
		if u.Because.How != "" {
			add(cyan, "    ", "to see it: "+u.Because.How)
		}
	}
	rows = append(rows, nil, in(bold, "why not something else"))
	for _, a := range f.Alternatives {
		add(plain, "    ", a)
	}
	if len(f.Alternatives) == 0 {
		add(dim, "    ", "nothing else came near")
	}
	return rows
}

func decisive(e diagnose.Evidence) string {
	if e.Decisive {
		return "  decisive"
	}
	return ""
}
