package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var timelineFields = []field{{head: "UTC", wide: 8}, {head: "of", wide: 14}, {head: "what", words: true}, {head: "n", wide: 5, right: true, least: 70}, {head: "told by", wide: 16, least: 110}}

// timelineSheet is what happened, the newest first: changes of the cluster, also
// those of the hours before anyone looked, as the metadata log on this host tells
// them, and of groups, as their coordinators' logs do; when signs of trouble began
// and ended; what the operator said.
func timelineSheet(s *material) sheet {
	var entries []entry
	list, known := diagnose.Happened(s.facts)
	for i := range list.All {
		entries = append(entries, s.changeEntry(&list.All[i], "metadata log"))
	}
	groups, _ := fact.GroupsChanged.Latest(s.facts, fact.TheCluster)
	for i := range groups.All {
		entries = append(entries, s.changeEntry(&groups.All[i], "group log"))
	}
	for i := range s.verdict.Signs {
		if st := &s.verdict.Signs[i]; st.Sign.Trouble {
			entries = append(entries, s.onsetEntries(st)...)
		}
	}
	for i, mark := range s.session.Marks() {
		what := string(mark.Kind)
		if mark.Text != "" {
			what += ": " + mark.Text
		}
		entries = append(entries, happening(fmt.Sprint("mark", i), mark.At, "operator", what, span{s.glyphs.cursor, cyan}, what))
	}
	about := plural(len(list.All)+len(groups.All), "change") + " since " + clock(list.From)
	if !known {
		about = "no metadata log is seen here"
		if why := s.facts.Why(fact.Changed.Def(), fact.TheCluster); why != nil && len(entries) == 0 {
			entries = append(entries, s.nobodyKnows("changes", fact.Changed))
		}
	}
	return listed("TIMELINE", about, "nothing began, ended or changed while this was watched", timelineFields, entries,
		order{"the latest first", func(a, b int) bool { return entries[a].rank[0] > entries[b].rank[0] }},
		order{"in order", func(a, b int) bool { return entries[a].rank[0] < entries[b].rank[0] }})
}

// happening is a line at a time.
func happening(key string, at time.Time, of, what string, mark span, say ...string) entry {
	return entry{at: at, key: key + at.UTC().Format(time.RFC3339Nano), mark: mark, name: 1, cells: []string{clock(at), of, what, "", ""}, rank: []float64{float64(at.UnixMilli())},
		say: append([]string{at.UTC().Format("2006-01-02 15:04:05.000 UTC")}, say...)}
}

// changeEntry is a change of the cluster; of several that are told as one the line
// by itself lists them.
func (s *material) changeEntry(c *fact.Change, source string) entry {
	of := strings.TrimSpace(c.Scope + " " + c.Name)
	mark := span{s.glyphs.neutral, dim}
	switch c.Kind {
	case "unclean-election", "log-dir-offline":
		mark = span{s.glyphs.found, red}
	case "broker-fenced", "isr-shrunk", "offset-rewound", "offsets-expired", "offsets-deleted":
		mark = span{s.glyphs.found, yellow}
	}
	e := happening(c.Kind+of+c.Text, c.At, of, c.Text, mark, c.Text)
	e.at = ended(c)
	if then := s.standing(e.at); then != "" {
		e.say = append(e.say, then)
	}
	e.found = mark.text == s.glyphs.found
	e.cells[4] = source
	if c.Count > 1 {
		e.cells[3] = fmt.Sprint(c.Count)
	}
	if c.Before != "" || c.After != "" {
		e.say = append(e.say, "before: "+orNothing(c.Before)+"; after: "+orNothing(c.After))
	}
	e.say = append(e.say, c.Parts...)
	if n := c.Count - len(c.Parts); n > 0 && len(c.Parts) > 0 {
		e.say = append(e.say, fmt.Sprintf("and %d more: ktriage history --each", n))
	}
	return e
}

// standing is how the cluster stood at a moment, as the metadata log on this host
// tells: what was before the first batch too. It is "" where that does not tell.
func (s *material) standing(at time.Time) string {
	if counts := countsThen(s.facts, at); counts != "" {
		return "then: " + counts
	}
	return ""
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// onsetEntries is when a sign began to be yes, and when it ceased.
func (s *material) onsetEntries(st *diagnose.SignState) []entry {
	var all []entry
	began := false
	key := st.Sign.ID + st.Subject.String()
	for _, one := range s.session.Onsets(st.Sign, st.Subject) {
		switch {
		case one.Outcome == diagnose.Yes && !began:
			began = true
			at := one.Held
			if !one.Since.IsZero() && one.Since.Before(at) {
				at = one.Since
			}
			e := happening(key, at, one.Subject.String(), "began: "+one.Sign.Title, span{s.glyphs.found, red}, "began: "+one.Sign.Title, one.Text)
			e.found, e.cells[4] = true, one.Source
			all = append(all, e)
		case began && (one.Outcome == diagnose.No || one.Outcome == diagnose.NotApplicable):
			began = false
			e := happening(key+"end", one.Held, one.Subject.String(), "ended: "+one.Sign.Title, span{s.glyphs.neutral, green}, "ended: "+one.Sign.Title, one.Text)
			e.cells[4] = one.Source
			all = append(all, e)
		}
	}
	return all
}
