package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Accuracy writes what an exam says, as Markdown: what was run and on what, one
// table of faults, how long they took, what was mistaken for what, false alarms,
// what is said with less in sight, and what was not run. all is every fault there
// is; grades may be of a part of them. All of it comes from the grades.
func Accuracy(w io.Writer, all []*Fault, grades []*Grade) error {
	a := &accuracy{all: all, grades: map[string]*Grade{}}
	for _, g := range grades {
		a.grades[g.Name] = g
	}
	a.head()
	a.shares()
	a.faults("Faults", "fault", "mixture")
	a.faults("Planned work and advice", "context")
	a.faults("Healthy controls", "control")
	a.seconds()
	a.confusion()
	a.without()
	a.notHeld()
	a.notRun()
	_, err := io.WriteString(w, a.b.String())
	return err
}

type accuracy struct {
	all    []*Fault
	grades map[string]*Grade
	b      strings.Builder
}

func (a *accuracy) say(format string, args ...any) { fmt.Fprintf(&a.b, format, args...) }

// of is the grades of some kinds that were injected, in the order of the faults;
// no kinds are all of them.
func (a *accuracy) of(kinds ...string) []*Grade {
	var some []*Grade
	for _, f := range a.all {
		if g := a.grades[f.Name]; g != nil && g.Saw != "" && (len(kinds) == 0 || slices.Contains(kinds, g.Kind)) {
			some = append(some, g)
		}
	}
	return some
}

