package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/record"
)

// caseDir holds the cases that the tests of cmd/ktriage grade.
const caseDir = "cmd/ktriage/testdata/exam"

// cases keeps the recordings of rows that were right as cases, and says of the
// others why not.
func cases(ctx context.Context, args []string) error {
	x := &exam{}
	flags := flag.NewFlagSet("lab cases", flag.ContinueOnError)
	flags.StringVar(&x.state, "state", "bin/grades.jsonl", "`file` that keeps what was run")
	flags.StringVar(&x.recordings, "recordings", "bin/recordings", "`directory` of the recordings of grade")
	out := flags.String("out", caseDir, "`directory` to keep the cases in")
	most := flags.Int64("most", 60_000, "`bytes` of one recording")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	faults, err := lab.FaultOf(flags.Args()...)
	if err != nil {
		return err
	}
	if err := x.load(); err != nil {
		return err
	}
	ktriage, clean, err := build(ctx)
	if err != nil {
		return err
	}
	defer clean()
	kept, err := keptCases(*out)
	if err != nil {
		return err
	}
	for _, f := range faults {
		g := x.grades[f.Name]
		from := filepath.Join(x.recordings, f.Name+".ktr")
		if info, err := os.Stat(from); g == nil || err != nil || info.Size() > *most {
			continue
		}
		k, err := caseOf(ctx, ktriage, g, from)
		if err != nil {
			fmt.Printf("%s is no case: %s\n", f.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
			continue
		}
		if err := pack(ctx, filepath.Join(*out, f.Name+".ktr"), from); err != nil {
			return err
		}
		kept[f.Name] = k
	}
	return writeCases(*out, kept)
}

// caseOf is a row as a case, and an error why it is none.
func caseOf(ctx context.Context, ktriage *lab.Ktriage, g *lab.Grade, file string) (*lab.Case, error) {
	if told, err := lab.Tells(ctx, file); err != nil || told != "" {
		return nil, fmt.Errorf("the recording tells %q: %w", told, cmp.Or(err, errors.New("it is not redacted")))
	}
	mask, err := lab.Masks(ctx, file)
	if err != nil {
		return nil, err
	}
	sighted, err := ktriage.Replay(ctx, file)
	if err != nil {
		return nil, err
	}
	k, err := lab.NewCase(g, sighted, mask)
	if err != nil {
		return nil, err
	}
	if k.Without = k.Decided(sighted, decides); k.Without == "" {
		return k, nil
	}
	dir, err := os.MkdirTemp("", "less")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	less := filepath.Join(dir, "less.ktr")
	if err := blindfold(ctx, less, file, strings.Split(k.Without, ",")); err != nil {
		return nil, err
	}
	blind, err := ktriage.Replay(ctx, less)
	if err != nil {
		return nil, err
	}
	w, err := k.Less(sighted, blind, diagnose.All.Follows)
	if err != nil {
		return nil, err
	}
	k.Answer = w.Answer
	return k, nil
}

// blindfold writes a recording anew without what some probes saw.
func blindfold(ctx context.Context, to, from string, skip []string) error {
	r, err := record.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := record.Create(to, r.Header(), record.Limits{})
	if err != nil {
		return err
	}
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err == nil {
			err = w.Write(probes.Unseen(b, probes.All, skip))
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
}

// keptCases is the cases in a directory, by name.
func keptCases(dir string) (map[string]*lab.Case, error) {
	kept := map[string]*lab.Case{}
	f, err := os.Open(filepath.Join(dir, "cases.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return kept, os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := lab.ReadCases(f.Name(), f)
	for _, k := range all {
		kept[k.Name] = k
	}
	return kept, err
}

func writeCases(dir string, kept map[string]*lab.Case) error {
	var all []*lab.Case
	for _, k := range kept {
		all = append(all, k)
	}
	f, err := os.Create(filepath.Join(dir, "cases.jsonl"))
	if err != nil {
		return err
	}
	err = lab.WriteCases(f, all)
	fmt.Printf("%s: %d cases\n", dir, len(all))
	return errors.Join(err, f.Close())
}

// pack copies a recording, smaller.
func pack(ctx context.Context, to, from string) error {
	r, err := record.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(record.Pack(ctx, f, r), f.Close())
}
