package tui

import (
	"context"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/tui/text"
)

// Stepping back beyond the first batch that is kept: into the past as the metadata
// log on this host tells it, or in a recording as far as that holds it. Each change
// of the cluster that is told is a step.

// bygone is a time before the first batch, as it is shown.
type bygone struct {
	at      time.Time
	cluster *fact.PastCluster // nil: nobody tells more than the numbers
	counts  string            // how it stood, in numbers
}

// inThePast is Model.at while such a moment is shown.
const inThePast = -2

// thenTimeout is how long a moment is waited for. A log of a million partitions
// takes some seconds.
const thenTimeout = time.Minute

// thenMsg is such a moment, or why it is not known.
type thenMsg struct {
	at    time.Time
	past  bygone
	scene scene
	err   error
}

// stepBack shows the batch before, or the change before.
func (m Model) stepBack() (tea.Model, tea.Cmd) {
	at := m.pastAt()
	switch n := m.position() - 1; {
	case m.tape.end() < 0 || at.IsZero() && n >= m.tape.dropped:
		return m.goTo(n, true)
	case at.IsZero():
		at = m.tape.batches[0].At
	}
	steps := m.steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].Before(at) {
			return m.seek(steps[i])
		}
	}
	switch {
	case len(steps) > 0:
		m.message = "no earlier change is told here; t goes to a time"
	case m.opt.Then != nil:
		m.message = "the earliest batch that is kept; no change is told of before it: t goes to a time"
	case m.opt.Replay:
		m.message = "the earliest batch that is kept; the recording tells of no change before it"
	default:
		m.message = "the earliest batch that is kept; nobody tells here of what was before"
	}
	return m, nil
}

// stepForth shows the batch after, or the change after.
func (m Model) stepForth() (tea.Model, tea.Cmd) {
	at := m.pastAt()
	if at.IsZero() {
		return m.goTo(m.position()+1, false)
	}
	for _, step := range m.steps() {
		if step.After(at) && step.Before(m.tape.batches[0].At) {
			return m.seek(step)
		}
	}
	return m.goTo(m.tape.dropped, false)
}

// pastAt is the moment before the first batch that is shown, or on its way; zero:
// none is.
func (m Model) pastAt() time.Time {
	switch {
	case m.wanted >= 0: // a batch is on its way
	case !m.sought.IsZero():
		return m.sought
	case m.past != nil:
		return m.past.at
	}
	return time.Time{}
}

// steps is the moments of the changes of the cluster that are told, oldest first.
func (m Model) steps() []time.Time {
	all := m.changesTold().All
	steps := make([]time.Time, 0, len(all))
	for i := range all {
		steps = append(steps, ended(&all[i]))
	}
	slices.SortFunc(steps, time.Time.Compare)
	return slices.CompactFunc(steps, time.Time.Equal)
}

// changesTold is the changes that the metadata log told last, also where it tells
// nothing any more.
func (m Model) changesTold() fact.ChangeList {
	told := m.live.session.Facts().Past(fact.Changed.Def(), fact.TheCluster)
	if len(told) == 0 {
		return fact.ChangeList{}
	}
	list, _ := told[len(told)-1].Value.(fact.ChangeList)
	return list
}

// ended is the moment after a change, or after the last of several.
func ended(c *fact.Change) time.Time {
	if c.Until.After(c.At) {
		return c.Until
	}
	return c.At
}

// latest is now: the wall clock, in a replay the newest batch.
func (m Model) latest() time.Time {
	if at := m.live.verdict.At; m.opt.Replay || m.now.Before(at) {
		return at
	}
	return m.now
}

// goToTyped is goToTime of a time as it was typed.
func (m Model) goToTyped(typed string) (tea.Model, tea.Cmd) {
	at, err := text.Moment(typed, m.latest())
	if err != nil && m.tape.end() >= 0 {
		m.message = "no time: " + err.Error()
		return m, nil
	}
	return m.goToTime(at)
}

