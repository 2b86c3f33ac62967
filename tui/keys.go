package tui

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"
)

// binding is what some keys do on some screens.
type binding struct {
	keys []string // as Bubble Tea names them
	on   []view   // empty: everywhere
	hint string   // one word for the last line; empty: not named there
	does string   // what it does, for help and the docs
	do   func(Model) (tea.Model, tea.Cmd)
}

// bindings is every key of the console. A screen's own stand before the general
// ones: the first that fits is taken. Nothing here changes a cluster, and the
// keys that terminals, tmux and screen keep for themselves (ctrl-s, ctrl-q,
// ctrl-z, ctrl-a, ctrl-b) are not bound.
//
// It is filled in by init because the help screen, which a key opens, prints it.
var bindings []binding

func init() {
	bindings = slices.Concat(screenKeys, moveKeys, commonKeys)
}

func bindingFor(v view, key string) *binding {
	for i := range bindings {
		b := &bindings[i]
		if slices.Contains(b.keys, key) && b.works(v) {
			return b
		}
	}
	return nil
}

// works says whether a binding is for a screen.
func (b *binding) works(v view) bool { return len(b.on) == 0 || slices.Contains(b.on, v) }

// opens is a binding's act that shows a screen.
func opens(v view) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) { return m.show(v), nil }
}

// alters is a binding's act that only changes the model.
func alters(f func(Model) Model) func(Model) (tea.Model, tea.Cmd) {
	return func(m Model) (tea.Model, tea.Cmd) { return f(m), nil }
}

// sheetViews are the screens that are sheets.
var sheetViews = []view{groupsView, metricsView, hostView, jvmView, logsView, alertsView, partitionsView, transactionsView, logDirsView, segmentsView, timelineView, configView}

// screenKeys are the keys that belong to one screen, or mean something else there.
var screenKeys = []binding{
	{[]string{"right"}, []view{flowView}, "next", "follow the recommended next box, else move right", alters(Model.followNext)},
	{[]string{"enter"}, []view{flowView}, "signs", "open the selected box: its signs, or the screen of its step", alters(Model.openBox)},
	{[]string{"enter", "e"}, []view{verdictView}, "evidence", "why: all evidence for and against the selected finding", opens(whyView)},
	{[]string{"a"}, []view{playbookView}, "fix applied", "mark that the fix was applied now, and compare from here on", alters(Model.applyFix)},
	{[]string{" "}, []view{playbookView}, "tick", "tick the selected step off, or take the tick back", alters(Model.tickStep)},
	{[]string{"tab"}, []view{playbookView}, "", "the next graph of the playbook", alters(func(m Model) Model { m.graph++; return m })},
	{[]string{"tab"}, []view{verdictView}, "", "the next finding", alters(func(m Model) Model { return m.move(1) })},
	{[]string{"tab"}, []view{flowView}, "", "the next box in the order of the flow", alters(func(m Model) Model { m.box = (m.selected() + 1) % max(1, len(m.boxes())); return m })},
	{[]string{"enter"}, sheetViews, "graph", "the line by itself: all about it, and its graph with the limit", alters(Model.openLine)},
	{[]string{"/"}, sheetViews, "filter", "only lines that fit a regular expression; ! before it: those that do not", alters(func(m Model) Model { return m.ask(askFilter, m.filters[m.view]) })},
	{[]string{"s"}, sheetViews, "sort", "the next way to sort", alters(Model.sortNext)},
	{[]string{"F"}, sheetViews, "found", "only the lines of what was found, or all again", alters(func(m Model) Model { m.onlyFound = !m.onlyFound; return m })},
	{[]string{"S"}, []view{segmentsView}, "all", "verify all segments of this host's brokers, politely, in the background", alters(func(m Model) Model { return m.scanAll(true) })},
	{[]string{"x"}, []view{segmentsView}, "stop", "stop that", alters(func(m Model) Model { return m.scanAll(false) })},
	{[]string{"esc", "backspace"}, []view{segmentsView}, "back", "stop the verification of all segments while it runs, else back", Model.leaveSegments},
	{[]string{"e"}, []view{flowView}, "", "the signs of the selected box", opens(signsView)},
}

