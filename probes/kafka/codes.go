package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// refusal is the error of an error code that a broker answered a request with;
// nil for 0. A denial says which right would allow the request, whose name
// begins with its key's as needs has it.
func refusal(p *peer, request string, code int16) error {
	if code == 0 {
		return nil
	}
	err := kerr.ErrorForCode(code)
	reason := fact.NotObserved
	switch {
	case isDenial(code):
		return &denied{probe.Fail(fact.NotAllowed, fmt.Sprintf("%s answered %s: %s", p, request, err), p.grant(rightFor(request, code)))}
	case err == kerr.UnsupportedVersion:
		reason = fact.NotSupported
	case err == kerr.RequestTimedOut:
		reason = fact.TimedOut
	case kerr.IsRetriable(err):
		reason = fact.NotYet
	}
	return probe.Fail(reason, fmt.Sprintf("%s answered %s: %s", p, request, err), "")
}

// denied is the error of a request that the broker's authorizer said no to.
type denied struct{ error }

func (d *denied) Unwrap() error { return d.error }

// isDenial says whether an error code is an authorizer's no.
func isDenial(code int16) bool {
	switch kerr.ErrorForCode(code) {
	case kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed:
		return true
	}
	return false
}
