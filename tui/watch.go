package tui

import (
	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/playbooks"
)

// watched is a sign to draw, on a subject.
type watched struct {
	sign *diagnose.Sign
	on   fact.Subject
}

// graphs is what to draw beside a step: what the step says to watch, then what
// the finding rests on, then what the other steps watch and the rest of the
// cause's signs; each only where it has numbers.
func (m Model) graphs(book *playbooks.Playbook, at int, f *diagnose.Finding) []watched {
	var all []watched
	add := func(sign *diagnose.Sign) {
		w, ok := m.watch(sign, f.Subject)
		for _, have := range all {
			ok = ok && have != w
		}
		if ok {
			all = append(all, w)
		}
	}
	byID := func(ids []string) {
		for _, id := range ids {
			for _, s := range m.opt.Catalogue.Signs {
				if s.ID == id {
					add(s)
				}
			}
		}
	}
	if at >= 0 && at < len(book.Steps) {
		byID(book.Steps[at].Watch)
	}
	for _, e := range f.Evidence {
		if e.Outcome == diagnose.Yes {
			add(e.Sign)
		}
	}
	for _, s := range book.Steps {
		byID(s.Watch)
	}
	for _, l := range f.Cause.Signs {
		add(l.Sign)
	}
	return all
}

// watch picks the subject to draw a sign on: the finding's own, else one where it
// is yes, else any that has numbers.
func (m Model) watch(sign *diagnose.Sign, own fact.Subject) (watched, bool) {
	best, rank := watched{}, 0
	v := m.verdict()
	for i := range v.Signs {
		st := &v.Signs[i]
		if st.Sign != sign || len(m.shown.session.Series(sign, st.Subject)) == 0 {
			continue
		}
		n := 1
		switch {
		case st.Subject == own:
			n = 3
		case st.Outcome == diagnose.Yes:
			n = 2
		}
		if n > rank {
			best, rank = watched{sign, st.Subject}, n
		}
	}
	return best, rank > 0
}

// stripHigh is the lines of the graph below the steps.
const stripHigh = 7

// graphStrip is one graph over the whole width.
func (m Model) graphStrip(book *playbooks.Playbook, at int, f *diagnose.Finding, w int) []row {
	all := m.graphs(book, at, f)
	if len(all) == 0 {
		return nil
	}
	g := all[m.graph%len(all)]
	return m.graphRows(g.sign, g.on, w, stripHigh)
}

// graphColumn is as many graphs as fit below each other.
func (m Model) graphColumn(book *playbooks.Playbook, at int, f *diagnose.Finding, w, h int) []row {
	const each = 10
	rows := []row{in(bold, "must move back")}
	all := m.graphs(book, at, f)
	for i := range all {
		if len(rows)+each > h {
			break
		}
		g := all[(i+m.graph)%len(all)]
		rows = append(append(rows, m.graphRows(g.sign, g.on, w, each-1)...), nil)
	}
	if len(all) == 0 {
		rows = append(rows, in(dim, "no sign of this cause has numbers yet"))
	}
	return rows
}
