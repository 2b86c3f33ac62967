package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/lab"
)

// running is the one cluster that an up keeps.
func running() (lab.State, error) {
	states, err := lab.Clusters()
	if err != nil {
		return lab.State{}, err
	}
	for _, s := range states {
		if s.Command == "up" {
			return s, nil
		}
	}
	return lab.State{}, errors.New("no cluster runs: go run ./cmd/lab up")
}

func breakIt(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("one fault is expected; list names them")
	}
	return tell(ctx, "break "+args[0])
}

func heal(ctx context.Context, args []string) error {
	if len(args) != 0 {
		return fmt.Errorf("unexpected argument %q: heal undoes every fault", args[0])
	}
	return tell(ctx, "heal")
}

func tell(ctx context.Context, command string) error {
	s, err := running()
	if err != nil {
		return err
	}
	return lab.Command(ctx, s, os.Stdout, command)
}

func check(ctx context.Context, args []string) error {
	k := lab.Checker{Say: os.Stderr}
	flags := flag.NewFlagSet("lab check", flag.ContinueOnError)
	flags.StringVar(&k.Version, "version", "", "`version` of Kafka")
	flags.BoolVar(&k.Heal, "heal", false, "also heal each fault, and wait until the cluster is whole")
	fix := flags.Bool("fix", false, "heal each fault by the playbook of what is found, until Verify says FIXED")
	out := flags.String("out", "", "with --fix, keep the table in `file`")
	oracles := flags.Bool("oracles", false, "do without ktriage: only see that every fault bites (and heals)")
	verbose := flags.Bool("v", false, "print every verdict")
	changes := flags.String("changes", "", "print what the probes see change in a fault, as facts does, to FAULT.txt in `directory`")
	more := flags.String("args", "", "`arguments` for every ktriage check, separated by blanks")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if *fix {
		return fixes(ctx, k.Version, *out, flags.Args())
	}
	faults, err := lab.FaultOf(flags.Args()...)
	if err != nil {
		return err
	}
	if !*oracles {
		ktriage, clean, err := build(ctx)
		if err != nil {
			return err
		}
		defer clean()
		ktriage.Args, k.Ktriage = strings.Fields(*more), ktriage
	}
	if *changes != "" {
		k.Changes = func(f *lab.Fault) (io.WriteCloser, error) { return os.Create(filepath.Join(*changes, f.Name+".txt")) }
	}
	began := time.Now()
	var rows []*lab.Row
	for _, f := range faults {
		row := k.Run(ctx, f)
		rows = append(rows, row)
		fmt.Fprintf(os.Stderr, "%s took %.1f s\n", f.Name, row.Took.Seconds())
		if *verbose && row.Evidence != nil {
			fmt.Fprintf(os.Stderr, "%s: %+v\n", f.Name, *row.Evidence)
		}
		if row.Err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", f.Name, row.Err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	err = lab.Table(os.Stdout, rows)
	fmt.Printf("%d faults and controls in %.0f s\n", len(rows), time.Since(began).Seconds())
	return err
}

func facts(ctx context.Context, args []string) error {
	k := lab.Checker{Say: os.Stderr}
	flags := flag.NewFlagSet("lab facts", flag.ContinueOnError)
	flags.BoolVar(&k.Brief, "brief", false, "only the facts that a fault must show, as Markdown")
	flags.StringVar(&k.Version, "version", "", "`version` of Kafka")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if flags.NArg() == 0 {
		return errors.New("a fault is expected; list names them")
	}
	faults, err := lab.FaultOf(flags.Args()...)
	if err != nil {
		return err
	}
	ktriage, clean, err := build(ctx)
	if err != nil {
		return err
	}
	defer clean()
	k.Ktriage = ktriage
	for _, f := range faults {
		if err := k.Facts(ctx, f, os.Stdout); err != nil {
			return err
		}
	}
	return nil
}

func build(ctx context.Context) (*lab.Ktriage, func(), error) {
	dir, err := os.MkdirTemp("", "ktriage")
	if err != nil {
		return nil, nil, err
	}
	clean := func() { os.RemoveAll(dir) }
	k, err := lab.BuildKtriage(ctx, dir)
	if err != nil {
		clean()
	}
	return k, clean, err
}

func demo(ctx context.Context, args []string) error {
	s := &lab.Story{}
	o := lab.Options{Say: os.Stderr}
	flags := flag.NewFlagSet("lab demo", flag.ContinueOnError)
	flags.StringVar(&o.Version, "version", lab.DefaultVersion, "`version` of Kafka")
	flags.StringVar(&o.Dir, "dir", "", "`directory` of the cluster; its name stands in the recording")
	flags.DurationVar(&s.Before, "before", 30*time.Second, "healthy work before the fault")
	flags.DurationVar(&s.Broken, "broken", 45*time.Second, "time from the oracle's word to healing")
	flags.DurationVar(&s.After, "after", 40*time.Second, "time from healed to the end")
	more := flags.String("args", "", "`arguments` for ktriage record, separated by blanks")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if flags.NArg() != 2 {
		return errors.New("a fault and a file are expected")
	}
	faults, err := lab.FaultOf(flags.Arg(0))
	if err != nil {
		return err
	}
	ktriage, clean, err := build(ctx)
	if err != nil {
		return err
	}
	defer clean()
	ktriage.Args = strings.Fields(*more)
	s.Fault, s.File, s.Ktriage = faults[0], flags.Arg(1), ktriage
	return s.Tell(ctx, o)
}

func doctor(context.Context, []string) error {
	missing := lab.Need()
	for _, m := range missing {
		fmt.Println(m)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d things are missing for tests against a real Kafka", len(missing))
	}
	fmt.Println("all there for tests against a real Kafka")
	return nil
}
