package tui

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/tui/text"
)

// verdictRows is the findings above, and the selected one below.
func (m Model) verdictRows(w, h int) []row {
	rows := m.findingsRows(w)
	return append(rows, m.window(m.findingPage(w), max(1, h-len(rows)))...)
}

// findingsHeight is the lines of the list of findings with what stands around it.
func (m Model) findingsHeight() int { return len(m.findingsRows(m.width - 2)) }

func (m Model) findingsRows(w int) []row {
	v := m.verdict()
	all := v.All()
	under := len(all) - len(v.Findings)
	rows := []row{split(
		row{{"VERDICT  ", bold}, {plural(len(v.Findings), "root") + ", " + plural(under, "consequence"), plain}},
		row{{fmt.Sprintf("%d of %d signs seen", v.Coverage.Seen, v.Coverage.Total), plain}}, w)}
	for _, c := range v.Context {
		rows = append(rows, row{{"context ", cyan}, {c.ID + ": " + c.Text, plain}})
	}
	if m.past == nil {
		rows = append(rows, lastKnownRows(v.LastSeen)...)
	} else {
		rows = append(rows, m.noteRows(w)...)
	}
	rows = append(rows, m.changedRows()...)
	var lines []row
	at := 0
	for _, f := range v.Findings {
		lines = append(lines, m.findingRow(f, w, m.cursorAt(f)))
		for i, u := range f.Under {
			branch := m.glyphs.branch
			if i == len(f.Under)-1 {
				branch = m.glyphs.last
			}
			if idOf(u) == idOf(m.current()) {
				at = len(lines)
			}
			lines = append(lines, m.underRow(u, w, m.cursorAt(u), branch))
		}
		if idOf(f) == idOf(m.current()) {
			at = len(lines) - 1 - len(f.Under)
		}
	}
	for _, what := range text.Unexplained(v)[:min(2, len(v.Unexplained))] {
		rows = append(rows, row{{"not explained ", boldYellow}, {what, plain}})
	}
	rows = append(rows, around(lines, at, min(len(lines), max(3, m.bodyHeight()/3)))...)
	return append(rows, nil)
}

// cursorAt is the cursor where a finding is the selected one.
func (m Model) cursorAt(f *diagnose.Finding) string {
	if idOf(f) == idOf(m.current()) {
		return m.glyphs.cursor
	}
	return " "
}

// findingRow is a root in a line.
func (m Model) findingRow(f *diagnose.Finding, w int, cursor string) row {
	left := row{
		{cursor + " ", bold},
		{pad(strings.ToUpper(string(f.Severity)), 9), severityStyle(f.Severity)},
		{f.Cause.ID + "  ", bold},
		{subject(f.Subject, max(12, w/3)), plain},
	}
	return split(left, row{{"  since " + clock(f.Since) + "  ", dim}, bandSpan(f.Band)}, w)
}

// underRow is a consequence in a line.
func (m Model) underRow(f *diagnose.Finding, w int, cursor, branch string) row {
	left := row{
		{cursor + "   ", bold}, {branch + " ", dim}, {f.Cause.ID + "  ", plain},
		{subject(f.Subject, max(12, w/3)), plain}, {"  " + f.Says, dim},
	}
	return split(left, row{{"  ", plain}, bandSpan(f.Band)}, w)
}

func bandSpan(b diagnose.Band) span {
	switch b {
	case diagnose.Confirmed, diagnose.Likely:
		return span{band(b), bold}
	}
	return span{band(b), yellow}
}

// findingPage is the selected finding in short: what it says, why, why not
// something else, and what is not known.
func (m Model) findingPage(w int) []row {
	f := m.current()
	if f == nil {
		return m.nothingPage(w)
	}
	var rows []row
	for _, line := range wrap(f.Says, w-2) {
		rows = append(rows, say("  "+line))
	}
	if a := affected(f.Affected); a != "" {
		rows = append(rows, in(dim, "  suffers: "+a))
	}
	rows = append(rows, nil)
	if m.tier() == list {
		return append(rows, m.whyRows(f, w)...)
	}
	left := w * 3 / 5
	right := m.elseRows(f, w-left-2)
	rows = append(rows, beside(m.whyRows(f, left), right, left, "  ")...)
	return rows
}

