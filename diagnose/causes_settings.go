package diagnose

import "github.com/ktriage/ktriage/diagnose/fact"

// Causes that are settings. None stands above minor while nothing suffers.

var minISRExceedsReplication = &Cause{
	ID: "min-isr-exceeds-replication", Title: "min ISR above the replication factor", Fault: badParameter, Branch: AvailabilityBranch, Severity: Minor, On: fact.Cluster, Prior: 0.005,
	Doc: "min.insync.replicas of a topic asks for more replicas than it has. Up to Kafka 3.6 writes with acks=all fail for ever with every broker healthy; from 3.7 brokers take the smaller of the two, so that it is advice.",
	Signs: []Link{
		{Sign: minISRAboveRF, Strength: Always, Decisive: true, Must: true},
		{Sign: minISRAboveRFBites, Strength: Sometimes},
		{Sign: notEnoughReplicasLogged, Strength: Sometimes, Follows: true},
	},
	Weigh: func(yes []SignState) Severity {
		if find(yes, minISRAboveRFBites) != nil {
			return Critical
		}
		return Minor
	},
	Says: func(_ fact.Subject, yes []SignState) string { return gist(yes, minISRAboveRF, minISRAboveRFBites) },
}

var riskyReplication = &Cause{
	ID: "risky-replication", Title: "replication that one failure defeats", Fault: badParameter, Branch: DataBranch, Severity: Minor, On: fact.Cluster, Prior: 0.01,
	Doc: "Topics with one replica, or with unclean leader election: the next failure of a single broker or disk loses data or stops them. Advice, while nothing has failed.",
	Signs: []Link{
		{Sign: singleReplica, Strength: Often, Decisive: true},
		{Sign: uncleanAllowed, Strength: Sometimes, Decisive: true},
	},
	Says: func(_ fact.Subject, yes []SignState) string { return gist(yes, singleReplica, uncleanAllowed) },
}

var messageSizeMismatch = &Cause{
	ID: "message-size-mismatch", Title: "message sizes do not fit", Fault: badParameter, Branch: DataBranch, Severity: Minor, On: fact.Cluster, Prior: 0.005,
	Doc: "A topic takes larger messages than followers or consumers fetch at once. Old versions stop at the first such message; newer ones fetch it alone, slowly.",
	Signs: []Link{
		{Sign: messageAboveFetch, Strength: Often, Decisive: true},
		{Sign: recordsTooLargeLogged, Strength: Often, Decisive: true},
	},
	Weigh: func(yes []SignState) Severity {
		if find(yes, recordsTooLargeLogged) != nil {
			return Major
		}
		return Minor
	},
	Says: func(_ fact.Subject, yes []SignState) string {
		return gist(yes, messageAboveFetch, recordsTooLargeLogged)
	},
}

var mixedVersions = &Cause{
	ID: "mixed-versions", Title: "brokers of different versions", Fault: incompatible, Branch: AvailabilityBranch, Severity: Minor, On: fact.Cluster, Prior: 0.01,
	Doc: "Brokers run different versions, or the metadata version was never raised after an upgrade: an upgrade is under way or was left half done. It works, and is no state to stay in.",
	Signs: []Link{
		{Sign: softwareDiffers, Strength: Often, Decisive: true},
		{Sign: metadataVersionBehind, Strength: Often, Decisive: true},
	},
	Says: func(_ fact.Subject, yes []SignState) string { return gist(yes, softwareDiffers, metadataVersionBehind) },
}
