package tui

import (
	"sort"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/tui/text"
)

// watchFor is how long a fix should have held before one goes back to bed.
const watchFor = 5 * time.Minute

var changeStyles = map[diagnose.Change]style{
	diagnose.Fixed: green, diagnose.Improved: cyan, diagnose.Unchanged: yellow, diagnose.Worse: boldRed, diagnose.New: boldRed,
}

var changeOrder = map[diagnose.Change]int{
	diagnose.Fixed: 0, diagnose.Improved: 1, diagnose.Unchanged: 2, diagnose.Worse: 3, diagnose.New: 4,
}

// verifyPage compares every sign that was or is trouble with what it was when the
// fix was applied.
func (m Model) verifyPage(w int) []row {
	fix := m.shown.session.FixApplied()
	if fix.IsZero() {
		return append([]row{in(bold, "VERIFY  no fix is marked yet"), nil},
			paragraph(plain, "When you have applied a fix, press a on the Playbook. From then on this screen compares, sign by sign, what was with what is.", w)...)
	}
	moved := m.shown.session.Verify(fix)
	sort.SliceStable(moved, func(i, j int) bool { return changeOrder[moved[i].Change] < changeOrder[moved[j].Change] })
	rows := []row{{{"fix applied " + clock(fix), bold}, {" · " + age(m.time().Sub(fix)) + " ago", plain}}, nil}
	for _, c := range moved {
		rows = append(rows, m.movedRow(c, w))
	}
	if len(moved) == 0 {
		rows = append(rows, in(dim, "no sign was trouble then, and none is now"))
	}
	rows = append(rows, nil)
	return append(rows, m.leaveRows(moved, fix, w)...)
}

// movedRow is one line of the comparison.
func (m Model) movedRow(c diagnose.Moved, w int) row {
	left := row{{pad(string(c.Change), 10), changeStyles[c.Change]}, {" ", plain}}
	if c.Subject != fact.TheCluster {
		left = append(left, span{subject(c.Subject, 30) + ": ", plain})
	}
	left = append(left, span{c.Sign.Title, plain})
	before, after := reading(c.Before), reading(c.After)
	return split(left, row{{"  " + before + "  " + m.glyphs.arrow + "  ", dim}, {after, bold}}, w)
}

// reading is a sign's number, or its outcome where it has none.
func reading(st diagnose.SignState) string {
	if st.Unit != "" && st.Outcome != diagnose.Unknown && st.Outcome != diagnose.NotApplicable {
		return number(st.Value, st.Unit)
	}
	return strings.ReplaceAll(string(st.Outcome), "-", " ")
}

// leaveRows says whether it is safe to leave.
func (m Model) leaveRows(moved []diagnose.Moved, fix time.Time, w int) []row {
	since, still, fresh := fix, 0, 0
	own := m.ownSigns()
	for _, c := range moved {
		if c.After.Held.After(since) {
			since = c.After.Held
		}
		switch {
		case c.Change == diagnose.New:
			fresh++
		case c.Change != diagnose.Fixed && own[c.Sign]:
			still++
		}
	}
	var open []string
	if still > 0 {
		open = append(open, plural(still, "sign")+" of what was found not back yet")
	}
	if fresh > 0 {
		open = append(open, plural(fresh, "sign")+" new since the fix")
	}
	for _, f := range m.verdict().Findings {
		if f.Band.Sure() && f.Severity.Rank() >= diagnose.Major.Rank() && !m.shown.session.Faded(f, fix) {
			open = append(open, f.Cause.ID+" on "+f.Subject.String()+" is "+band(f.Band))
		}
	}
	for _, what := range text.Unexplained(m.verdict()) {
		open = append(open, "not explained: "+what)
	}
	if len(open) > 0 {
		rows := []row{in(boldYellow, "NOT SAFE to leave yet")}
		for _, why := range open {
			rows = append(rows, paragraph(plain, "- "+why, w)...)
		}
		return rows
	}
	return m.quietRows(m.time().Sub(since), w)
}

// quietRows is for when nothing is left of the fault.
func (m Model) quietRows(quiet time.Duration, w int) []row {
	text, st := "nothing of it is left, for "+age(quiet)+"; watch it for "+age(watchFor), yellow
	if quiet >= watchFor {
		text, st = "SAFE to leave, as far as can be seen: nothing of it is left, for "+age(quiet), green
	}
	if unseen := len(m.verdict().Coverage.Unknown); unseen > 0 {
		text += "; " + plural(unseen, "sign") + " unknown (u)"
	}
	return paragraph(st, text, w)
}

// ownSigns is the signs of what was found when the fix was applied. Where nothing
// was, every sign counts.
func (m Model) ownSigns() map[*diagnose.Sign]bool {
	own := map[*diagnose.Sign]bool{}
	if m.shown.before != nil {
		for _, f := range m.shown.before.All() {
			for _, l := range f.Cause.Signs {
				own[l.Sign] = own[l.Sign] || f.Band.Sure()
			}
		}
	}
	if len(own) == 0 {
		for _, s := range m.opt.Catalogue.Signs {
			own[s] = true
		}
	}
	return own
}