// whyRows is the ledger in short.
func (m Model) whyRows(f *diagnose.Finding, w int) []row {
	rows := []row{in(bold, "why")}
	for _, e := range f.Evidence {
		right := row{}
		if e.Outcome == diagnose.Yes {
			right = row{{" " + clock(e.Since), dim}}
		}
		rows = append(rows, split(row{weightSpan(e), {evidenceText(e), plain}}, right, w))
	}
	for _, u := range f.Unknown {
		text := subject(u.Subject, 24) + ": " + u.Sign.Title
		rows = append(rows, split(row{{"?   ", yellow}, {text, plain}}, row{{" " + strings.ReplaceAll(string(u.Because.Reason), "-", " "), yellow}}, w))
	}
	return rows
}

// evidenceText is what a sign said; of a no, what was asked as well.
func evidenceText(e diagnose.Evidence) string {
	if e.Outcome == diagnose.No {
		return "not: " + e.Sign.Title
	}
	return e.Text
}

// weightSpan is how much a sign says for or against, in signs.
func weightSpan(e diagnose.Evidence) span {
	n := 1
	for _, step := range []float64{1, 3} { // in log odds: 3 is twenty to one
		if e.Weight >= step || e.Weight <= -step {
			n++
		}
	}
	if e.Weight < 0 {
		return span{pad(strings.Repeat("-", n), 4), yellow}
	}
	return span{pad(strings.Repeat("+", n), 4), green}
}

// elseRows is why it is not something else.
func (m Model) elseRows(f *diagnose.Finding, w int) []row {
	rows := []row{in(bold, "why not something else")}
	for _, a := range f.Alternatives {
		for i, line := range wrap(a, w-2) {
			if i > 0 {
				line = "  " + line
			}
			rows = append(rows, say(line))
		}
	}
	if len(f.Alternatives) == 0 {
		rows = append(rows, in(dim, "nothing else came near"))
	}
	if moves := moving(f); len(moves) > 0 {
		rows = append(rows, nil, in(bold, "would change the verdict"))
		for _, u := range moves {
			for _, line := range wrap(u.Sign.Title+": "+how(u.Because), w-2) {
				rows = append(rows, in(cyan, line))
			}
		}
	}
	return rows
}

// moving is the unknown signs whose answer could move the band.
func moving(f *diagnose.Finding) []diagnose.Missing {
	var all []diagnose.Missing
	for _, u := range f.Unknown {
		if u.Moves {
			all = append(all, u)
		}
	}
	return all
}

// how is what would show an unknown, or why it is one.
func how(u *fact.Unknown) string {
	if u.How != "" {
		return u.How
	}
	return because(u)
}

// affected is what suffers, in words; empty when nothing is known to.
func affected(a diagnose.Affected) string {
	var parts []string
	if a.Partitions > 0 {
		parts = append(parts, plural(a.Partitions, "partition"))
	}
	if n := len(a.Topics); n > 0 {
		parts = append(parts, "of "+some(a.Topics))
	}
	if n := len(a.Groups); n > 0 {
		parts = append(parts, "group "+some(a.Groups))
	}
	return strings.Join(parts, " ")
}

// some is the first few of many names.
func some(names []string) string {
	const most = 3
	short := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		short = append(short, middle(clean(n), 24))
	}
	text := strings.Join(short, ", ")
	if rest := len(names) - most; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// nothingPage is the verdict when there is no finding at all.
func (m Model) nothingPage(w int) []row {
	v := m.verdict()
	var rows []row
	for _, line := range wrap(v.Headline, w-2) {
		rows = append(rows, say("  "+line))
	}
	if n := len(v.Coverage.Unknown); n > 0 {
		rows = append(rows, nil, say("  "+plural(n, "sign")+" could not be seen: a fault could hide there. u says which, and why."))
	}
	return rows
}
