package tui

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// tier is how much room there is.
type tier int

const (
	tiny tier = iota // one line
	list             // from 60×16: lists only
	full             // from 80×24: one pane
	wide             // from 100×30: two panes
)

func (m Model) tier() tier {
	switch w, h := m.width, m.height; {
	case w >= 100 && h >= 30:
		return wide
	case w >= 80 && h >= 24:
		return full
	case w >= 60 && h >= 16:
		return list
	}
	return tiny
}

// chrome is the lines around every screen: who and where, the verdict, a
// message, the keys.
const chrome = 4

// bodyHeight is the lines that a screen itself has.
func (m Model) bodyHeight() int { return max(1, m.height-chrome) }

// View draws the screen.
func (m Model) View() string {
	if m.tier() == tiny {
		return m.tinyView()
	}
	w, h := m.width, m.bodyHeight()
	rows := []row{m.titleRow(w), m.verdictRow(w)}
	body := m.body(w-2, h)
	for i := range h {
		if i < len(body) {
			rows = append(rows, append(say(" "), body[i]...))
		} else {
			rows = append(rows, nil)
		}
	}
	rows = append(rows, m.messageRow(), m.keysRow(w))
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = m.paint.draw(r, w)
	}
	return strings.Join(lines, "\n")
}

// tinyView is one line, and the hint where to find the rest.
func (m Model) tinyView() string {
	word, st, text := m.headline()
	line := m.paint.draw(row{{word + " ", st}, {text, plain}}, m.width)
	if m.height < 2 {
		return line
	}
	return line + "\n" + m.paint.draw(in(dim, "small terminal: ktriage --plain · q quit"), m.width)
}

// body is the screen's own rows.
func (m Model) body(w, h int) []row {
	switch m.view {
	case flowView:
		return m.flowRows(w, h)
	case signsView:
		return m.signsRows(w, h)
	case verdictView:
		return m.verdictRows(w, h)
	case playbookView:
		return m.playbookRows(w, h)
	case graphView:
		return m.graphScreen(w, h)
	}
	if sheets[m.view] != nil {
		return m.sheetRows(w, h)
	}
	return m.window(m.page(w), h)
}

// page is the whole content of a screen that only scrolls.
func (m Model) page(w int) []row {
	switch m.view {
	case whyView:
		return m.whyPage(w)
	case verifyView:
		return m.verifyPage(w)
	case brokersView:
		return m.brokersPage(w)
	case coverageView:
		return m.coveragePage(w)
	case helpView:
		return m.helpPage(w)
	case verdictView:
		return m.findingPage(w)
	}
	return nil
}

// maxScroll is how far the screen can be scrolled.
func (m Model) maxScroll() int {
	return max(0, len(m.page(m.width-2))-m.pageHeight())
}

// pageHeight is the lines that the scrolling part of the screen has.
func (m Model) pageHeight() int {
	if m.view == verdictView {
		return max(1, m.bodyHeight()-m.findingsHeight())
	}
	return m.bodyHeight()
}

// window is the part of a page that is scrolled to. What does not fit is told.
func (m Model) window(rows []row, h int) []row {
	from := max(0, min(m.scroll, len(rows)-h))
	if len(rows) <= h || h < 2 {
		return rows[:min(len(rows), max(0, h))]
	}
	out := append([]row{}, rows[from:from+h]...)
	if rest := len(rows) - from - h; rest > 0 {
		out[h-1] = in(dim, fmt.Sprintf("%d more lines: ctrl-d", rest+1))
	}
	return out
}

// titleRow is who and where, and whether what is shown is of now.
func (m Model) titleRow(w int) row {
	c := m.verdict().Cluster
	left := row{{" ktriage  ", bold}, {m.opt.Title, plain}}
	if c.Version != "" {
		left = append(left, span{"  kafka " + c.Version, plain})
	}
	if n := len(c.Brokers); n > 0 && m.past == nil {
		left = append(left, span{"  " + plural(n, "broker"), plain})
	}
	return split(left, append(m.pace(), span{" ", plain}), w)
}

// pace says which moment is shown, and how fresh it is.
func (m Model) pace() row {
	at := m.verdict().At
	now := m.now
	if m.opt.Replay || m.at != following || now.Before(at) {
		now = at
	}
	time := span{"  " + clock(now), plain}
	switch {
	case m.past != nil:
		return row{{m.thenText(), yellow}}
	case m.at != following:
		return row{{fmt.Sprintf("paused at %d of %d", m.at+1, m.tape.end()+1), yellow}, time}
	case errors.Is(m.ended, io.EOF) && m.opt.Replay:
		return row{{"end of the recording", cyan}, time}
	case m.ended != nil:
		return row{{"the source has ended", yellow}, time}
	case m.silent() > silentAfter:
		return row{{"no data for " + age(m.silent()), yellow}, time}
	}
	return row{time}
}

