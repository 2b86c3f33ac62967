package lab

import (
	"fmt"
	"slices"
	"strings"
)

// named is what a row says first, for the matrix. What is said of planned work and
// of controls beside an alarm is no mistake, and what is not sure names nothing.
func (g *Grade) named() string {
	quiet := g.Kind == "context" || g.Kind == "control"
	switch {
	case quiet && len(g.Wrong) > 0:
		return g.Wrong[0]
	case quiet && g.Right:
		return g.there()
	case quiet || g.First == "nothing" || g.First == "":
		return "nothing"
	case !sure(g.Band):
		return "cannot tell"
	}
	return g.First
}

// there is what a row was about.
func (g *Grade) there() string {
	if len(g.Expected) == 0 {
		return "nothing"
	}
	return g.Expected[0]
}

// confusion is the whole matrix: a row for each thing that was there, a column for
// each that was named first. Both are numbered, for the names are long.
func (a *accuracy) confusion() {
	seen := map[[2]string]int{}
	var rows, columns []string
	note := func(to []string, name string) []string {
		if slices.Contains(to, name) {
			return to
		}
		return append(to, name)
	}
	right, of := 0, 0
	for _, g := range a.of() {
		there, named := g.there(), g.named()
		rows, columns = note(rows, there), note(columns, named)
		seen[[2]string{there, named}]++
		of++
		if there == named {
			right++
		}
	}
	if of == 0 {
		return
	}
	slices.Sort(rows)
	slices.Sort(columns)
	numbers := map[string]int{}
	for _, name := range rows {
		numbers[name] = len(numbers) + 1
	}
	for _, name := range columns { // what was named and never there comes last
		if numbers[name] == 0 {
			numbers[name] = len(numbers) + 1
		}
	}
	slices.SortFunc(columns, func(x, y string) int { return numbers[x] - numbers[y] })
	a.say("\n## Confusion matrix\n\nA row is what was there, a column what was named first and surely, under the same number. Of %d rows %d lie on the\ndiagonal; what does not stands **bold**.\n\n| | there |", of, right)
	for _, name := range columns {
		a.say(" %d |", numbers[name])
	}
	a.say("\n|---|---|%s\n", strings.Repeat("---|", len(columns)))
	for _, there := range rows {
		a.say("| %d | %s |", numbers[there], there)
		for _, named := range columns {
			a.say(" %s |", times(seen[[2]string{there, named}], there == named))
		}
		a.say("\n")
	}
	var never []string
	for _, name := range columns {
		if !slices.Contains(rows, name) {
			never = append(never, fmt.Sprintf("%d %s", numbers[name], name))
		}
	}
	if never != nil {
		a.say("\nNamed, and nowhere there: %s.\n", strings.Join(never, ", "))
	}
}

// times is a cell of the matrix.
func times(n int, diagonal bool) string {
	switch {
	case n == 0:
		return ""
	case diagonal:
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("**%d**", n)
}

// without is what is said with less in sight, by what was taken away.
func (a *accuracy) without() {
	said := false
	for _, part := range [][2]string{
		{"decisive", "Without the probes that decided"}, {"host", "From another host: no probe of the host"}, {"kafka", "On the host alone: no probe that asks Kafka"},
	} {
		var lines []string
		for _, g := range a.of("fault", "mixture") {
			for _, w := range g.less(part[0]) {
				lines = append(lines, w.line(g.Name))
			}
		}
		if lines == nil {
			continue
		}
		a.say("\n## %s\n\n", part[1])
		if !said {
			said = true
			a.say("Honest is %q, on the same subject and by evidence that is still seen; %q, sure of nothing that is\nnot there, with a sign of this very cause named as not asked and the step that settles it as what to look at next; and\n%q, sure only of what the cause brought about, with cause, sign and step named at that very finding.\nWhat is not: %q, the step leads elsewhere; %q about what was not asked; %q taken for the root;\n%q, sure of what is not there.\n\n", StillTold, CannotTell, MayFollow, NoStep, Silent, Consequence, WrongNow)
		}
		a.say("| injected | skipped | band of its cause | status | answer | signs of it named as not asked | look next at | sure of |\n|---|---|---|---|---|---|---|---|\n%s", strings.Join(lines, ""))
	}
}

// less is the checks of a row that saw less of one kind, where they were graded by
// the rules of now.
func (g *Grade) less(what string) []Without {
	if g.Rules != Rules {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.Without), func(w Without) bool { return w.What != what })
}

func (w Without) line(fault string) string {
	skip, answer := w.Skip, w.Answer
	if w.What != "decisive" {
		skip = "all of them"
	}
	if !w.Honest() {
		answer = "**" + answer + "**"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", fault, strings.ReplaceAll(skip, ",", ", "), name(w.Band), w.Status, answer, some(w.Missing, 3), w.Next, bold(slices.Concat(w.Wrong, w.Follows)))
}

func (a *accuracy) notHeld() {
	var lines []string
	for _, g := range a.of() {
		if g.Failed != "" {
			lines = append(lines, fmt.Sprintf("- %s: %s\n", g.Name, shorten(g.Failed, 300)))
		}
	}
	if lines != nil {
		a.say("\n## What does not hold\n\nMore is asked of each than its first cause: consequences under it, the branch, nothing grave beside it, no more than\n%d checks.\n\n%s", Rounds, strings.Join(lines, ""))
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
