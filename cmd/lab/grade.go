package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/lab"
)

// exam is an exam that may be sat in pieces.
type exam struct {
	state, out, lock, recordings string
	again                        bool
	most                         time.Duration
	binary, commit               string
	grades                       map[string]*lab.Grade
	examiner                     *lab.Examiner
}

func grade(ctx context.Context, args []string) error {
	x := &exam{}
	k := &lab.Checker{Say: os.Stderr}
	flags := flag.NewFlagSet("lab grade", flag.ContinueOnError)
	flags.StringVar(&k.Version, "version", "", "`version` of Kafka")
	flags.StringVar(&x.state, "state", "bin/grades.jsonl", "`file` that keeps what was run: rows of this very ktriage are not run again")
	flags.StringVar(&x.out, "out", "docs/accuracy.md", "`file` to write; \"\": none")
	flags.StringVar(&x.lock, "lock", "", "`file` to hold a lock on while a cluster runs, one row at a time")
	flags.StringVar(&x.recordings, "recordings", "", "`directory` for a redacted recording of each fault")
	flags.BoolVar(&x.again, "again", false, "also run what was run already")
	flags.DurationVar(&x.most, "most", 4*time.Minute, "for one row")
	report := flags.Bool("report", false, "run nothing, only write what was kept")
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
	if !*report {
		ktriage, clean, err := build(ctx)
		if err != nil {
			return err
		}
		defer clean()
		if err := x.identify(ctx, ktriage.Path); err != nil {
			return err
		}
		k.Ktriage = ktriage
		x.prepare(k)
		if err := x.run(ctx, faults); err != nil {
			return err
		}
	}
	return x.write()
}

// prepare tells the examiner what decides, and which probes are whose.
func (x *exam) prepare(k *lab.Checker) {
	var host, kafka []string
	for _, p := range probes.All {
		if strings.HasPrefix(p.Name, "kafka.") {
			kafka = append(kafka, p.Name)
		} else if !strings.HasPrefix(p.Name, "metrics.") {
			host = append(host, p.Name)
		}
	}
	x.examiner = &lab.Examiner{Checker: k, Decisive: decides, Follows: diagnose.All.Follows, Host: strings.Join(host, ","), Kafka: strings.Join(kafka, ",")}
	if x.recordings != "" {
		x.examiner.Record = func(ctx context.Context, c *lab.Cluster, k *lab.Ktriage, f *lab.Fault) error {
			return k.Record(ctx, c, filepath.Join(x.recordings, f.Name+".ktr"), f.Args...)
		}
	}
}

// decides says whether a sign decides a cause.
func decides(cause, sign string) bool {
	for _, c := range diagnose.All.Causes {
		for _, l := range c.Signs {
			if c.ID == cause && l.Sign.ID == sign && l.Decisive {
				return true
			}
		}
	}
	return false
}

// identify notes what is judged: a row of the same binary needs no second run.
func (x *exam) identify(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	x.binary = hex.EncodeToString(sum.Sum(nil))[:12]
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=7", "HEAD").Output()
	if err == nil { // not in a copy without history
		x.commit = strings.TrimSpace(string(out))
	}
	return nil
}

const maxRow = 1 << 20 // bytes of one line of the state

// load reads the rows that were kept; the last of each name counts.
func (x *exam) load() error {
	x.grades = map[string]*lab.Grade{}
	f, err := os.Open(x.state)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxRow)
	n := 1
	for ; lines.Scan(); n++ {
		g := &lab.Grade{}
		err := json.Unmarshal(lines.Bytes(), g)
		if err == nil && g.Name == "" {
			err = errors.New("field name: the name of a fault is expected")
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", x.state, n, err)
		}
		x.grades[g.Name] = g
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", x.state, n, err)
	}
	return nil
}

// graded says whether a row was run with this very ktriage, bit, and was graded by
// the rules of now, so that it needs no second run.
func (x *exam) graded(f *lab.Fault) bool {
	g := x.grades[f.Name]
	return !x.again && g != nil && g.Binary == x.binary && g.Rules == lab.Rules && g.Saw != ""
}

func (x *exam) run(ctx context.Context, faults []*lab.Fault) error {
	for _, f := range faults {
		if x.graded(f) {
			continue
		}
		g, err := x.one(ctx, f)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err() // half a row says nothing
		}
		fmt.Fprintf(os.Stderr, "%s: %s on %s (%s), right %v, wrong %v, %.0f s; %s\n", g.Name, g.First, g.On, g.Band, g.Right, g.Wrong, g.Took, g.Failed)
		if err := x.keep(g); err != nil {
			return err
		}
	}
	return nil
}

// one runs one row, with the lock.
func (x *exam) one(ctx context.Context, f *lab.Fault) (*lab.Grade, error) {
	if x.lock != "" {
		time.Sleep(2 * time.Second) // others wait for it too
		l, err := os.OpenFile(x.lock, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		defer l.Close()
		if err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX); err != nil {
			return nil, fmt.Errorf("lock %s: %w", x.lock, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, x.most)
	defer cancel()
	g := x.examiner.Grade(ctx, f)
	g.Binary, g.Commit = x.binary, x.commit
	return g, nil
}

func (x *exam) keep(g *lab.Grade) error {
	x.grades[g.Name] = g
	if err := os.MkdirAll(filepath.Dir(x.state), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(x.state, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	err = json.NewEncoder(f).Encode(g)
	return errors.Join(err, f.Close())
}

func (x *exam) write() error {
	if x.out == "" {
		return nil
	}
	var all []*lab.Grade
	for _, f := range lab.Faults {
		if g := x.grades[f.Name]; g != nil {
			all = append(all, g)
		}
	}
	f, err := os.Create(x.out)
	if err != nil {
		return err
	}
	err = lab.Accuracy(f, lab.Faults, all)
	wrong := slices.DeleteFunc(all, func(g *lab.Grade) bool { return g.Right && g.Failed == "" })
	fmt.Printf("%s: %d rows do not hold\n", x.out, len(wrong))
	return errors.Join(err, f.Close())
}
