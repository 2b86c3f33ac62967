package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const fixHead = `# Playbooks, run for real

Each of these faults was injected into a real Kafka of three brokers. ktriage found it;
the steps of its playbook, filled in as the console shows them, were run as they stand;
and then the table of Verify said FIXED for every sign that was trouble of the finding and
what follows from it, the finding was gone, and Kafka's own tools said that the fault is over. Every 15 s ktriage
was told to look at everything at once, as p does in the console.

    go run ./cmd/lab check --fix --out docs/fixes.md [FAULT...]

writes the rows, each when its fix has succeeded. Commands are Kafka's own scripts;
units of systemctl are the brokers of the lab. In parentheses stands what an operator
filled in, "by hand" what a step leaves to a human. Seconds are from the first command
until all of that held, on two cores with the lab's short timeouts. "beside it" stands
what the console still held against leaving then, or up to 75 s later.

| fault | playbook | steps | seconds | FIXED | then | Kafka, day |
|---|---|---|---|---|---|---|
`

// line is the row of the table.
func (r *fixed) line() string {
	seconds, signs, over := fmt.Sprintf("%.0f", r.seconds), strings.Join(r.signs, ", "), r.over
	if len(r.also) > 0 {
		over += "; beside it " + strings.Join(r.also, ", ")
	}
	if r.err != nil {
		seconds, over = "-", "NO: "+r.err.Error()
	}
	cells := []string{
		r.fix.Fault.Name, "`" + r.fix.Book() + "`", strings.Join(r.steps, "<br>"), seconds, signs, over,
		r.version + ", " + time.Now().UTC().Format(time.DateOnly),
	}
	for i, c := range cells {
		c = strings.ReplaceAll(c, "\\\n", "")
		cells[i] = strings.NewReplacer("|", "\\|", "\n", " ").Replace(c)
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// keep puts a row into the table of a file, in the place of the fault's former
// one. A file that is not there is begun.
func keep(file string, row *fixed) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(file, []byte(merge(string(text), row.line())), 0o644)
}

// merge is the text of the table's file with a row in it. Rows are sorted by
// their faults' names.
func merge(file, row string) string {
	name := func(line string) string {
		_, rest, _ := strings.Cut(line, "| ")
		name, _, _ := strings.Cut(rest, " |")
		return name
	}
	rows := []string{row}
	for line := range strings.Lines(file) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "| ") && name(line) != "fault" && name(line) != name(row) {
			rows = append(rows, line)
		}
	}
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return fixHead + strings.Join(rows, "\n") + "\n"
}
