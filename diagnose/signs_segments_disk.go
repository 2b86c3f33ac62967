package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of how messages lie on this host's disks, and where their logs end there.

var payloadsRepeated = &Sign{
	ID: "payloads-repeated", Title: "payloads are there twice", On: fact.LogDir, Leak: 0.02,
	Doc:   "Rows of records without a producer id, same keys and payloads, stand twice near to each other in a partition, batched alike or not: a producer sent them again, or an application writes the same twice. Among what was unpacked.",
	Needs: []fact.Key{fact.SegmentsTopics},
	Test: func(v *View) Reading {
		t, _ := fact.SegmentsTopics.Latest(v, v.Subject)
		worst, unpacked := -1, int64(0)
		for i, n := range t.Alike {
			unpacked += t.Unpacked[i]
			if n > 0 && (worst < 0 || n > t.Alike[worst]) {
				worst = i
			}
		}
		switch {
		case unpacked == 0:
			return notApplicable("no record without a producer id was unpacked")
		case worst < 0:
			return no("none of %d records that were unpacked", unpacked)
		}
		return yes("%s with the same payload twice in topic %s: %s", plural(int(t.Alike[worst]), "record"), t.Topic[worst], t.AlikeExample[worst])
	},
}

// withTopics is the brokers whose log dirs were looked into for batches, or should be.
func withTopics(v *View) (brokers []fact.Subject) {
	for _, dir := range fact.SegmentsTopics.Subjects(v) {
		if b, ok := dir.Owner(); ok && !slices.Contains(brokers, b) {
			brokers = append(brokers, b)
		}
	}
	return brokers
}

// topicsOnDisk is what the log dirs of the sign's broker say of batches, and why
// none of them says anything.
func topicsOnDisk(v *View) (all []fact.TopicBatches, because *fact.Unknown) {
	for _, dir := range fact.SegmentsTopics.Subjects(v) {
		if b, ok := dir.Owner(); !ok || b != v.Subject {
			continue
		}
		if t, ok := fact.SegmentsTopics.Latest(v, dir); ok {
			all = append(all, t)
		} else {
			because = v.Why(fact.SegmentsTopics, dir)
		}
	}
	if len(all) > 0 {
		because = nil
	}
	return all, because
}

var singlesOnDisk = &Sign{
	ID: "single-records-on-disk", Title: "its topics consist of batches of one record", On: fact.Broker, Leak: 0.05,
	Doc:      "In some topic 90% or more of the batches that were verified, a thousand or more, hold one record: as their producers send them. Topics of Kafka's own are left out.",
	Uses:     []fact.Key{fact.SegmentsTopics},
	Subjects: withTopics,
	Test: func(v *View) Reading {
		const most, enough = 0.9, 1000
		dirs, because := topicsOnDisk(v)
		if because != nil {
			return cannotTell(because)
		}
		r, found := Reading{}, false
		for _, t := range dirs {
			for i, n := range t.Batches {
				if n < enough || strings.HasPrefix(t.Topic[i], "__") {
					continue
				}
				if s := float64(t.Single[i]) / float64(n); !found || s > r.Value {
					r, found = atLeast(s, most, fact.Ratio, "%s of %d batches of topic %s hold one record, %d bytes each", percent(s), n, t.Topic[i], t.Bytes[i]/n), true
				}
			}
		}
		if !found {
			return notApplicable("too few batches were verified")
		}
		return r
	},
}

var oldFormatOnDisk = &Sign{
	ID: "old-format-on-disk", Title: "its topics hold messages of an old format", On: fact.Broker, Leak: 0.02,
	Doc:      "Batches with magic 0 or 1 among those that were verified: from before Kafka 0.11, or of a topic with message.format.version below it. Brokers up to 3.x convert them for clients, one by one.",
	Uses:     []fact.Key{fact.SegmentsTopics},
	Subjects: withTopics,
	Test: func(v *View) Reading {
		dirs, because := topicsOnDisk(v)
		if because != nil {
			return cannotTell(because)
		}
		var worst [3]int64
		topic, all := "", int64(0)
		for _, t := range dirs {
			for i, m := range t.Magic {
				all += m[0] + m[1] + m[2]
				if m[0]+m[1] > worst[0]+worst[1] {
					topic, worst = t.Topic[i], m
				}
			}
		}
		switch {
		case all == 0:
			return notApplicable("no batch was verified")
		case topic == "":
			return no("all of %d batches have magic 2", all)
		}
		r := yes("%d batches of topic %s with magic 0 or 1", worst[0]+worst[1], topic)
		if worst[2] > 0 {
			r.Text += fmt.Sprintf(", mixed with %d of magic 2", worst[2])
		}
		return r
	},
}

var diskAhead = &Sign{
	ID: "disk-ahead-of-leader", Title: "logs on a disk here end beyond their leader's", On: fact.Cluster, Trouble: true, Leak: 0.0005,
	For:   10 * time.Second,
	Doc:   "The log of a partition on the disk of a broker that is not live ends beyond that of its leader, as the leader tells it, for 10 s or more: what is beyond is cut off when this broker starts. Until then it can be copied away.",
	Needs: []fact.Key{fact.SegmentsLogs},
	Uses:  []fact.Key{fact.Metadata, fact.ReplicaLogs, fact.Configs},
	Test:  func(v *View) Reading { return disksBeyond(v, false) },
}

// disksBeyond is logs on disks of dead brokers that are ahead of their leaders', of
// topics that allow unclean election or do not.
func disksBeyond(v *View, unclean bool) Reading {
	view, known := clusterView(v)
	if !known {
		return cannotTell(v.why(fact.Metadata))
	}
	told, ok := fact.ReplicaLogs.Latest(v, fact.TheCluster)
	if !ok {
		return cannotTell(v.Why(fact.ReplicaLogs, fact.TheCluster))
	}
	allowed := uncleanTopics(v)
	var bad []int
	var text []string
	records, compared := int64(0), 0
	for _, dir := range fact.SegmentsLogs.Subjects(v) {
		id, ok := ownerID(dir)
		logs, seen := fact.SegmentsLogs.Latest(v, dir)
		if !ok || !seen || view.Lives(id) {
			continue // what a live broker has it tells itself
		}
		for i, name := range logs.Partition {
			p := view.named(name)
			if p < 0 || view.Leader[p] < 0 || logs.End[i] < 0 || allowed(view.topic(p)) != unclean {
				continue
			}
			at := told.At(view.topic(p), view.Partition[p], view.Leader[p])
			if at < 0 {
				continue
			}
			compared++
			if by := logs.End[i] - told.End[at]; by > 0 {
				bad, records = append(bad, p), records+by
				text = append(text, fmt.Sprintf("%s ends at %d in %s, and at %d on broker %d", name, logs.End[i], dir.Name, told.End[at], view.Leader[p]))
			}
		}
	}
	switch {
	case compared == 0:
		return notApplicable("no log of a broker that is down was compared")
	case len(bad) == 0:
		return no("none of %s of a broker that is down ends beyond its leader's", plural(compared, "log"))
	}
	r := yes("%s: %d records that are cut off when that broker starts; copy the directories away first", listed(text), records)
	r.Affected = view.affected(bad)
	return r
}
