package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var groupStopped = &Cause{
	ID: "group-stopped", Title: "consumer group stopped", Fault: consumerLag, Severity: Major, On: fact.Group, Prior: 0.05,
	Doc: "Nobody consumes for the group, and records it has not read keep coming: the retention clock runs.",
	Signs: []Link{
		{Sign: groupWithoutMembers, Strength: Always, Decisive: true, Must: true},
		{Sign: lagNotShrinking, Strength: Always, Must: true},
		{Sign: lagGrows, Strength: Sometimes}, // not while nobody produces
		{Sign: groupRefused, Strength: Sometimes, Follows: true},
		{Sign: commitsNowhere, Strength: Sometimes, Follows: true},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	Leads: []*Cause{retentionOverrun, offsetBelowStart, offsetsExpired},
	Weigh: func(yes []SignState) Severity {
		if find(yes, lagGrows) == nil {
			return Minor // a group left behind loses nothing while nothing is written
		}
		return byClock(Major, yes)
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s has stopped: %s", s.Name, stopped(yes))
	},
}

// stopped is why a group has stopped, and whether its clients are refused.
func stopped(yes []SignState) string {
	text := gist(yes, groupWithoutMembers, lagNotShrinking)
	if st := find(yes, groupRefused); st != nil {
		text += "; clients are refused meanwhile: " + st.Text
	}
	return text + clockOf(yes)
}

// clockOf is how long the group has until records are lost unread, behind another
// text; "" where that is not known, or not to be feared.
func clockOf(yes []SignState) string {
	if st := find(yes, retentionClock); st != nil {
		return "; " + st.Text
	}
	return ""
}

// byClock is a severity, or critical where records are about to be lost unread.
func byClock(s Severity, yes []SignState) Severity {
	if st := find(yes, retentionClock); st != nil && st.Value <= clockShort {
		return Critical
	}
	return s
}

var slowConsumer = &Cause{
	ID: "slow-consumer", Title: "consumers too slow", Fault: consumerLag, Severity: Major, On: fact.Group, Prior: 0.02,
	Doc: "The group is stable and works on every partition, and commits less than is produced.",
	Signs: []Link{
		{Sign: commitsBehind, Strength: Always, Decisive: true},
		{Sign: groupStable, Strength: Always},
		{Sign: lagNotShrinking, Strength: Often},
		{Sign: retentionClock, Strength: Often, Follows: true},
	},
	Leads:    []*Cause{retentionOverrun, offsetBelowStart},
	Weigh:    func(yes []SignState) Severity { return byClock(Major, yes) },
	RulesOut: []*Sign{groupWithoutMembers, lagOnHotPartitions, productionSurged, rebalancesRepeat},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s is too slow: %s", s.Name, gist(yes, commitsBehind, lagNotShrinking)+clockOf(yes))
	},
}
