package tui

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// sheet is a screen of many lines of one form. Only the lines that are seen are
// made, so that it may have a hundred thousand.
type sheet struct {
	title, about string
	empty        string // a sentence for when there is no line
	columns      []field
	n            int
	at           func(i int) entry
	key          func(i int) string // stays the same while the numbers of a line change
	text         func(i int) string // what a filter looks at
	found        func(i int) bool   // some sign finds it in trouble
	orders       []order            // the first is the usual one
}

// order is a way to sort: its name, and how line a is before line b. less nil: as
// the lines come.
type order struct {
	name string
	less func(a, b int) bool
}

// field is a column: wide columns, or what is left over where wide is 0.
type field struct {
	head  string
	wide  int
	right bool // flush
	words bool // a phrase, which is cut at its end: a name is cut in its middle
	least int  // width of the screen's inside under which it is left out
}

// entry is a line and what there is to say about it.
type entry struct {
	key     string
	mark    span
	cells   []string // as the sheet's columns are
	quiet   bool     // neither good nor bad, and nothing to look at: drawn dim
	unknown string   // why there are no numbers: stands instead of the cells after the name
	name    int      // index of the cell that names it
	found   bool
	rank    []float64 // for the sheet's orders, where they go by number
	say     []string  // more about it, a paragraph each
	copy    string    // what y copies
	curve   *curve
	at      time.Time // when it happened, or had; zero where lines are not of times
}

// copyText is the line as text.
func (e *entry) copyText() string {
	if e.copy != "" {
		return e.copy
	}
	text := strings.Join(strings.Fields(strings.Join(e.cells, " ")+" "+e.unknown), " ")
	for _, more := range e.say {
		text += "\n" + more
	}
	return text
}

// curve is numbers over time with their limit.
type curve struct {
	title  string
	on     fact.Subject
	unit   fact.Unit
	sign   *diagnose.SignState // whose limit it has; nil: none
	points func() []diagnose.Point
}

// listed is a sheet of entries that are all made already.
func listed(title, about, empty string, columns []field, entries []entry, orders ...order) sheet {
	return sheet{
		title: title, about: about, empty: empty, columns: columns, n: len(entries), orders: orders,
		at:    func(i int) entry { return entries[i] },
		key:   func(i int) string { return entries[i].key },
		found: func(i int) bool { return entries[i].found },
		text: func(i int) string {
			return strings.Join(strings.Fields(strings.Join(entries[i].cells, " ")+" "+entries[i].unknown), " ")
		},
	}
}

// sheets makes the sheet of each screen that is one.
var sheets = map[view]func(*material) sheet{
	hostView: hostSheet, jvmView: jvmSheet, logsView: logsSheet, alertsView: alertsSheet,
	partitionsView: partitionsSheet, groupsView: groupsSheet, metricsView: metricsSheet, transactionsView: transactionsSheet, logDirsView: logDirsSheet, segmentsView: segmentsSheet, timelineView: timelineSheet, configView: configSheet,
}

// arranged is a sheet as it is shown: filtered and sorted. It is made anew when
// what it was made from is another.
type arranged struct {
	from   arrangement
	sheet  sheet
	lines  []int // indexes into the sheet
	broken string
}

// arrangement is what an arranged sheet was made from.
type arrangement struct {
	view    view
	verdict *diagnose.Verdict
	filter  string
	sort    int
	found   bool
}

// sheetView is the screen whose sheet is on the screen: the graph of a line
// belongs to the sheet it was opened from.
func (m Model) sheetView() (view, bool) {
	v := m.view
	if v == graphView {
		v = m.graphOf
	}
	return v, sheets[v] != nil
}

// sceneOf is what a screen is of: Timeline spans all times, and so is of what is
// known by now also while a moment before the first batch is shown.
func (m Model) sceneOf(v view) *scene {
	if v == timelineView && m.past != nil {
		return m.live
	}
	return m.shown
}

// arrange brings the sheet on the screen up to date.
func (m Model) arrange() Model {
	v, ok := m.sheetView()
	if !ok {
		return m
	}
	want := arrangement{v, m.sceneOf(v).verdict, m.filters[v], m.sorts[v], m.onlyFound}
	if m.sheet != nil && m.sheet.from == want {
		return m
	}
	a := &arranged{from: want}
	if m.sheet != nil && m.sheet.from.view == v && m.sheet.from.verdict == want.verdict {
		a.sheet = m.sheet.sheet
	} else {
		a.sheet = sheets[v](m.material(v))
	}
	a.choose()
	m.sheet = a
	return m.keepLine(v)
}

// keepLine puts the cursor where its line is now; where it is gone, it stays.
func (m Model) keepLine(v view) Model {
	c := m.cursors[v]
	c.line = max(0, min(c.line, len(m.sheet.lines)-1))
	if c.key != "" && c.line < len(m.sheet.lines) && m.sheet.sheet.key(m.sheet.lines[c.line]) != c.key {
		for i, at := range m.sheet.lines {
			if m.sheet.sheet.key(at) == c.key {
				c.line = i
				break
			}
		}
	}
	return m.withCursor(v, c)
}

// choose filters and sorts.
func (a *arranged) choose() {
	keep, err := matcher(a.from.filter)
	if err != nil {
		a.broken = err.Error()
	}
	for i := range a.sheet.n {
		if (!a.from.found || a.sheet.found(i)) && (keep == nil || keep(a.sheet.text(i))) {
			a.lines = append(a.lines, i)
		}
	}
	if n := len(a.sheet.orders); n > 0 {
		if less := a.sheet.orders[a.from.sort%n].less; less != nil {
			slices.SortStableFunc(a.lines, func(x, y int) int {
				switch {
				case less(x, y):
					return -1
				case less(y, x):
					return 1
				}
				return 0
			})
		}
	}
}

// matcher is a filter as it is typed: a regular expression without regard to
// case, inverse after a "!". nil: everything fits.
func matcher(filter string) (func(string) bool, error) {
	pattern, inverse := strings.CutPrefix(filter, "!")
	if pattern == "" {
		return nil, nil
	}
	re, err := regexp.Compile("(?i)" + pattern)
	if err != nil {
		return nil, err
	}
	return func(text string) bool { return re.MatchString(clean(text)) != inverse }, nil
}

// cursor is where the operator is on a sheet.
type cursor struct {
	line int
	key  string // of the line; empty: never moved
}

func (m Model) withCursor(v view, c cursor) Model { m.cursors = with(m.cursors, v, c); return m }

// with is a map with one value changed: a model is a value, and so are its maps.
func with[V any](old map[view]V, v view, value V) map[view]V {
	next := make(map[view]V, len(old)+1)
	for k, have := range old {
		next[k] = have
	}
	next[v] = value
	return next
}

// moveLine moves the cursor of a sheet.
func (m Model) moveLine(by int) Model {
	v, ok := m.sheetView()
	if !ok || m.sheet == nil || len(m.sheet.lines) == 0 {
		return m
	}
	at := max(0, min(m.cursors[v].line+by, len(m.sheet.lines)-1))
	return m.withCursor(v, cursor{at, m.sheet.sheet.key(m.sheet.lines[at])})
}

// picked is the line under the cursor; false when there is none.
func (m Model) picked() (entry, bool) {
	v, ok := m.sheetView()
	if !ok || m.sheet == nil || m.sheet.from.view != v || len(m.sheet.lines) == 0 {
		return entry{}, false
	}
	return m.sheet.sheet.at(m.sheet.lines[min(m.cursors[v].line, len(m.sheet.lines)-1)]), true
}
