package tui

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var segmentFields = []field{{head: "partition"}, {head: "damage", wide: 24}, {head: "offsets", wide: 16}, {head: "severity", wide: 9}, {head: "what follows", wide: 60, words: true, least: 120}}

// follows is what a kind of damage leads to, as long as nobody mends it.
var follows = map[string]string{
	"crc-mismatch":             "consumers fail there, a follower refuses it and leaves the ISR, the cleaner gives the partition up",
	"bad-batch-header":         "no reader gets past it: consumers and followers stop there",
	"bad-record":               "consumers fail there; followers copy it as it is, for its checksum is right",
	"offset-order":             "readers get offsets twice, or none for some",
	"torn-tail":                "an unclean start cuts it off; until then readers stop there",
	"missing-file":             "those offsets are gone from this copy",
	"index-corrupt":            "fetches that look there begin at a wrong place; the messages are whole",
	"index-out-of-range":       "fetches that look there fail; the messages are whole",
	"timeindex-corrupt":        "search and retention by time go astray; all zero in a closed segment: the next pass of retention deletes it",
	"txnindex-corrupt":         "consumers that read committed records only may get aborted ones, or fail",
	"snapshot-corrupt":         "the broker makes it anew at its next start, and reads the log for it",
	"epoch-checkpoint-invalid": "after the next change of leader a follower may cut its log off at a wrong place",
	"checkpoint-invalid":       "the log dir goes offline, or starts slowly, when its broker reads it next",
	"stray-file":               "no broker starts with it there, or it takes up space for nothing",
}

// segmentsSheet is what was verified of the log dirs here, how far the verification
// of all is, and what is damaged.
func segmentsSheet(s *material) sheet {
	var entries []entry
	damages := 0
	for _, dir := range fact.SegmentsVerified.Subjects(s.facts) {
		if dir.Name == fact.Any {
			continue
		}
		entries = append(entries, s.dirScanned(dir))
		damage, _ := fact.SegmentsDamage.Latest(s.facts, dir)
		for _, d := range damage {
			entries = append(entries, s.damageEntry(dir, d))
		}
		damages += len(damage)
	}
	if len(entries) == 0 {
		entries = append(entries, s.nobodyKnows("segments", fact.SegmentsVerified))
	}
	about := plural(damages, "damage")
	if run, ok := s.resting(); ok {
		about += "; verifying all: " + restText(run) + ", x stops it"
	} else {
		about += "; S verifies all segments here"
	}
	return listed("SEGMENTS", about, "", segmentFields, entries,
		order{"by log dir", nil},
		order{"by partition", func(a, b int) bool { return entries[a].cells[0] < entries[b].cells[0] }},
		order{"by kind", func(a, b int) bool { return entries[a].cells[1] < entries[b].cells[1] }})
}

// dirScanned is a log dir: how much of it was verified.
func (s *material) dirScanned(dir fact.Subject) entry {
	e := entry{key: dir.Name, mark: s.markOf(s.signOn("segment-damaged", dir)), cells: []string{dir.Name, "", "", "", ""}}
	if st := s.signOn("checkpoint-damaged", dir); st != nil && st.Outcome == diagnose.Yes {
		e.mark = s.markOf(st)
	}
	v, ok := fact.SegmentsVerified.Latest(s.facts, dir)
	if !ok {
		why := s.facts.Why(fact.SegmentsVerified.Def(), dir)
		e.mark, e.unknown = span{s.glyphs.unknown, yellow}, because(why)
		if why.How != "" {
			e.say = append(e.say, "to see it: "+why.How)
		}
		return e
	}
	e.cells[1] = share(v.Bytes, v.AllBytes) + " verified"
	e.cells[2] = number(float64(v.AllBytes), fact.Bytes)
	e.cells[4] = fmt.Sprintf("%d of %s", v.Segments, plural(v.AllSegments, "segment"))
	text := fmt.Sprintf("%s: %d of %s verified, %s of %s, and the small files of %s", dir.Name, v.Segments, plural(v.AllSegments, "segment"), number(float64(v.Bytes), fact.Bytes), number(float64(v.AllBytes), fact.Bytes), plural(v.Partitions, "partition"))
	if v.Healing > 0 {
		text += fmt.Sprintf("; %s that the broker mends by itself", plural(v.Healing, "damage"))
	}
	if v.Unreadable > 0 {
		e.mark = span{s.glyphs.unknown, yellow}
		text += fmt.Sprintf("; %s could not be read: run as the broker's user, or root", plural(v.Unreadable, "file"))
	}
	e.say = append(e.say, text+".")
	if r, ok := fact.SegmentsRest.Latest(s.facts, dir); ok {
		e.say = append(e.say, "all of it: "+restText(r)+".")
		if r.State == fact.RestRuns {
			e.cells[1] = share(r.Bytes, r.AllBytes) + " …"
			e.cells[4] = "verifying all: " + restText(r)
			e.cells[2] = number(r.Rate, fact.Bytes) + "/s"
		}
	}
	for _, id := range []string{"damage-ahead-of-readers", "damage-without-copy"} {
		if st := s.signOn(id, dir); st != nil && st.Text != "" && st.Outcome != diagnose.NotApplicable {
			e.say = append(e.say, st.Sign.Title+", "+string(st.Outcome)+": "+st.Text+".")
		}
	}
	return e
}

