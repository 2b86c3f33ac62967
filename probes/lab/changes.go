package lab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Change is a reading that a fault changed.
type Change struct {
	Key, Subject    string
	Row, Name       string // both "": all of the value; no name: all of a row
	Healthy, Broken string // "-": not observed
}

// Changes is what differs between two looks: what moves in both, counters, times
// and numbers that stayed within a tenth are left out. A value or a row that
// only one of them has is one change.
func Changes(healthy, broken *Seen) []Change {
	places := append(slices.Clone(healthy.places), broken.places...)
	slices.SortFunc(places, place.compare)
	var all []Change
	for _, p := range slices.Compact(places) {
		// A process without a node id is none of the cluster's.
		if healthy.counters[p.Key] || broken.counters[p.Key] || strings.Contains(p.Subject, " pid ") {
			continue
		}
		if def := fact.Lookup(p.Key); def != nil && def.HostSide() && (healthy.tell(p) == "moves" || broken.tell(p) == "moves") {
			continue // a level of a process or a heap, never at rest
		}
		ch := Change{Key: p.Key, Subject: p.Subject}
		// From the whole to the part: the first that one side lacks is what changed.
		for _, part := range []place{{Key: p.Key, Subject: p.Subject}, {Key: p.Key, Subject: p.Subject, Row: p.Row}, p} {
			ch.Row, ch.Name = part.Row, part.Name
			ch.Healthy, ch.Broken = healthy.tell(part), broken.tell(part)
			if ch.Healthy != ch.Broken && (part == p || lacking(ch.Healthy) || lacking(ch.Broken)) {
				break
			}
		}
		if ch.Name != "" && !comparable(healthy.texts[p], broken.texts[p]) {
			continue
		}
		if ch.Healthy == ch.Broken || alike(ch.Healthy, ch.Broken) || isTime(ch.Healthy) || isTime(ch.Broken) {
			continue
		}
		if len(all) == 0 || all[len(all)-1] != ch {
			all = append(all, ch)
		}
	}
	byReading(all)
	return all
}

// comparable says whether two series can be told apart: of one reading alone
// nobody knows whether it moves.
func comparable(a, b []string) bool {
	return (len(a) != 1 || steady(b)) && (len(b) != 1 || steady(a))
}

func lacking(text string) bool { return text == "-" || strings.HasPrefix(text, "unknown ") }

// tell is the last text of a reading, or that it moves. A place without a name
// is a row, one without a row as well all of the value.
func (s *Seen) tell(p place) string {
	if p.Name != "" {
		texts := s.texts[p]
		switch {
		case len(texts) == 0:
			return "-"
		case !steady(texts):
			return "moves"
		}
		return texts[len(texts)-1]
	}
	var parts []string
	from, _ := slices.BinarySearchFunc(s.places, p, place.compare)
	for _, q := range s.places[from:] {
		if q.Key != p.Key || q.Subject != p.Subject || p.Row != "" && q.Row != p.Row {
			break
		}
		text := s.tell(q)
		switch {
		case q.Name == "unknown":
			return "unknown " + text
		case q.Name == "value":
			parts = append(parts, text)
		default:
			parts = append(parts, strings.TrimSpace(q.Row+" "+q.Name)+"="+text)
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, " ")
}

func (p place) compare(q place) int {
	return cmp.Or(strings.Compare(p.Key, q.Key), strings.Compare(p.Subject, q.Subject), strings.Compare(p.Row, q.Row), strings.Compare(p.Name, q.Name))
}

// alike says whether two numbers, neither of them small, are within a tenth of each other.
func alike(a, b string) bool {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 != nil || err2 != nil || min(x, y) < 10 {
		return false
	}
	return max(x, y) < 1.1*min(x, y)
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil
}

// byReading brings together what changed in many rows.
func byReading(all []Change) {
	slices.SortStableFunc(all, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Name, b.Name))
	})
}

// PrintChanges prints a table; of readings that changed alike in many rows only
// the first few.
func PrintChanges(w io.Writer, c *Cluster, all []Change) error {
	t := tabwriter.NewWriter(w, 0, 8, 1, ' ', 0)
	fmt.Fprintln(t, "key\t| subject\t| reading\t| healthy\t| in the fault")
	const most = 4
	same, last := 0, Change{}
	more := func() {
		if same > most {
			fmt.Fprintf(t, "%s\t| %s\t| and %d more\t|\t|\n", last.Key, shorten(c.unexpand(last.Subject), 30), same-most)
		}
	}
	for _, ch := range all {
		if last == (Change{}) || ch.Key != last.Key || ch.Subject != last.Subject || ch.Name != last.Name {
			more()
			same = 0
		}
		last = ch
		if same++; same <= most {
			fmt.Fprintf(t, "%s\t| %s\t| %s\t| %s\t| %s\n", ch.Key, shorten(c.unexpand(ch.Subject), 30), shorten(strings.TrimSpace(ch.Row+" "+ch.Name), 40), shorten(c.unexpand(ch.Healthy), 50), shorten(c.unexpand(ch.Broken), 90))
		}
	}
	more()
	return t.Flush()
}

// unexpand writes directories as expand takes them.
func (c *Cluster) unexpand(text string) string {
	for _, n := range c.Brokers() {
		text = strings.ReplaceAll(text, n.LogDir, fmt.Sprintf("$LOGDIR%d", n.ID))
	}
	if c.Dir == "" { // nobody started it
		return text
	}
	return strings.ReplaceAll(text, c.Dir, "$DIR")
}
