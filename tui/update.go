package tui

import (
	"errors"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Update folds a message in.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	next, cmd := m.fold(msg)
	if m, ok := next.(Model); ok {
		return m.arrange(), cmd
	}
	return next, cmd
}

func (m Model) fold(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		if msg.Width > 0 && msg.Height > 0 {
			m.width, m.height = msg.Width, msg.Height
		}
		return m, nil
	case tickMsg:
		m.now = time.Time(msg)
		return m, everySecond()
	case batchMsg:
		return m.receive(msg)
	case foldedMsg:
		if msg.at == m.wanted { // else the operator has gone on meanwhile
			m.wanted = -1
			m.at, m.shown, m.past = msg.at, &msg.scene, nil
		}
		return m, nil
	case thenMsg:
		return m.arrive(msg)
	case savedMsg:
		m.message = msg.message
		if msg.path != "" {
			m.saveFile = msg.path
		}
		return m, nil
	case tea.KeyMsg:
		return m.key(msg)
	}
	return m, nil
}

// receive folds in what the source gave, and asks for more.
func (m Model) receive(msg batchMsg) (tea.Model, tea.Cmd) {
	if msg.err != nil {
		m.ended = msg.err
		if !errors.Is(msg.err, io.EOF) {
			m.message = "the source failed: " + msg.err.Error()
		}
		return m, nil
	}
	m.take(msg.batch)
	return m, m.next()
}

// take folds one batch in, and shows it unless an earlier moment is on the
// screen.
func (m *Model) take(b fact.Batch) {
	m.got = m.now
	m.live.apply(b)
	m.tape.add(b)
}

// key takes one key message: of a paste only what goes into a note, and of keys
// that a slow link delivered together each in turn.
func (m Model) key(msg tea.KeyMsg) (tea.Model, tea.Cmd) {
	switch {
	case m.typing != nothing:
		return m.typeKey(msg)
	case msg.Paste:
		return m, nil
	case msg.Type != tea.KeyRunes || len(msg.Runes) < 2 || msg.Alt:
		return m.press(msg.String())
	}
	var next tea.Model = m
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		now, cmd := next.(Model).key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
		next, cmds = now, append(cmds, cmd)
	}
	return next, tea.Batch(cmds...)
}

// press does what a key is bound to on the screen at hand.
func (m Model) press(key string) (tea.Model, tea.Cmd) {
	b := bindingFor(m.view, key)
	if b == nil {
		return m, nil
	}
	m.message = ""
	next, cmd := b.do(m)
	if n, ok := next.(Model); ok {
		n.scroll = max(0, min(n.scroll, n.maxScroll()))
		return n, cmd
	}
	return next, cmd
}

// show opens a screen, from where esc leads back.
func (m Model) show(v view) Model {
	if v == m.view {
		return m
	}
	m.back = append(m.back[:len(m.back):len(m.back)], m.view)
	if len(m.back) > 16 {
		m.back = m.back[1:]
	}
	m.view, m.scroll = v, 0
	return m
}

// leave goes back to where the screen was opened from; from the start, to Flow.
func (m Model) leave() Model {
	if !m.sought.IsZero() {
		m.message = "called off"
		return m.forsake()
	}
	if n := len(m.back); n > 0 {
		m.view, m.back = m.back[n-1], m.back[:n-1]
	} else {
		m.view = flowView
	}
	m.scroll = 0
	return m
}

// goTo shows the moment after batch n. The newest is shown live unless held.
func (m Model) goTo(n int, hold bool) (Model, tea.Cmd) {
	m = m.forsake()
	switch first, end := m.tape.dropped, m.tape.end(); {
	case end < 0:
		m.message = "nothing to step through yet"
		return m, nil
	case n < first:
		m.message = "the earliest batch that is kept"
		return m, nil
	case n > end:
		m.message = "the newest batch"
		return m, nil
	case n == end && !hold:
		return m.follow(), nil
	}
	m.wanted = n
	c, batches := m.opt.Catalogue, m.tape.upTo(n)
	return m, func() tea.Msg { return foldedMsg{n, fold(c, batches)} }
}

// follow shows the newest batch, and those to come.
func (m Model) follow() Model {
	m = m.forsake()
	m.at, m.wanted, m.shown, m.past = following, -1, m.live, nil
	return m
}

// position is the number of the batch on the screen, or on its way there.
func (m Model) position() int {
	switch {
	case m.wanted >= 0:
		return m.wanted
	case m.at != following:
		return m.at
	}
	return m.tape.end()
}

// marked notes something at this moment: through the source, which records it,
// or straight into the session.
func (m Model) marked(kind fact.MarkKind, text string) Model {
	at := m.now
	if m.opt.Replay || at.IsZero() {
		at = m.live.verdict.At
	}
	mark := fact.Mark{At: at, Kind: kind, Text: text}
	if m.opt.Mark != nil {
		m.opt.Mark(mark)
		return m
	}
	m.take(fact.Batch{At: m.live.verdict.At, Marks: []fact.Mark{mark}})
	return m
}
