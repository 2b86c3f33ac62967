package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Rounds is how many checks ktriage has to name a fault in, counted from the
// moment when Kafka itself knows.
const Rounds = 2

// Checker puts faults before ktriage, each on a cluster of its own.
type Checker struct {
	Ktriage *Ktriage // nil: nobody is judged, only the oracles asked
	Version string   // of Kafka; "": DefaultVersion
	Heal    bool     // also heal each fault, and wait until the cluster is whole
	Say     io.Writer
	Blunt   bool // only verdicts are asked for: no look for the facts of a fault
	// Also is done while a fault lasts, after ktriage was judged by it. nil: nothing.
	Also func(context.Context, *Cluster, *Ktriage, *Row) error

	Brief bool // Facts prints the facts that a fault must show, and no other
	// Changes is where to print what the probes saw change, as Facts does; it costs
	// a look before each fault. nil: not wanted.
	Changes func(*Fault) (io.WriteCloser, error)
}

// Row is what came of one fault.
type Row struct {
	Fault    *Fault
	Saw      string  // by the oracle
	Branch   string  // of the verdict that was judged last
	First    string  // root of that verdict
	Band     string  // of that root
	Seconds  float64 // from the oracle's word to the end of the check that held
	Rounds   int     // checks that it took
	Blind    []string
	Facts    int           // that were seen
	Took     time.Duration // all of it, start of the cluster included
	Err      error         // nil: all as expected
	Evidence *Report       // the verdict that was judged last
}

// Run runs one fault.
func (k *Checker) Run(ctx context.Context, f *Fault) *Row {
	row := &Row{Fault: f}
	began := time.Now()
	row.Err = k.run(ctx, f, row)
	row.Took = time.Since(began)
	return row
}

func (k *Checker) run(ctx context.Context, f *Fault, row *Row) (err error) {
	c, err := Start(ctx, Options{Shape: f.Shape, Version: k.Version, Say: k.Say, Owner: "check"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if f.Prepare != nil {
		if err := f.Prepare(ctx, c); err != nil {
			return fmt.Errorf("prepare %s: %w", f.Name, err)
		}
	}
	var healthy *Seen
	if k.Ktriage != nil && k.Changes != nil {
		if healthy, err = k.Ktriage.Look(ctx, c, f.Args...); err != nil {
			return err
		}
	}
	if row.Saw, err = f.Break(ctx, c); err != nil {
		return err
	}
	c.Say("%s: %s", f.Name, row.Saw)
	if k.Ktriage != nil {
		err = errors.Join(k.name(ctx, c, f, row), k.blind(ctx, c, f, row))
		if !k.Blunt {
			err = errors.Join(err, k.see(ctx, c, f, row, healthy))
		}
		if k.Also != nil {
			err = errors.Join(err, k.Also(ctx, c, k.through(f), row))
		}
	}
	if k.Heal && f.Heal != nil {
		if heal := f.Heal(ctx, c); heal != nil {
			err = errors.Join(err, fmt.Errorf("heal %s: %w", f.Name, heal))
		}
	}
	return err
}

// through is ktriage as a fault wants it run.
func (k *Checker) through(f *Fault) *Ktriage {
	as := *k.Ktriage
	as.Through = f.Through
	return &as
}

// name asks ktriage until the verdict is right or the deadline has passed.
func (k *Checker) name(ctx context.Context, c *Cluster, f *Fault, row *Row) error {
	bitten := time.Now()
	for {
		r, err := k.through(f).Check(ctx, c, f.Args...)
		if err != nil {
			return err
		}
		row.Rounds++
		row.note(r)
		err = f.Judge(c, r)
		row.Seconds = time.Since(bitten).Seconds()
		switch {
		case err == nil && row.Rounds > Rounds:
			return fmt.Errorf("it took %d checks, %d are allowed", row.Rounds, Rounds)
		case err == nil:
			return nil
		case f.Healthy() || time.Since(bitten) > or(f.Deadline, 30*time.Second) || ctx.Err() != nil:
			return err
		}
	}
}

func (k *Checker) blind(ctx context.Context, c *Cluster, f *Fault, row *Row) error {
	if row.Evidence == nil || !row.Evidence.sureOf(f) {
		return nil // nothing to lose
	}
	var errs []error
	for _, b := range f.Blind {
		r, err := k.through(f).Check(ctx, c, append([]string{"--skip", b.Skip}, f.Args...)...)
		if err == nil {
			var said string
			said, err = b.judge(row.Evidence, r)
			row.Blind = append(row.Blind, said)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (r *Report) sureOf(f *Fault) bool {
	for _, e := range f.Expect {
		if b := r.band(e.Cause); b != "confirmed" && b != "likely" {
			return false
		}
	}
	return len(f.Expect) > 0
}

func (row *Row) note(r *Report) {
	row.Evidence, row.Branch, row.First, row.Band = r, r.Verdict.Branch, "nothing", ""
	if roots := r.roots(); len(roots) > 0 {
		row.First, row.Band = roots[0].Cause+" "+roots[0].subject(), roots[0].Band
	}
	if row.First == "nothing" {
		row.Band = r.Verdict.Status
	}
}

// Expected is what a fault wants first, for the table.
func (f *Fault) Expected() string {
	var all []string
	for _, e := range f.Expect {
		all = append(all, e.Cause)
	}
	all = append(all, f.Context...)
	if len(all) == 0 {
		if f.unnamed() {
			return "its facts"
		}
		return "nothing"
	}
	return strings.Join(all, "+")
}

// Table prints rows as a table, and below it what is wrong.
func Table(w io.Writer, rows []*Row) error {
	t := tabwriter.NewWriter(w, 0, 8, 1, ' ', 0)
	fmt.Fprintln(t, "fault\t| oracle saw\t| branch\t| first cause\t| band\t| expected\t| seconds\t| facts\t| ok")
	failed := 0
	for _, r := range rows {
		ok := "ok"
		if r.Err != nil {
			ok = "NO"
			failed++
		}
		fmt.Fprintf(t, "%s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %.1f\t| %d/%d\t| %s\n",
			r.Fault.Name, shorten(r.Saw, 48), r.Branch, shorten(r.First, 40), r.Band, r.Fault.Expected(), r.Seconds, r.Facts, len(r.Fault.Facts), ok)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		for _, said := range r.Blind {
			fmt.Fprintf(w, "%s %s\n", r.Fault.Name, said)
		}
	}
	for _, r := range rows {
		if r.Err != nil {
			fmt.Fprintf(w, "%s: %s\n", r.Fault.Name, strings.ReplaceAll(r.Err.Error(), "\n", "; "))
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d do not hold", failed, len(rows))
	}
	return nil
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
