package tui

import (
	"strings"
)

// grid is the boxes in rows and columns, for moving about.
func (c chart) grid() [][]int {
	rows := [][]int{c.head}
	for depth := 0; ; depth++ {
		var line []int
		for _, col := range c.branch {
			if depth < len(col) {
				line = append(line, col[depth])
			}
		}
		if line == nil {
			break
		}
		rows = append(rows, line)
	}
	return append(rows, c.tail)
}

// place is where a box stands in the grid.
func place(grid [][]int, box int) (r, c int) {
	for r := range grid {
		for c := range grid[r] {
			if grid[r][c] == box {
				return r, c
			}
		}
	}
	return 0, 0
}

func (m Model) vertically(by int) Model {
	grid := m.chart().grid()
	r, c := place(grid, m.selected())
	to := max(0, min(r+by, len(grid)-1))
	if len(grid[to]) == 0 || to == r {
		return m
	}
	if from := len(grid[r]); from > 1 { // keep to about the same column
		c = c * (len(grid[to]) - 1) / (from - 1)
	}
	m.box, m.sign = grid[to][min(c, len(grid[to])-1)], 0
	return m
}

func (m Model) sideways(by int) Model {
	grid := m.chart().grid()
	r, c := place(grid, m.selected())
	if len(grid[r]) == 0 {
		return m
	}
	m.box, m.sign = grid[r][max(0, min(c+by, len(grid[r])-1))], 0
	return m
}

// followNext selects the recommended box; where there is none, or it is selected
// already, it moves right.
func (m Model) followNext() Model {
	for i, b := range m.boxes() {
		if b.Recommended && i != m.selected() {
			m.box, m.sign = i, 0
			return m
		}
	}
	return m.sideways(1)
}

// openBox opens what a box stands for.
func (m Model) openBox() Model {
	all := m.boxes()
	if m.selected() >= len(all) {
		return m
	}
	m.box = m.selected()
	switch b := all[m.box].Box; {
	case b.ID == "classify":
		return m.show(verdictView)
	case b.ID == "verify-fix":
		return m.show(verifyView)
	case b.ID == "apply-fix", strings.HasSuffix(b.ID, "-plan"):
		if b.Branch != "" {
			for _, f := range m.verdict().Findings {
				if f.Cause.InBranch() == b.Branch {
					m.finding = idOf(f)
					break
				}
			}
		}
		return m.openPlaybook()
	case b.ID == "document":
		m.message = "w writes the report"
		return m
	}
	return m.show(signsView)
}
