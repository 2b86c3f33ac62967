package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// copyOf is the log of a partition in a log dir of this host.
type copyOf struct {
	dir   fact.Subject
	epoch int32 // the last that began in it; -1: not known
	start int64 // where that began
	end   int64
}

// atStake says what logs on this host's disks have that the leaders of unclean
// elections have not: what is cut off, or will be when their brokers come back.
// It is "" where nothing here tells.
func atStake(v *View, elections []*fact.Change) string {
	var texts []string
	for name, copies := range copiesOf(v, elections) {
		for _, c := range copies {
			from, why := begunWithout(v, name, c, copies)
			if from >= 0 && c.end > from {
				texts = append(texts, fmt.Sprintf("%s: %d records from offset %d on, in %s only (%s)", name, c.end-from, from, c.dir.Name, why))
			}
		}
	}
	slices.Sort(texts)
	if len(texts) == 0 {
		return ""
	}
	return "; at stake: " + listed(texts)
}

// copiesOf is the logs on this host of the partitions that were elected unclean,
// by partition.
func copiesOf(v *View, elections []*fact.Change) map[string][]copyOf {
	all := map[string][]copyOf{}
	for _, dir := range fact.SegmentsLogs.Subjects(v) {
		logs, _ := fact.SegmentsLogs.Latest(v, dir)
		for i, name := range logs.Partition {
			for _, c := range elections {
				if logs.End[i] >= 0 && electedIn(c, name) {
					all[name] = append(all[name], copyOf{dir, logs.Epoch[i], logs.EpochStart[i], logs.End[i]})
					break
				}
			}
		}
	}
	return all
}

// electedIn says whether a change is the election of a partition, or has it among
// its parts.
func electedIn(c *fact.Change, partition string) bool {
	if c.Name == partition {
		return true
	}
	for _, p := range c.Parts {
		if strings.Contains(p, "leader of "+partition+":") {
			return true
		}
	}
	return false
}

// begunWithout is the offset from which on a copy is not in the log of the new
// leader, and how that is known; -1 where it is not. Where the leader's epoch
// begins is exact; where its log ends by now is the most that both can have.
func begunWithout(v *View, partition string, c copyOf, others []copyOf) (int64, string) {
	from, why := int64(-1), ""
	for _, o := range others {
		if o.epoch > c.epoch && o.start >= 0 && c.epoch >= 0 && (from < 0 || o.start < from) {
			from, why = o.start, fmt.Sprintf("leader epoch %d begins there in %s", o.epoch, o.dir.Name)
		}
	}
	if from >= 0 {
		return from, why
	}
	view, known := clusterView(v)
	told, seen := fact.ReplicaLogs.Latest(v, fact.TheCluster)
	if !known || !seen {
		return -1, ""
	}
	p := view.named(partition)
	if p < 0 || view.Leader[p] < 0 || c.epoch >= view.Epoch[p] {
		return -1, "" // a copy that has followed the new leader
	}
	if at := told.At(view.topic(p), view.Partition[p], view.Leader[p]); at >= 0 {
		return told.End[at], fmt.Sprintf("at least: broker %d, which leads, ends there by now", view.Leader[p])
	}
	return -1, ""
}
