package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of records that somebody has read and no leader has any more.

var readBeyondEpoch = &Sign{
	ID: "read-beyond-epoch", Title: "groups have read what was cut off", On: fact.Cluster, Trouble: true, Leak: 0.0005,
	Doc:   "A group has committed an offset beyond the end of the leader epoch that its last record was of, as the present leader tells that epoch's end: these records were read, and then cut off at a change of leader.",
	Needs: []fact.Key{fact.LeaderEpochs},
	Uses:  []fact.Key{fact.Offsets, fact.Configs},
	Test:  func(v *View) Reading { return readBeyond(v, false) },
}

var copiesBeyondUnclean = &Sign{
	ID: "copies-beyond-unclean", Title: "records outlived an unclean election elsewhere", On: fact.Cluster, Trouble: true, Leak: 0.0005,
	For:  10 * time.Second,
	Doc:  "Of topics that allow unclean leader election: a group has read, a replica has, or the disk of a dead broker has what the leader lacks.",
	Uses: []fact.Key{fact.LeaderEpochs, fact.Offsets, fact.Configs, fact.Metadata, fact.ReplicaLogs, fact.SegmentsLogs},
	Test: func(v *View) Reading {
		var unseen *Reading
		for _, look := range []func(*View, bool) Reading{readBeyond, replicasBeyond, disksBeyond} {
			r := look(v, true)
			if r.Outcome == Yes {
				return r
			}
			if r.Outcome == Unknown && unseen == nil {
				unseen = &r
			}
		}
		if unseen != nil {
			return *unseen
		}
		return no("nobody has more than the leaders")
	},
}

// uncleanTopics says whether a topic allows unclean election; one whose settings are
// not known is taken not to, as Kafka's default is.
func uncleanTopics(v *View) func(topic string) bool {
	configs, _ := fact.Configs.Latest(v, fact.TheCluster)
	allowed := map[string]bool{} // few, mostly none: asked for every partition of a cluster
	for i, topic := range configs.Topics {
		if configs.Unclean[i] {
			allowed[topic] = true
		}
	}
	return func(topic string) bool { return allowed[topic] }
}

// readBeyond is commits beyond the end of their epoch, of topics that allow unclean
// election or do not.
func readBeyond(v *View, unclean bool) Reading {
	told := v.Past(fact.LeaderEpochs.Def(), fact.TheCluster)
	if len(told) == 0 {
		return cannotTell(v.Why(fact.LeaderEpochs, fact.TheCluster))
	}
	last := told[len(told)-1]
	ends, _ := last.Value.(fact.EpochEnds)
	allowed := uncleanTopics(v)
	var text []string
	var affected Affected
	partitions := map[placeOf]bool{}
	records := int64(0)
	for _, group := range fact.Offsets.Subjects(v) {
		now, known := offsetsBy(v, group, last.At)
		if !known || len(now.CommitEpoch) == 0 {
			continue
		}
		for i, topic := range now.Topic {
			epoch := now.CommitEpoch[i]
			if epoch < 0 || now.Committed[i] < 0 || allowed(topic) != unclean {
				continue
			}
			_, end, answered := ends.Of(topic, now.Partition[i], epoch)
			if !answered || end < 0 || now.Committed[i] <= end {
				continue
			}
			by := now.Committed[i] - end
			records += by
			text = append(text, fmt.Sprintf("%s %s-%d to %d, where epoch %d ends at %d", group.Name, topic, now.Partition[i], now.Committed[i], epoch, end))
			partitions[placeOf{topic, now.Partition[i]}] = true
			affected.add(Affected{Topics: []string{topic}, Groups: []string{group.Name}})
		}
	}
	if len(text) == 0 {
		return no("no group has committed beyond the end of its record's epoch")
	}
	r := yes("read and then cut off: %d records (%s)", records, listed(text))
	affected.Partitions = len(partitions)
	slices.Sort(affected.Topics)
	r.Affected = affected
	return r
}

// offsetsBy is a group's newest offsets that are not younger than a time. Where an
// epoch goes on, its end was that of the log when it was asked for: what is committed
// later is beyond that, and was not cut off.
func offsetsBy(v *View, group fact.Subject, when time.Time) (o fact.GroupOffsets, known bool) {
	for _, s := range v.Past(fact.Offsets.Def(), group) {
		if !s.At.After(when) {
			o, known = s.Value.(fact.GroupOffsets)
		}
	}
	return o, known
}
