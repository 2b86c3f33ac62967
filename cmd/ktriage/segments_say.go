package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/segments"
	"github.com/ktriage/ktriage/tui/text"
)

// scannedJSON writes a report as docs/segments.schema.json has it.
func scannedJSON(w io.Writer, r *segments.Report) error {
	out := struct {
		Schema   string            `json:"schema"`
		Tool     map[string]string `json:"tool"`
		Complete bool              `json:"complete"`
		Summary  segments.Summary  `json:"summary"`
		Damage   []segments.Damage `json:"damage"`
		More     int               `json:"more_damage"`
		Topics   []topicJSON       `json:"topics"`
	}{"ktriage.segments/v1", map[string]string{"version": version()}, r.Done, r.Summary, r.Damage, r.More, topicsJSON(segments.Columns(r.Topics))}
	if out.Damage == nil {
		out.Damage = []segments.Damage{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// topicJSON is what the batches of a topic look like, and what is there twice.
type topicJSON struct {
	Topic        string         `json:"topic"`
	Batches      int64          `json:"batches"`
	Records      int64          `json:"records"`
	Bytes        int64          `json:"bytes"`
	Sizes        [4]int64       `json:"sizes"`
	Magic        [3]int64       `json:"magic"`
	Codecs       map[string]int `json:"codecs"`
	Unproduced   int64          `json:"unproduced"`
	Repeated     int64          `json:"repeated"`
	Example      string         `json:"example,omitempty"`
	Unpacked     int64          `json:"unpacked"`
	Alike        int64          `json:"alike"`
	AlikeExample string         `json:"alike_example,omitempty"`
}

func topicsJSON(c fact.TopicBatches) []topicJSON {
	all := []topicJSON{}
	for i, topic := range c.Topic {
		all = append(all, topicJSON{topic, c.Batches[i], c.Records[i], c.Bytes[i], c.Sizes[i], c.Magic[i], c.Codecs[i], c.Unproduced[i], c.Repeated[i], c.Example[i], c.Unpacked[i], c.Alike[i], c.AlikeExample[i]})
	}
	return all
}

// scannedText writes a report for a ticket: damage first, untidiness last.
func scannedText(w io.Writer, r *segments.Report, paths []string) error {
	var b strings.Builder
	s := r.Summary
	fmt.Fprintf(&b, "%s: %s, %s, %s, %d batches in %.1f s", headline(r), some(s.Partitions, "partition"), some(s.Files, "segment"), sizeText(s.Bytes), s.Batches, s.DurationSeconds)
	if s.Skipped > 0 {
		fmt.Fprintf(&b, ", %s passed over", some(s.Skipped, "segment"))
	}
	b.WriteString("\n" + text.Wrap("in ", "   ", strings.Join(paths, ", ")))
	if s.NotUnpacked > 0 {
		fmt.Fprintf(&b, "%d batches unpack to more than is granted to any: their checksums are right, their records were not looked at\n", s.NotUnpacked)
	}
	for _, part := range []struct {
		title string
		holds func(*segments.Damage) bool
	}{
		{"Damage", func(d *segments.Damage) bool { return grave(d) && !d.SelfHealing }},
		{"The broker mends by itself", func(d *segments.Damage) bool { return grave(d) && d.SelfHealing }},
		{"Untidy", func(d *segments.Damage) bool { return d.Severity == segments.Info && d.Kind != segments.Unreadable }},
		{"Not seen", func(d *segments.Damage) bool { return d.Kind == segments.Unreadable }},
	} {
		first := true
		for i := range r.Damage {
			if d := &r.Damage[i]; part.holds(d) {
				if first {
					fmt.Fprintf(&b, "\n%s\n", part.title)
				}
				first = false
				b.WriteString(damageText(d))
			}
		}
	}
	b.WriteString(twiceText(segments.Columns(r.Topics)))
	if r.More > 0 {
		fmt.Fprintf(&b, "\nand %d more\n", r.More)
	}
	if r.Found() {
		b.WriteString("\nWhat it means, and what to do: ktriage explain segment-corruption\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// twiceText is what no producer id protected from being written twice, and was.
func twiceText(c fact.TopicBatches) string {
	var b strings.Builder
	for i, topic := range c.Topic {
		if c.Repeated[i] > 0 {
			b.WriteString(text.Wrap("  ", "    ", fmt.Sprintf("%s: %s in batches that stand twice byte for byte, as %s", topic, some(int(c.Repeated[i]), "record"), c.Example[i])))
		}
		if c.Alike[i] > 0 {
			b.WriteString(text.Wrap("  ", "    ", fmt.Sprintf("%s: %s of %d with the key and payload of records shortly before, as %s", topic, some(int(c.Alike[i]), "record"), c.Unpacked[i], c.AlikeExample[i])))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nWritten twice, without a producer id (no damage: ktriage explain producer-retries)\n" + b.String()
}

// some is "1 segment", "2 segments".
func some(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func grave(d *segments.Damage) bool {
	return d.Severity != segments.Info && d.Kind != segments.Unreadable
}

// headline is the answer in two words.
func headline(r *segments.Report) string {
	switch {
	case r.Found():
		return "damage found"
	case !r.Done:
		return "interrupted, nothing found so far"
	case r.Incomplete():
		return "incomplete, nothing found in what could be read"
	}
	return "clean"
}

// damageText is a damage in a few lines of at most 80 columns.
func damageText(d *segments.Damage) string {
	var b strings.Builder
	where := filepath.Base(d.File)
	if d.Partition != "" {
		where = d.Partition + "  " + where
	}
	if d.Position >= 0 {
		where += fmt.Sprintf(" at %d", d.Position)
	}
	b.WriteString(text.Wrap(fmt.Sprintf("%-8s %s  ", d.Severity, d.Kind), "         ", where))
	said := d.Text
	switch {
	case d.BaseOffset >= 0 && d.LastOffset > d.BaseOffset:
		said += fmt.Sprintf(" [offsets %d to %d]", d.BaseOffset, d.LastOffset)
	case d.BaseOffset >= 0:
		said += fmt.Sprintf(" [offset %d]", d.BaseOffset)
	}
	b.WriteString(text.Wrap("         ", "         ", said))
	if d.Severity != segments.Info {
		b.WriteString(text.Wrap("         ", "         ", d.File))
	}
	return b.String()
}
