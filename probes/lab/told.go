package lab

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Told is one reading of a fact that a fault is known by, before and in the fault.
// What a counter counts is given for a second.
type Told struct {
	Key, Subject, Reading string
	Healthy, Broken       string // "-": not observed
}

// Tell is the readings of the facts that a fault must show.
func Tell(c *Cluster, healthy, broken *Seen, wanted []Sight) []Told {
	var all []Told
	for _, want := range wanted {
		want.Subject, want.Want = c.expand(want.Subject), c.expand(want.Want)
		conditions := strings.Split(want.Want, "; ")
		rows := broken.rows(want)
		var shown [][2]string
		for at, readings := range rows {
			if holds(conditions, at[1], readings) == nil {
				shown = append(shown, at)
			}
		}
		slices.SortFunc(shown, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
		for _, at := range shown[:min(1, len(shown))] { // one row of those alike
			for _, condition := range conditions {
				name, _, err := test(condition, at[1], rows[at])
				if err != nil || name == "row" {
					continue
				}
				p := place{want.Key, at[0], at[1], name}
				all = append(all, Told{c.unexpand(want.Key), c.unexpand(at[0]), strings.TrimSpace(c.unexpand(at[1] + " " + name)), c.unexpand(healthy.level(p)), c.unexpand(broken.level(p))})
			}
		}
	}
	return all
}

// level is a reading at the end of a look: the last text, or the rate of a counter.
func (s *Seen) level(p place) string {
	texts, times := s.texts[p], s.times[p]
	if len(texts) == 0 {
		if because := s.texts[place{p.Key, p.Subject, "", "unknown"}]; len(because) > 0 {
			return "unknown: " + because[len(because)-1]
		}
		return "-"
	}
	last := texts[len(texts)-1]
	if !s.counters[p.Key] {
		return last
	}
	from, err1 := strconv.ParseFloat(texts[0], 64)
	to, err2 := strconv.ParseFloat(last, 64)
	seconds := times[len(times)-1].Sub(times[0]).Seconds()
	if err1 != nil || err2 != nil || seconds <= 0 {
		return last + " in all"
	}
	unit := "/s"
	if def := fact.Lookup(p.Key); def != nil && def.Unit == fact.Seconds {
		unit = " s/s"
	}
	return fmt.Sprintf("%.3g%s", (to-from)/seconds, unit)
}

// PrintTold prints them as a table of Markdown.
func PrintTold(w io.Writer, f *Fault, saw string, all []Told) error {
	fmt.Fprintf(w, "### %s\n\n%s. Its oracle: `%s`\n\n", f.Name, f.Doc, shorten(strings.ReplaceAll(saw, "`", "'"), 160))
	t := tabwriter.NewWriter(w, 0, 8, 1, ' ', 0)
	fmt.Fprintln(t, "| fact\t| of\t| reading\t| healthy\t| in the fault |")
	fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|--- |")
	for _, one := range all {
		fmt.Fprintf(t, "| `%s`\t| %s\t| %s\t| %s\t| %s |\n", one.Key, one.Subject, one.Reading, shorten(one.Healthy, 60), shorten(one.Broken, 60))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
