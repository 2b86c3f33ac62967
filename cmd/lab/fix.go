package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/playbooks"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/tui/text"
)

// fixed is what came of one fix.
type fixed struct {
	fix     *lab.Fix
	version string   // of Kafka
	first   string   // the first finding
	steps   []string // as the playbook has them, with what a human filled in and did
	byHand  bool     // some of it was
	signs   []string // that Verify calls FIXED
	also    []string // what the console still held against leaving
	seconds float64  // from the first command until Verify and Kafka's own tools agree
	over    string   // what Kafka's own tools said then
	err     error
}

// fixer runs playbooks.
type fixer struct {
	version string
	say     io.Writer
}

// run breaks a cluster of its own, and mends it by the playbook of what ktriage
// finds.
func (x fixer) run(ctx context.Context, f *lab.Fix) (row *fixed) {
	row = &fixed{fix: f}
	c, err := lab.Start(ctx, lab.Options{Shape: f.Fault.Shape, Version: x.version, Say: x.say, Owner: "check"})
	if err != nil {
		row.err = err
		return row
	}
	defer func() { row.err = errors.Join(row.err, c.Stop()) }()
	row.version = c.Version
	if f.Fault.Prepare != nil {
		if err := f.Fault.Prepare(ctx, c); err != nil {
			row.err = fmt.Errorf("prepare %s: %w", f.Fault.Name, err)
			return row
		}
	}
	saw, err := f.Fault.Break(ctx, c)
	if err != nil {
		row.err = err
		return row
	}
	c.Say("%s: %s", f.Fault.Name, saw)
	row.err = x.mend(ctx, c, row)
	return row
}

func (x fixer) mend(ctx context.Context, c *lab.Cluster, row *fixed) error {
	f := row.fix
	w, err := watch(c, f.Fault.Args)
	if err != nil {
		return err
	}
	defer w.close()
	found, v, err := w.find(ctx, f.Book())
	if err != nil {
		return err
	}
	row.first = v.All()[0].Cause.ID
	c.Say("found: %s", found.Says)
	select { // an operator reads first, and meanwhile the slower probes see what they can
	case <-time.After(reads):
	case <-ctx.Done():
		return ctx.Err()
	}
	// What follows from it has shown by then, and must go as well.
	if found, v, err = w.find(ctx, f.Book()); err != nil {
		return err
	}
	tools, err := c.Toolbox()
	if err != nil {
		return err
	}
	defer tools.Close()
	if err := w.mark(ctx, f.Book()); err != nil {
		return err
	}
	began := time.Now()
	if err := x.apply(ctx, c, tools, row, text.Vars(v, found, strings.Join(c.Bootstrap(), ","))); err != nil {
		return err
	}
	most := f.Within
	if most == 0 {
		most = 90 * time.Second
	}
	if row.signs, _, err = w.fixed(ctx, most, found, false); err != nil {
		return fmt.Errorf("not FIXED: %w", err)
	}
	c.Say("FIXED after %.1f s: %s", time.Since(began).Seconds(), strings.Join(row.signs, ", "))
	if row.over, err = c.Over(ctx, f); err != nil {
		return err
	}
	row.seconds = time.Since(began).Seconds()
	// Groups catch up, and logs fall silent; what went must stay away meanwhile.
	if row.signs, row.also, err = w.fixed(ctx, 75*time.Second, found, true); err != nil && ctx.Err() == nil {
		row.signs, row.also, err = w.fixed(ctx, 20*time.Second, found, false)
	}
	if err != nil {
		return fmt.Errorf("no longer FIXED: %w", err)
	}
	for _, also := range row.also {
		c.Say("beside it %s: %s", also, w.texts[also])
	}
	return nil
}

// reads is how long an operator looks at what was found before the fix.
const reads = 7 * time.Second

// apply takes the steps of the playbook as the console shows it.
func (x fixer) apply(ctx context.Context, c *lab.Cluster, tools *lab.Toolbox, row *fixed, vars map[string]string) error {
	book, err := playbooks.For(row.fix.Book())
	if err != nil {
		return err
	}
	shown := book.Fill(vars)
	for _, take := range row.fix.Take {
		i, err := stepOf(book, take.Step)
		if err != nil {
			return err
		}
		if take.By != nil {
			row.byHand = true
			row.steps = append(row.steps, "by hand: "+take.Hand)
			c.Say("by hand: %s", take.Hand)
			if err := take.By(ctx, c, tools); err != nil {
				return fmt.Errorf("%s: %w", take.Hand, err)
			}
		}
		values, err := row.fix.Values(ctx, c, tools, take)
		if err != nil {
			return err
		}
		for j, command := range shown.Steps[i].Commands {
			filled, used, err := lab.FillIn(command, values)
			if err != nil {
				return err
			}
			c.Say("$ %s", filled)
			row.steps = append(row.steps, strings.ReplaceAll(told(book.Steps[i].Commands[j], used), c.Dir, "$DIR"))
			out, err := tools.Run(ctx, filled)
			fmt.Fprint(x.say, out)
			var ended *exec.ExitError
			if err != nil && !(errors.As(err, &ended) && ended.ExitCode() == take.Status) {
				return err
			}
		}
	}
	return nil
}

// stepOf finds a step by how its text begins.
func stepOf(book *playbooks.Playbook, begin string) (int, error) {
	i := slices.IndexFunc(book.Steps, func(s playbooks.Step) bool {
		return strings.HasPrefix(s.Text, begin) && (s.Section == playbooks.Contain || s.Section == playbooks.Fix)
	})
	if i < 0 {
		return 0, fmt.Errorf("playbook %s: no step under Contain or Fix begins with %q", book.ID, begin)
	}
	return i, nil
}

// told is a command as the playbook has it, and what a human filled in.
func told(command string, used map[string]string) string {
	line := "`" + command + "`"
	var by []string
	for _, name := range slices.Sorted(maps.Keys(used)) {
		by = append(by, strings.Trim(name, "<>")+" = "+used[name])
	}
	if len(by) > 0 {
		line += " (" + strings.Join(by, ", ") + ")"
	}
	return line
}

// fixes runs the playbooks of faults, and keeps the table in a file when there
// is one: rows of other faults stay as they are.
func fixes(ctx context.Context, version, out string, names []string) error {
	all, err := lab.FixOf(names...)
	if err != nil {
		return err
	}
	// Playbooks of whoever runs this are not what is tried.
	empty, err := os.MkdirTemp("", "playbooks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(empty)
	if err := os.Setenv("XDG_CONFIG_HOME", empty); err != nil {
		return err
	}
	var failed []error
	for _, f := range all {
		row := fixer{version: version, say: os.Stderr}.run(ctx, f)
		if row.err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", f.Fault.Name, row.err))
		}
		fmt.Println(row.line())
		if out != "" && row.err == nil {
			if err := keep(out, row); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}
