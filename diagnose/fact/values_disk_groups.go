package fact

import (
	"fmt"
	"time"
)

// GroupPast is what the copy of a partition of __consumer_offsets on this host
// tells of a group, of the last hours of that copy. Whoever leads that partition
// is the group's coordinator; a follower's copy is behind by moments.
type GroupPast struct {
	Partition   int32           `json:"partition"`      // of __consumer_offsets
	First       time.Time       `json:"first,omitzero"` // of the records read of it
	Last        time.Time       `json:"last,omitzero"`  // of its newest record, of whatever group
	State       string          `json:"state"`          // stable (it has members), empty, dead, unknown
	Generations GenerationTimes `json:"generations"`
	Rewinds     []Rewind        `json:"rewinds,omitempty"` // oldest first, the newest 50
	Gone        []GoneOffset    `json:"gone,omitempty"`    // the same
	Still       []StillOffset   `json:"still,omitempty"`   // offsets that moved and then stood still; 50 at most
	Left        int             `json:"left,omitempty"`    // of these lists, what there was no room for
}

// GenerationTimes is when a group changed its generation (or epoch), in columns:
// oldest first, the newest 50.
type GenerationTimes struct {
	At      []time.Time `json:"at"`
	Number  []int32     `json:"number"`
	Members []int32     `json:"members"`
}

// Valid says which column does not fit.
func (p GroupPast) Valid() error {
	g := p.Generations
	if len(g.Number) != len(g.At) || len(g.Members) != len(g.At) {
		return fmt.Errorf("%d times, %d numbers and %d members of generations", len(g.At), len(g.Number), len(g.Members))
	}
	return nil
}

// Rewind is a commit below the one before.
type Rewind struct {
	At        time.Time `json:"at"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	From      int64     `json:"from"`
	To        int64     `json:"to"`
	Now       int64     `json:"now"`               // committed by now; -1: nothing
	Another   bool      `json:"another,omitempty"` // From is of an earlier topic of that name
}

// GoneOffset is a committed offset that expired or was deleted.
type GoneOffset struct {
	At        time.Time `json:"at"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Was       int64     `json:"was"`            // -1: not read
	How       string    `json:"how"`            // expired; deleted; or, where its age does not tell, expired or deleted
	Again     time.Time `json:"again,omitzero"` // of the first commit after that
	To        int64     `json:"to"`             // what that committed; -1: there is none
}

// StillOffset is a committed offset that moved and then stood still.
type StillOffset struct {
	Since     time.Time `json:"since"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
}

// LastTransactions is the transactions that are open as the partitions of
// __transaction_state on this host have it, by when they began. Others may be
// coordinated elsewhere.
type LastTransactions struct {
	Last time.Time         `json:"last,omitzero"` // of the newest record
	Open []LastTransaction `json:"open"`          // the oldest 500
	Left int               `json:"left,omitempty"`
}

// LastTransaction is a transaction that is open.
type LastTransaction struct {
	ID        string    `json:"id"`
	Producer  int64     `json:"producer"`
	Epoch     int16     `json:"epoch"`
	State     string    `json:"state"` // Ongoing, PrepareCommit, …
	Started   time.Time `json:"started,omitzero"`
	Timeout   float64   `json:"timeout"`   // seconds
	Topic     []string  `json:"topic"`     // in columns, the first 200 of its partitions
	Partition []int32   `json:"partition"` //
}

// Valid says which column does not fit.
func (l LastTransactions) Valid() error {
	for i := range l.Open {
		if o := &l.Open[i]; len(o.Topic) != len(o.Partition) {
			return fmt.Errorf("transaction %d: %d topics and %d partitions", i, len(o.Topic), len(o.Partition))
		}
	}
	return nil
}
