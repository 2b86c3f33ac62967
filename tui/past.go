package tui

import "time"

// changedRows is what somebody changed before the selected finding began: two
// lines where there is little room.
func (m Model) changedRows() []row {
	most := 2
	if m.height >= 30 {
		most = 3
	}
	f := m.current()
	var rows []row
	for _, c := range m.verdict().Changed {
		if f == nil || len(rows) == most || c.Of != f && c.Of != f.ConsequenceOf {
			continue
		}
		rows = append(rows, row{{"changed ", cyan}, {clock(c.At) + "  ", dim}, {clean(c.Text), plain}, {", " + c.By.Round(time.Second).String() + " before", dim}})
	}
	return rows
}
