package diagnose

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Session folds batches into verdicts. It keeps a bounded history.
type Session struct {
	catalogue *Catalogue
	history   *history
	track     map[instance]*track
	reads     map[*Sign]map[*fact.Def]bool
	runs      map[string]fact.Run
	rounds    map[string]int // how often each probe ran
	marks     []fact.Mark
	verdict   *Verdict
	swept     time.Time // when forget last ran
}

// NewSession starts a session over a catalogue.
func NewSession(c *Catalogue) *Session {
	return &Session{
		catalogue: c,
		history:   newHistory(),
		track:     map[instance]*track{},
		reads:     map[*Sign]map[*fact.Def]bool{},
		runs:      map[string]fact.Run{},
		rounds:    map[string]int{},
	}
}

// Apply folds one batch in and concludes.
func (s *Session) Apply(b fact.Batch) *Verdict {
	s.history.add(b)
	for _, r := range b.Runs {
		s.runs[r.Probe] = r
		s.rounds[r.Probe]++
	}
	s.marks = append(s.marks, b.Marks...)
	s.forget()
	states := s.evaluate()
	s.verdict = s.conclude(states)
	return s.verdict
}

// Verdict is the verdict after the newest batch; never nil.
func (s *Session) Verdict() *Verdict {
	if s.verdict == nil {
		return &Verdict{Status: StatusIncomplete, Headline: "nothing seen yet", Cluster: ClusterState{Controller: -1, Partitions: -1, Groups: -1}}
	}
	return s.verdict
}

// Marks is what the operator said so far.
func (s *Session) Marks() []fact.Mark { return s.marks }

// FixApplied is when the operator last said that a fix was applied; zero: never.
func (s *Session) FixApplied() time.Time {
	var at time.Time
	for _, m := range s.marks {
		if m.Kind == fact.FixApplied {
			at = m.At
		}
	}
	return at
}

// Series is the numbers that a sign gave on a subject, oldest first, at most
// the newest 720.
func (s *Session) Series(sign *Sign, subject fact.Subject) []Point {
	t := s.track[instance{sign, subject}]
	if t == nil {
		return nil
	}
	return t.points
}

// Onsets is the changes of a sign's outcome on a subject, oldest first, at most
// the newest 64.
func (s *Session) Onsets(sign *Sign, subject fact.Subject) []SignState {
	t := s.track[instance{sign, subject}]
	if t == nil {
		return nil
	}
	return t.states
}

// forgetAfter is how long a session remembers what nothing speaks of any more:
// groups come and go.
const forgetAfter = 30 * time.Minute

// forget lets go of what was not heard of for long.
func (s *Session) forget() {
	now := s.history.now
	if now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	for key, t := range s.track {
		if now.Sub(t.asked) > forgetAfter {
			delete(s.track, key)
		}
	}
	for _, of := range s.history.series {
		for subject, one := range of {
			if now.Sub(one.newest.at) > forgetAfter {
				delete(of, subject)
			}
		}
	}
}
