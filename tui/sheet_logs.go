package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// rateWindow is over how long the rate of log lines is taken.
const rateWindow = 5 * time.Minute

var logFields = []field{{head: "of", wide: 11}, {head: "kind of line", words: true}, {head: "lines", wide: 7, right: true}, {head: "a minute", wide: 8, right: true}, {head: "since", wide: 8}, {head: "last", wide: 8}, {head: "trend", wide: trendWide, least: 96}}

// logsSheet is the known lines of the brokers' logs that were seen, and which
// logs could not be read.
func logsSheet(s *material) sheet {
	var entries []entry
	kinds, unread := 0, map[string]bool{}
	for _, k := range fact.Keys {
		d := k.Def()
		if !strings.HasPrefix(d.Name, "log.") {
			continue
		}
		for _, on := range s.facts.Subjects(d) {
			if why := s.facts.Why(d, on); why != nil {
				if line := on.String() + " " + because(why); !unread[line] {
					unread[line] = true
					entries = append(entries, s.unreadEntry(d, on, why))
				}
				continue
			}
			value, _ := s.facts.Latest(d, on)
			if lines, ok := value.(fact.LogLines); ok && lines.Count > 0 && d != fact.LogController.Def() {
				kinds++
				entries = append(entries, s.lineEntry(d, on, lines))
			}
		}
	}
	if len(entries) == 0 && s.facts.Why(fact.LogStarted.Def(), fact.Subject{Scope: fact.Broker, Name: fact.Any}) != nil {
		entries = append(entries, s.nobody("logs", fact.LogStarted))
	}
	orders := []order{
		{"the latest first", func(a, b int) bool { return entries[a].rank[0] > entries[b].rank[0] }},
		{"by onset", func(a, b int) bool { return entries[a].rank[1] < entries[b].rank[1] }},
		{"most lines first", func(a, b int) bool { return entries[a].rank[2] > entries[b].rank[2] }},
		{"most a minute first", func(a, b int) bool { return entries[a].rank[3] > entries[b].rank[3] }},
	}
	return listed("LOGS", plural(kinds, "kind")+" of known lines", "none of the known lines of trouble stands in the logs that were read", logFields, entries, orders...)
}

// lineEntry is a kind of line on a subject.
func (s *material) lineEntry(d *fact.Def, on fact.Subject, lines fact.LogLines) entry {
	now := s.facts.Now()
	rate := float64(lines.Within(now, rateWindow)) / rateWindow.Minutes()
	st := s.readBy(d, on)
	e := entry{
		key: d.Name + on.String(), name: 1, mark: s.markOf(st), found: st != nil && st.Outcome == diagnose.Yes,
		cells: []string{ofLog(on), strings.ReplaceAll(strings.TrimPrefix(d.Name, "log."), "-", " "), number(float64(lines.Count), fact.Count), perMinute(rate), clock(lines.First), clock(lines.Last), ""},
		rank:  []float64{float64(lines.Last.Unix()), float64(lines.First.Unix()), float64(lines.Count), rate},
		copy:  lines.Text,
	}
	if lines.Text != "" {
		e.say = append(e.say, "first, "+clock(lines.First)+": "+lines.Text)
	}
	if lines.Latest != "" && lines.Latest != lines.Text {
		e.say = append(e.say, "last, "+clock(lines.Last)+": "+lines.Latest)
	}
	if st != nil {
		e.say = append(e.say, st.Sign.Title+", "+string(st.Outcome)+": "+signText(st))
	}
	var names []string
	for _, n := range lines.Names {
		names = append(names, fmt.Sprintf("%s %d", n.Name, n.Count))
	}
	if len(names) > 0 {
		e.say = append(e.say, "they speak of: "+some(names))
	}
	e.say = append(e.say, d.Doc+" ("+d.Name+"). File "+lines.File+", looked back to "+clock(lines.Since)+".")
	points := lineRate(lines, now)
	if len(points) > 0 {
		e.cells[6] = trend(points, s.glyphs.steps, false)
		e.curve = &curve{title: e.cells[1] + ", lines a minute", on: on, unit: fact.Count, points: func() []diagnose.Point { return points }}
	}
	return e
}

