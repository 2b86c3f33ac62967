package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Rights that requests need, as kafka-acls.sh takes them.
const (
	describeCluster = "--operation Describe --cluster"
	describeTopics  = "--operation Describe --topic '*'"
	describeGroups  = "--operation Describe --group '*'"
	clusterConfigs  = "--operation DescribeConfigs --cluster"
	readTopics      = "--operation Read --topic '*'"
	describeTxns    = "--operation Describe --transactional-id '*'"
	topicConfigs    = "--operation DescribeConfigs --topic '*'"
)

// refusal is the error of an error code that a broker answered a request with;
// nil for 0. A denial says which right would allow the request.
func refusal(p *peer, request string, code int16, right string) error {
	if code == 0 {
		return nil
	}
	err := kerr.ErrorForCode(code)
	reason := fact.NotObserved
	switch err {
	case kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed:
		return &denied{probe.Fail(fact.NotAllowed, fmt.Sprintf("%s answered %s: %s", p, request, err), "kafka-acls.sh --add --allow-principal User:NAME "+right)}
	case kerr.UnsupportedVersion:
		reason = fact.NotSupported
	case kerr.RequestTimedOut:
		reason = fact.TimedOut
	default:
		if kerr.IsRetriable(err) {
			reason = fact.NotYet
		}
	}
	return probe.Fail(reason, fmt.Sprintf("%s answered %s: %s", p, request, err), "")
}

// denied is the error of a request that the broker's authorizer said no to.
type denied struct{ error }

func (d *denied) Unwrap() error { return d.error }
