package fact

import (
	"fmt"
	"time"
)

// OpenTransactions is transactions that are neither committed nor aborted, in
// columns. Their age is the time of the observation less Started.
type OpenTransactions struct {
	ID          []string    `json:"id"` // transactional id, sorted
	Producer    []int64     `json:"producer"`
	Epoch       []int16     `json:"epoch"` // of the producer; -1: not told
	State       []string    `json:"state"` // Ongoing, PrepareCommit, …
	Coordinator []int32     `json:"coordinator"`
	Started     []time.Time `json:"started"` // the zero time: not told
	Timeout     []float64   `json:"timeout"` // seconds after which the coordinator aborts it; -1: not told
	Partitions  []int32     `json:"partitions"`

	Left   int      `json:"left,omitempty"`   // open transactions that are not listed here: too many
	Untold []string `json:"untold,omitempty"` // brokers that told nothing: what they coordinate is missing
}

// Valid says which column does not fit.
func (o OpenTransactions) Valid() error {
	n := len(o.ID)
	for name, have := range map[string]int{"producer": len(o.Producer), "epoch": len(o.Epoch), "state": len(o.State), "coordinator": len(o.Coordinator),
		"started": len(o.Started), "timeout": len(o.Timeout), "partitions": len(o.Partitions)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d transactions", name, have, n)
		}
	}
	return nil
}

// Producers is producers with an open transaction in a partition whose last
// stable offset is below its high watermark, in columns.
type Producers struct {
	Topic            []string    `json:"topic"`
	Partition        []int32     `json:"partition"`
	Producer         []int64     `json:"producer"`
	Epoch            []int32     `json:"epoch"`
	LastSequence     []int32     `json:"last_sequence"`     // -1: none
	CoordinatorEpoch []int32     `json:"coordinator_epoch"` // -1: it has ended no transaction yet
	LastWrite        []time.Time `json:"last_write"`
	Started          []int64     `json:"started"` // offset where its open transaction begins

	// Held is partitions that were looked at because something holds their last
	// stable offset back, and Untold those of them whose leader told nothing.
	Held   int `json:"held"`
	Untold int `json:"untold"`
}

// Valid says which column does not fit.
func (p Producers) Valid() error {
	n := len(p.Topic)
	for name, have := range map[string]int{"partition": len(p.Partition), "producer": len(p.Producer), "epoch": len(p.Epoch), "last_sequence": len(p.LastSequence),
		"coordinator_epoch": len(p.CoordinatorEpoch), "last_write": len(p.LastWrite), "started": len(p.Started)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d producers", name, have, n)
		}
	}
	return nil
}