// moveKeys move within a screen.
var moveKeys = []binding{
	{[]string{"up", "k"}, nil, "", "up", alters(func(m Model) Model { return m.move(-1) })},
	{[]string{"down", "j"}, nil, "", "down", alters(func(m Model) Model { return m.move(1) })},
	{[]string{"left", "h"}, []view{flowView}, "", "left", alters(func(m Model) Model { return m.sideways(-1) })},
	{[]string{"l"}, []view{flowView}, "", "right", alters(func(m Model) Model { return m.sideways(1) })},
	{[]string{"g", "home"}, nil, "", "to the top", alters(func(m Model) Model { return m.move(-1 << 20) })},
	{[]string{"G", "end"}, nil, "", "to the end", alters(func(m Model) Model { return m.move(1 << 20) })},
	{[]string{"ctrl+d", "pgdown"}, nil, "", "half a page down", alters(func(m Model) Model { return m.halfPage(1) })},
	{[]string{"ctrl+u", "pgup"}, nil, "", "half a page up", alters(func(m Model) Model { return m.halfPage(-1) })},
}

// commonKeys work on every screen.
var commonKeys = []binding{
	{[]string{"1"}, nil, "", "Flow: the flowchart", opens(flowView)},
	{[]string{"2", "v"}, nil, "verdict", "Verdict: roots, their consequences, and why", opens(verdictView)},
	{[]string{"3", "p"}, nil, "playbook", "Playbook of the selected finding", alters(Model.openPlaybook)},
	{[]string{"4"}, nil, "verify", "Verify: what moved since the fix", opens(verifyView)},
	{[]string{"5"}, nil, "", "Brokers", opens(brokersView)},
	{[]string{"6", "u"}, nil, "unknown", "Coverage: what could not be seen, and what would show it", opens(coverageView)},
	{[]string{"7"}, nil, "", "Groups: state, lag and how it grows, those in trouble first", opens(groupsView)},
	{[]string{"8"}, nil, "", "Host: CPU, memory, disks, network, limits, pressure", opens(hostView)},
	{[]string{"9"}, nil, "", "JVM: heap, pauses, threads", opens(jvmView)},
	{[]string{"0", "L"}, nil, "", "Logs: the known lines, since when and how often", opens(logsView)},
	{[]string{"M"}, nil, "", "Metrics: requests by phase, threads, traffic", opens(metricsView)},
	{[]string{"A"}, nil, "", "Alerts: the alert rules, evaluated here", opens(alertsView)},
	{[]string{"T"}, nil, "", "Partitions: those in trouble first", opens(partitionsView)},
	{[]string{"X"}, nil, "", "Transactions that are open", opens(transactionsView)},
	{[]string{"D"}, nil, "", "Log dirs", opens(logDirsView)},
	{[]string{"I"}, nil, "", "Segments: integrity, what was verified and what is damaged", opens(segmentsView)},
	{[]string{"H"}, nil, "", "Timeline: what happened, also before this console was opened", opens(timelineView)},
	{[]string{"C"}, nil, "", "Config: settings that differ, and where they are set", opens(configView)},
	{[]string{":"}, nil, "screens", "any screen by its name; tab completes", alters(func(m Model) Model { return m.ask(askScreen, "") })},
	{[]string{"esc", "backspace"}, nil, "back", "back to the screen before", alters(Model.leave)},
	{[]string{"-"}, nil, "", "change between the last two screens", alters(Model.swap)},
	{[]string{"["}, nil, "", "one batch back, and stay there; before the first that is kept, one change of the cluster back, as the metadata log on this host tells it", Model.stepBack},
	{[]string{"]"}, nil, "", "one batch, or change, forth", Model.stepForth},
	{[]string{"t"}, nil, "then", "go to a time, also one before the first batch; on Timeline enter takes that of the line", alters(func(m Model) Model { return m.ask(askTime, "") })},
	{[]string{" ", "P"}, nil, "", "pause and go on, and from any moment back to now; the source is still read behind (on Playbook, where space ticks: P)", Model.pause},
	{[]string{"r"}, nil, "", "probe now", alters(Model.probeNow)},
	{[]string{"m"}, nil, "", "put a mark at this moment", alters(Model.putMark)},
	{[]string{"n"}, nil, "", "write a note at this moment", alters(func(m Model) Model { return m.ask(askNote, "") })},
	{[]string{"y"}, nil, "", "copy: the commands of the step (of the last one the alert rule), or what the finding says", Model.copy},
	{[]string{"w"}, nil, "report", "write a report", Model.writeReport},
	{[]string{"?"}, nil, "help", "the keys of this screen", opens(helpView)},
	{[]string{"q", "ctrl+c"}, nil, "quit", "quit", func(m Model) (tea.Model, tea.Cmd) { return m, tea.Quit }},
}
