package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// How a moment before the first batch looks.

// asOfAfter is by how much a log may end before a moment until that is told: a
// quorum that works writes twice a second.
const asOfAfter = 10 * time.Second

// countsOf is how the cluster stood, in numbers.
func countsOf(c *fact.PastCluster) string {
	return standingText(c.Live, c.Fenced, c.Leaderless, c.Behind)
}

func standingText(live, fenced, leaderless, behind int) string {
	return fmt.Sprintf("%s live, %d fenced; %d without leader, %d under-replicated", plural(live, "broker"), fenced, leaderless, behind)
}

// countsThen is how the cluster stood at a moment, as facts of later have it; ""
// where they do not.
func countsThen(f diagnose.Facts, at time.Time) string {
	told := f.Past(fact.Standing.Def(), fact.TheCluster)
	if len(told) == 0 {
		return ""
	}
	all, _ := told[len(told)-1].Value.(fact.StandingTimes)
	i := all.Then(at)
	if i < 0 {
		return ""
	}
	return standingText(int(all.Live[i]), int(all.Fenced[i]), int(all.Leaderless[i]), int(all.Behind[i]))
}

// stamp is a time, with its day where that is not the day of the newest batch.
func (m Model) stamp(at time.Time) string {
	if at.UTC().Format(time.DateOnly) != m.live.verdict.At.UTC().Format(time.DateOnly) {
		return at.UTC().Format(time.DateTime)
	}
	return clock(at)
}

// thenText says which moment is shown, and who tells of it.
func (m Model) thenText() string {
	who := "from the recording"
	switch c := m.past.cluster; {
	case c != nil && c.Copy.Node >= 0:
		who = fmt.Sprintf("from the metadata log of node %d", c.Copy.Node)
	case c != nil:
		who = "from the metadata log of this host"
	}
	return "then: " + m.stamp(m.past.at) + ", " + who
}

// thenHeadline is what stands there instead of today's verdict.
func (m Model) thenHeadline() string {
	if m.past.late() > 0 {
		asOf := "as of " + m.stamp(m.past.cluster.Copy.Last)
		if m.past.cluster.Copy.Damage != "" {
			asOf += ", log damaged"
		}
		return asOf + ": " + m.past.counts
	}
	return m.past.counts
}

// late is by how much the log ends before the moment; 0: it does not.
func (p *bygone) late() time.Duration {
	if p.cluster == nil {
		return 0
	}
	if by := p.at.Sub(p.cluster.Copy.Last); by >= asOfAfter || p.cluster.Copy.Damage != "" {
		return max(by, time.Millisecond)
	}
	return 0
}

// thenNotes is what to know of what is told of the moment, a paragraph each.
func (m Model) thenNotes() []string {
	p := m.past
	if p.cluster == nil {
		return []string{"No sample of this moment is at hand. What is recorded of it is how many brokers and partitions stood how, and what changed (H); which they were is not known. On a node, ktriage history --at tells."}
	}
	var notes []string
	switch c := p.cluster.Copy; {
	case c.Damage != "":
		notes = append(notes, "The log is damaged, and what came later is not known: "+c.Damage+".")
	case p.late() > 0 && p.cluster.Next.IsZero():
		notes = append(notes, "The log ends there: this node was cut off since, or no controller led.")
	case p.late() > 0:
		notes = append(notes, "Nothing was written until "+m.stamp(p.cluster.Next)+": no controller led.")
	}
	if n := p.cluster.Copy.Passed; n > 0 {
		notes = append(notes, plural(int(n), "record")+" could not be read: of a newer Kafka, or not decoded.")
	}
	return notes
}

// noteRows is these notes.
func (m Model) noteRows(w int) (rows []row) {
	for _, note := range m.thenNotes() {
		rows = append(rows, paragraph(yellow, note, w)...)
	}
	return rows
}

// brokersThen is the brokers as the metadata log has them: who answered then,
// nobody knows.
func (m Model) brokersThen(w int) []row {
	c := m.past.cluster
	if c == nil {
		return append([]row{in(bold, "BROKERS"), nil}, m.noteRows(w)...)
	}
	about := []string{plural(len(c.Topics), "topic"), plural(len(c.Partition)+c.Left, "partition")}
	if c.Controller >= 0 {
		about = slices.Insert(about, 0, fmt.Sprintf("controller %d, epoch %d", c.Controller, c.Epoch))
	}
	rows := append([]row{split(in(bold, "BROKERS"), say(strings.Join(about, ", ")), w), nil}, m.noteRows(w)...)
	if len(c.Brokers) == 0 {
		return append(rows, say("no broker had registered"))
	}
	for i := range c.Brokers {
		b := &c.Brokers[i]
		mark, word := brokerThen(m.glyphs, b)
		left := row{m.glyphs.marked(mark), {pad(fmt.Sprint(b.ID), 5), bold}, {pad(middle(clean(fmt.Sprintf("%s:%d", b.Host, b.Port)), 24), 25), plain}}
		if b.Rack != "" {
			left = append(left, span{"rack " + middle(clean(b.Rack), 12) + "  ", dim})
		}
		rows = append(rows, split(append(left, span{word, mark.style}), row{{"  since " + m.stamp(b.Since), dim}}, w))
	}
	return append(append(rows, nil), paragraph(dim, "Whether they answered, their hosts, JVMs, logs and groups are not known of then: no metadata log holds that.", w)...)
}

// brokerThen is how a broker stood, in words.
func brokerThen(g glyphs, b *fact.LastBroker) (mark span, word string) {
	switch {
	case b.Fenced && b.Starting:
		return span{g.looking, yellow}, "starting"
	case b.Fenced && b.Planned:
		return span{g.neutral, yellow}, "fenced, planned shutdown"
	case b.Fenced:
		return span{g.found, red}, "fenced, not planned"
	case b.Leaving:
		return span{g.neutral, yellow}, "shutting down"
	}
	return span{g.no, green}, "serving"
}

// settingsThen is the settings that were made while the cluster ran.
func (s *material) settingsThen() sheet {
	c := s.past.cluster
	if c == nil {
		return listed("CONFIG", "", "", configFields, []entry{s.nobody("settings", fact.Configs)})
	}
	var entries []entry
	for _, set := range c.Settings {
		of := strings.TrimSpace(set.Scope + " " + middle(clean(set.Name), 40))
		if set.Name == "" {
			of = "all brokers"
		}
		e := s.setting(of, set.Key, fact.Setting{Value: set.Value, Source: "metadata log"})
		e.key = set.Scope + " " + set.Name + " " + set.Key
		entries = append(entries, e)
	}
	entries = append(entries, s.nobody("brokers", fact.BrokerConfigs))
	about := plural(len(c.Settings)+c.SettingsLeft, "setting") + " made while the cluster ran"
	if c.SettingsLeft > 0 {
		about += fmt.Sprintf(", %d of them not told", c.SettingsLeft)
	}
	return listed("CONFIG", about, "", configFields, entries,
		order{"by whose it is", nil},
		order{"by name", func(a, b int) bool { return entries[a].cells[1] < entries[b].cells[1] }})
}
