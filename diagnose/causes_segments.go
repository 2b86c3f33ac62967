package diagnose

import "github.com/ktriage/ktriage/diagnose/fact"

// Causes that are found in the log dirs themselves.

var segmentCorruption = &Cause{
	ID: "segment-corruption", Title: "damaged segments", Fault: diskFailure, Branch: DataBranch, Severity: Major, On: fact.LogDir, Prior: 0.003,
	Doc: "What lies on the disk is not what was written: the broker hands damaged batches out unverified and notices late, when a consumer, a follower or the cleaner comes there.",
	Signs: []Link{
		{Sign: segmentDamaged, Strength: Often, Decisive: true},
		{Sign: checkpointDamaged, Strength: Sometimes, Decisive: true},
		{Sign: corruptRecordLogged, Strength: Sometimes, Decisive: true},
		{Sign: damageWithoutCopy, Strength: Sometimes, Follows: true},
		{Sign: damageAhead, Strength: Sometimes, Follows: true},
	},
	Weigh: func(yes []SignState) Severity {
		if find(yes, corruptRecordLogged) != nil || find(yes, damageWithoutCopy) != nil {
			return Critical // somebody has come there, or nothing can mend it
		}
		return Major
	},
	Says: func(s fact.Subject, yes []SignState) string {
		text := "log dir " + s.Name + " is damaged: " + gist(yes, segmentDamaged, checkpointDamaged, corruptRecordLogged)
		for _, more := range []*Sign{damageAhead, damageWithoutCopy} {
			if st := find(yes, more); st != nil {
				text += "; " + st.Text
			}
		}
		return text
	},
}

var producerRetries = &Cause{
	ID: "producer-retries", Title: "records written twice by retries", Fault: messageDuplication, Severity: Minor, On: fact.LogDir, Prior: 0.01, Anywhere: true,
	Doc: "A producer without idempotence sent batches again because answers were late or lost, and both copies were written.",
	Signs: []Link{
		{Sign: batchesRepeated, Strength: Always, Decisive: true},
		{Sign: payloadsRepeated, Strength: Sometimes},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return "records are there twice: " + gist(yes, batchesRepeated, payloadsRepeated)
	},
}
