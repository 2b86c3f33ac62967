package tui

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose"
)

// lastKnownRows is how old the cluster is that findings speak of, where no broker
// gives its own word.
func lastKnownRows(l *diagnose.LastSeen) []row {
	if l == nil {
		return nil
	}
	who, why := "this host", "no broker answers from here"
	if l.Copy.Node >= 0 {
		who = fmt.Sprintf("node %d", l.Copy.Node)
	}
	if l.Gone {
		why = "every broker is gone"
	}
	return []row{{{"last known ", cyan}, {clock(l.Copy.Last) + ", ", dim}, {l.Age.Round(time.Second).String() + " ago", bold}, {", by " + who + "'s log: " + why, plain}}}
}

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
