package tui

import (
	"fmt"
	"strings"
)

// gap is the columns between two fields.
const gap = 2

// sheetRows is the screen of a sheet: the lines around the cursor, and what there
// is to say about the one under it.
func (m Model) sheetRows(w, h int) []row {
	if m.sheet == nil {
		return nil
	}
	a := m.sheet
	rows := []row{m.sheetTitle(w)}
	if a.sheet.n == 0 {
		return append(append(rows, nil), paragraph(plain, a.sheet.empty, w)...)
	}
	if len(a.lines) == 0 {
		return append(append(rows, nil), paragraph(plain, m.noLine(), w)...)
	}
	more := m.aboutRows(w, m.aboutHeight(h))
	rows = append(rows, m.headRow(w))
	high := max(1, h-len(rows)-len(more))
	at := m.cursors[a.from.view].line
	from := max(0, min(at-high/2, len(a.lines)-high))
	before := ""
	for i := from; i < min(from+high, len(a.lines)); i++ {
		e := a.sheet.at(a.lines[i])
		mark := "  "
		if i == at {
			mark = m.glyphs.cursor + " "
		}
		first := e.cells[0]
		if first == before && e.name > 0 {
			e.cells = append([]string{""}, e.cells[1:]...)
		}
		before = first
		rows = append(rows, append(row{{mark, bold}}, m.entryRow(&e, w-2)...))
	}
	for len(rows) < h-len(more) {
		rows = append(rows, nil)
	}
	return append(rows, more...)
}

// sheetTitle is what the sheet is, and what of it is shown.
func (m Model) sheetTitle(w int) row {
	a := m.sheet
	left := row{{a.sheet.title, bold}, {"  " + a.sheet.about, plain}}
	var right []string
	if len(a.lines) != a.sheet.n {
		right = append(right, fmt.Sprintf("%d of %d", len(a.lines), a.sheet.n))
	}
	if a.from.found {
		right = append(right, "found only")
	}
	if a.from.filter != "" {
		right = append(right, "filter "+cut(clean(a.from.filter), 20))
	}
	if n := len(a.sheet.orders); n > 1 && a.from.sort%n != 0 {
		right = append(right, a.sheet.orders[a.from.sort%n].name)
	}
	return split(left, row{{"  " + strings.Join(right, ", "), cyan}}, w)
}

// noLine says why a sheet with lines shows none.
func (m Model) noLine() string {
	switch a := m.sheet; {
	case a.broken != "":
		return "the filter cannot be used: " + a.broken
	case a.from.found && a.from.filter == "":
		return "no line is part of what was found; F shows all " + fmt.Sprint(a.sheet.n)
	}
	return fmt.Sprintf("none of %d lines fits the filter %s; / and enter takes it away", m.sheet.sheet.n, m.sheet.from.filter)
}

// aboutHeight is how many lines at the foot tell more of the line under the cursor.
func (m Model) aboutHeight(h int) int {
	switch m.tier() {
	case wide:
		return max(4, min(15, h/2-1))
	case full:
		return 4
	}
	return 0
}

// aboutRows is what there is to say of the line under the cursor, h rows at most.
func (m Model) aboutRows(w, h int) []row {
	e, ok := m.picked()
	if !ok || h < 1 {
		return nil
	}
	rows := []row{in(dim, strings.Repeat(m.glyphs.line, w))}
	if e.unknown != "" {
		rows = append(rows, paragraph(yellow, e.unknown, w)...)
	}
	for _, text := range e.say {
		rows = append(rows, paragraph(dim, text, w)...)
	}
	if e.curve != nil && h >= graphMin+4 {
		rows = append(rows[:min(len(rows), h-graphMin-2)], m.curveRows(e.curve, w, min(10, h-min(len(rows), h-graphMin-2)))...)
	}
	return rows[:min(len(rows), h)]
}

// graphScreen is the line under the cursor by itself: all about it, and its curve
// as large as there is room for.
func (m Model) graphScreen(w, h int) []row {
	e, ok := m.picked()
	if !ok {
		return []row{say("that line is gone: esc leads back")}
	}
	var rows []row
	for i, text := range e.say {
		st := dim
		if i == 0 {
			st = plain
		}
		rows = append(rows, paragraph(st, text, w)...)
	}
	if e.unknown != "" {
		rows = append(paragraph(yellow, e.unknown, w), rows...)
	}
	head := row{m.glyphs.marked(e.mark), {strings.Join(strings.Fields(clean(strings.Join(e.cells[:e.name+1], " "))), " "), bold}}
	if e.curve == nil {
		return append([]row{head, nil}, rows...)[:min(len(rows)+2, h)]
	}
	if room := h - graphMin - 4; len(rows) > room {
		rows = rows[:max(0, room)]
	}
	out := append([]row{head}, rows...)
	return append(append(out, nil), m.curveRows(e.curve, w, min(22, h-len(out)-1))...)
}

// headRow is the names of the columns.
func (m Model) headRow(w int) row {
	names := make([]string, len(m.sheet.sheet.columns))
	for i, c := range m.sheet.sheet.columns {
		names[i] = c.head
	}
	return append(row{{strings.Repeat(" ", 2+m.glyphs.wide), dim}}, m.cellsRow(names, dim, w-2-m.glyphs.wide)...)
}

// entryRow is a line.
func (m Model) entryRow(e *entry, w int) row {
	rest := w - m.glyphs.wide
	left := row{m.glyphs.marked(e.mark)}
	st := plain
	if e.quiet {
		st = dim
	}
	if e.unknown == "" {
		return append(left, m.cellsRow(e.cells, st, rest)...)
	}
	cells := m.cellsRow(e.cells[:e.name+1], st, rest)
	used := cells.width()
	return append(append(left, cells...), span{cut(clean(e.unknown), rest-used), yellow})
}

// cellsRow puts cells under their columns. What is left over goes to the column
// without a width, whose texts are cut in their middle.
func (m Model) cellsRow(cells []string, st style, w int) row {
	columns := m.sheet.sheet.columns
	left := w
	for _, c := range columns {
		if w+2+m.glyphs.wide >= c.least {
			left -= c.wide + gap
		}
	}
	var out row
	for i, c := range columns {
		if i >= len(cells) {
			break
		}
		if w+2+m.glyphs.wide < c.least {
			continue
		}
		wide := c.wide
		if wide == 0 {
			wide = max(4, left+gap)
			if i < len(columns)-1 {
				wide = max(4, left)
			}
		}
		text := clean(cells[i])
		if c.words {
			text = cut(text, wide)
		} else {
			text = middle(text, wide)
		}
		if c.right {
			text = strings.Repeat(" ", max(0, wide-width(text))) + text
		}
		out = append(out, span{pad(text, wide+gap), st})
	}
	return out
}
