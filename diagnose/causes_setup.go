package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes of how hosts, networks and listeners are set up.

var certificateExpiredCause = &Cause{
	ID: "certificate-expired", Title: "certificate expired", Fault: permissionDenied, Branch: AvailabilityBranch, Severity: Critical, On: fact.Broker, Prior: 0.004,
	Doc: "The certificate of a TLS listener, or of an authority above it, has expired or soon will. Connections that are open go on; each new one is refused, until nobody is left.",
	Signs: []Link{
		{Sign: certificateEnds, Strength: Always, Decisive: true},
		{Sign: certificateExpired, Strength: Often, Decisive: true},
	},
	Leads: []*Cause{groupStopped},
	Weigh: func(yes []SignState) Severity {
		if find(yes, certificateExpired) != nil {
			return Critical
		}
		return Minor
	},
	Says: func(s fact.Subject, yes []SignState) string {
		if find(yes, certificateExpired) != nil {
			return fmt.Sprintf("a certificate of broker %s is not valid: %s", s.Name, gist(yes, certificateExpired))
		}
		return fmt.Sprintf("a certificate of broker %s will expire: %s", s.Name, gist(yes, certificateEnds))
	},
}

var osTuning = &Cause{
	ID: "os-tuning", Title: "system settings", Fault: badParameter, Branch: PerformanceBranch, Severity: Minor, On: fact.LogDir, Prior: 0.01,
	Doc: "Settings of the kernel or mount options that cost a broker time, or data after a power loss. Advice.",
	Signs: []Link{
		{Sign: mountRisksData, Strength: Sometimes, Decisive: true},
		{Sign: kernelNotTuned, Strength: Often, Decisive: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("system settings under log dir %s: %s", s.Name, gist(yes, mountRisksData, kernelNotTuned))
	},
}

var bandwidthCap = &Cause{
	ID: "bandwidth-cap", Title: "bandwidth is capped", Fault: lowThroughput, Severity: Major, On: fact.Process, Prior: 0.004,
	Doc: "The broker sends at one rate while more waits: a link that is full, a shaper, or what the cloud sells for this size of machine. Consumers and followers lag.",
	Signs: []Link{
		{Sign: bytesHeldBack, Strength: Always, Decisive: true, Must: true},
		{Sign: linkNearlyFull, Strength: Sometimes, Follows: true},
	},
	RulesOut: []*Sign{packetsLost},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s meets a cap of its bandwidth: %s", s.Name, gist(yes, bytesHeldBack, linkNearlyFull))
	},
}
