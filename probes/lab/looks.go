package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Facts looks at a cluster before a fault and during it, and prints what the
// probes saw change.
func (k *Checker) Facts(ctx context.Context, f *Fault, w io.Writer) (err error) {
	c, err := Start(ctx, Options{Shape: f.Shape, Version: k.Version, Say: k.Say, Owner: "facts"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if f.Prepare != nil {
		if err := f.Prepare(ctx, c); err != nil {
			return fmt.Errorf("prepare %s: %w", f.Name, err)
		}
	}
	healthy, err := k.Ktriage.Look(ctx, c, f.Args...)
	if err != nil {
		return err
	}
	saw, err := f.Break(ctx, c)
	if err != nil {
		return err
	}
	broken, err := k.Ktriage.Look(ctx, c, f.Args...)
	if err != nil {
		return err
	}
	if k.Brief {
		err = PrintTold(w, f, c.unexpand(saw), Tell(c, healthy, broken, f.Facts))
	} else {
		err = printSeen(w, c, f, saw, healthy, broken)
	}
	if err != nil {
		return err
	}
	_, missing := broken.all(c, f.Facts)
	return missing
}

// see looks for the facts of a fault, once more when some are not there yet, and
// prints what changed since the cluster was healthy where that was seen.
func (k *Checker) see(ctx context.Context, c *Cluster, f *Fault, row *Row, healthy *Seen) error {
	if len(f.Facts) == 0 && healthy == nil {
		return nil
	}
	var seen *Seen
	var missing error
	for range Rounds {
		var err error
		if seen, err = k.Ktriage.Look(ctx, c, f.Args...); err != nil {
			return err
		}
		if row.Facts, missing = seen.all(c, f.Facts); missing == nil {
			break
		}
	}
	if healthy == nil {
		return missing
	}
	w, err := k.Changes(f)
	if err != nil {
		return errors.Join(missing, err)
	}
	return errors.Join(missing, printSeen(w, c, f, row.Saw, healthy, seen), w.Close())
}

// printSeen prints a fault as its oracle saw it, and what the probes saw change.
func printSeen(w io.Writer, c *Cluster, f *Fault, saw string, healthy, broken *Seen) error {
	fmt.Fprintf(w, "%s: %s\n", f.Name, saw)
	err := PrintChanges(w, c, Changes(healthy, broken))
	n, missing := broken.all(c, f.Facts)
	fmt.Fprintf(w, "%d of %d facts that are expected were seen\n", n, len(f.Facts))
	if missing != nil {
		fmt.Fprintln(w, missing)
	}
	return err
}

// all counts the sights that were seen, and says which were not.
func (s *Seen) all(c *Cluster, wanted []Sight) (n int, err error) {
	var missing []error
	for _, want := range wanted {
		want.Subject, want.Want = c.expand(want.Subject), c.expand(want.Want)
		if err := s.Check(want); err != nil {
			missing = append(missing, err)
		}
	}
	return len(wanted) - len(missing), errors.Join(missing...)
}
