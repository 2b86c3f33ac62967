package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of replication throttles.

// throttle is what limits replication: rates on brokers, and the replicas of
// topics that they apply to. It takes both.
type throttle struct {
	rates  map[int32]float64  // bytes a second, the lower of leader's and follower's
	topics map[string]listing // throttled replicas of each topic
}

// listing is a value of *.replication.throttled.replicas: "*" or "0:1,0:2".
type listing struct{ leader, follower string }

// holds says whether a topic's list names a replica of a partition.
func (l listing) holds(partition, broker int32) bool {
	pair := fmt.Sprintf("%d:%d", partition, broker)
	for _, list := range []string{l.leader, l.follower} {
		if list == "*" || slices.Contains(strings.Split(list, ","), pair) {
			return true
		}
	}
	return false
}

// throttles is what is set, and whether both halves could be seen.
func throttles(v *View) (t throttle, known bool) {
	t = throttle{rates: map[int32]float64{}, topics: map[string]listing{}}
	for _, b := range fact.BrokerConfigs.Subjects(v) {
		all, ok := fact.BrokerConfigs.Latest(v, b)
		id, isID := nodeID(b)
		if !ok || !isID {
			continue
		}
		known = true
		for _, name := range []string{"leader.replication.throttled.rate", "follower.replication.throttled.rate"} {
			s, told := settingOf(all, name)
			rate, err := strconv.ParseFloat(s.Value, 64)
			if !told || s.Source == "DEFAULT_CONFIG" || err != nil || rate <= 0 || rate >= 1<<62 {
				continue
			}
			if had, ok := t.rates[id]; !ok || rate < had {
				t.rates[id] = rate
			}
		}
	}
	configs, ok := fact.Configs.Latest(v, fact.TheCluster)
	for i, topic := range configs.Topics {
		leader, _ := configs.Of("leader.replication.throttled.replicas", i)
		follower, _ := configs.Of("follower.replication.throttled.replicas", i)
		if leader.Value != "" || follower.Value != "" {
			t.topics[topic] = listing{leader.Value, follower.Value}
		}
	}
	return t, known && ok
}

func (t throttle) String() string {
	slowest, brokers := 0.0, make([]int32, 0, len(t.rates))
	for id, rate := range t.rates {
		if brokers = append(brokers, id); slowest == 0 || rate < slowest {
			slowest = rate
		}
	}
	slices.Sort(brokers)
	topics := make([]string, 0, len(t.topics))
	for topic := range t.topics {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	switch {
	case len(brokers) == 0:
		return fmt.Sprintf("%s of topics name throttled replicas (%s), with no rate set", plural(len(topics), "list"), listed(topics))
	case len(topics) == 0:
		return fmt.Sprintf("replication of broker %s is limited to %s/s, for no topic", ids(brokers), size(slowest))
	}
	return fmt.Sprintf("replication of broker %s is limited to %s/s for %s", ids(brokers), size(slowest), listed(topics))
}

var throttleSet = &Sign{
	ID: "replication-throttle-set", Title: "a replication throttle is set", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:  "Rates (leader. or follower.replication.throttled.rate on brokers) or lists (*.replication.throttled.replicas on topics) of a throttle are set while nothing is being moved. It bites when a broker restarts and must catch up.",
	Uses: []fact.Key{fact.BrokerConfigs, fact.Configs, fact.Reassigned},
	Test: func(v *View) Reading {
		moved, moves := fact.Reassigned.Latest(v, fact.TheCluster)
		if !moves {
			return cannotTell(v.Why(fact.Reassigned, fact.TheCluster))
		}
		t, known := throttles(v)
		switch {
		case len(t.rates)+len(t.topics) == 0 && !known:
			because := v.Why(fact.Configs, fact.TheCluster)
			if because == nil {
				because = v.why(fact.BrokerConfigs)
			}
			return cannotTell(because)
		case len(t.rates)+len(t.topics) == 0:
			return no("no throttle is set")
		case len(moved.Topic) > 0:
			return no("%s, for the reassignment that runs", t)
		}
		return yes("%s, and nothing is being moved", t)
	},
}

var throttledBehind = &Sign{
	ID: "throttled-replicas-behind", Title: "throttled replicas are out of sync", On: fact.Cluster, Trouble: true, Leak: 0.001,
	Doc:  "Replicas on live brokers are not in the ISR, a replication throttle applies to each of them, and nothing is being moved.",
	Uses: []fact.Key{fact.Metadata, fact.BrokerConfigs, fact.Configs, fact.Reassigned},
	Test: func(v *View) Reading {
		t, known := throttles(v)
		if len(t.rates) == 0 || len(t.topics) == 0 {
			if !known {
				return notApplicable("no throttle is known of")
			}
			return no("no throttle is in force")
		}
		if moved, ok := fact.Reassigned.Latest(v, fact.TheCluster); !ok || len(moved.Topic) > 0 {
			return no("replicas are being moved, or it is not known")
		}
		view, ok := clusterView(v)
		if !ok {
			return cannotTell(v.why(fact.Metadata))
		}
		behind := view.where(func(p int) bool {
			return slices.ContainsFunc(view.Replicas.At(p), func(id int32) bool {
				_, limited := t.rates[id]
				return limited && view.Lives(id) && !slices.Contains(view.ISR.At(p), id) && t.topics[view.topic(p)].holds(view.Partition[p], id)
			})
		})
		r := atLeast(float64(len(behind)), 1, fact.Count, "%d partitions wait for throttled replicas on live brokers (%s)", len(behind), view.names(behind))
		r.Affected, r.Blames = view.affected(behind), view.lacking(behind)
		return r
	},
}
