package tui

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// coveragePage is what could not be seen, why, and what would show it.
func (m Model) coveragePage(w int) []row {
	c := m.verdict().Coverage
	rows := []row{split(in(bold, "COVERAGE"), say(fmt.Sprintf("%d of %d signs seen", c.Seen, c.Total)), w), nil}
	if len(c.Unknown) == 0 && c.Total > 0 {
		rows = append(rows, say("every sign that can be seen from here was seen"))
	}
	for _, reason := range reasons(m) {
		rows = append(rows, in(yellow, strings.ReplaceAll(string(reason), "-", " ")))
		for _, u := range c.Unknown {
			if u.Because.Reason != reason {
				continue
			}
			rows = append(rows, row{{"? ", yellow}, {u.Sign.Title, plain}, {"  " + subject(u.Subject, 34), dim}})
			rows = append(rows, indented(dim, u.Because.Detail, w)...)
			if u.Because.How != "" {
				rows = append(rows, indented(cyan, "to see it: "+u.Because.How, w)...)
			}
		}
		rows = append(rows, nil)
	}
	if len(c.Elsewhere) > 0 {
		rows = append(rows, in(bold, "on other hosts"))
		for _, b := range c.Elsewhere {
			rows = append(rows, row{{"  " + subject(b, 30), plain}, {"  its host, JVM and logs: run ktriage there", cyan}})
		}
		rows = append(rows, nil)
	}
	return append(rows, m.runRows(w)...)
}

// reasons is why things are unknown, in the order of the first of each.
func reasons(m Model) []fact.Reason {
	var all []fact.Reason
	seen := map[fact.Reason]bool{}
	for _, u := range m.verdict().Coverage.Unknown {
		if !seen[u.Because.Reason] {
			seen[u.Because.Reason] = true
			all = append(all, u.Because.Reason)
		}
	}
	return all
}

// runRows is how the probes fared.
func (m Model) runRows(w int) []row {
	runs := m.verdict().Runs
	if len(runs) == 0 {
		return nil
	}
	rows := []row{in(bold, "probes")}
	for _, r := range runs {
		mark := span{m.glyphs.no, green}
		switch r.Status {
		case fact.Failed, fact.Partial:
			mark = span{m.glyphs.unknown, yellow}
		case fact.Skipped, fact.NotAsked:
			mark = span{m.glyphs.pending, dim}
		}
		rows = append(rows, split(
			row{m.glyphs.marked(mark), {r.Probe, plain}, {"  " + r.Error, yellow}},
			row{{fmt.Sprintf("  %s  %s", r.Status, number(r.Seconds, fact.Seconds)), dim}}, w))
	}
	return rows
}

func indented(st style, text string, w int) []row {
	var rows []row
	for _, r := range paragraph(st, text, w-4) {
		rows = append(rows, append(say("    "), r...))
	}
	return rows
}
