package lab

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

func view(brokers ...int32) fact.MetadataView {
	v := fact.MetadataView{ClusterID: "c", Topics: []string{"a.b", "orders"}, Internal: []bool{false, false},
		Topic: []int32{0, 1}, Partition: []int32{0, 7}, Leader: []int32{1, -1}, Epoch: []int32{3, 4}, Error: []int16{0, 5}}
	v.Replicas.Add([]int32{1, 2})
	v.Replicas.Add([]int32{2, 3})
	v.ISR.Add([]int32{1})
	v.ISR.Add(nil)
	for _, id := range brokers {
		v.Brokers = append(v.Brokers, fact.BrokerAddress{ID: id, Host: "h", Port: 9092})
	}
	return v
}

func seen(t *testing.T, all ...fact.Observation) *Seen {
	t.Helper()
	s := &Seen{}
	for i, o := range all {
		if err := s.take(o, time.Unix(int64(i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	s.sort()
	return s
}

func TestSights(t *testing.T) {
	group := fact.Subject{Scope: fact.Group, Name: "billing"}
	roster := fact.Roster{Members: []fact.GroupMember{{ID: "m1", Client: "c1"}, {ID: "m2", Client: "c2"}}, Topics: []string{"orders"}}
	for i := range int32(2) {
		roster.Subscribed.Add([]int32{0})
		roster.Topic.Add([]int32{0, 0})
		roster.Partition.Add([]int32{2 + 2*i, 3 + 2*i})
	}
	s := seen(t,
		fact.GroupRoster.Is(group, roster),
		fact.Configs.Is(fact.TheCluster, fact.TopicConfigs{Topics: []string{"a.b", "orders"}, MinISR: []int32{1, 2}, MinISRSource: []string{"", ""}, Unclean: []bool{false, true},
			Others: []fact.SettingColumn{{Name: "retention.ms", Distinct: []fact.Setting{{Value: "7", Source: "DYNAMIC_TOPIC_CONFIG"}}, Of: []int32{-1, 0}}}}),
		fact.Metadata.Is(fact.BrokerOf(1), view(1, 2)),
		fact.Metadata.Is(fact.BrokerOf(1), view(1)),
		fact.Metadata.Unknown(fact.BrokerOf(2), &fact.Unknown{Reason: fact.TimedOut, Detail: "5 s"}),
		fact.GroupGeneration.Is(group, 3), fact.GroupGeneration.Is(group, 3),
		fact.QuorumState.Is(fact.TheCluster, fact.Quorum{Leader: 100, Voters: []fact.QuorumReplica{{ID: 100, LogEnd: 4}, {ID: 101, LogEnd: 4}}}),
		fact.QuorumState.Is(fact.TheCluster, fact.Quorum{Leader: 100, Voters: []fact.QuorumReplica{{ID: 100, LogEnd: 9}, {ID: 101, LogEnd: 4}}}),
	)
	for want, sights := range map[bool][]Sight{
		true: {
			{"kafka.metadata", "broker 1", "row=orders-7; leader=-1; isr=; replicas=2 3; error>4"},
			{"kafka.metadata", "broker 1", "no brokers 2"},
			{"kafka.metadata", "broker 1", "no leader=2"},
			{"kafka.topic.configs", "cluster", "row=orders; min_isr=2; retention.ms.value=7; retention.ms.source=DYNAMIC_TOPIC_CONFIG"},
			{"kafka.group.roster", "group billing", "row=members m2; client=c2; partition=4 5; subscribed=0"},
			{"kafka.metadata", "", "leader=1; row~a.b"},
			{"kafka.metadata", "broker 2", "unknown=timed-out"},
			{"kafka.group.generation", "group billing", "value stays; value=3; value<4"},
			{"kafka.quorum", "cluster", "row=voters 100; log_end moves"},
			{"kafka.quorum", "cluster", "row=voters 101; log_end stays"},
			{"kafka.quorum", "cluster", "leader=100; leader!=101"},
		},
		false: {
			{"kafka.metadata", "broker 1", "row=orders-7; leader=1"}, // of another row
			{"kafka.metadata", "broker 1", "no brokers 1"},
			{"kafka.metadata", "broker 1", "no leader=1"},
			{"kafka.metadata", "broker 1", "row=brokers 2"}, // it has gone
			{"kafka.metadata", "broker 2", "leader=1"},
			{"kafka.metadata", "broker 3", "leader=1"},
			{"kafka.group.generation", "", "value moves"},
			{"kafka.group.generation", "", "value>3"},
			{"kafka.group.generation", "", "value>many"},
			{"kafka.group.generation", "", "value"},
			{"kafka.group.state", "", "no brokers 2"}, // never observed
		},
	} {
		for _, sight := range sights {
			if err := s.Check(sight); (err == nil) != want {
				t.Errorf("%s: %v", sight, err)
			}
		}
	}
}

func TestChanges(t *testing.T) {
	b := fact.BrokerOf(1)
	healthy := seen(t, fact.Metadata.Is(b, view(1, 2)), fact.LogDirSize.Is(fact.LogDirOf(1, "/d"), 100), fact.GroupMembers.Is(fact.Subject{Scope: fact.Group, Name: "g"}, 2))
	changed := view(1)
	changed.Leader[1] = 3
	broken := seen(t, fact.Metadata.Is(b, changed), fact.LogDirSize.Is(fact.LogDirOf(1, "/d"), 105),
		fact.GroupMembers.Unknown(fact.Subject{Scope: fact.Group, Name: "g"}, &fact.Unknown{Reason: fact.Unreachable}))
	var out bytes.Buffer
	c := &Cluster{Dir: "/nowhere", Nodes: []*Node{{ID: 1}, {ID: 2}, {ID: 3}}}
	for _, n := range c.Nodes {
		n.LogDir = n.Dir + "/data"
	}
	if err := PrintChanges(&out, c, Changes(healthy, broken)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"key | subject | reading | healthy | in the fault",
		"kafka.group.members | group g | | 2 | unknown unreachable",
		"kafka.metadata | broker 1 | brokers 2 | brokers 2 host=h brokers 2 id=2 brokers 2 port=90… | -",
		"kafka.metadata | broker 1 | orders-7 leader | -1 | 3",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a recording holds comes from anywhere: any JSON is taken apart.
func FuzzLeaves(f *testing.F) {
	f.Add([]byte(`{"topic":["a"],"partition":[0],"isr":{"e":[2],"i":[1,2]},"x":null}`))
	f.Add([]byte(`{"topics":["a"],"min_isr":[2],"others":[{"name":"r","distinct":[{"value":"7"}],"of":[0]}]}`))
	f.Add([]byte(`{"members":[{"id":"m"}],"subscribed":{"e":[5],"i":[0]},"topics":["t"]}`))
	f.Add([]byte(`{"topic":[0,1e99,-1],"partition":[0,1,2],"topics":["a"],"isr":{"e":[1,-3,9],"i":[]}}`))
	f.Add([]byte(`[{"id":3,"fenced":true},4,[5]]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		leaves, err := leavesOf(fact.Observation{Key: fact.Metadata.Def(), Value: json.RawMessage(text)})
		if err != nil {
			return
		}
		for _, l := range leaves {
			if l.Name == "" {
				t.Fatalf("a reading without a name: %+v", l)
			}
		}
	})
}

func TestOnlyLacks(t *testing.T) {
	all := []PartitionLine{{Topic: "a", Leader: 1, Replicas: []int{1, 2, 3}, ISR: []int{1, 2, 3}}, {Topic: "b", Leader: 1, Replicas: []int{1, 2, 3}, ISR: []int{2, 1}}}
	if _, err := onlyLacks(all, "b", 3); err != nil {
		t.Error(err)
	}
	if _, err := onlyLacks(all, "b", 2); err == nil {
		t.Error("broker 2 is said to be missing")
	}
	if _, err := onlyLacks(all, "a", 3); err == nil {
		t.Error("a partition of b lacks a broker too")
	}
	if _, err := onlyLacks(all[:1], "a", 3); err == nil {
		t.Error("nothing is missing")
	}
}

func TestStalled(t *testing.T) {
	look := func(offsets ...int64) (all []GroupLine) { // committed and end of each partition
		for i := 0; i < len(offsets); i += 2 {
			all = append(all, GroupLine{Topic: "t", Partition: i / 2, Committed: offsets[i], End: offsets[i+1]})
		}
		return all
	}
	before := look(5, 10, 5, 10)
	if _, err := stalled(before, look(9, 14, 5, 14), 1); err != nil {
		t.Error(err)
	}
	for name, after := range map[string][]GroupLine{"none": look(9, 14, 9, 14), "all": look(5, 14, 5, 14), "nothing is written": look(9, 14, 5, 10)} {
		if _, err := stalled(before, after, 1); err == nil {
			t.Errorf("%s: seen as the stall of partition 1", name)
		}
	}
}
