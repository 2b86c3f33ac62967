// Package diagnosetest runs case files: what was observed and what is to be
// concluded from it, in the domain's own language. The language is told in
// diagnose/testdata/README.md.
package diagnosetest

import (
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Case is one case file.
type Case struct {
	File    string // as it was given to Parse
	Batches []fact.Batch
	Wants   []Want
}

// Want is one line that says what must be concluded after the last batch.
type Want struct {
	Line    int
	Text    string // the line as written
	What    What
	No      bool         // Cause: it must not be sure; Context: it must not be told
	AtAll   bool         // with No: the cause must not even be possible
	ID      string       // of the cause, sign or context; the alert's rule
	Subject fact.Subject // of the cause or sign
	Word    string       // band, outcome, status, branch or state
	Role    diagnose.Role
	Part    string // of what the finding, reading or context says; "": anything
}

// What a Want is about.
type What string

const (
	Cause  What = "cause"
	Sign   What = "sign"
	Status What = "status"
	Branch What = "branch"
	First  What = "first"

	Context What = "context" // planned work or a circumstance, above the findings
	Alert   What = "alert"   // the state of an alert rule
	Next    What = "next"    // where to look next
)

// start is when the first batch of every case is taken.
var start = time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
