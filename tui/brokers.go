package tui

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// brokersPage is the brokers, one a line, with what is found on each.
func (m Model) brokersPage(w int) []row {
	if m.past != nil {
		return m.brokersThen(w)
	}
	c := m.verdict().Cluster
	about := []string{}
	if c.ID != "" {
		about = append(about, "cluster "+c.ID)
	}
	if c.Mode != "" {
		about = append(about, c.Mode)
	}
	if c.Controller >= 0 {
		about = append(about, fmt.Sprintf("controller %d", c.Controller))
	}
	if c.Partitions >= 0 {
		about = append(about, plural(c.Partitions, "partition"))
	}
	if c.Groups >= 0 {
		about = append(about, plural(c.Groups, "group"))
	}
	rows := []row{split(in(bold, "BROKERS"), say(middle(clean(strings.Join(about, ", ")), w-10)), w), nil}
	if len(c.Brokers) == 0 {
		return append(rows, say("no broker is known yet"))
	}
	for _, b := range c.Brokers {
		mark, word := span{m.glyphs.no, green}, "answers"
		if !b.Reachable {
			mark, word = span{m.glyphs.found, red}, "does not answer"
		}
		left := row{m.glyphs.marked(mark), {pad(fmt.Sprint(b.ID), 5), bold}, {pad(middle(clean(fmt.Sprintf("%s:%d", b.Host, b.Port)), 30), 31), plain}}
		if b.Rack != "" {
			left = append(left, span{"rack " + middle(clean(b.Rack), 12) + "  ", dim})
		}
		rows = append(rows, split(append(left, span{word, mark.style}), m.foundOn(b.ID), w))
	}
	return rows
}

// foundOn is how many signs are trouble on a broker and what is its own.
func (m Model) foundOn(id int32) row {
	n := 0
	for _, st := range m.verdict().Signs {
		owner, ok := st.Subject.Owner()
		if ok && owner == fact.BrokerOf(id) && st.Outcome == diagnose.Yes && st.Sign.Trouble {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return row{{"  " + plural(n, "sign") + " found", yellow}}
}
