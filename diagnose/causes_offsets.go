package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes of commits that stand where they should not.

var retentionOverrun = &Cause{
	ID: "retention-overrun", Title: "records deleted before they were read", Fault: messageLoss, Severity: Critical, On: fact.Group, Prior: 0.006,
	Doc: "Retention (or a deletion of records) has passed the group's commits: what lies between is gone, and this group has not read it. A group that was given up on purpose loses nothing.",
	Signs: []Link{
		{Sign: commitsBelowStart, Strength: Always, Decisive: true, Must: true},
		{Sign: lagNotShrinking, Strength: Often, Follows: true},
		{Sign: groupWithoutMembers, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{commitsWentBack}, // somebody put the commit there
	Leads:    []*Cause{offsetBelowStart},
	Weigh: func(yes []SignState) Severity {
		if find(yes, groupWithoutMembers) != nil {
			return Major
		}
		return Critical
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s has lost records unread: %s", s.Name, gist(yes, commitsBelowStart))
	},
}

var offsetBelowStart = &Cause{
	ID: "offset-below-log-start", Title: "committed offset below the log start", Fault: offsetError, Severity: Major, On: fact.Group, Prior: 0.006,
	Doc: "The group's commit points at records that are deleted: at the next fetch its consumers get OffsetOutOfRange, and go to where auto.offset.reset says, or stop.",
	Signs: []Link{
		{Sign: commitsBelowStart, Strength: Always, Decisive: true, Must: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("commits of group %s point below the log: %s", s.Name, gist(yes, commitsBelowStart))
	},
}

var offsetAboveEnd = &Cause{
	ID: "offset-above-log-end", Title: "committed offset above the log end", Fault: offsetError, Severity: Major, On: fact.Group, Prior: 0.004,
	Doc: "The group's commit lies beyond the end of the log: the topic was created anew, its end was truncated, or somebody set the offset. Until the log grows that far, its consumers get OffsetOutOfRange and reset; new records may be skipped or read again.",
	Signs: []Link{
		{Sign: commitsAboveEnd, Strength: Always, Decisive: true, Must: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("commits of group %s point beyond the log: %s", s.Name, gist(yes, commitsAboveEnd))
	},
}

var offsetRewind = &Cause{
	ID: "offset-rewind", Title: "offsets went backwards", Fault: offsetError, Severity: Major, On: fact.Group, Prior: 0.004,
	Doc: "The group's commits went back: records are read a second time. A reset by hand, a member that sought back, or a commit that came late from a member that no longer owns the partition.",
	Signs: []Link{
		{Sign: commitsWentBack, Strength: Always, Decisive: true, Must: true},
	},
	Leads: []*Cause{offsetBelowStart},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("group %s reads again what it had read: %s", s.Name, gist(yes, commitsWentBack))
	},
}

var offsetsExpired = &Cause{
	ID: "offsets-expired", Title: "committed offsets expired", Fault: offsetError, Severity: Major, On: fact.Group, Prior: 0.004,
	Doc: "Kafka has dropped commits of the group: it had no members for longer than offsets.retention.minutes (a week by default), or it does not subscribe to the topic any more, or somebody deleted them. It begins anew where auto.offset.reset says.",
	Signs: []Link{
		{Sign: commitsVanished, Strength: Often, Decisive: true},
		{Sign: ownedWithoutCommit, Strength: Often},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("commits of group %s are gone: %s", s.Name, gist(yes, commitsVanished, ownedWithoutCommit))
	},
}
