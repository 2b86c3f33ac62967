package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of logs that lost their end: acknowledged records that are gone.

var lossAllowed = &Sign{
	ID: "log-ends-went-back-unclean", Title: "logs lost their end where unclean election is on", On: fact.Cluster, Trouble: true, Leak: 0.001,
	For:  15 * time.Second, // a new leader's high watermark may be behind for a moment
	Doc:  "The log end of partitions is lower than it was within two minutes, for 15 s or more, after a change of leader, and their topics allow unclean leader election: a replica that lacked records leads. Or a controller logged an UNCLEAN change within ten minutes, or a follower cut below its high watermark. What a controller logs while it starts is of the past. The metadata log on this host tells of such elections too, and the logs on its disks what they have that the new leader has not.",
	Uses: []fact.Key{fact.Offsets, fact.Metadata, fact.Configs, fact.LogUncleanElection, fact.LogTruncatedBelowHW, fact.Changed, fact.QuorumState, fact.QuorumVoters, fact.SegmentsLogs, fact.ReplicaLogs},
	Test: func(v *View) Reading {
		for _, k := range []fact.Of[fact.LogLines]{fact.LogUncleanElection, fact.LogTruncatedBelowHW} {
			if r := anywhere(v, k, "unclean election"); r.Outcome == Yes {
				r.Lasting = true // what was cut off stays away
				if told, ok := electedUnclean(v); ok {
					r.Text += "; " + told.Text
				}
				return r
			}
		}
		if r, told := electedUnclean(v); told {
			return r
		}
		return wentBack(v, true)
	},
}

var lossAnyway = &Sign{
	ID: "log-ends-went-back-clean", Title: "logs lost their end though unclean election is off", On: fact.Cluster, Trouble: true, Leak: 0.001,
	For:  15 * time.Second,
	Doc:  "The log end of partitions is lower than it was within two minutes, for 15 s or more, after a change of leader, and their topics do not allow unclean leader election: what one leader alone had acknowledged is gone (acks below all, or min ISR 1).",
	Uses: []fact.Key{fact.Offsets, fact.Metadata, fact.Configs},
	Test: func(v *View) Reading { return wentBack(v, false) },
}

// wentBack looks, through all groups' offsets, for logs that are shorter than
// they were, of topics that allow unclean election or do not.
func wentBack(v *View, unclean bool) Reading {
	groups := fact.Offsets.Subjects(v)
	if len(groups) == 0 {
		if because := v.why(fact.Offsets); because != nil && because.Reason != fact.Absent {
			return cannotTell(because)
		}
		return notApplicable("no group has commits: log ends are not watched")
	}
	view, ok1 := clusterView(v)
	configs, ok2 := fact.Configs.Latest(v, fact.TheCluster)
	lost := map[placeOf]int64{}
	for _, group := range groups {
		shorter(v, group, lost)
	}
	if len(lost) == 0 {
		return no("no log is shorter than it was")
	}
	if !ok1 || !ok2 {
		if !ok1 {
			return cannotTell(v.why(fact.Metadata))
		}
		return cannotTell(v.Why(fact.Configs, fact.TheCluster))
	}
	records := int64(0)
	bad := view.where(func(p int) bool {
		by, fell := lost[placeOf{view.topic(p), view.Partition[p]}]
		i := slices.Index(configs.Topics, view.topic(p))
		// A topic that was created anew has had no election.
		if !fell || i < 0 || view.Epoch[p] == 0 || configs.Unclean[i] != unclean {
			return false
		}
		records += by
		return true
	})
	r := atLeast(float64(len(bad)), 1, fact.Count, "%s shorter than within two minutes", plural(len(bad), "log"))
	if len(bad) > 0 {
		r.Text = fmt.Sprintf("%s lost %d records at their end (%s)", plural(len(bad), "log"), records, view.names(bad))
	}
	r.Affected = view.affected(bad)
	return r
}

// shorter notes the partitions of a group whose log end is lower now than the
// highest that is remembered, and by how much.
func shorter(v *View, group fact.Subject, lost map[placeOf]int64) {
	most := map[placeOf]int64{}
	newest, ok := fact.Offsets.Latest(v, group)
	if !ok {
		return
	}
	for _, s := range v.Past(fact.Offsets.Def(), group) {
		old, _ := s.Value.(fact.GroupOffsets)
		for i := range old.Topic {
			at := placeOf{old.Topic[i], old.Partition[i]}
			most[at] = max(most[at], old.LogEnd[i])
		}
	}
	for i := range newest.Topic {
		at := placeOf{newest.Topic[i], newest.Partition[i]}
		if end := newest.LogEnd[i]; end >= 0 && end < most[at] {
			lost[at] = max(lost[at], most[at]-end)
		}
	}
}
