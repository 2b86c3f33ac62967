package lab

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Grade is what came of one fault or control in an exam. It is kept in a file, so
// that an exam can be sat in pieces.
type Grade struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`   // fault, mixture, context or control
	Binary   string    `json:"binary"` // sum of the ktriage that was judged
	Commit   string    `json:"commit"`
	At       time.Time `json:"at"`
	Saw      string    `json:"saw"` // by the oracle; "": it was not injected
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

// Without is a check that sees less, of a fault that was named.
type Without struct {
	What     string   `json:"what"` // "decisive", "host", "kafka"
	Skip     string   `json:"skip"`
	Cause    string   `json:"cause"`
	Band     string   `json:"band"` // of that cause now; "": not named
	Status   string   `json:"status"`
	Answer   string   `json:"answer"`             // still told, cannot tell, silent, wrong
	Named    int      `json:"named"`              // signs named as not asked
	Expected bool     `json:"expected,omitempty"` // the decisive probes were taken away, so that it may not be confirmed by them
	Wrong    []string `json:"wrong,omitempty"`
}

// Answers of a check that sees less.
const (
	StillTold  = "still told"  // by other evidence, and rightly
	CannotTell = "cannot tell" // not sure, says so, and names what was not asked
	Silent     = "silent"      // not sure, and does not say what it misses
	WrongNow   = "wrong"       // sure of what is not there
)

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
	Decisive func(cause, sign string) bool // says whether the sign decides the cause
	Host     string                        // the probes of the host, separated by commas
	Kafka    string                        // those that ask Kafka
	// Record, where it is set, is told of the cluster while the fault lasts.
	Record func(context.Context, *Cluster, *Ktriage, *Fault) error
}

// Grade runs one fault.
func (e *Examiner) Grade(ctx context.Context, f *Fault) *Grade {
	g := &Grade{Name: f.Name, Kind: f.Kind(), At: time.Now().UTC()}
	for _, x := range f.Expect {
		g.Expected = append(g.Expected, x.Cause)
	}
	g.Expected = append(g.Expected, f.Context...)
	k := *e.Checker
	k.Blunt, k.Heal = true, false
	k.Also = func(ctx context.Context, c *Cluster, as *Ktriage, row *Row) error {
		g.judge(c, f, row.Evidence)
		if e.Record != nil {
			if err := e.Record(ctx, c, as, f); err != nil {
				return err
			}
		}
		return e.without(ctx, c, as, f, row, g)
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
		if got.grave() && got.sure() && !f.expects(got.Cause) && !f.inContext(got.Cause) && !slices.Contains(f.Consequences, got.Cause) && !slices.Contains(all, got.Cause) {
			all = append(all, got.Cause)
		}
	}
	return all
}

// without takes away the probes that decided the first expected cause, and where
// a check is short all of the host's, and all of Kafka's.
func (e *Examiner) without(ctx context.Context, c *Cluster, k *Ktriage, f *Fault, row *Row, g *Grade) error {
	if !g.Right || len(f.Expect) == 0 {
		return nil // nothing to lose
	}
	skips := []Without{{What: "decisive", Skip: e.decided(row.Evidence, f.Expect[0].Cause), Expected: true}}
	if len(f.Args) == 0 && f.Kind() == "fault" {
		skips = append(skips, Without{What: "host", Skip: e.Host}, Without{What: "kafka", Skip: e.Kafka})
	}
	for _, w := range skips {
		if w.Skip == "" {
			continue
		}
		r, err := k.Check(ctx, c, append([]string{"--skip", w.Skip}, f.Args...)...)
		if err != nil {
			return err
		}
		w.judge(f, r)
		g.Without = append(g.Without, w)
	}
	return nil
}

// decided is the probes behind the decisive signs of a cause that say yes; where
// none decides, behind all that say yes.
func (e *Examiner) decided(r *Report, cause string) string {
	var decisive, any []string
	note := func(to []string, p string) []string {
		if !slices.Contains(to, p) {
			to = append(to, p)
		}
		return to
	}
	for _, f := range r.Findings {
		if f.Cause != cause {
			continue
		}
		for _, x := range f.Evidence {
			if x.Outcome != "yes" || x.Source == nil || *x.Source == "" {
				continue
			}
			any = note(any, *x.Source)
			if e.Decisive(cause, x.Sign) {
				decisive = note(decisive, *x.Source)
			}
		}
	}
	if len(decisive) == 0 {
		decisive = any
	}
	slices.Sort(decisive)
	return strings.Join(decisive, ",")
}

// judge says what a check that sees less makes of a fault.
func (w *Without) judge(f *Fault, r *Report) {
	w.Cause = f.Expect[0].Cause
	w.Band, w.Status, w.Wrong, w.Named = r.band(w.Cause), r.Verdict.Status, f.wrong(r), len(r.notAsked())
	switch {
	case len(w.Wrong) > 0:
		w.Answer = WrongNow
	case w.Band == "confirmed" || w.Band == "likely":
		w.Answer = StillTold
	case w.Named > 0 && w.Status != "clear" && w.Status != "advice":
		w.Answer = CannotTell
	default:
		w.Answer = Silent
	}
}
