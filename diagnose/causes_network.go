package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes between brokers, controllers and clients.

var brokerFenced = &Cause{
	ID: "broker-fenced", Title: "broker fenced", Fault: brokerDown, Severity: Major, On: fact.Broker, Prior: 0.005,
	Doc: "The broker's process runs and its port answers, and the controller has fenced it: its heartbeats came too late, or not at all. It leads nothing and is in no ISR until they come again.",
	Signs: []Link{
		{Sign: fencedButAnswers, Strength: Always, Decisive: true},
		{Sign: brokerNotLive, Strength: Always, Must: true},
		{Sign: answersKafka, Strength: Always, Must: true},
		{Sign: leftISR, Strength: Often, Follows: true},
	},
	Leads: []*Cause{underMinISR},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s is fenced: %s", s.Name, gist(yes, fencedButAnswers, brokerNotLive))
	},
}

var brokerIsolated = &Cause{
	ID: "broker-isolated", Title: "broker cut off from the controllers", Fault: networkPartition, Severity: Critical, On: fact.Broker, Prior: 0.004,
	Doc: "The broker can be reached from here and believes itself live and leading, while the controllers have fenced it and moved its leaderships: it reaches neither them nor its peers. Producers with acks=1 that still write to it lose what they write.",
	Signs: []Link{
		{Sign: viewDisagrees, Strength: Always, Decisive: true, Must: true},
		{Sign: brokerNotLive, Strength: Always},
		{Sign: fencedButAnswers, Strength: Always},
		{Sign: isrUpdatesFail, Strength: Sometimes},
		{Sign: leftISR, Strength: Always, Follows: true},
	},
	Leads: []*Cause{brokerFenced, underMinISR},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s is cut off: %s", s.Name, gist(yes, viewDisagrees))
	},
}

var advertisedUnreachable = &Cause{
	ID: "advertised-listener-unreachable", Title: "advertised listener unreachable", Fault: networkListener, Branch: AvailabilityBranch, Severity: Major, On: fact.Broker, Prior: 0.005,
	Doc: "The broker is live and advertises an address that clients cannot use: localhost, a name that does not resolve, a port that nothing listens on, or one that is filtered. Bootstrapping works, and everything after it fails.",
	Signs: []Link{
		{Sign: liveButUnreachable, Strength: Always, Decisive: true, Must: true},
		{Sign: portRefuses, Strength: Sometimes},
		{Sign: connectTimesOut, Strength: Sometimes},
	},
	RulesOut: []*Sign{brokerNotLive, processGone, processStopped},
	Leads:    []*Cause{underMinISR, groupStopped, rebalanceStorm},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("clients cannot reach broker %s: %s", s.Name, gist(yes, liveButUnreachable))
	},
}

var protocolMismatch = &Cause{
	ID: "security-protocol-mismatch", Title: "wrong security protocol", Fault: networkListener, Branch: AvailabilityBranch, Severity: Major, On: fact.Broker, Prior: 0.01,
	Doc: "Client and listener do not speak the same protocol: TLS to a plain port or the reverse, SASL where none is expected, or a mechanism that the listener does not offer.",
	Signs: []Link{
		{Sign: wrongProtocol, Strength: Often, Decisive: true},
		{Sign: wrongProtocolLogged, Strength: Often, Decisive: true},
	},
	Leads: []*Cause{groupStopped},
	Weigh: func(yes []SignState) Severity {
		if find(yes, wrongProtocolLogged) != nil {
			return Major
		}
		return ownTrouble(yes)
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s is spoken to in the wrong protocol: %s", s.Name, gist(yes, wrongProtocolLogged, wrongProtocol))
	},
}

var authenticationFailed = &Cause{
	ID: "authentication-failed", Title: "authentication fails", Fault: permissionDenied, Branch: AvailabilityBranch, Severity: Major, On: fact.Broker, Prior: 0.01,
	Doc: "Credentials are not accepted: a wrong or rotated password, an unknown user, a ticket or certificate that does not fit. Kafka logs it at INFO, without the user's name.",
	Signs: []Link{
		{Sign: credentialsRejected, Strength: Often, Decisive: true},
		{Sign: authenticationsFailLogged, Strength: Often, Decisive: true},
	},
	RulesOut: []*Sign{wrongProtocol},
	Leads:    []*Cause{groupStopped},
	Weigh: func(yes []SignState) Severity {
		if find(yes, authenticationsFailLogged) != nil {
			return Major
		}
		return Minor
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s does not accept credentials: %s", s.Name, gist(yes, credentialsRejected, authenticationsFailLogged))
	},
}

// ownTrouble is the severity of what this console alone has met: its own settings
// may be wrong, and nobody else suffers from that.
func ownTrouble(yes []SignState) Severity { return Minor }
