package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Accuracy writes what an exam says, as Markdown: one table of faults, then what
// was mistaken for what, false alarms, what is said with less in sight, and what
// was not run. all is every fault there is; grades may be of a part of them.
func Accuracy(w io.Writer, all []*Fault, grades []*Grade, version string) error {
	a := &accuracy{all: all, grades: map[string]*Grade{}}
	for _, g := range grades {
		a.grades[g.Name] = g
	}
	a.head(version)
	a.faults("Faults", "fault", "mixture")
	a.faults("Planned work and advice", "context")
	a.faults("Healthy controls", "control")
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

// of is the grades of some kinds that were injected, in the order of the faults.
func (a *accuracy) of(kinds ...string) []*Grade {
	var some []*Grade
	for _, f := range a.all {
		if g := a.grades[f.Name]; g != nil && g.Saw != "" && slices.Contains(kinds, g.Kind) {
			some = append(some, g)
		}
	}
	return some
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

func (a *accuracy) head(version string) {
	faults, controls := a.of("fault", "mixture"), a.of("control", "context")
	var less []Without
	for _, g := range faults {
		for _, w := range g.Without {
			if w.What == "decisive" {
				less = append(less, w)
			}
		}
	}
	wrongLess := count(less, func(w Without) bool { return w.Answer == WrongNow })
	a.say("# How often ktriage is right\n\nWritten by `make grade`: each fault is injected into a real Kafka %s of its own, an oracle that is not\nktriage sees that it bit, and then `ktriage check` is asked. What was not run is listed at the end.\n\n", version)
	a.say("| | | |\n|---|---|---|\n")
	a.share("right cause first, and sure", count(faults, func(g *Grade) bool { return g.Right }), len(faults))
	a.share("and on the right subject", count(faults, func(g *Grade) bool { return g.Subject }), len(faults))
	a.share("of faults: sure of a grave cause that is not there", count(faults, func(g *Grade) bool { return len(g.Wrong) > 0 }), len(faults))
	a.share("of controls, planned work and advice: a false alarm", count(controls, func(g *Grade) bool { return len(g.Wrong) > 0 }), len(controls))
	a.share("without the decisive probes: honest", count(less, func(w Without) bool { return w.Answer == CannotTell || w.Answer == StillTold }), len(less))
	a.share("without the decisive probes: sure of what is not there", wrongLess, len(less))
	a.share("faults and controls run, of those there are", len(faults)+len(controls), len(a.all))
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
	a.say("\n## %s\n\n| injected | expected | named first | on | band | seconds | right | subject | at |\n|---|---|---|---|---|---|---|---|---|\n", title)
	for _, g := range some {
		expected := strings.Join(g.Expected, " + ")
		if expected == "" {
			expected = "nothing"
		}
		a.say("| %s | %s | %s | %s | %s | %.1f | %s | %s | %s |\n", g.Name, expected, g.First, cell(g.On), g.Band, g.Seconds, yesNo(g.Right), yesNo(g.Subject), g.Commit)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "**no**"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// confusion lists what was named first for each cause: the cells of the matrix
// that are not empty.
func (a *accuracy) confusion() {
	type pair struct{ expected, named string }
	counts := map[pair]int{}
	for _, g := range a.of("fault", "mixture", "context", "control") {
		expected, named := "nothing", g.First
		if len(g.Expected) > 0 {
			expected = g.Expected[0]
		} else if len(g.Wrong) == 0 {
			named = "nothing" // or advice
		}
		counts[pair{expected, named}]++
	}
	var pairs []pair
	right := 0
	for p, n := range counts {
		if p.expected == p.named {
			right += n
			continue
		}
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y pair) int { return strings.Compare(x.expected+" "+x.named, y.expected+" "+y.named) })
	a.say("\n## Confusion matrix\n\nOn its diagonal, the cause that was there named first: %d. Beside it:\n\n", right)
	if len(pairs) == 0 {
		a.say("nothing.\n")
		return
	}
	a.say("| there | named first | times |\n|---|---|---|\n")
	for _, p := range pairs {
		a.say("| %s | %s | %d |\n", p.expected, p.named, counts[p])
	}
}

func (a *accuracy) without() {
	names := map[string]string{"decisive": "Without the probes that decided", "host": "From another host: no probe of the host", "kafka": "On the host alone: no probe that asks Kafka"}
	for _, what := range []string{"decisive", "host", "kafka"} {
		var lines []string
		for _, g := range a.of("fault", "mixture") {
			for _, w := range g.Without {
				if w.What != what {
					continue
				}
				skip, band := w.Skip, name(w.Band)
				if what != "decisive" {
					skip = "all of them"
				}
				lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %d | %s |\n", g.Name, skip, band, w.Status, w.Answer, w.Named, strings.Join(w.Wrong, " ")))
			}
		}
		if lines != nil {
			a.say("\n## %s\n\n| injected | skipped | band of its cause | status | answer | signs named as not asked | wrong |\n|---|---|---|---|---|---|---|\n%s", names[what], strings.Join(lines, ""))
		}
	}
}

func (a *accuracy) notHeld() {
	var lines []string
	for _, f := range a.all {
		if g := a.grades[f.Name]; g != nil && g.Saw != "" && g.Failed != "" {
			lines = append(lines, fmt.Sprintf("- %s: %s\n", g.Name, shorten(g.Failed, 300)))
		}
	}
	if lines != nil {
		a.say("\n## What does not hold\n\nMore is asked of each than its first cause: consequences under it, the branch, nothing grave beside it.\n\n%s", strings.Join(lines, ""))
	}
}

func (a *accuracy) notRun() {
	var failed, missing []string
	for _, f := range a.all {
		switch g := a.grades[f.Name]; {
		case g == nil:
			missing = append(missing, f.Name)
		case g.Saw == "":
			failed = append(failed, fmt.Sprintf("- %s: %s\n", g.Name, shorten(g.Failed, 300)))
		}
	}
	if failed != nil {
		a.say("\n## Could not be injected\n\n%s", strings.Join(failed, ""))
	}
	if missing != nil {
		a.say("\n## Not run\n\n%s.\n", strings.Join(missing, ", "))
	}
}
