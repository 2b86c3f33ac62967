// Package probe says what a probe is and what it may use. The probes
// themselves are in the packages beside it, the scheduler in package probes.
package probe

import (
	"context"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Probe reads one thing, read-only, and judges nothing.
type Probe struct {
	Name, Doc string
	Cost      Cost
	Every     time.Duration // between two runs in the console
	Timeout   time.Duration // 0: the target's
	Needs     []*Probe      // skipped, and named as skipped, when one of these failed
	Yields    []fact.Key    // what it can observe; after a failure each is unknown, because …

	// Observe returns what it saw, also beside an error. Observations need no
	// At and no Source: the scheduler fills them in.
	Observe func(context.Context, *Target) ([]fact.Observation, error)
}

// Cost of one run to the observed and to the observer.
type Cost int

const (
	Free  Cost = iota // a few small files
	Cheap             // a few requests
	Heavy             // only when asked
)

// String is the cost as a word.
func (c Cost) String() string { return [...]string{"free", "cheap", "heavy"}[c] }
