package tui

import (
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// asking is what a line is typed for.
type asking int

const (
	nothing asking = iota
	askNote
	askFilter
	askScreen
	askTime
)

// ask begins a line.
func (m Model) ask(what asking, begin string) Model {
	m.typing, m.typed = what, begin
	return m
}

// askRow is the line that is being typed.
func (m Model) askRow() row {
	switch m.typing {
	case askFilter:
		return row{{" filter: ", bold}, {m.typed + "_", plain}, {"   regular expression, ! before it: all others; empty: none", dim}}
	case askScreen:
		names := screensLike(m.typed)
		more := "   " + strings.Join(names, " ")
		if len(names) == 0 {
			more = "   no such screen"
		}
		return row{{" :", bold}, {m.typed + "_", plain}, {more, dim}}
	}
	if m.typing == askTime {
		how := "   02:06:17, -90m or 2026-11-25 02:06:17, in UTC"
		if at := m.timeOfLine(); m.typed == "" && !at.IsZero() {
			how = "   enter: " + m.stamp(at) + ", of the line; else 02:06:17 or -90m, in UTC"
		}
		return row{{" time: ", bold}, {m.typed + "_", plain}, {how, dim}}
	}
	return row{{" note: ", bold}, {m.typed + "_", plain}, {"   enter keeps it, esc does not", dim}}
}

// screenNames is the screens that the palette opens, as they are typed, sorted.
func screenNames() []string {
	var names []string
	for v, name := range viewNames {
		if v != graphView && v != signsView && v != whyView { // they are of a line, a box or a finding
			names = append(names, strings.ReplaceAll(strings.ToLower(name), " ", "-"))
		}
	}
	slices.Sort(names)
	return names
}

// screensLike is the screens that begin with a text, and after them those that
// have it within.
func screensLike(text string) []string {
	text = strings.ToLower(strings.TrimSpace(text))
	var begin, within []string
	for _, name := range screenNames() {
		switch {
		case strings.HasPrefix(name, text):
			begin = append(begin, name)
		case strings.Contains(name, text):
			within = append(within, name)
		}
	}
	return append(begin, within...)
}

// complete is a text with what all screens that begin with it have in common; of
// a text that is complete already the next screen.
func complete(text string) string {
	names := screensLike(text)
	if len(names) == 0 {
		return text
	}
	common := names[0]
	for _, name := range names {
		if !strings.HasPrefix(name, strings.ToLower(text)) {
			break // those that have it within come last
		}
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(common) > len(text) {
		return common
	}
	return names[0]
}

// openNamed opens the screen of a name, or of the only or first that is like it.
func (m Model) openNamed(text string) Model {
	names := screensLike(text)
	if len(names) == 0 {
		m.message = "no screen " + text + "; there are " + strings.Join(screenNames(), " ")
		return m
	}
	for v, name := range viewNames {
		if strings.ReplaceAll(strings.ToLower(name), " ", "-") != names[0] {
			continue
		}
		if v == playbookView {
			return m.openPlaybook()
		}
		return m.show(v)
	}
	return m
}

// typeKey is one key of the line that is being typed.
func (m Model) typeKey(key tea.KeyMsg) (tea.Model, tea.Cmd) {
	switch key.Type {
	case tea.KeyEnter:
		return m.typedDone()
	case tea.KeyEsc, tea.KeyCtrlC:
		if m.typing == askNote {
			m.message = "no note"
		}
		m.typing = nothing
	case tea.KeyTab:
		if m.typing == askScreen {
			m.typed = complete(m.typed)
		}
	case tea.KeyBackspace:
		if r := []rune(m.typed); len(r) > 0 {
			m.typed = string(r[:len(r)-1])
		}
	case tea.KeyRunes, tea.KeySpace:
		m.typed = firstRunes(clean(m.typed+string(key.Runes)), 400)
	}
	return m, nil
}

// typedDone takes the line.
func (m Model) typedDone() (tea.Model, tea.Cmd) {
	what, text := m.typing, m.typed
	m.typing = nothing
	switch {
	case what == askFilter:
		if _, err := matcher(text); err != nil {
			m.message = "no filter: " + err.Error()
			return m, nil
		}
		m.filters = with(m.filters, m.view, text)
	case what == askScreen && text != "":
		return m.openNamed(text), nil
	case what == askTime && text != "":
		return m.goToTyped(text)
	case what == askTime && !m.timeOfLine().IsZero():
		return m.goToTime(m.timeOfLine())
	case what == askNote && text != "":
		m = m.marked(fact.Note, text)
		m.message = "noted"
	}
	return m, nil
}

// timeOfLine is the time of the line under the cursor, on Timeline; zero: it has none.
func (m Model) timeOfLine() time.Time {
	e, _ := m.picked()
	return e.at
}

func firstRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// openLine shows the line under the cursor by itself.
func (m Model) openLine() Model {
	if _, ok := m.picked(); !ok {
		m.message = "no line here"
		return m
	}
	m.graphOf = m.view
	return m.moveLine(0).show(graphView)
}

// sortNext takes the sheet's next order.
func (m Model) sortNext() Model {
	if m.sheet == nil || len(m.sheet.sheet.orders) < 2 {
		m.message = "there is one order only"
		return m
	}
	n := (m.sorts[m.view] + 1) % len(m.sheet.sheet.orders)
	m.sorts = with(m.sorts, m.view, n)
	m.message = "sorted " + m.sheet.sheet.orders[n].name
	return m
}
