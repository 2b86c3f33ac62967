package tui

import (
	"fmt"
	"math"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// material is what sheets are made of.
type material struct {
	facts   diagnose.Facts
	session *diagnose.Session
	verdict *diagnose.Verdict
	glyphs  glyphs
	past    *bygone                          // before the first batch, which all is of; nil: it is of a batch
	signs   map[string][]*diagnose.SignState // by id
}

// material is what the sheet of a screen is made of.
func (m Model) material(v view) *material {
	of := m.sceneOf(v)
	s := &material{facts: of.session.Facts(), session: of.session, verdict: of.verdict, glyphs: m.glyphs, past: m.past, signs: map[string][]*diagnose.SignState{}}
	for i := range s.verdict.Signs {
		st := &s.verdict.Signs[i]
		s.signs[st.Sign.ID] = append(s.signs[st.Sign.ID], st)
	}
	return s
}

// signOn is what a sign says of a subject; nil: nothing. What is said of a broker
// is said of its process too, and the other way round.
func (s *material) signOn(id string, on fact.Subject) *diagnose.SignState {
	for _, st := range s.signs[id] {
		if st.Subject == on || st.Subject.Name == on.Name && oneBroker(st.Subject.Scope) && oneBroker(on.Scope) {
			return st
		}
	}
	return nil
}

func oneBroker(s fact.Scope) bool { return s == fact.Broker || s == fact.Process }

// limitOf is a sign whose limit a number in a unit can be held against: that of the
// subject, else of any other, limits being the same for all. nil: none.
func (s *material) limitOf(id string, on fact.Subject, unit fact.Unit) *diagnose.SignState {
	if st := s.signOn(id, on); st != nil && st.Unit == unit {
		return st
	}
	for _, st := range s.signs[id] {
		if st.Unit == unit {
			return st
		}
	}
	return nil
}

// markOf is what a sign says, as a mark; of no sign that of a plain number.
func (s *material) markOf(st *diagnose.SignState) span {
	if st == nil || st.Outcome == diagnose.NotApplicable {
		return span{s.glyphs.neutral, dim}
	}
	if st.Outcome == diagnose.Yes { // also where it is bad only together with others
		return span{s.glyphs.found, red}
	}
	return s.glyphs.outcome(st)
}

// measured is the form of sheets of measures.
var measured = []field{{head: "of", wide: 9}, {head: "what", words: true}, {head: "now", wide: 10, right: true}, {head: "limit", wide: 8, right: true}, {head: "trend", wide: trendWide, least: 70}, {head: "seen by", wide: 16, least: 96}}

// trendWide is the columns of a trend.
const trendWide = 10

// measuredOrders are the orders of such a sheet, over its entries.
func measuredOrders(entries []entry) []order {
	rank := func(e entry) int {
		switch {
		case e.found:
			return 0
		case e.unknown != "":
			return 1
		}
		return 2
	}
	return []order{
		{"by what it is", nil},
		{"trouble first", func(a, b int) bool { return rank(entries[a]) < rank(entries[b]) }},
		{"nearest its limit first", func(a, b int) bool { return entries[a].rank[0] > entries[b].rank[0] }},
	}
}

// entry is a measure on a subject, as a line.
func (s *material) entry(q *measure, on fact.Subject, group string) (e entry, ok bool) {
	f, k := s.facts, q.key()
	why := q.why(f, on)
	if why != nil && why.Reason == fact.Absent {
		return e, false // there is no such thing here
	}
	st := s.signOn(q.sign, on)
	e = entry{key: k.Name + q.title + on.String(), mark: s.markOf(st), name: 1, rank: []float64{math.Inf(-1)}, cells: []string{group, q.title, "", "", "", ""}}
	e.say = append(e.say, q.says())
	if st != nil && st.Outcome != diagnose.Unknown {
		e.found = st.Outcome == diagnose.Yes
		e.say = append([]string{fmt.Sprintf("%s, %s: %s", st.Sign.Title, st.Outcome, signText(st))}, e.say...)
	}
	probe, _ := f.SeenBy(k, on)
	e.cells[5] = probe
	if why != nil {
		e.mark, e.unknown = span{s.glyphs.unknown, yellow}, because(why)
		if why.How != "" {
			e.say = append(e.say, "to see it: "+why.How)
		}
	}
	limit := s.limitOf(q.sign, on, q.unit)
	e.curve = &curve{title: q.title, on: on, unit: q.unit, sign: limit, points: func() []diagnose.Point { return q.points(f, on) }}
	if why != nil {
		return e, true
	}
	points := q.points(f, on)
	if len(points) == 0 || !points[len(points)-1].Known {
		e.unknown = "not yet: wants another sample"
		if !q.rate {
			e.unknown = "no number to divide by"
		}
		return e, true
	}
	now := points[len(points)-1].Value
	e.cells[2] = q.number(now)
	if limit != nil {
		if e.cells[3] = q.number(limit.Limit); limit.Below {
			e.cells[3] = "≥ " + e.cells[3] // it should stay above
		}
		if limit.Limit > 0 {
			e.rank[0] = now / limit.Limit
			if limit.Below {
				e.rank[0] = limit.Limit / max(now, limit.Limit/1e6)
			}
		}
	}
	e.cells[4] = trend(points, s.glyphs.steps, limit != nil && limit.Below)
	return e, true
}

// number is a value of a measure as an operator reads it.
func (q *measure) number(v float64) string {
	text := number(v, q.unit)
	if q.rate && len(q.per) == 0 && (q.unit == fact.Bytes || q.unit == fact.Count) {
		text += "/s"
	}
	return text
}

// subjects is those that any of some measures is known of.
func (s *material) subjects(all []measure) []fact.Subject {
	var subjects []fact.Subject
	seen := map[fact.Subject]bool{}
	for i := range all {
		for _, on := range s.facts.Subjects(all[i].key()) {
			if !seen[on] {
				seen[on] = true
				subjects = append(subjects, on)
			}
		}
	}
	return subjects
}

// entries is measures on all subjects that they are known of. group names the
// subject.
func (s *material) entries(all []measure, group func(fact.Subject) string) []entry {
	var entries []entry
	for _, on := range s.subjects(all) {
		entries = append(entries, s.entriesOn(all, on, group(on))...)
	}
	return entries
}

// entriesOn is measures on a subject. Those that no probe has looked at yet, and
// those that none could look at here, share a line each.
func (s *material) entriesOn(all []measure, on fact.Subject, group string) []entry {
	var entries []entry
	var unasked, unseen []string
	for i := range all {
		q := &all[i]
		why := s.facts.Why(q.key(), on)
		switch {
		case why != nil && why.Reason == fact.NotYet && len(s.facts.Subjects(q.key())) == 0:
			unasked = append(unasked, q.title)
		case why != nil && why.Reason == fact.NotObserved && len(s.facts.Past(q.key(), on)) == 0:
			unseen = append(unseen, q.title)
		default:
			if e, ok := s.entry(q, on, group); ok {
				entries = append(entries, e)
			}
		}
	}
	if len(unseen) > 0 {
		entries = append(entries, s.together(unseen, on, group, span{s.glyphs.unknown, yellow}, "not observed: nothing looks from here"))
	}
	if len(unasked) > 0 {
		entries = append(entries, s.together(unasked, on, group, span{s.glyphs.pending, dim}, "nothing has looked yet"))
	}
	return entries
}

// together is the line that measures share which are unknown for one reason.
func (s *material) together(titles []string, on fact.Subject, group string, mark span, why string) entry {
	return entry{
		key: why + on.String(), mark: mark, name: 1, rank: make([]float64, 4), cells: []string{group, plural(len(titles), "more measure")},
		unknown: why, say: []string{strings.Join(titles, ", ") + "."}, curve: &curve{title: "unknown", on: on, points: func() []diagnose.Point { return nil }},
	}
}

// nobody is the line for measures that are known of no subject: why.
func (s *material) nobody(group string, k fact.Key) entry {
	d := k.Def()
	why := s.facts.Why(d, fact.Subject{Scope: d.Scope, Name: fact.Any})
	e := entry{key: "nobody " + d.Name, mark: span{s.glyphs.unknown, yellow}, name: 1, rank: make([]float64, 4), cells: []string{group, "no facts", "", "", "", ""}, unknown: because(why)}
	if why != nil && why.How != "" {
		e.say = append(e.say, "to see it: "+why.How)
	}
	return e
}

// trend is the newest numbers in little: of what falls on each column the highest,
// or the lowest where that is nearer to trouble.
func trend(points []diagnose.Point, steps []string, below bool) string {
	c, ok := sample(points[max(0, len(points)-4*trendWide):], trendWide, math.NaN(), below)
	if !ok {
		return ""
	}
	var b strings.Builder
	for _, v := range c.values {
		if math.IsNaN(v) {
			b.WriteString(" ")
			continue
		}
		at := 0
		if span := c.hi - c.lo; span > 0 {
			at = int((v - c.lo) / span * float64(len(steps)-1))
		}
		b.WriteString(steps[max(0, min(at, len(steps)-1))])
	}
	return b.String()
}
