package tui

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var groupFields = []field{{head: "group"}, {head: "state", wide: 12}, {head: "members", wide: 7, right: true}, {head: "lag", wide: 9, right: true}, {head: "grows", wide: 10, right: true}, {head: "signs", wide: 9, least: 70}, {head: "trend", wide: trendWide, least: 96}}

// groupsSheet is the consumer groups, those in trouble first.
func groupsSheet(s *material) sheet {
	of := map[fact.Subject][]*diagnose.SignState{}
	for i := range s.verdict.Signs {
		if st := &s.verdict.Signs[i]; st.Subject.Scope == fact.Group && st.Subject.Name != fact.Any && st.Outcome != diagnose.NotApplicable {
			of[st.Subject] = append(of[st.Subject], st)
		}
	}
	var entries []entry
	for _, on := range fact.GroupState.Subjects(s.facts) {
		if on.Name != fact.Any {
			entries = append(entries, s.groupEntry(on, of[on]))
		}
	}
	if _, ok := fact.Groups.Latest(s.facts, fact.TheCluster); !ok {
		entries = append(entries, s.nobodyKnows("groups", fact.Groups))
	}
	return listed("GROUPS", plural(len(of), "group")+" seen", "the cluster has no group", groupFields, entries,
		order{"trouble first", func(a, b int) bool { return entries[a].rank[0] < entries[b].rank[0] }},
		order{"most lag first", func(a, b int) bool { return entries[a].rank[1] > entries[b].rank[1] }},
		order{"lag that grows most first", func(a, b int) bool { return entries[a].rank[2] > entries[b].rank[2] }},
		order{"by name", nil})
}

// groupEntry is a group with what its signs say.
func (s *material) groupEntry(on fact.Subject, signs []*diagnose.SignState) entry {
	name := middle(clean(on.Name), 60)
	e := entry{key: on.Name, mark: span{s.glyphs.no, green}, rank: []float64{2, -1, 0, 0}, cells: []string{name, "?", "?", "?", "", "", ""}}
	if state, ok := fact.GroupState.Latest(s.facts, on); ok {
		e.cells[1] = state
	} else {
		why := s.facts.Why(fact.GroupState.Def(), on)
		e.say = append(e.say, "state unknown: "+because(why))
	}
	if n, ok := fact.GroupMembers.Latest(s.facts, on); ok {
		e.cells[2] = number(n, fact.Count)
	}
	s.lagOf(on, &e)
	found := 0
	for _, st := range signs {
		switch {
		case st.Outcome == diagnose.Yes && st.Sign.Trouble:
			found++
			e.found, e.mark, e.rank[0] = true, span{s.glyphs.found, red}, 0
		case st.Outcome == diagnose.Unknown && e.rank[0] > 1:
			e.mark, e.rank[0] = span{s.glyphs.unknown, yellow}, 1
		}
	}
	if found > 0 {
		e.cells[5] = fmt.Sprintf("%d found", found)
	}
	e.say = append(e.say, signSays(signs)...)
	if at, ok := fact.GroupCoordinator.Latest(s.facts, on); ok {
		e.say = append(e.say, fmt.Sprintf("coordinator: broker %.0f", at))
	}
	return e
}

// lagOf puts the lag of a group into its line.
func (s *material) lagOf(on fact.Subject, e *entry) {
	points := lagPoints(s.facts, on)
	e.curve = &curve{title: "lag, records", on: on, unit: fact.Count, points: func() []diagnose.Point { return points }}
	n := len(points)
	if n == 0 || !points[n-1].Known {
		e.say = append(e.say, "lag unknown: "+because(s.facts.Why(fact.Offsets.Def(), on)))
		return
	}
	e.cells[3], e.cells[6], e.rank[1] = number(points[n-1].Value, fact.Count), trend(points, s.glyphs.steps, false), points[n-1].Value
	if n < 2 {
		return
	}
	if over := points[n-1].At.Sub(points[n-2].At).Seconds(); over > 0 {
		e.rank[2] = (points[n-1].Value - points[n-2].Value) / over
		e.cells[4] = number(e.rank[2], fact.None) + "/s"
	}
}

// lagPoints is the lag of a group over its partitions, as far as both ends are
// known.
func lagPoints(f diagnose.Facts, on fact.Subject) []diagnose.Point {
	var all []diagnose.Point
	for _, p := range f.Past(fact.Offsets.Def(), on) {
		offsets, ok := p.Value.(fact.GroupOffsets)
		if lag, partitions := offsets.Lag(); ok && partitions > 0 {
			all = append(all, diagnose.Point{At: p.At, Value: lag, Known: true})
		}
	}
	if f.Why(fact.Offsets.Def(), on) != nil {
		all = append(all, diagnose.Point{At: f.Now()})
	}
	return all
}

// signSays is what signs say, those that found something first.
func signSays(signs []*diagnose.SignState) []string {
	var found, unknown, fine []string
	for _, st := range signs {
		switch {
		case st.Outcome == diagnose.Yes:
			found = append(found, st.Sign.Title+": "+st.Text)
		case st.Outcome == diagnose.Unknown:
			unknown = append(unknown, "cannot tell whether "+st.Sign.Title+": "+because(st.Because))
		default:
			fine = append(fine, st.Sign.Title)
		}
	}
	all := append(found, unknown...)
	if len(fine) > 0 {
		all = append(all, "looked at, and not so: "+strings.Join(fine, "; "))
	}
	return all
}
