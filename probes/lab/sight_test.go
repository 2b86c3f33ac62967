package lab

import (
	"bytes"
	"strings"
	"testing"

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
	for _, o := range all {
		if err := s.take(o); err != nil {
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