// damageEntry is one damage.
func (s *material) damageEntry(dir fact.Subject, d fact.DamagedFile) entry {
	e := entry{key: dir.Name + d.File + d.Kind + fmt.Sprint(d.Position), found: true, mark: span{s.glyphs.found, red}}
	name := d.Partition
	if name == "" {
		name = path.Base(d.File)
	}
	offsets := ""
	switch {
	case d.BaseOffset >= 0 && d.LastOffset > d.BaseOffset:
		offsets = fmt.Sprintf("%d to %d", d.BaseOffset, d.LastOffset)
	case d.BaseOffset >= 0:
		offsets = fmt.Sprint(d.BaseOffset)
	}
	e.cells = []string{name, d.Kind, offsets, d.Severity, follows[d.Kind]}
	where := d.File
	if d.Position >= 0 {
		where += fmt.Sprintf(" at byte %d", d.Position)
	}
	e.say = append(e.say, d.Kind+" in "+where+": "+d.Text+".")
	for _, id := range []string{"damage-ahead-of-readers", "damage-without-copy"} {
		if st := s.signOn(id, dir); st != nil && d.Partition != "" && strings.Contains(st.Text, d.Partition) {
			e.say = append(e.say, st.Text+".")
		}
	}
	if f := follows[d.Kind]; f != "" {
		e.say = append(e.say, "It does not heal by itself: "+f+".")
	}
	return e
}

// resting is the verification of all segments while it runs: of the log dir that it
// is at.
func (s *material) resting() (fact.RestOfScan, bool) {
	for _, dir := range fact.SegmentsRest.Subjects(s.facts) {
		if r, ok := fact.SegmentsRest.Latest(s.facts, dir); ok && r.State == fact.RestRuns {
			return r, true
		}
	}
	return fact.RestOfScan{}, false
}

// restText is how far it is, in words.
func restText(r fact.RestOfScan) string {
	switch r.State {
	case fact.RestWaits:
		return "waits for the log dir before it"
	case fact.RestDone:
		return "verified by " + clock(r.Ended)
	case fact.RestStopped:
		return fmt.Sprintf("stopped at %s, after %s; S goes on", clock(r.Ended), share(r.Bytes, r.AllBytes))
	case fact.RestFailed:
		return "failed: " + r.Error
	}
	text := fmt.Sprintf("%s of %s, %s/s", share(r.Bytes, r.AllBytes), number(float64(r.AllBytes), fact.Bytes), number(r.Rate, fact.Bytes))
	if left := leftText(r.Left); left != "" {
		text += ", " + left
	}
	if r.Paused {
		text += ", paused: the host waits for I/O"
	}
	return text
}

func leftText(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return age(time.Duration(seconds*float64(time.Second))) + " left"
}

// share is a part of something in whole percent: 100 % only where it is all.
func share(part, all int64) string {
	switch {
	case all <= 0 || part >= all:
		return "100 %"
	case part <= 0:
		return "0 %"
	}
	return fmt.Sprintf("%.0f %%", min(99, max(1, float64(part)/float64(all)*100)))
}

// scanAll starts the verification of all segments of this host, or stops it.
func (m Model) scanAll(start bool) Model {
	switch {
	case m.opt.Scan == nil:
		m.message = "there is nothing to verify: this is a recording"
	case start:
		m.opt.Scan(true)
		m.message = "verifying all segments of this host, at 200 MB/s at most; x stops it"
	default:
		m.opt.Scan(false)
		m.message = "verification of all segments stopped"
	}
	return m
}

// leaveSegments is what esc does there: it stops what runs first.
func (m Model) leaveSegments() (tea.Model, tea.Cmd) {
	if _, runs := m.material(m.view).resting(); runs && m.opt.Scan != nil && m.at == following {
		return m.scanAll(false), nil
	}
	return m.leave(), nil
}

// boxNote is what stands beside a box instead of its count: of the segments how
// much is verified.
func (m Model) boxNote(b diagnose.BoxState) string {
	if b.Box.ID != "message-integrity" {
		return boxCount(b)
	}
	s := m.material(m.view)
	if r, ok := s.resting(); ok {
		return " " + share(r.Bytes, r.AllBytes)
	}
	var bytes int64
	for _, dir := range fact.SegmentsVerified.Subjects(s.facts) {
		if v, ok := fact.SegmentsVerified.Latest(s.facts, dir); ok {
			bytes += v.Bytes
		}
	}
	if count := boxCount(b); count != "" || bytes == 0 || !slices.Contains([]diagnose.State{diagnose.Done, diagnose.Looking}, b.State) {
		return count
	}
	return " " + number(float64(bytes), fact.Bytes)
}