// head says what ran, on what and when.
func (a *accuracy) head() {
	a.say("# How often ktriage is right\n\nWritten by `make grade`. Each fault is injected into a real Kafka of its own, an oracle that is not\nktriage sees that it bit, and then `ktriage check` is asked.\n\n")
	run := a.of()
	var from, to time.Time
	for _, g := range run {
		if from.IsZero() || g.At.Before(from) {
			from = g.At
		}
		if g.At.After(to) {
			to = g.At
		}
	}
	when := "–"
	if len(run) > 0 {
		when = from.UTC().Format("2006-01-02 15:04") + " to " + to.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	a.say("| | |\n|---|---|\n")
	a.say("| rows | %d of %d; faults: %d, mixtures: %d, planned work and advice: %d, healthy controls: %d |\n", len(run), len(a.all),
		len(a.of("fault")), len(a.of("mixture")), len(a.of("context")), len(a.of("control")))
	a.say("| Kafka | %s |\n", tally(run, func(g *Grade) string { return g.Kafka }))
	a.say("| ktriage, as commit and sum of the binary | %s |\n", tally(run, func(g *Grade) string { return strings.TrimSpace(g.Commit + " " + g.Binary) }))
	a.say("| machine | %s |\n", tally(run, func(g *Grade) string { return g.Machine }))
	a.say("| run | %s |\n", when)
	if old := count(run, func(g *Grade) bool { return g.Rules != Rules }); old > 0 {
		a.say("| graded by older rules | rows: %d; what they say with less in sight is left out |\n", old)
	}
	if len(run) > 0 && slices.ContainsFunc(run, func(g *Grade) bool { return g.Binary != run[0].Binary }) {
		a.say("\nThese are the newest rows of several builds: what one row showed wrong was mended, and the row run again. It\nsays how right ktriage is about faults that it has met, not about those that it has not.\n")
	}
}

// tally is what some rows have, the most frequent first, and where they differ how
// many have it.
func tally(rows []*Grade, of func(*Grade) string) string {
	times := map[string]int{}
	var all []string
	for _, g := range rows {
		text := of(g)
		if text == "" {
			text = "not noted"
		}
		if times[text]++; times[text] == 1 {
			all = append(all, text)
		}
	}
	slices.SortStableFunc(all, func(x, y string) int { return times[y] - times[x] })
	switch len(all) {
	case 0:
		return "–"
	case 1:
		return cell(all[0])
	}
	for i, text := range all {
		all[i] = fmt.Sprintf("%s (rows: %d)", cell(text), times[text])
	}
	return strings.Join(all, ", ")
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

// shares is the numbers that the exam is sat for.
func (a *accuracy) shares() {
	faults, controls := a.of("fault", "mixture"), a.of("control", "context")
	var less []Without
	for _, g := range faults {
		less = append(less, g.less("decisive")...)
	}
	answer := func(is string) func(Without) bool { return func(w Without) bool { return w.Answer == is } }
	a.say("\n| | | |\n|---|---|---|\n")
	a.share("right cause first, and sure", count(faults, func(g *Grade) bool { return g.Right }), len(faults))
	a.share("and on the right subject", count(faults, func(g *Grade) bool { return g.Subject }), len(faults))
	a.share("of faults: sure of a grave cause that is not there", count(faults, func(g *Grade) bool { return len(g.Wrong) > 0 }), len(faults))
	a.share("of controls, planned work and advice: a false alarm", count(controls, func(g *Grade) bool { return len(g.Wrong) > 0 }), len(controls))
	a.share("without the decisive probes: honest", count(less, Without.Honest), len(less))
	a.share("of these sure only of what follows, and saying what may be behind it", count(less, answer(MayFollow)), len(less))
	a.share("without the decisive probes: its consequence taken for the root", count(less, answer(Consequence)), len(less))
	a.share("without the decisive probes: sure of what is not there", count(less, answer(WrongNow)), len(less))
}

func (a *accuracy) share(what string, n, of int) {
	if of == 0 {
		a.say("| %s | – | not run |\n", what)
		return
	}
	a.say("| %s | %d of %d | %.0f %% |\n", what, n, of, 100*float64(n)/float64(of))
}

func (a *accuracy) faults(title string, kinds ...string) {
	some := a.of(kinds...)
	if len(some) == 0 {
		return
	}
	a.say("\n## %s\n\n| injected | expected | named first | on | band | seconds | right | subject | grave, sure and not there |\n|---|---|---|---|---|---|---|---|---|\n", title)
	for _, g := range some {
		expected := strings.Join(g.Expected, " + ")
		if expected == "" {
			expected = "nothing"
		}
		a.say("| %s | %s | %s | %s | %s | %.1f | %s | %s | %s |\n", g.Name, expected, g.First, cell(g.On), g.Band, g.Seconds, yesNo(g.Right), yesNo(g.Subject), bold(g.Wrong))
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "**no**"
}

// bold is words that stand out; none are nothing.
func bold(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "**" + strings.Join(words, " ") + "**"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// seconds is how long the right answers took, from the oracle's word, apart by how
// long one check looks: signs that must hold for some time cannot be told sooner.
func (a *accuracy) seconds() {
	took := map[string][]*Grade{}
	var paces []string
	for _, f := range a.all {
		g := a.grades[f.Name]
		if g == nil || g.Saw == "" || !g.Right || g.Kind != "fault" && g.Kind != "mixture" {
			continue
		}
		pace := f.pace()
		if took[pace] == nil {
			paces = append(paces, pace)
		}
		took[pace] = append(took[pace], g)
	}
	if len(paces) == 0 {
		return
	}
	slices.Sort(paces)
	a.say("\n## Seconds to the right cause\n\nFrom the oracle's word to the end of the check that named it.\n\n| one check | rows | in its first check | fastest | median | slowest |\n|---|---|---|---|---|---|\n")
	for _, pace := range paces {
		rows := took[pace]
		slices.SortFunc(rows, func(x, y *Grade) int { return int(1e6 * (x.Seconds - y.Seconds)) })
		last := rows[len(rows)-1]
		a.say("| %s | %d | %d | %.1f | %.1f | %.1f (%s) |\n", pace, len(rows), count(rows, func(g *Grade) bool { return g.Rounds == 1 }), rows[0].Seconds, rows[len(rows)/2].Seconds, last.Seconds, last.Name)
	}
}

// pace is how long one check of a fault looks, as its arguments say.
func (f *Fault) pace() string {
	var said []string
	for i, arg := range f.Args {
		if (arg == "--samples" || arg == "--every") && i+1 < len(f.Args) {
			said = append(said, arg+" "+f.Args[i+1])
		}
	}
	if said == nil {
		return "by default"
	}
	return "`" + strings.Join(said, " ") + "`"
}
