package diagnose

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// instance is a sign on a subject.
type instance struct {
	sign    *Sign
	subject fact.Subject
}

// track is how a sign on a subject moved.
type track struct {
	points []Point
	states []SignState // one for each change of the outcome, oldest first
	yes    time.Time   // since when the raw answer is yes without a break
	asked  time.Time   // the batch after which it was asked last
	no     bool        // it has been no: a later yes began under our eyes
}