// silentAfter is how long a live source may say nothing before it is told.
const silentAfter = 20 * time.Second

func (m Model) silent() time.Duration {
	if m.opt.Replay || m.got.IsZero() || m.now.IsZero() {
		return 0
	}
	return m.now.Sub(m.got)
}

func (m Model) verdictRow(w int) row {
	word, st, text := m.headline()
	branch := strings.ToUpper(string(m.verdict().Branch))
	right := row{}
	if branch != "" && m.past == nil {
		right = row{{"  " + branch + " ", bold}}
	}
	return split(row{{" ", plain}, {word, st}, {"  " + text, plain}}, right, w)
}

// messageRow is what the last key brought about, or what is being typed, or
// where to look next.
func (m Model) messageRow() row {
	switch {
	case m.typing != nothing:
		return m.askRow()
	case m.message != "":
		return in(cyan, " "+m.message)
	case !m.sought.IsZero():
		took := ""
		if by := m.now.Sub(m.since); by >= time.Second {
			took = ", for " + age(by) + " so far"
		}
		return in(cyan, " reading the metadata log up to "+m.stamp(m.sought)+took+"; esc calls it off")
	case m.view == flowView && m.past == nil && m.verdict().Next != nil:
		return row{{" " + m.glyphs.arrow + " look here next: ", bold}, {m.verdict().Next.Text, plain}}
	}
	return nil
}

// hints is the keys worth naming on each screen, the most useful first. Help and
// quit follow on all of them.
var hints = map[view][]string{
	flowView:     {"enter", "v", "p", "u", ":"},
	signsView:    {"esc", "v", "p", "u"},
	verdictView:  {"p", "enter", "w", "u", "esc"},
	whyView:      {"p", "w", "esc"},
	playbookView: {"y", " ", "a", "tab", "esc"},
	verifyView:   {"p", "v", "w", "esc"},
	brokersView:  {"esc", "v", "u"},
	coverageView: {"esc", "v"},
	helpView:     {"esc"},

	groupsView: sheetHints, metricsView: sheetHints, hostView: sheetHints, jvmView: sheetHints, logsView: sheetHints, alertsView: sheetHints, partitionsView: sheetHints,
	transactionsView: sheetHints, logDirsView: sheetHints, timelineView: {"enter", "t", "/", "s", "F", ":", "esc"}, configView: sheetHints,
	segmentsView: {"S", "x", "enter", "/", "F", "esc"},
	graphView:    {"esc", "v", "p"},
}

var sheetHints = []string{"enter", "/", "s", "F", ":", "esc"}

// keysRow is the last line. Help is always in it, the others as they fit.
func (m Model) keysRow(w int) row {
	right := in(dim, "read-only")
	if w < 80 {
		right = nil
	}
	help := m.hint("?")
	room := w - right.width() - help.width()
	var left row
	keys := hints[m.view]
	if m.past != nil {
		keys = append([]string{"P", "[", "]"}, keys...)
	}
	for _, key := range keys {
		if add := m.hint(key); left.width()+add.width() <= room {
			left = append(left, add...)
		}
	}
	left = append(left, help...)
	if quit := m.hint("q"); left.width()+quit.width() <= w-right.width() {
		left = append(left, quit...)
	}
	return split(left, right, w)
}

// hint is a key with its word.
func (m Model) hint(key string) row {
	word := bindingFor(m.view, key).hint
	switch key {
	case "y":
		word = "copy"
	case "tab":
		word = "graph"
	case "P", "[", "]":
		word = map[string]string{"P": "now", "[": "before", "]": "after"}[key]
	case "u":
		word = fmt.Sprintf("unknown %d", len(m.verdict().Coverage.Unknown))
	}
	return row{{" " + keyName(key), bold}, {" " + word + " ", plain}}
}

// keyName is a key as an operator reads it.
func keyName(key string) string {
	switch key {
	case " ":
		return "space"
	case "right", "left", "up", "down":
		return map[string]string{"right": "→", "left": "←", "up": "↑", "down": "↓"}[key]
	}
	return strings.ReplaceAll(key, "ctrl+", "ctrl-")
}
