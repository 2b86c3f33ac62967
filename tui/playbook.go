package tui

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/playbooks"
)

// shelf is the playbooks as they were first read, or why they could not be.
type shelf map[string]struct {
	book *playbooks.Playbook
	err  error
}

// played is the finding that the playbook is about. It may have gone from the
// verdict meanwhile: that is what a playbook is for.
func (m Model) played() *diagnose.Finding {
	for _, f := range m.verdict().All() {
		if idOf(f) == m.finding {
			return f
		}
	}
	if m.opened != nil && idOf(m.opened) == m.finding {
		return m.opened
	}
	return m.current()
}

// book is the playbook at hand, its placeholders filled; nil when there is none.
func (m Model) book() *playbooks.Playbook {
	b, _ := m.readBook()
	return b
}

func (m Model) readBook() (*playbooks.Playbook, error) {
	f := m.played()
	if f == nil {
		return nil, nil
	}
	id := f.Cause.Playbook()
	kept, ok := m.shelf[id]
	if !ok {
		kept.book, kept.err = playbooks.For(id)
		m.shelf[id] = kept
	}
	if kept.book == nil {
		return nil, kept.err
	}
	var vars map[string]string
	if m.opt.Vars != nil {
		vars = m.opt.Vars(m.verdict(), f)
	}
	return kept.book.Fill(vars), kept.err
}

func (m Model) playbookRows(w, h int) []row {
	f := m.played()
	if f == nil {
		return []row{nil, say("no finding, so no playbook")}
	}
	book, err := m.readBook()
	if book == nil {
		return append([]row{nil}, paragraph(plain, fmt.Sprintf("no playbook for %s: %v", f.Cause.ID, err), w)...)
	}
	at := min(m.step, len(book.Steps)-1)
	gone := span{}
	if m.current() == nil || idOf(m.current()) != idOf(f) {
		gone = span{"  no longer found", green}
	}
	rows := []row{split(
		row{{f.Cause.ID + "  ", bold}, {subject(f.Subject, w/3), plain}, gone},
		row{{fmt.Sprintf("step %d of %d", at+1, len(book.Steps)), dim}}, w)}
	if err != nil {
		rows = append(rows, in(yellow, "your own is not used: "+err.Error()))
	}
	h -= len(rows)
	switch m.tier() {
	case list:
		return append(rows, m.stepRows(book, at, w, h)...)
	case full:
		strip := m.graphStrip(book, at, f, w)
		return append(append(rows, m.stepRows(book, at, w, h-len(strip))...), strip...)
	}
	left := w / 2
	steps := m.stepRows(book, at, left, h)
	return append(rows, beside(steps, m.graphColumn(book, at, f, w-left-3, h), left, " "+m.glyphs.bar+" ")...)
}

// stepRows is the steps, the selected one open, in exactly h rows.
func (m Model) stepRows(book *playbooks.Playbook, at, w, h int) []row {
	var rows []row
	from, to := 0, 0 // of the selected step
	if at <= 0 {
		rows = paragraph(dim, book.Intro, w)
	}
	for i, s := range book.Steps {
		if i == 0 || book.Steps[i-1].Section != s.Section {
			rows = append(rows, in(bold, string(s.Section)))
		}
		if i == at {
			from = len(rows)
		}
		rows = append(rows, m.stepHead(s, i, i == at, w)...)
		if i == at {
			rows = append(rows, m.stepOpen(s, w)...)
			to = len(rows)
		}
	}
	if at == len(book.Steps)-1 && book.Rule != "" {
		rows = append(rows, nil, in(bold, "the alert rule that would have caught it"))
		for _, line := range strings.Split(strings.TrimRight(book.Rule, "\n"), "\n") {
			rows = append(rows, say("  "+line))
		}
		to = len(rows)
	}
	if at <= 0 { // as much of the introduction as leaves the step in sight
		from = min(from, max(0, to-h))
	}
	return pageAround(rows, from, to, h)
}

// pageAround is h rows that show rows from … to-1 and what stands around them.
func pageAround(rows []row, from, to, h int) []row {
	h = max(0, h)
	top := max(0, from-max(0, h-(to-from))/2)
	top = max(0, min(top, len(rows)-h))
	out := append([]row{}, rows[top:min(len(rows), top+h)]...)
	for len(out) < h {
		out = append(out, nil)
	}
	return out
}

// stepHead is a step's first line, the open one's whole text.
func (m Model) stepHead(s playbooks.Step, i int, open bool, w int) []row {
	cursor, tickMark := " ", " "
	if open {
		cursor = m.glyphs.cursor
	}
	if m.ticked[tick{idOf(m.played()), i}] {
		tickMark = m.glyphs.no
	}
	head := row{{cursor, bold}, {pad(tickMark, m.glyphs.wide), green}, {fmt.Sprintf("%2d ", i+1), plain}, {pad(string(s.Risk), 10), riskStyle(s.Risk)}}
	indent := head.width()
	lines := wrap(s.Text, w-indent)
	if !open {
		return []row{append(head, span{cut(clean(s.Text), w-indent), plain})}
	}
	var rows []row
	for n, line := range lines {
		if n == 0 {
			rows = append(rows, append(head, span{line, bold}))
			continue
		}
		rows = append(rows, row{{strings.Repeat(" ", indent), plain}, {line, bold}})
	}
	return rows
}

// stepOpen is what a step says beyond its text.
func (m Model) stepOpen(s playbooks.Step, w int) []row {
	var rows []row
	for _, c := range s.Commands {
		for i, line := range wrapCommand(c, w-8) {
			lead := "      $ "
			if i > 0 {
				lead = "        "
			}
			rows = append(rows, row{{lead, dim}, {line, cyan}})
		}
	}
	if s.Undo != "" {
		for _, line := range wrap("undo: "+s.Undo, w-6) {
			rows = append(rows, in(dim, "      "+line))
		}
	}
	return rows
}

func riskStyle(r playbooks.Risk) style {
	switch r {
	case playbooks.DataLoss:
		return boldRed
	case playbooks.Restart:
		return red
	case playbooks.Config:
		return yellow
	}
	return green
}

// paragraph is a text broken into rows.
func paragraph(st style, text string, w int) []row {
	var rows []row
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for _, line := range wrap(strings.Join(strings.Fields(text), " "), w) {
		rows = append(rows, in(st, line))
	}
	return rows
}
