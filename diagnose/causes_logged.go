package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes that brokers' logs tell.

var startRefused = &Cause{
	ID: "start-refused", Title: "the broker refuses to start", Fault: badParameter, Branch: AvailabilityBranch, Severity: Critical, On: fact.Broker, Prior: 0.004,
	Doc: "The broker ends at its start for what it finds: another cluster's or node's id in meta.properties, a foreign directory in a log dir (lost+found), unformatted storage, a port in use, a bad property, a Java that is too old. Starting it again changes nothing.",
	Signs: []Link{
		{Sign: startRefusedLogged, Strength: Always, Decisive: true, Must: true},
	},
	RulesOut: []*Sign{answersKafka},
	Leads:    []*Cause{brokerCrashed},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s does not start: %s", s.Name, gist(yes, startRefusedLogged))
	},
}

var replicaFetcherDead = &Cause{
	ID: "replica-fetcher-dead", Title: "a replica fetcher is dead", Fault: partitionUnavailable, Severity: Major, On: fact.Broker, Prior: 0.004,
	Doc: "The follower met an error in what it fetched of some partitions and fetches them no more, while it follows all others: only a restart or a change of leader tries again.",
	Signs: []Link{
		{Sign: fetcherFailedLogged, Strength: Often, Decisive: true},
		{Sign: followsPartly, Strength: Always},
		{Sign: leftISR, Strength: Always, Follows: true},
		{Sign: replicasStandStill, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{brokerNotLive},
	Leads:    []*Cause{underMinISR},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s follows some partitions no more: %s", s.Name, gist(yes, fetcherFailedLogged, followsPartly))
	},
}

var authorizationDenied = &Cause{
	ID: "authorization-denied", Title: "authorization is denied", Fault: permissionDenied, Branch: AvailabilityBranch, Severity: Major, On: fact.Cluster, Prior: 0.008,
	Doc: "The authorizer refuses a principal an operation, again and again: an ACL was taken away, or never given. The application does not progress, and Kafka logs it at INFO only.",
	Signs: []Link{
		{Sign: denialsLogged, Strength: Always, Decisive: true},
	},
	Leads: []*Cause{groupStopped},
	Says: func(_ fact.Subject, yes []SignState) string {
		return "the authorizer denies: " + gist(yes, denialsLogged)
	},
}

var unsupportedAPI = &Cause{
	ID: "unsupported-api", Title: "clients of a version that does not fit", Fault: incompatible, Branch: AvailabilityBranch, Severity: Minor, On: fact.Broker, Prior: 0.004,
	Doc: "Clients send requests in versions that the broker does not speak: older than 2.1 against Kafka 4.0 and later, or newer features against an old broker. They fail, everybody else does not.",
	Signs: []Link{
		{Sign: unsupportedLogged, Strength: Always, Decisive: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("clients of broker %s speak a version that it does not: %s", s.Name, gist(yes, unsupportedLogged))
	},
}
