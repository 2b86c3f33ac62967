// Package diagnose concludes: signs are read from facts, causes are weighed by
// their signs, and the flowchart shows what was looked at. It is a pure
// function of the batches it is given: no clock, no I/O, no goroutine. The same
// batches give the same verdict, byte for byte.
package diagnose

import (
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Sign is one question with the answers yes, no and unknown, asked of each
// subject of a scope.
type Sign struct {
	ID, Title, Doc string
	On             fact.Scope
	Needs          []fact.Key    // one unknown, and the sign is unknown: Test is not called
	Uses           []fact.Key    // read where there is one; unknown does not decide
	For            time.Duration // yes only after it has held this long; a Lasting reading at once
	// Trouble says that a yes is bad in itself: it wants an explanation, and
	// must go away after a fix. "The group is stable" is a sign too, and is not.
	Trouble bool
	// Leak is how likely yes is with no cause at all; 0 stands for 0.02.
	Leak float64
	// Subjects names what to ask; nil: every subject of the scope that the
	// facts know of.
	Subjects func(*View) []fact.Subject
	// Test reads v.Subject through v. Pure.
	Test func(v *View) Reading
}

// Outcome of a sign on one subject.
type Outcome string

const (
	Yes           Outcome = "yes"
	No            Outcome = "no"
	Unknown       Outcome = "unknown"
	NotApplicable Outcome = "not-applicable"
)

// leak is the sign's own, or the usual one.
func (s *Sign) leak() float64 {
	if s.Leak > 0 {
		return s.Leak
	}
	return 0.02
}

// Reading is what a sign's test found.
type Reading struct {
	Outcome  Outcome
	Text     string // one sentence: what was seen
	Value    float64
	Unit     fact.Unit // of Value and Limit; empty: the sign has no number
	Limit    float64   // where yes begins; meant only with a Unit
	Below    bool      // yes is at or below Limit, not at or above it
	Since    time.Time // when it began, where the facts tell; zero: when first seen
	Last     time.Time // of the newest event that it is yes for, where that is the past, as a line of a log; zero: it is yes for what is now
	Lasting  bool      // it does not pass by itself: the sign's For is not waited for
	Because  *fact.Unknown
	Affected Affected
	// Blames is whom the reading points at: the brokers missing from an ISR.
	// A consequence is drawn under a root only where it blames the root's
	// subject, when it blames anyone.
	Blames []fact.Subject
	// Through is the one broker that leads all that suffers, if it is one: it may
	// be that it cannot be followed.
	Through []fact.Subject
}

// Affected is what suffers.
type Affected struct {
	Brokers    []int32  `json:"brokers"`
	Topics     []string `json:"topics"`
	Partitions int      `json:"partitions"`
	Groups     []string `json:"groups"`

	Named []string `json:"-"` // partitions, "orders-3", where a sign names them; the first is the gravest
}

// SignState is a sign's reading on one subject at one time.
type SignState struct {
	Sign    *Sign
	Subject fact.Subject
	Reading
	At     time.Time // of the newest fact it read
	Source string    // the probe that gave it
	Held   time.Time // since when the outcome is what it is

	changed time.Time // the batch that brought the outcome
	away    bool      // see elsewhere
	early   bool      // it is yes since it was looked at first, so it may have begun before
}

// elsewhere says whether the sign cannot be seen from this place at all: the
// host side of a broker on another host. What Kafka itself would tell is never
// elsewhere, nor is anything of a broker of this host.
func (s *SignState) elsewhere() bool { return s.away }

// hostSide says whether a sign rests on what only the broker's host tells.
func (s *Sign) hostSide() bool {
	return slices.ContainsFunc(s.keys(), func(k fact.Key) bool { return k.Def().HostSide() })
}

// Point is one sample of a sign's number, for a graph. Known is false where
// the sign was unknown: a gap.
type Point struct {
	At    time.Time
	Value float64
	Known bool
}
