package kafka

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// A share group on kfake: its member, and where it is in the log.
func TestShareGroup(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(1))
	commitSome(t, cluster.ListenAddrs())
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	join := kmsg.NewPtrShareGroupHeartbeatRequest()
	join.GroupID, join.MemberID, join.SubscribedTopicNames = "pickers", "m-1", []string{"orders"}
	if answer, err := join.RequestWith(t.Context(), client); err != nil || answer.ErrorCode != 0 {
		t.Fatal(answer, err)
	}
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("orders")}}
	topics, err := metadata.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	fetch := kmsg.NewPtrShareFetchRequest()
	fetch.GroupID, fetch.MemberID, fetch.MaxRecords = kmsg.StringPtr("pickers"), kmsg.StringPtr("m-1"), 4
	partition := kmsg.NewShareFetchRequestTopicPartition()
	partition.Partition, partition.PartitionMaxBytes = 2, 1<<20
	fetch.Topics = []kmsg.ShareFetchRequestTopic{{TopicID: topics.Topics[0].TopicID, Partitions: []kmsg.ShareFetchRequestTopicPartition{partition}}}
	if answer, err := fetch.RequestWith(t.Context(), client); err != nil || answer.ErrorCode != 0 {
		t.Fatal(answer, err)
	}

	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	pickers := fact.Subject{Scope: fact.Group, Name: "pickers"}
	groups := must(t, target, Groups)
	if kind := value(t, groups, fact.GroupType, pickers); kind != "share" {
		t.Errorf("a group of type %s", kind)
	}
	if r := value(t, groups, fact.GroupRoster, pickers); len(r.Members) != 1 || r.ProtocolType != "share" {
		t.Errorf("%+v", r)
	}
	seen := must(t, target, ShareOffsets)
	o := value(t, seen, fact.ShareOffsets, pickers)
	if err := o.Valid(); err != nil || !slices.Equal(o.Topic, []string{"orders"}) || !slices.Equal(o.Partition, []int32{2}) || o.Start[0] < 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if len(seen.subjects(fact.ShareOffsets)) != 1 {
		t.Errorf("groups of other kinds are asked about: %s", seen)
	}
}

// A partition that is denied makes the group unknown.
func TestShareOffsetsDenied(t *testing.T) {
	g := kmsg.DescribeShareGroupOffsetsResponseGroup{GroupID: "pickers", Topics: []kmsg.DescribeShareGroupOffsetsResponseGroupTopic{
		{Topic: "plays", Partitions: []kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition{{Partition: 1, StartOffset: 9, Lag: 3}, {Partition: 0, StartOffset: 7, Lag: -1}}},
		{Topic: "orders", Partitions: []kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition{{Partition: 5, StartOffset: 1, LeaderEpoch: 4}}}}}
	p := &peer{name: "1", id: 1}
	o, err := shareOffsets(p, g)
	if err != nil || !slices.Equal(o.Topic, []string{"orders", "plays", "plays"}) || !slices.Equal(o.Partition, []int32{5, 0, 1}) ||
		!slices.Equal(o.Start, []int64{1, 7, 9}) || !slices.Equal(o.Lag, []int64{0, -1, 3}) || !slices.Equal(o.Epoch, []int32{4, 0, 0}) {
		t.Errorf("%+v, %v", o, err)
	}
	g.Topics[0].Partitions[0].ErrorCode = kerr.TopicAuthorizationFailed.Code
	if _, err := shareOffsets(p, g); err == nil {
		t.Error("a denied partition is no error")
	}
}

func TestStreamsRoster(t *testing.T) {
	g := kmsg.StreamsGroupDescribeResponseGroup{Group: "stream", State: "Stable", Epoch: 6, AssignmentEpoch: 5,
		Topology: &kmsg.StreamsGroupDescribeResponseGroupTopology{Subtopologies: []kmsg.StreamsGroupDescribeResponseGroupTopologySubtopology{
			{SubtopologyID: "0", SourceTopics: []string{"orders", "plays"}}, {SubtopologyID: "1", SourceTopics: []string{"joined"}}}},
		Members: []kmsg.StreamsGroupDescribeResponseGroupMember{{MemberID: "m-1", ClientID: "app", ClientHost: "/10.0.0.1", MemberEpoch: 5,
			Assignment:       kmsg.StreamsAssignment{ActiveTasks: []kmsg.TaskIDs{{SubtopologyID: "0", Partitions: []int32{1, 0}}, {SubtopologyID: "9", Partitions: []int32{3}}}},
			TargetAssignment: kmsg.StreamsAssignment{ActiveTasks: []kmsg.TaskIDs{{SubtopologyID: "1", Partitions: []int32{2}}}}}}}
	r := streamsRoster(g)
	if err := r.Valid(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Topics, []string{"joined", "orders", "plays"}) || r.Owned(0) != 4 || r.Epoch != 6 || r.AssignmentEpoch != 5 || r.Members[0].Host != "10.0.0.1" ||
		!slices.Equal(r.TargetPartition.At(0), []int32{2}) || len(r.Subscribed.At(0)) != 3 {
		t.Errorf("%+v", r)
	}
}
