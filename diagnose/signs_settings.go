package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of settings and versions. Most are advice: nothing suffers today.

var minISRAboveRF = &Sign{
	ID: "min-isr-above-replication", Title: "min ISR is above the number of replicas", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:   "min.insync.replicas of a topic is larger than its replica set. Up to Kafka 3.6 such a topic refuses every write with acks=all; from 3.7 brokers use the smaller of the two.",
	Needs: []fact.Key{fact.Metadata, fact.Configs},
	Test: func(v *View) Reading {
		bad, r := aboveReplication(v)
		if len(bad) > 0 {
			r.Text += " (" + listed(bad) + ")"
		}
		return r
	},
}

var minISRAboveRFBites = &Sign{
	ID: "min-isr-above-replication-bites", Title: "its brokers are old enough for that to refuse writes", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:   "min.insync.replicas of a topic is larger than its replica set, and a broker is of Kafka 3.6 or older: writes with acks=all are refused, with every broker healthy.",
	Needs: []fact.Key{fact.Metadata, fact.Configs},
	Uses:  []fact.Key{fact.BrokerSoftware},
	Test: func(v *View) Reading {
		bad, _ := aboveReplication(v)
		if len(bad) == 0 {
			return no("no topic is set so")
		}
		oldest := ""
		for _, b := range fact.BrokerSoftware.Subjects(v) {
			if version, ok := fact.BrokerSoftware.Latest(v, b); ok && (oldest == "" || newer(oldest, version)) {
				oldest = version
			}
		}
		switch {
		case oldest == "":
			return cannotTell(v.why(fact.BrokerSoftware))
		case newer("3.7", oldest):
			return yes("Kafka %s refuses writes with acks=all to %s", oldest, listed(bad))
		}
		return no("Kafka %s takes the smaller of the two", oldest)
	},
}

// aboveReplication is the topics whose min.insync.replicas is above their number
// of replicas.
func aboveReplication(v *View) (topics []string, r Reading) {
	view, _ := clusterView(v)
	configs, _ := fact.Configs.Latest(v, fact.TheCluster)
	need := map[string]int32{}
	for i, t := range configs.Topics {
		need[t] = configs.MinISR[i]
	}
	bad := view.where(func(p int) bool {
		return int(need[view.topic(p)]) > len(view.Replicas.At(p)) && len(view.Replicas.At(p)) > 0
	})
	r = atLeast(float64(len(bad)), 1, fact.Count, "%s with min.insync.replicas above the number of replicas", plural(len(bad), "partition"))
	r.Affected = view.affected(bad)
	return r.Affected.Topics, r
}

var singleReplica = &Sign{
	ID: "single-replica", Title: "topics have one replica", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:   "Topics with a replication factor of 1 on a cluster of several brokers: the loss of one disk loses them, and each restart of a broker stops them. Of internal topics it stops groups or transactions too.",
	Needs: []fact.Key{fact.Metadata},
	Test: func(v *View) Reading {
		view, _ := clusterView(v)
		if len(view.Brokers) < 2 {
			return notApplicable("one live broker: there is nowhere to put a second replica")
		}
		single := view.where(func(p int) bool { return len(view.Replicas.At(p)) == 1 })
		r := atLeast(float64(len(single)), 1, fact.Count, "%d of %s have one replica", len(single), plural(len(view.Partition), "partition"))
		r.Affected = view.affected(single)
		if len(single) > 0 {
			r.Text += " (" + listed(r.Affected.Topics) + ")"
		}
		return r
	},
}

var uncleanAllowed = &Sign{
	ID: "unclean-election-allowed", Title: "unclean leader election is on", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:   "unclean.leader.election.enable is true for topics with more than one replica: a replica that lacks records may lead, and what it lacks is lost.",
	Needs: []fact.Key{fact.Metadata, fact.Configs},
	Test: func(v *View) Reading {
		view, _ := clusterView(v)
		configs, _ := fact.Configs.Latest(v, fact.TheCluster)
		unclean := map[string]bool{}
		for i, t := range configs.Topics {
			unclean[t] = configs.Unclean[i]
		}
		bad := view.where(func(p int) bool { return unclean[view.topic(p)] && len(view.Replicas.At(p)) > 1 })
		r := atLeast(float64(len(bad)), 1, fact.Count, "unclean leader election is allowed for %s", plural(len(bad), "partition"))
		r.Affected = view.affected(bad)
		if len(bad) > 0 {
			r.Text += " (" + listed(r.Affected.Topics) + ")"
		}
		return r
	},
}

