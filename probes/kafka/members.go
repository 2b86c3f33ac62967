package kafka

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// membersAtMost bounds the members of one group that are kept.
const membersAtMost = 1000

// member is one member of a group before it is brought into columns.
type member struct {
	fact.GroupMember
	subscribed       []string
	assigned, target []owned
}

// owned is partitions of one topic.
type owned struct {
	topic      string
	partitions []int32
}

// classicRoster is a group of the classic protocol. What its members say of
// themselves is bytes that any client can write.
func classicRoster(g kmsg.DescribeGroupsResponseGroup) fact.Roster {
	var all []member
	for _, m := range g.Members {
		one := member{GroupMember: fact.GroupMember{ID: m.MemberID, Client: m.ClientID, Host: host(m.ClientHost), Instance: text(m.InstanceID), Epoch: -1}}
		if g.ProtocolType == "consumer" {
			one.read(m.ProtocolMetadata, m.MemberAssignment)
		} else {
			one.Unread = true
		}
		all = append(all, one)
	}
	r := rosterIn(all)
	r.Protocol, r.ProtocolType, r.Epoch, r.AssignmentEpoch = g.Protocol, g.ProtocolType, -1, -1
	return r
}

// read parses what a classic consumer wrote, and what the leader of its group
// assigned to it. In a rebalance both can be empty, which is no damage.
func (m *member) read(metadata, assignment []byte) {
	if len(metadata) > 0 {
		var said kmsg.ConsumerMemberMetadata
		if said.ReadFrom(metadata) != nil {
			m.Unread = true
		} else {
			m.subscribed, m.Rack = said.Topics, text(said.Rack)
		}
	}
	if len(assignment) > 0 {
		var given kmsg.ConsumerMemberAssignment
		if given.ReadFrom(assignment) != nil {
			m.Unread = true
			return
		}
		for _, t := range given.Topics {
			m.assigned = append(m.assigned, owned{t.Topic, t.Partitions})
		}
	}
}

// consumerRoster is a group of the consumer protocol (KIP-848).
func consumerRoster(g kmsg.ConsumerGroupDescribeResponseGroup) fact.Roster {
	var all []member
	for _, m := range g.Members {
		one := member{GroupMember: fact.GroupMember{ID: m.MemberID, Client: m.ClientID, Host: host(m.ClientHost), Instance: text(m.InstanceID),
			Rack: text(m.RackID), Epoch: m.MemberEpoch, Regex: text(m.SubscribedTopicRegex)}, subscribed: m.SubscribedTopics}
		for _, t := range m.Assignment.TopicPartitions {
			one.assigned = append(one.assigned, owned{t.Topic, t.Partitions})
		}
		for _, t := range m.TargetAssignment.TopicPartitions {
			one.target = append(one.target, owned{t.Topic, t.Partitions})
		}
		all = append(all, one)
	}
	r := rosterIn(all)
	r.Protocol, r.ProtocolType, r.Epoch, r.AssignmentEpoch = g.AssignorName, "consumer", g.Epoch, g.AssignmentEpoch
	return r
}

// shareRoster is a share group (KIP-932). Several members can have the same
// partition.
func shareRoster(g kmsg.ShareGroupDescribeResponseGroup) fact.Roster {
	var all []member
	for _, m := range g.Members {
		one := member{GroupMember: fact.GroupMember{ID: m.MemberID, Client: m.ClientID, Host: host(m.ClientHost), Rack: text(m.RackID), Epoch: m.MemberEpoch},
			subscribed: m.SubscribedTopicNames}
		for _, t := range m.Assignment.TopicPartitions {
			one.assigned = append(one.assigned, owned{t.Topic, t.Partitions})
		}
		all = append(all, one)
	}
	r := rosterIn(all)
	r.Protocol, r.ProtocolType, r.Epoch, r.AssignmentEpoch = g.Assignor, "share", g.GroupEpoch, g.AssignmentEpoch
	return r
}

// streamsRoster is a streams group (KIP-1071). Its members are assigned tasks: the
// same partitions of all source topics of a part of the topology, which is how
// they are told here. Standby and warm-up tasks are left out.
func streamsRoster(g kmsg.StreamsGroupDescribeResponseGroup) fact.Roster {
	sources := map[string][]string{}
	var read []string
	if g.Topology != nil {
		for _, part := range g.Topology.Subtopologies {
			sources[part.SubtopologyID] = part.SourceTopics
			read = append(read, part.SourceTopics...)
		}
	}
	tasks := func(all []kmsg.TaskIDs) (has []owned) {
		for _, task := range all {
			for _, topic := range sources[task.SubtopologyID] {
				has = append(has, owned{topic, task.Partitions})
			}
		}
		return has
	}
	var all []member
	for _, m := range g.Members {
		all = append(all, member{GroupMember: fact.GroupMember{ID: m.MemberID, Client: m.ClientID, Host: host(m.ClientHost), Instance: text(m.InstanceID),
			Rack: text(m.RackID), Epoch: m.MemberEpoch}, subscribed: read, assigned: tasks(m.Assignment.ActiveTasks), target: tasks(m.TargetAssignment.ActiveTasks)})
	}
	r := rosterIn(all)
	r.ProtocolType, r.Epoch, r.AssignmentEpoch = "streams", g.Epoch, g.AssignmentEpoch
	return r
}

// rosterIn brings members into columns, by client, host and id.
func rosterIn(all []member) (r fact.Roster) {
	slices.SortFunc(all, func(a, b member) int {
		return cmp.Or(strings.Compare(a.Client, b.Client), strings.Compare(a.Host, b.Host), strings.Compare(a.ID, b.ID))
	})
	if r.Left = max(0, len(all)-membersAtMost); r.Left > 0 {
		all = all[:membersAtMost]
	}
	index := map[string]int32{}
	for _, m := range all {
		for _, topic := range m.subscribed {
			index[topic] = 0
		}
		for _, o := range slices.Concat(m.assigned, m.target) {
			index[o.topic] = 0
		}
	}
	r.Topics = slices.Sorted(maps.Keys(index))
	for i, topic := range r.Topics {
		index[topic] = int32(i)
	}
	for _, m := range all {
		r.Members = append(r.Members, m.GroupMember)
		subscribed := make([]int32, 0, len(m.subscribed))
		for _, topic := range m.subscribed {
			subscribed = append(subscribed, index[topic])
		}
		slices.Sort(subscribed)
		r.Subscribed.Add(slices.Compact(subscribed))
		flatten(&r.Topic, &r.Partition, m.assigned, index)
		flatten(&r.TargetTopic, &r.TargetPartition, m.target, index)
	}
	return r
}

// flatten appends the partitions of one member, sorted by topic and partition.
func flatten(topics, partitions *fact.Lists, has []owned, index map[string]int32) {
	type one struct{ topic, partition int32 }
	var all []one
	for _, o := range has {
		for _, p := range o.partitions {
			all = append(all, one{index[o.topic], p})
		}
	}
	slices.SortFunc(all, func(a, b one) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	for _, o := range all {
		topics.Items = append(topics.Items, o.topic)
		partitions.Items = append(partitions.Items, o.partition)
	}
	topics.Add(nil)
	partitions.Add(nil)
}

// host is a client's address without the slash that Java writes before it.
func host(h string) string { return strings.TrimPrefix(h, "/") }

// text is a string that may be missing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
