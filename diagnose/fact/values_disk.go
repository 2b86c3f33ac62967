package fact

import (
	"fmt"
	"time"
)

// LogCopy says whose copy of the metadata log told something, and how far it has
// come. A quorum that works writes twice a second: an old newest record means that
// the copy is cut off, or that nothing leads.
type LogCopy struct {
	Node   int32     `json:"node"` // -1: not known
	Dir    string    `json:"dir"`
	First  time.Time `json:"first,omitzero"` // since when changes are told
	Last   time.Time `json:"last,omitzero"`  // of the newest record
	End    int64     `json:"end"`            // offset after it
	Passed int64     `json:"passed,omitempty"`
	Damage string    `json:"damage,omitempty"` // what ended the reading before the log did
}

// LastBroker is a broker as the metadata log has it.
type LastBroker struct {
	BrokerAddress           // of its first endpoint
	Fenced        bool      `json:"fenced,omitempty"`
	Leaving       bool      `json:"leaving,omitempty"`  // it asked to shut down, and is not yet fenced
	Planned       bool      `json:"planned,omitempty"`  // it had asked for it when it was fenced
	Starting      bool      `json:"starting,omitempty"` // fenced since it registered: it has not served yet
	Since         time.Time `json:"since,omitzero"`     // of that
}

// LastCluster is the cluster as of the newest record of a copy of the metadata
// log, partitions in columns sorted by topic and partition.
type LastCluster struct {
	Copy       LogCopy      `json:"copy"`
	Controller int32        `json:"controller"` // -1: not known
	Epoch      int32        `json:"controller_epoch"`
	Brokers    []LastBroker `json:"brokers"` // by id

	Topics      []string `json:"topics"`
	Topic       []int32  `json:"topic"` // index into Topics
	Partition   []int32  `json:"partition"`
	Leader      []int32  `json:"leader"` // -1: none
	LeaderEpoch []int32  `json:"leader_epoch"`
	Replicas    Lists    `json:"replicas"`
	ISR         Lists    `json:"isr"`
	ELR         Lists    `json:"elr"`
	LastELR     Lists    `json:"last_known_elr"`
	Recovering  []int32  `json:"recovering,omitempty"` // rows whose leader was elected unclean and has not recovered
	Left        int      `json:"left,omitempty"`       // partitions that are not told: too many
}

// Valid says which column does not fit.
func (c LastCluster) Valid() error {
	n := len(c.Partition)
	for name, have := range map[string]int{"topic": len(c.Topic), "leader": len(c.Leader), "leader_epoch": len(c.LeaderEpoch), "replicas": len(c.Replicas.Ends),
		"isr": len(c.ISR.Ends), "elr": len(c.ELR.Ends), "last_known_elr": len(c.LastELR.Ends)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	for _, t := range c.Topic {
		if t < 0 || int(t) >= len(c.Topics) {
			return fmt.Errorf("topic index %d, %d topics", t, len(c.Topics))
		}
	}
	for _, row := range c.Recovering {
		if row < 0 || int(row) >= n {
			return fmt.Errorf("recovering row %d, %d partitions", row, n)
		}
	}
	return nil
}

// Change is one thing that changed, or several that changed alike and together.
type Change struct {
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"` // of the last of several
	Kind   string    `json:"kind"`           // a word of docs/history.schema.json
	Scope  string    `json:"scope"`          // cluster, broker, topic, partition, group, user, client, transaction
	Name   string    `json:"name"`           // "2", "orders", "orders-3"; "" for the cluster
	Topic  string    `json:"topic,omitempty"`
	Broker int32     `json:"broker"` // that it is about or that it happened for; -1: none
	Before string    `json:"before"`
	After  string    `json:"after"`
	Count  int       `json:"count"`
	Text   string    `json:"text"`
	// Through is the offset of its record in the metadata log, the last one's of
	// several; 0: of another log, or of a recording of an older ktriage.
	Through int64    `json:"through,omitempty"`
	Parts   []string `json:"parts,omitempty"` // the several, a line each; see ChangeList
}

// ChangeList is the newest changes, oldest first: 400 at most, with 20 parts each.
type ChangeList struct {
	Copy LogCopy   `json:"copy"`
	From time.Time `json:"from,omitzero"` // of what is told; younger than asked for where there are too many changes
	All  []Change  `json:"all"`
	Left int       `json:"left,omitempty"` // older ones that are not told: too many
}

// LeadersMoved is how often partitions changed leader, in columns.
type LeadersMoved struct {
	Topic     []string    `json:"topic"`
	Partition []int32     `json:"partition"`
	Times     []int32     `json:"times"` // within the hour before To
	First     []time.Time `json:"first"` // of these
	Last      []time.Time `json:"last"`
	To        time.Time   `json:"to,omitzero"` // of the newest record
	Seconds   float64     `json:"seconds"`     // of that hour, which the log tells: less for a young one
}

// Valid says which column does not fit.
func (m LeadersMoved) Valid() error {
	n := len(m.Topic)
	for _, c := range []int{len(m.Partition), len(m.Times), len(m.First), len(m.Last)} {
		if c != n {
			return fmt.Errorf("a column of %d entries for %d partitions", c, n)
		}
	}
	return nil
}

// ShrinkTimes is when a broker put followers out of ISRs.
type ShrinkTimes struct {
	From time.Time   `json:"from,omitzero"` // of what the log tells
	To   time.Time   `json:"to,omitzero"`   // of its newest record
	At   []time.Time `json:"at"`            // oldest first, the newest 1000
}

// Within is how many there were in the time before a moment.
func (s ShrinkTimes) Within(at time.Time, window time.Duration) (n int) {
	for _, t := range s.At {
		if !t.After(at) && at.Sub(t) < window {
			n++
		}
	}
	return n
}