// overhead is what a batch adds to the largest message: Kafka's own default of
// max.message.bytes is above that of replica.fetch.max.bytes by this much.
const overhead = 12

var messageAboveFetch = &Sign{
	ID: "message-above-fetch-size", Title: "messages may be larger than a follower fetches", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:   "max.message.bytes of a topic is above replica.fetch.max.bytes of a broker. Each such batch travels alone; before Kafka 0.10.1 it stopped the follower.",
	Needs: []fact.Key{fact.Configs, fact.BrokerConfigs},
	Test: func(v *View) Reading {
		fetch := 0.0
		for _, b := range fact.BrokerConfigs.Subjects(v) {
			all, _ := fact.BrokerConfigs.Latest(v, b)
			if s, told := settingOf(all, "replica.fetch.max.bytes"); told {
				if n, err := strconv.ParseFloat(s.Value, 64); err == nil && (fetch == 0 || n < fetch) {
					fetch = n
				}
			}
		}
		if fetch == 0 {
			return cannotTell(&fact.Unknown{Reason: fact.NotObserved, Detail: "no broker told replica.fetch.max.bytes"})
		}
		configs, _ := fact.Configs.Latest(v, fact.TheCluster)
		var large []string
		most := 0.0
		for i, topic := range configs.Topics {
			s, _ := configs.Of("max.message.bytes", i)
			if n, err := strconv.ParseFloat(s.Value, 64); err == nil && n > fetch+overhead {
				large, most = append(large, topic), max(most, n)
			}
		}
		r := atLeast(float64(len(large)), 1, fact.Count, "no topic takes messages above replica.fetch.max.bytes (%s)", size(fetch))
		if len(large) > 0 {
			r.Text = fmt.Sprintf("messages of up to %s are let into %s, followers fetch %s at once", size(most), listed(large), size(fetch))
		}
		r.Affected.Topics = large
		return r
	},
}

var softwareDiffers = &Sign{
	ID: "software-differs", Title: "brokers are of different versions", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:  "Live brokers offer ranges of requests that belong to different versions of Kafka: an upgrade is under way, or was never finished.",
	Uses: []fact.Key{fact.BrokerSoftware, fact.BrokerAPIs},
	Test: func(v *View) Reading {
		of := map[string][]int32{}
		for _, b := range fact.BrokerSoftware.Subjects(v) {
			version, ok := fact.BrokerSoftware.Latest(v, b)
			_, apis := fact.BrokerAPIs.Latest(v, b)
			if id, isID := nodeID(b); ok && isID && (apis || version != "") {
				of[version] = append(of[version], id)
			}
		}
		versions := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) })
		switch len(versions) {
		case 0:
			return cannotTell(v.why(fact.BrokerSoftware))
		case 1:
			return no("all are Kafka %s", versions[0])
		}
		var parts []string
		for _, version := range versions {
			parts = append(parts, fmt.Sprintf("%s on broker %s", version, ids(of[version])))
		}
		return yes("Kafka %s", strings.Join(parts, ", "))
	},
}

var metadataVersionBehind = &Sign{
	ID: "metadata-version-behind", Title: "the metadata version is below what all brokers support", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:  "The finalized metadata.version is lower than the highest that every broker supports: an upgrade was not finished, and features of the newer version are off. Until it is finalized, going back is possible.",
	Uses: []fact.Key{fact.BrokerFeatures},
	Test: func(v *View) Reading {
		level, most, seen := int16(-1), int16(-1), 0
		for _, b := range fact.BrokerFeatures.Subjects(v) {
			f, ok := fact.BrokerFeatures.Latest(v, b)
			if !ok {
				continue
			}
			at, finalized := f.Level("metadata.version")
			i := slices.IndexFunc(f.Supported, func(one fact.Feature) bool { return one.Name == "metadata.version" })
			if !finalized || i < 0 {
				continue
			}
			seen++
			level = at
			if most < 0 || f.Supported[i].Max < most {
				most = f.Supported[i].Max
			}
		}
		if seen == 0 {
			if because := v.why(fact.BrokerFeatures); because != nil {
				return cannotTell(because)
			}
			return notApplicable("no metadata.version: a cluster with ZooKeeper")
		}
		r := atLeast(float64(most-level), 1, fact.Count, "metadata.version is at level %d, all brokers support %d", level, most)
		return r
	},
}
