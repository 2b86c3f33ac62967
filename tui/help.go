package tui

import (
	"fmt"
	"strings"
)

// viewNames is the screens as they are called.
var viewNames = map[view]string{
	flowView: "Flow", signsView: "Signs", verdictView: "Verdict", whyView: "Evidence", playbookView: "Playbook",
	verifyView: "Verify", brokersView: "Brokers", groupsView: "Groups", coverageView: "Coverage", helpView: "Help",
	hostView: "Host", jvmView: "JVM", logsView: "Logs", alertsView: "Alerts", partitionsView: "Partitions",
	transactionsView: "Transactions", logDirsView: "Log dirs", segmentsView: "Segments", timelineView: "Timeline", configView: "Config", metricsView: "Metrics", graphView: "Graph",
}

// helpPage is the keys: those of the screen it was opened from first.
func (m Model) helpPage(w int) []row {
	from := flowView
	if n := len(m.back); n > 0 {
		from = m.back[n-1]
	}
	rows := []row{in(bold, "KEYS  on "+viewNames[from])}
	rows = append(rows, keyRows(from, true, w)...)
	rows = append(rows, nil, in(bold, "on every screen"))
	rows = append(rows, keyRows(from, false, w)...)
	g := m.glyphs
	return append(rows, nil, in(bold, "marks"),
		say(fmt.Sprintf("  %s no: looked, and fine   %s found   %s cannot tell   %s looking", g.no, g.found, g.unknown, g.looking)),
		say(fmt.Sprintf("  %s not looked at yet   %s neither good nor bad by itself", g.pending, g.neutral)),
		nil,
		say("  Times are UTC. Nothing here can change a cluster."))
}

// keyRows is the bindings of one screen alone, or those of all.
func keyRows(on view, own bool, w int) []row {
	var rows []row
	for i := range bindings {
		b := &bindings[i]
		if !b.works(on) || own != (len(b.on) > 0) {
			continue
		}
		lead := "  " + pad(keyNames(b), 16)
		for n, line := range wrap(b.does, w-width(lead)) {
			if n > 0 {
				lead = strings.Repeat(" ", width(lead))
			}
			rows = append(rows, row{{lead, bold}, {line, plain}})
		}
	}
	return rows
}

func keyNames(b *binding) string {
	names := make([]string, len(b.keys))
	for i, k := range b.keys {
		names[i] = keyName(k)
	}
	return strings.Join(names, " ")
}

// KeysDocument is docs/keys.md: the key table that the console works by.
func KeysDocument() string {
	var b strings.Builder
	b.WriteString("# Keys of the console\n\nGenerated from the key table in tui/keys.go by `go generate ./tui`.\n\n")
	b.WriteString("No key changes a cluster. Keys of one screen come before those of every screen.\nWhile a note, a filter or the name of a screen is typed, keys are its text: enter keeps it, esc does not.\n\n")
	b.WriteString("| keys | on | does |\n|---|---|---|\n")
	for i := range bindings {
		on := "every screen"
		if len(bindings[i].on) > 0 {
			var names []string
			for _, v := range bindings[i].on {
				names = append(names, viewNames[v])
			}
			on = strings.Join(names, ", ")
		}
		keys := "`" + strings.ReplaceAll(keyNames(&bindings[i]), " ", "` `") + "`"
		fmt.Fprintf(&b, "| %s | %s | %s |\n", keys, on, bindings[i].does)
	}
	return b.String()
}