// readBy is the sign that reads a kind of line on a subject: one that is yes
// before the others; nil: none does.
func (s *material) readBy(d *fact.Def, on fact.Subject) (best *diagnose.SignState) {
	for i := range s.verdict.Signs {
		st := &s.verdict.Signs[i]
		of := st.Subject == on || oneBroker(st.Subject.Scope) && oneBroker(on.Scope) && st.Subject.Name == on.Name
		if !of && (st.Subject != fact.TheCluster || st.Outcome != diagnose.Yes) {
			continue // what is found in the cluster may be found in this line
		}
		reads := slices.ContainsFunc(slices.Concat(st.Sign.Needs, st.Sign.Uses), func(k fact.Key) bool { return k.Def() == d })
		if reads && (best == nil || st.Outcome == diagnose.Yes && best.Outcome != diagnose.Yes) {
			best = st
		}
	}
	if best != nil && best.Outcome != diagnose.Yes && !best.Sign.Trouble {
		return nil // its no says nothing of the line
	}
	return best
}

func (s *material) unreadEntry(d *fact.Def, on fact.Subject, why *fact.Unknown) entry {
	e := entry{key: "unread " + on.String() + because(why), mark: span{s.glyphs.unknown, yellow}, name: 1, unknown: because(why), rank: []float64{0, 0, 0, 0},
		cells: []string{ofLog(on), "not read"}}
	e.say = []string{"among others " + d.Name + ": " + d.Doc}
	if why.How != "" {
		e.say = append(e.say, "to see it: "+why.How)
	}
	return e
}

// ofLog is whom a line speaks of.
func ofLog(on fact.Subject) string {
	if on.Scope == fact.LogDir {
		return on.Name
	}
	return on.String()
}

func perMinute(rate float64) string {
	if rate > 0 && rate < 1 {
		return "< 1"
	}
	return number(rate, fact.Count)
}

var alertFields = []field{{head: "rule"}, {head: "state", wide: 11}, {head: "since", wide: 8}, {head: "on", wide: 16}, {head: "for", wide: 7, least: 90}}

// alertsSheet is the alert rules, evaluated here.
func alertsSheet(s *material) sheet {
	var entries []entry
	rank := map[string]float64{diagnose.Firing: 0, diagnose.AlertPending: 1, diagnose.AlertUnknown: 2, diagnose.Inactive: 3}
	for _, a := range s.verdict.Alerts {
		e := entry{key: a.Rule, cells: []string{a.Rule, strings.ReplaceAll(a.State, "-", " "), "", "", age(a.For)}, rank: []float64{rank[a.State]}, copy: a.YAML}
		if !a.Since.IsZero() {
			e.cells[2], e.cells[3] = clock(a.Since), subject(a.Subject, 16)
		}
		switch a.State {
		case diagnose.Firing:
			e.mark, e.found = span{s.glyphs.found, red}, true
		case diagnose.AlertPending:
			e.mark, e.found = span{s.glyphs.looking, yellow}, true
		case diagnose.Inactive:
			e.mark = span{s.glyphs.no, green}
		default:
			e.mark = span{s.glyphs.unknown, yellow}
		}
		e.say = append(e.say, a.Text, "y copies the rule for Prometheus.")
		if sign := a.Sign; sign != nil {
			e.say = append(e.say, sign.Doc)
			e.curve = s.alertCurve(sign, a.Subject)
		}
		entries = append(entries, e)
	}
	return listed("ALERTS", plural(len(entries), "rule")+", evaluated here and now", "no alert rule is known", alertFields, entries,
		order{"the gravest first", func(a, b int) bool { return entries[a].rank[0] < entries[b].rank[0] }}, order{"as they are listed", nil})
}

// alertCurve is the numbers of a rule's sign, where the rule speaks of nobody of
// the subject with the highest one.
func (s *material) alertCurve(sign *diagnose.Sign, on fact.Subject) *curve {
	var best *diagnose.SignState
	for _, st := range s.signs[sign.ID] {
		if st.Unit == "" || len(s.session.Series(sign, st.Subject)) == 0 {
			continue
		}
		if st.Subject == on || best == nil || best.Subject != on && st.Value > best.Value {
			best = st
		}
	}
	if best == nil {
		return nil
	}
	return &curve{title: sign.Title, on: best.Subject, unit: best.Unit, sign: best, points: func() []diagnose.Point { return s.session.Series(sign, best.Subject) }}
}
