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
	No      bool         // Cause: the cause must not be sure
	AtAll   bool         // with No: the cause must not even be possible
	ID      string       // of the cause or sign
	Subject fact.Subject // of the cause or sign
	Word    string       // band, outcome, status or branch
	Role    diagnose.Role
	Part    string // of what the finding or reading says; "": anything
}

// What a Want is about.
type What string

const (
	Cause  What = "cause"
	Sign   What = "sign"
	Status What = "status"
	Branch What = "branch"
	First  What = "first"
)

// start is when the first batch of every case is taken.
var start = time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
