package tui

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// What keys do, where it takes more than a line.

// move moves the cursor of a screen that has one, and scrolls the others.
func (m Model) move(by int) Model {
	clamp := func(at, n int) int { return max(0, min(at+by, n-1)) }
	switch m.view {
	case flowView:
		return m.vertically(by)
	case signsView:
		m.sign = clamp(m.sign, len(m.signsOfBox()))
	case verdictView:
		all := m.verdict().All()
		if len(all) == 0 {
			return m
		}
		at := 0
		for i, f := range all {
			if idOf(f) == idOf(m.current()) {
				at = i
			}
		}
		m.finding, m.step, m.graph, m.scroll = idOf(all[clamp(at, len(all))]), 0, 0, 0
	case playbookView:
		if book := m.book(); book != nil {
			m.step, m.graph = clamp(m.step, len(book.Steps)), 0
		}
	case graphView:
		return m.moveLine(by)
	default:
		if sheets[m.view] != nil {
			return m.moveLine(by)
		}
		m.scroll = max(0, m.scroll+by)
	}
	return m
}

// halfPage moves by half a screen.
func (m Model) halfPage(way int) Model {
	if sheets[m.view] != nil {
		return m.moveLine(way * max(1, m.bodyHeight()/2))
	}
	m.scroll = max(0, m.scroll+way*m.height/2)
	return m
}

// swap changes between this screen and the one before.
func (m Model) swap() Model {
	n := len(m.back)
	if n == 0 {
		return m
	}
	last := m.back[n-1]
	m.back = append(m.back[:n-1:n-1], m.view)
	m.view, m.scroll = last, 0
	return m
}

func (m Model) openPlaybook() Model {
	f := m.current()
	if f == nil {
		f = m.opened // gone meanwhile; its last steps are still to be done
	}
	if f == nil {
		m.message = "no finding, so no playbook"
		return m
	}
	if m.past != nil {
		m.message = "this is of " + m.stamp(m.past.at) + "; P shows what is so now"
	}
	m.finding, m.opened = idOf(f), f // stays while the verdict changes around it
	return m.show(playbookView)
}

// applyFix marks the fix and shows what moves from now on.
func (m Model) applyFix() Model {
	if m.ended != nil && m.opt.Mark == nil {
		m.message = "nothing will move any more: the source has ended"
		return m
	}
	m = m.marked(fact.FixApplied, idOf(m.played()).cause)
	return m.follow().show(verifyView)
}

func (m Model) tickStep() Model {
	of := tick{idOf(m.played()), m.step}
	next := map[tick]bool{}
	for t, on := range m.ticked {
		next[t] = on
	}
	next[of] = !next[of]
	m.ticked = next
	return m
}

func (m Model) pause() (tea.Model, tea.Cmd) {
	if m.at != following || m.wanted >= 0 || !m.sought.IsZero() {
		m = m.follow()
		m.message = "following"
		return m, nil
	}
	return m.goTo(m.tape.end(), true)
}

func (m Model) probeNow() Model {
	if m.opt.Probe == nil {
		m.message = "there is nothing to probe: this is a recording"
		return m
	}
	m.opt.Probe()
	m.message = "probing"
	return m
}

func (m Model) putMark() Model {
	m = m.marked(fact.Note, "mark")
	m.message = "marked"
	return m
}

// writeReport renders it here and now: between two batches nothing else touches
// the session. A disk may hang, so the file is written elsewhere. It is always
// of all that was seen: an earlier moment is folded from what the tape still has.
func (m Model) writeReport() (tea.Model, tea.Cmd) {
	if m.opt.Report == nil || m.opt.Save == nil {
		m.message = "no place to write a report to"
		return m, nil
	}
	text, err := m.opt.Report(m.live.session, m.live.worst)
	if err != nil {
		m.message = "no report: " + err.Error()
		return m, nil
	}
	m.message = "writing the report"
	write := m.opt.Save
	return m, func() tea.Msg {
		path, err := write(text)
		if err != nil {
			return savedMsg{message: "no report: " + err.Error()}
		}
		return savedMsg{message: "report written to " + path}
	}
}

// copyText is what y copies here.
func (m Model) copyText() string {
	if m.view == playbookView {
		if book := m.book(); book != nil && m.step < len(book.Steps) {
			switch s := book.Steps[m.step]; {
			case len(s.Commands) > 0:
				return strings.Join(s.Commands, "\n")
			case m.step == len(book.Steps)-1 && book.Rule != "":
				return book.Rule
			default:
				return s.Text
			}
		}
	}
	if f := m.current(); f != nil && (m.view == verdictView || m.view == whyView) {
		return fmt.Sprintf("%s %s on %s (%s) since %s: %s", strings.ToUpper(string(f.Severity)), f.Cause.ID, f.Subject, band(f.Band), clock(f.Since), f.Says)
	}
	if e, ok := m.picked(); ok && (sheets[m.view] != nil || m.view == graphView) {
		return e.copyText()
	}
	word, _, text := m.headline()
	return word + " " + text
}
