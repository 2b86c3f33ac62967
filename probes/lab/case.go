package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Case is a row of an exam that was right, as a recording that can be graded again
// without a Kafka. Names are those of the redacted recording.
type Case struct {
	Name    string    `json:"name"` // of the fault, and of the recording
	Kind    string    `json:"kind"` // as Grade.Kind
	At      time.Time `json:"at"`
	Kafka   string    `json:"kafka,omitempty"`
	Commit  string    `json:"commit"`            // of the ktriage that recorded it
	Expect  []string  `json:"expect,omitempty"`  // "CAUSE on SUBJECT" of each root that was injected; without " on" any subject
	First   string    `json:"first"`             // cause that must be named first, or "nothing"
	Band    string    `json:"band"`              // and at least how surely
	Holds   bool      `json:"holds"`             // all of the fault must hold that is asked live, and not its first cause alone
	Without string    `json:"without,omitempty"` // the probes that decided, separated by commas
	Answer  string    `json:"answer,omitempty"`  // without them, as Without.Answer
}

// NewCase makes a case of what a recording of a row replays to. unmask writes the
// subject of an Expect as the recording does. It is an error, which says why, when
// the recording does not tell what the row was right about.
func NewCase(row *Grade, replayed *Report, unmask func(string) string) (*Case, error) {
	if row.Saw == "" || !row.Right || !row.Subject || len(row.Wrong) > 0 {
		return nil, errors.New("the row was not right")
	}
	faults, err := FaultOf(row.Name)
	if err != nil {
		return nil, err
	}
	k := &Case{Name: row.Name, Kind: row.Kind, At: row.At, Kafka: row.Kafka, Commit: row.Commit, First: row.First, Holds: true}
	for _, want := range faults[0].Expect {
		text := want.Cause
		if want.Subject != "" {
			text += " on " + unmask(want.Subject)
		}
		k.Expect = append(k.Expect, text)
	}
	if roots := replayed.roots(); len(roots) > 0 {
		k.First, k.Band = roots[0].Cause, roots[0].Band
	}
	if len(faults[0].Expect) == 0 { // of controls and planned work nothing is wanted first
		k.First, k.Band = "nothing", ""
	}
	if err := k.Judge(replayed); err != nil {
		k.Holds = false
		if k.Judge(replayed) != nil {
			return nil, err
		}
	}
	return k, nil
}

// fault is that of the case, with its subjects as the recording names them.
func (k *Case) fault() (*Fault, error) {
	faults, err := FaultOf(k.Name)
	if err != nil {
		return nil, err
	}
	f := *faults[0]
	f.Expect = nil
	for _, text := range k.Expect {
		cause, subject, _ := strings.Cut(text, " on ")
		f.Expect = append(f.Expect, Expect{Cause: cause, Subject: subject})
	}
	return &f, nil
}

// Judge grades a report by the rules of the exam; the error holds one line for each
// thing that no longer holds.
func (k *Case) Judge(r *Report) error {
	f, err := k.fault()
	if err != nil {
		return err
	}
	nobody, g := &Cluster{}, newGrade(f)
	g.judge(nobody, f, r)
	var wrong []error
	switch {
	case !g.Right:
		wrong = append(wrong, fmt.Errorf("%s on %s (%s) comes first, want %s", g.First, g.On, name(g.Band), f.Expected()))
	case !g.Subject:
		wrong = append(wrong, fmt.Errorf("%s comes first on %s, want %s", g.First, g.On, k.Expect[0]))
	case slices.Index(bands, g.Band) < slices.Index(bands, k.Band):
		wrong = append(wrong, fmt.Errorf("%s is %s, it was %s", g.First, g.Band, k.Band))
	}
	for _, cause := range g.Wrong {
		wrong = append(wrong, fmt.Errorf("%s is not there, and is grave and sure", cause))
	}
	if k.Holds {
		wrong = append(wrong, f.Judge(nobody, r))
	}
	return errors.Join(wrong...)
}

// JudgeLess wants an answer without the probes that decided to be honest where it was,
// and never wrong where it was not.
func (k *Case) JudgeLess(sighted, blind *Report, follows func(cause, other string) bool) error {
	w, err := k.Less(sighted, blind, follows)
	if err != nil {
		return err
	}
	was := k.Answer == StillTold || k.Answer == CannotTell || k.Answer == MayFollow
	if was && !w.Honest() || w.Answer == WrongNow && k.Answer != WrongNow {
		return fmt.Errorf("without %s the answer is %q, it was %q (named as not asked: %s; next: %s; sure of: %s)",
			k.Without, w.Answer, k.Answer, some(w.Missing, 4), w.Next, strings.Join(slices.Concat(w.Wrong, w.Follows), " "))
	}
	return nil
}

// Less grades what a report says without the probes that decided, as an Examiner
// does.
func (k *Case) Less(sighted, blind *Report, follows func(cause, other string) bool) (*Without, error) {
	f, err := k.fault()
	if err != nil {
		return nil, err
	}
	w := &Without{What: "decisive", Skip: k.Without}
	w.judge(f, sighted, blind, follows)
	return w, nil
}

// Decided is the probes behind the decisive signs of a case's first cause, as decides
// tells; "" of a case without a cause.
func (k *Case) Decided(r *Report, decides func(cause, sign string) bool) string {
	if len(k.Expect) == 0 {
		return ""
	}
	e := &Examiner{Decisive: decides}
	return e.decided(r, k.First)
}

// ReadCases reads what WriteCases wrote; errors name the line.
func ReadCases(file string, from io.Reader) ([]*Case, error) {
	var all []*Case
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	for n := 1; ; n++ {
		k := &Case{}
		err := d.Decode(k)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err == nil && k.Name == "":
			err = errors.New("field name: the name of a fault is expected")
		case err == nil && len(all) > 0 && all[len(all)-1].Name >= k.Name:
			err = fmt.Errorf("field name: %q after %q, they are in order", k.Name, all[len(all)-1].Name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		all = append(all, k)
	}
}

// WriteCases writes cases one a line, by their names.
func WriteCases(w io.Writer, all []*Case) error {
	slices.SortFunc(all, func(x, y *Case) int { return strings.Compare(x.Name, y.Name) })
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, k := range all {
		if err := e.Encode(k); err != nil {
			return err
		}
	}
	return nil
}
