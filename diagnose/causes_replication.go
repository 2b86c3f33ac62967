package diagnose

import "github.com/ktriage/ktriage/diagnose/fact"

// Causes of replicas that are not where they should be, or not in sync.

var controllerQuorumLost = &Cause{
	ID: "controller-quorum-lost", Title: "controller quorum lost", Fault: partitionUnavailable, Severity: Critical, On: fact.Cluster, Prior: 0.004,
	Doc: "A majority of the controllers is gone: nothing can be elected, created, fenced or changed. What is written and read goes on as it was, until the next broker fails.",
	Signs: []Link{
		{Sign: quorumWithoutLeader, Strength: Always, Decisive: true, Must: true},
	},
	Says: func(_ fact.Subject, yes []SignState) string {
		return "no active controller: " + gist(yes, quorumWithoutLeader)
	},
}

var leaderImbalance = &Cause{
	ID: "leader-imbalance", Title: "leaders are unevenly placed", Fault: partitionUnavailable, Severity: Minor, On: fact.Cluster, Prior: 0.01,
	Doc: "After a restart leaders stayed where they had fled to: some brokers do the work of others. Nothing is unavailable.",
	Signs: []Link{
		{Sign: leadersNotPreferred, Strength: Always, Decisive: true},
	},
	RulesOut: []*Sign{reassignmentRunning},
	Says:     func(_ fact.Subject, yes []SignState) string { return gist(yes, leadersNotPreferred) },
}

var brokerLinkCut = &Cause{
	ID: "broker-link-cut", Title: "the link between two brokers is cut", Fault: networkPartition, Severity: Critical, On: fact.Cluster, Prior: 0.003,
	Doc: "Two brokers answer everyone but each other: each drops the other from the ISRs of what it leads, and partitions on both are one failure away from stopping.",
	Signs: []Link{
		{Sign: pairsCut, Strength: Always, Decisive: true, Must: true},
		{Sign: underReplicated, Strength: Always, Follows: true},
	},
	RulesOut: []*Sign{throttledBehind},
	Leads:    []*Cause{underMinISR, producerRetries},
	Shows:    []*Sign{leftISR, replicasStandStill},
	Says:     func(_ fact.Subject, yes []SignState) string { return gist(yes, pairsCut) },
}

var reassignmentLoad = &Cause{
	ID: "reassignment-load", Title: "replicas are being moved", Fault: highLatency, Severity: Info, On: fact.Cluster, Prior: 0.02, Context: true,
	Doc: "A reassignment or a move between log dirs copies whole replicas: disks and network of its sources and targets are busy with it. Planned work: context, not a fault.",
	Signs: []Link{
		{Sign: reassignmentRunning, Strength: Always, Decisive: true, Must: true},
	},
	Says: func(_ fact.Subject, yes []SignState) string { return gist(yes, reassignmentRunning) },
}

var throttleLeft = &Cause{
	ID: "replication-throttle-left", Title: "a replication throttle was left behind", Fault: lowThroughput, Severity: Minor, On: fact.Cluster, Prior: 0.01,
	Doc: "A reassignment ended and its throttle was not taken away. Nothing shows while all replicas are in sync; after the next restart of a broker its replicas catch up at that rate, or never.",
	Signs: []Link{
		{Sign: throttleSet, Strength: Always, Decisive: true, Must: true},
		{Sign: throttledBehind, Strength: Sometimes},
		{Sign: underReplicated, Strength: Sometimes, Follows: true},
	},
	RulesOut: []*Sign{reassignmentRunning},
	Leads:    []*Cause{underMinISR},
	Weigh: func(yes []SignState) Severity {
		if find(yes, throttledBehind) != nil {
			return Major
		}
		return Minor
	},
	Says: func(_ fact.Subject, yes []SignState) string { return gist(yes, throttleSet, throttledBehind) },
}
