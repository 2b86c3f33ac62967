package diagnose

import "github.com/ktriage/ktriage/diagnose/fact"

// Causes of records that were acknowledged and are gone.

var uncleanElection = &Cause{
	ID: "unclean-leader-election", Title: "unclean leader election", Fault: messageLoss, Severity: Critical, On: fact.Cluster, Prior: 0.003,
	Doc: "A replica that was not in sync became leader: what it lacked is gone, and the former leader cuts its own copy off when it comes back.",
	Signs: []Link{
		{Sign: lossAllowed, Strength: Often, Decisive: true},
		{Sign: copiesBeyondUnclean, Strength: Sometimes, Decisive: true},
		{Sign: uncleanAllowed, Strength: Always},
	},
	Says: func(_ fact.Subject, yes []SignState) string {
		return "records are lost by an unclean leader election: " + gist(yes, lossAllowed, copiesBeyondUnclean)
	},
}

var truncationAfterFailover = &Cause{
	ID: "truncation-after-failover", Title: "records cut off after a fail-over", Fault: messageLoss, Severity: Critical, On: fact.Cluster, Prior: 0.003,
	Doc: "The leader died with records that no other replica had yet, and a clean election went to one that lacked them: acknowledged with acks=1, or with min ISR 1, they are gone.",
	Signs: []Link{
		{Sign: lossAnyway, Strength: Often, Decisive: true}, // not where it was before the first look
		{Sign: replicasAhead, Strength: Sometimes, Decisive: true},
		{Sign: diskAhead, Strength: Sometimes, Decisive: true},
		{Sign: readBeyondEpoch, Strength: Sometimes, Decisive: true},
	},
	RulesOut: []*Sign{lossAllowed},
	Says: func(_ fact.Subject, yes []SignState) string {
		return "records are lost after a fail-over: " + gist(yes, lossAnyway, replicasAhead, diskAhead, readBeyondEpoch)
	},
}
