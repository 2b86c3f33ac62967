package fact

import "fmt"

// Roster is a group's protocol and its members, columns indexed by member.
type Roster struct {
	Protocol        string `json:"protocol"`         // assignor: range, uniform, … empty while none is chosen
	ProtocolType    string `json:"protocol_type"`    // consumer, connect, … as a classic group tells it
	Epoch           int32  `json:"epoch"`            // -1: a classic group does not tell it
	AssignmentEpoch int32  `json:"assignment_epoch"` // behind Epoch: a target assignment is yet to be computed; -1 as above

	Members []GroupMember `json:"members"`

	Topics     []string `json:"topics"`     // names that Subscribed, Topic and TargetTopic index, sorted
	Subscribed Lists    `json:"subscribed"` // of each member

	// Assigned partitions of each member: Ends of Topic and of Partition are alike.
	Topic     Lists `json:"topic"`
	Partition Lists `json:"partition"`

	// TargetTopic and TargetPartition are what the coordinator wants members to
	// have; only of groups of the consumer protocol.
	TargetTopic     Lists `json:"target_topic,omitzero"`
	TargetPartition Lists `json:"target_partition,omitzero"`

	Left int `json:"left,omitempty"` // members that are not listed here: too many
}

// GroupMember is one member.
type GroupMember struct {
	ID       string `json:"id"`
	Client   string `json:"client"` // client id
	Host     string `json:"host"`   // as the broker sees it
	Instance string `json:"instance,omitempty"`
	Rack     string `json:"rack,omitempty"`
	Epoch    int32  `json:"epoch"`            // -1: a classic group does not tell it
	Regex    string `json:"regex,omitempty"`  // what it subscribes to, if not by names
	Unread   bool   `json:"unread,omitempty"` // what it subscribes to or is assigned is not told in a form that ktriage reads
}

// Owned is how many partitions member i is assigned.
func (r Roster) Owned(i int) int { return len(r.Partition.At(i)) }

// Valid says which column does not fit.
func (r Roster) Valid() error {
	n := len(r.Members)
	for name, have := range map[string]Lists{"subscribed": r.Subscribed, "topic": r.Topic, "partition": r.Partition} {
		if len(have.Ends) != n {
			return fmt.Errorf("%s has %d entries, %d members", name, len(have.Ends), n)
		}
	}
	for name, have := range map[string]Lists{"target_topic": r.TargetTopic, "target_partition": r.TargetPartition} {
		if len(have.Ends) != n && len(have.Ends) != 0 {
			return fmt.Errorf("%s has %d entries, %d members", name, len(have.Ends), n)
		}
	}
	for i := range n {
		if len(r.Topic.At(i)) != len(r.Partition.At(i)) || len(r.TargetTopic.At(i)) != len(r.TargetPartition.At(i)) {
			return fmt.Errorf("member %d has topics and partitions of unequal number", i)
		}
	}
	for name, have := range map[string]Lists{"subscribed": r.Subscribed, "topic": r.Topic, "target_topic": r.TargetTopic} {
		for _, at := range have.Items {
			if at < 0 || int(at) >= len(r.Topics) {
				return fmt.Errorf("%s has topic index %d, %d topics", name, at, len(r.Topics))
			}
		}
	}
	return nil
}

// ShareGroupOffsets is where a share group is, in columns sorted by topic and
// partition.
type ShareGroupOffsets struct {
	Topic     []string `json:"topic"`
	Partition []int32  `json:"partition"`
	Start     []int64  `json:"start"` // the first offset that is not yet done with; -1: none yet
	Epoch     []int32  `json:"epoch"` // of the partition's leader
	Lag       []int64  `json:"lag"`   // records that were not yet delivered; -1: not told
}

// Valid says which column does not fit.
func (o ShareGroupOffsets) Valid() error {
	n := len(o.Topic)
	for name, have := range map[string]int{"partition": len(o.Partition), "start": len(o.Start), "epoch": len(o.Epoch), "lag": len(o.Lag)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	return nil
}