// goToTime shows a moment: of the batches if they hold it, else of the past.
func (m Model) goToTime(at time.Time) (tea.Model, tea.Cmd) {
	switch {
	case m.tape.end() < 0:
		m.message = "nothing to step through yet"
		return m, nil
	case at.After(m.latest()):
		m.message = "that is yet to come"
		return m, nil
	case at.Before(m.tape.batches[0].At):
		return m.seek(at)
	}
	n := m.tape.dropped
	for i := range m.tape.batches {
		if !m.tape.batches[i].At.After(at) {
			n = m.tape.dropped + i
		}
	}
	return m.goTo(n, true)
}

// seek begins to make a moment of the past. One is read at a time: the one before
// is called off first.
func (m Model) seek(at time.Time) (Model, tea.Cmd) {
	m.sought, m.since, m.wanted = at, m.now, -1
	if m.calloff != nil {
		m.calloff()
		return m, nil // until it has ended: see arrive
	}
	ctx, cancel := context.WithTimeout(m.ctx, thenTimeout)
	m.calloff = cancel
	then, catalogue := m.opt.Then, m.opt.Catalogue
	changes, past := m.changesTold(), bygone{at: at, counts: countsThen(m.live.session.Facts(), at)}
	return m, func() tea.Msg {
		msg := thenMsg{at: at, past: past}
		if then != nil {
			if msg.past.cluster, msg.err = then(ctx, at); msg.err != nil {
				return msg
			}
			msg.past.counts = countsOf(msg.past.cluster)
		}
		msg.scene = pastScene(catalogue, &msg.past, changes)
		return msg
	}
}

// arrive shows a moment of the past, unless the operator has gone on meanwhile.
func (m Model) arrive(msg thenMsg) (Model, tea.Cmd) {
	if m.calloff != nil {
		m.calloff()
		m.calloff = nil
	}
	switch {
	case m.sought.IsZero():
		return m, nil
	case !m.sought.Equal(msg.at):
		return m.seek(m.sought)
	case msg.err != nil:
		m.message = "not known: " + msg.err.Error()
	case msg.past.cluster == nil && msg.past.counts == "":
		m.message = "not known: nobody tells here of " + m.stamp(msg.at)
		if m.opt.Replay {
			m.message = "not known: the recording tells nothing of " + m.stamp(msg.at)
		}
	default:
		m.past, m.at, m.shown = &msg.past, inThePast, &msg.scene
	}
	m.sought = time.Time{}
	return m.pointAt(msg.at), nil
}

// forsake calls a moment off that is on its way.
func (m Model) forsake() Model {
	m.sought = time.Time{}
	if m.calloff != nil {
		m.calloff() // and arrive takes note
	}
	return m
}

// pointAt puts the cursor of Timeline on the line of a moment, where it is on the
// screen.
func (m Model) pointAt(at time.Time) Model {
	if m.view != timelineView || m.sheet == nil || m.sheet.from.view != timelineView {
		return m
	}
	for line, i := range m.sheet.lines {
		if e := m.sheet.sheet.at(i); e.at.Equal(at) {
			return m.withCursor(timelineView, cursor{line, e.key})
		}
	}
	return m
}

// pastScene is what is concluded from the metadata log alone, of a moment before
// anyone looked. Of everything else that moment is not known: never today's value.
func pastScene(c *diagnose.Catalogue, past *bygone, changes fact.ChangeList) scene {
	b := fact.Batch{At: past.at}
	why := &fact.Unknown{Reason: fact.NotObserved, Detail: "not known of " + clock(past.at) + ", of which the metadata log alone tells"}
	if past.cluster == nil {
		why.Detail = "not known of " + clock(past.at) + ", of which changes and numbers alone are recorded"
	}
	for _, k := range fact.Keys {
		b.Observations = append(b.Observations, fact.UnknownEverywhere(k, why))
	}
	if past.cluster != nil {
		b.Observations = append(b.Observations, fact.LastSeen.Is(fact.TheCluster, past.cluster.LastCluster))
	}
	told := changes.All
	changes.All = nil
	for i := range told {
		if !ended(&told[i]).After(past.at) {
			changes.All = append(changes.All, told[i])
		}
	}
	b.Observations = append(b.Observations, fact.Changed.Is(fact.TheCluster, changes))
	return fold(c, []fact.Batch{b})
}
