package lab

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Rules is the number of the rules by which rows are graded. It goes up when they
// are made stricter: what was graded by older ones is graded again.
const Rules = 3

// Grade is what came of one fault or control in an exam. It is kept in a file, so
// that an exam can be sat in pieces.
type Grade struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`   // fault, mixture, context or control
	Binary   string    `json:"binary"` // sum of the ktriage that was judged
	Commit   string    `json:"commit"`
	Rules    int       `json:"rules"` // by which it was graded
	At       time.Time `json:"at"`
	Kafka    string    `json:"kafka,omitempty"`   // its version; "": not noted, as in rows of old
	Machine  string    `json:"machine,omitempty"` // what it ran on, as Machine says
	Saw      string    `json:"saw"`               // by the oracle; "": it was not injected
	Expected []string  `json:"expected"`
	First    string    `json:"first"` // cause of the first root, or "nothing"
	On       string    `json:"on"`    // its subject
	Band     string    `json:"band"`
	Status   string    `json:"status"`
	Branch   string    `json:"branch"`
	Seconds  float64   `json:"seconds"` // from the oracle's word to the end of the check that held
	Rounds   int       `json:"rounds"`
	Right    bool      `json:"right"`             // the expected cause first, and sure; of a control: nothing grave and sure
	Subject  bool      `json:"subject"`           // and on the right subject
	Wrong    []string  `json:"wrong,omitempty"`   // grave and sure, and not what is there
	Failed   string    `json:"failed,omitempty"`  // what else does not hold, or why it could not be injected
	Took     float64   `json:"took"`              // seconds, start of the cluster included
	Without  []Without `json:"without,omitempty"` // checks that see less
}

// Kind of a fault in an exam.
func (f *Fault) Kind() string {
	switch {
	case f.Healthy():
		return "control"
	case strings.HasPrefix(f.Name, "mix-"):
		return "mixture"
	case len(f.Expect) == 0:
		return "context"
	}
	return "fault"
}

// Examiner grades faults.
type Examiner struct {
	Checker  *Checker
	Decisive func(cause, sign string) bool  // says whether the sign decides the cause
	Follows  func(cause, other string) bool // says whether the one can bring the other about
	Host     string                         // the probes of the host, separated by commas
	Kafka    string                         // those that ask Kafka
	// Record, where it is set, is told of the cluster while the fault lasts.
	Record func(context.Context, *Cluster, *Ktriage, *Fault) error
}

// Grade runs one fault.
func (e *Examiner) Grade(ctx context.Context, f *Fault) *Grade {
	g := newGrade(f)
	g.At, g.Machine = time.Now().UTC(), Machine()
	k := *e.Checker
	k.Blunt, k.Heal = true, false
	k.Also = func(ctx context.Context, c *Cluster, as *Ktriage, row *Row) error {
		g.Kafka = c.Version
		g.judge(c, f, row.Evidence)
		var err error
		if e.Record != nil {
			err = e.Record(ctx, c, as, f)
		}
		return errors.Join(err, e.without(ctx, c, as, f, row, g))
	}
	alone := *f
	alone.Blind = nil // what is taken away here is what the verdict rests on
	row := k.Run(ctx, &alone)
	g.Saw, g.Seconds, g.Rounds, g.Took = row.Saw, row.Seconds, row.Rounds, row.Took.Seconds()
	if row.Err != nil {
		g.Failed = strings.ReplaceAll(row.Err.Error(), "\n", "; ")
	}
	return g
}

// newGrade is the grade of a fault of which nothing is known yet.
func newGrade(f *Fault) *Grade {
	g := &Grade{Name: f.Name, Kind: f.Kind(), Rules: Rules}
	for _, x := range f.Expect {
		g.Expected = append(g.Expected, x.Cause)
	}
	g.Expected = append(g.Expected, f.Context...)
	return g
}

// judge notes whether a report is right about a fault.
func (g *Grade) judge(c *Cluster, f *Fault, r *Report) {
	if r == nil {
		return
	}
	g.Status, g.Branch, g.First, g.Wrong = r.Verdict.Status, r.Verdict.Branch, "nothing", f.wrong(r)
	roots := r.roots()
	if len(roots) > 0 {
		g.First, g.On, g.Band = roots[0].Cause, c.unexpand(roots[0].subject()), roots[0].Band
	}
	if len(f.Expect) == 0 {
		g.Right = len(g.Wrong) == 0 && !slices.ContainsFunc(f.Context, func(id string) bool { return !r.mentions(id) })
		g.Subject = g.Right
		return
	}
	want := f.Expect[0]
	g.Right = len(roots) > 0 && roots[0].Cause == want.Cause && roots[0].sure()
	g.Subject = g.Right && (want.Subject == "" || roots[0].subject() == c.expand(want.Subject))
}

// wrong is the roots that are grave and sure, and are not there.
func (f *Fault) wrong(r *Report) []string {
	var all []string
	for _, got := range r.roots() {
		there := f.expects(got.Cause) || f.inContext(got.Cause) || slices.Contains(f.Consequences, got.Cause) || slices.Contains(f.Holds, got.Cause)
		if got.grave() && got.sure() && !there && !slices.Contains(all, got.Cause) {
			all = append(all, got.Cause)
		}
	}
	return all
}
