package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes of consumers that lag though they are there.

var rebalanceStorm = &Cause{
	ID: "rebalance-storm", Title: "rebalance storm", Fault: consumerLag, Severity: Major, On: fact.Group, Prior: 0.01,
	Doc: "The group is busy with itself: members are thrown out or leave, and come back, and each time everybody stops. max.poll.interval.ms exceeded, sessions that time out, two applications under one group id.",
	Signs: []Link{
		{Sign: rebalancesRepeat, Strength: Always, Decisive: true, Must: true},
		{Sign: commitsNowhere, Strength: Sometimes, Follows: true},
		{Sign: lagNotShrinking, Strength: Often, Follows: true},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{groupWithoutMembers},
	Weigh:    func(yes []SignState) Severity { return byClock(Major, yes) },
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s rebalances without end: %s", s.Name, gist(yes, rebalancesRepeat)+clockOf(yes))
	},
}

var hotPartition = &Cause{
	ID: "hot-partition", Title: "hot partition", Fault: consumerLag, Severity: Major, On: fact.Group, Prior: 0.01,
	Doc: "One partition of a topic gets most of the records, and its one consumer cannot keep up, while the others idle: a key that too many records have.",
	Signs: []Link{
		{Sign: lagOnHotPartitions, Strength: Always, Decisive: true, Must: true},
		{Sign: groupStable, Strength: Always, Follows: true},
		{Sign: lagNotShrinking, Strength: Often, Follows: true},
		{Sign: commitsBehind, Strength: Often, Follows: true},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{groupWithoutMembers, rebalancesRepeat, transactionOverdue},
	Weigh:    func(yes []SignState) Severity { return byClock(Major, yes) },
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s lags on a hot partition: %s", s.Name, gist(yes, lagOnHotPartitions)+clockOf(yes))
	},
}

var stalledPartition = &Cause{
	ID: "stalled-partition", Title: "stalled partition", Fault: consumerLag, Severity: Major, On: fact.Group, Prior: 0.01,
	Doc: "The group works on some partitions and stands still on others that get records: a worker that is stuck on one record, a paused partition that nobody resumed, a fetcher that died.",
	Signs: []Link{
		{Sign: partitionsFrozen, Strength: Always, Decisive: true, Must: true},
		{Sign: groupStable, Strength: Often, Follows: true},
		{Sign: lagNotShrinking, Strength: Often, Follows: true},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{groupWithoutMembers, rebalancesRepeat},
	Weigh:    func(yes []SignState) Severity { return byClock(Major, yes) },
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s stands still on some partitions: %s", s.Name, gist(yes, partitionsFrozen)+clockOf(yes))
	},
}

var hangingTransaction = &Cause{
	ID: "hanging-transaction", Title: "hanging transaction", Fault: consumerLag, Severity: Major, On: fact.Group, Prior: 0.008,
	Doc: "A transaction that nobody ends holds the last stable offset: read_committed consumers wait behind it for ever, with a lag of 0 by their own measure. Log cleaning and retention of producers' state wait too.",
	Signs: []Link{
		{Sign: lastStableFrozen, Strength: Always, Must: true},
		{Sign: transactionOverdue, Strength: Always, Decisive: true, Must: true},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	Weigh: func(yes []SignState) Severity { return byClock(Major, yes) },
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s waits for a transaction that does not end: %s", s.Name, gist(yes, lastStableFrozen, transactionOverdue)+clockOf(yes))
	},
}

var producerSurge = &Cause{
	ID: "producer-surge", Title: "producer surge", Fault: consumerLag, Severity: Minor, On: fact.Group, Prior: 0.01,
	Doc: "Much more is produced than before, and the group works as fast as it did: it lags until the surge ends. Whether that is in time, retention decides.",
	Signs: []Link{
		{Sign: productionSurged, Strength: Always, Decisive: true, Must: true},
		{Sign: groupStable, Strength: Always, Follows: true},
		{Sign: lagGrows, Strength: Always, Follows: true},
		{Sign: lagNotShrinking, Strength: Often, Follows: true},
		{Sign: commitsBehind, Strength: Often, Follows: true},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{groupWithoutMembers, rebalancesRepeat, lagOnHotPartitions},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("more is produced for group %s than it was made for: %s", s.Name, gist(yes, productionSurged)+clockOf(yes))
	},
}
