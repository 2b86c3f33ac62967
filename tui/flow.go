package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
)

// selected is the number of the selected box. Until the operator selects one it
// is where the heaviest evidence of the first root stands, or the recommended
// box, or where the branch is decided.
func (m Model) selected() int {
	if m.box != unmoved {
		return m.box
	}
	all := m.boxes()
	if f := firstRoot(m.verdict()); f != nil && len(f.Evidence) > 0 {
		for i, b := range all {
			if slices.Contains(b.Box.Signs, f.Evidence[0].Sign) {
				return i
			}
		}
	}
	for i, b := range all {
		if b.Recommended {
			return i
		}
	}
	return max(0, len(m.chart().head)-1)
}

// chart is where the boxes stand: the common way in, the three branches, the
// common way out. The numbers index Model.boxes.
type chart struct {
	head, tail []int
	branch     [3][]int
}

var branches = [3]diagnose.Branch{diagnose.PerformanceBranch, diagnose.AvailabilityBranch, diagnose.DataBranch}

// boxes is every box with its state, in the catalogue's order.
func (m Model) boxes() []diagnose.BoxState {
	if flow := m.verdict().Flow; len(flow) > 0 {
		return flow
	}
	var all []diagnose.BoxState
	for _, b := range m.opt.Catalogue.Boxes {
		all = append(all, diagnose.BoxState{Box: b, State: diagnose.Pending})
	}
	return all
}

func (m Model) chart() chart {
	var c chart
	branched := false
	for i, b := range m.boxes() {
		at := -1
		for j, name := range branches {
			if b.Box.Branch == name {
				at = j
			}
		}
		switch {
		case at >= 0:
			c.branch[at] = append(c.branch[at], i)
			branched = true
		case branched:
			c.tail = append(c.tail, i)
		default:
			c.head = append(c.head, i)
		}
	}
	return c
}

func (m Model) flowRows(w, h int) []row {
	if m.tier() == list {
		return m.flowList(w, h)
	}
	left := w
	if m.tier() == wide {
		left = w * 3 / 5
	}
	rows := m.contextRows()
	rows = append(rows, m.chartRows(left)...)
	if m.tier() == wide {
		rows = append(append(rows, nil), m.rootRows(left)...)
		return beside(rows, m.signPane(w-left-3, h), left, " "+m.glyphs.bar+" ")
	}
	rows = append(rows, nil)
	return append(rows, m.boxRows(w, h-len(rows))...)
}

// contextRows is the planned work to know of first; at least one row.
func (m Model) contextRows() []row {
	rows := []row{nil}
	for i, c := range m.verdict().Context {
		if i == 2 {
			break
		}
		rows = append(rows, row{{"context ", cyan}, {c.ID + ": " + c.Text, plain}})
	}
	if len(rows) > 1 {
		return rows[1:]
	}
	return rows
}

// rootRows is the roots, one line each, and why the first is one.
func (m Model) rootRows(w int) []row {
	var rows []row
	for _, f := range m.verdict().Findings {
		rows = append(rows, m.findingRow(f, w, " "))
	}
	if f := firstRoot(m.verdict()); f != nil {
		rows = append(append(rows, nil), paragraph(plain, f.Says, w)...)
		rows = append(append(rows, nil), m.whyRows(f, w)...)
	}
	return rows
}

// chartRows draws the chart w columns wide.
func (m Model) chartRows(w int) []row {
	c, all := m.chart(), m.boxes()
	rows := []row{m.pathRow(c.head, all, w), nil}
	const gap = 2
	cw := (w - 2*gap) / 3
	columns := [3][]row{}
	for i := range columns {
		columns[i] = m.branchRows(branches[i], c.branch[i], all, cw)
	}
	blank := strings.Repeat(" ", gap)
	rows = append(rows, beside(columns[0], beside(columns[1], columns[2], cw, blank), cw, blank)...)
	return append(rows, m.pathRow(c.tail, all, w))
}

// pathRow is boxes of the common path, one after the other.
func (m Model) pathRow(boxes []int, all []diagnose.BoxState, w int) row {
	if len(boxes) == 0 {
		return nil
	}
	link := " " + m.glyphs.line + m.glyphs.line + " "
	each := (w - (len(boxes)-1)*width(link)) / len(boxes)
	var r row
	for i, b := range boxes {
		if i > 0 {
			r = append(r, span{link, dim})
		}
		r = append(r, m.boxCell(b, all[b], plain, each)...)
	}
	return r
}

// boxCell is a box in a line: cursor, mark, title.
func (m Model) boxCell(i int, b diagnose.BoxState, st style, w int) row {
	cursor := span{" ", plain}
	if b.Recommended {
		st = cyan
	}
	if i == m.selected() {
		cursor = span{m.glyphs.cursor, bold}
		st = bold
	}
	return row{cursor, m.glyphs.marked(m.glyphs.state(b.State)), {cut(b.Box.Title, w-1-m.glyphs.wide), st}}
}

// branchRows is one branch in its frame. The branch that was taken is bright.
func (m Model) branchRows(name diagnose.Branch, boxes []int, all []diagnose.BoxState, w int) []row {
	g, st, frame := m.glyphs, plain, dim
	title := string(name)
	switch m.verdict().Branch {
	case name:
		st, frame, title = plain, bold, strings.ToUpper(title)
	case "":
	default:
		st = dim
	}
	top := g.topLeft + g.line + " " + title + " "
	rows := []row{in(frame, top+strings.Repeat(g.line, max(0, w-width(top)-1))+g.topRight)}
	for _, i := range boxes {
		line := split(m.boxCell(i, all[i], st, w-6), row{{m.boxNote(all[i]), g.state(all[i].State).style}}, w-2)
		rows = append(rows, append(append(row{{g.bar, frame}}, line...), span{g.bar, frame}))
	}
	return append(rows, in(frame, g.bottomLeft+strings.Repeat(g.line, max(0, w-2))+g.bottomRight))
}

// boxCount is how many signs were found; where none, how many were seen if that
// is not all.
func boxCount(b diagnose.BoxState) string {
	switch {
	case b.Found > 0:
		return fmt.Sprintf(" %d", b.Found)
	case b.Total > 0 && b.Seen < b.Total:
		return fmt.Sprintf(" %d/%d", b.Seen, b.Total)
	case b.Recommended:
		return " next"
	}
	return ""
}

// flowList is the chart as a list, for small screens.
func (m Model) flowList(w, h int) []row {
	var rows []row
	all := m.boxes()
	for i, b := range all {
		right := row{{string(b.Box.Branch) + pad(boxCount(b), 6), dim}}
		rows = append(rows, split(m.boxCell(i, b, plain, w), right, w))
	}
	return around(rows, m.selected(), h)
}

// around is h rows of a list with row at among them.
func around(rows []row, at, h int) []row {
	from := max(0, min(at-h/2, len(rows)-h))
	return rows[from:min(len(rows), from+max(0, h))]
}
