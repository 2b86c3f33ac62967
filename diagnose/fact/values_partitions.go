package fact

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PartitionOffsets is where the logs of all partitions begin and end, in columns
// sorted by topic and partition. An offset of -1 was not told.
type PartitionOffsets struct {
	Topics    []string `json:"topics"`
	Topic     []int32  `json:"topic"` // index into Topics
	Partition []int32  `json:"partition"`

	LogStart      []int64 `json:"log_start"`
	HighWatermark []int64 `json:"high_watermark"` // what consumers take for the log end
	LastStable    []int64 `json:"last_stable"`    // below the high watermark: a transaction is open

	Left int `json:"left,omitempty"` // partitions that were not asked for: too many
}

// Valid says which column does not fit.
func (o PartitionOffsets) Valid() error {
	n := len(o.Partition)
	for name, have := range map[string]int{"topic": len(o.Topic), "log_start": len(o.LogStart), "high_watermark": len(o.HighWatermark), "last_stable": len(o.LastStable)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	for _, t := range o.Topic {
		if t < 0 || int(t) >= len(o.Topics) {
			return fmt.Errorf("topic index %d, %d topics", t, len(o.Topics))
		}
	}
	return nil
}

// At is the index of a partition; -1: it is not there.
func (o PartitionOffsets) At(topic string, partition int32) int {
	return row(o.Topics, o.Topic, o.Partition, topic, partition)
}

// Written is how many records each partition was given since an earlier sample:
// by how much its high watermark grew. -1: one of both was not told, or the
// partition was made anew.
func (o PartitionOffsets) Written(before PartitionOffsets) []int64 {
	by := make([]int64, len(o.Partition))
	for i, p := range o.Partition {
		by[i] = -1
		at := i // mostly nothing came or went between two samples
		if at >= len(before.Partition) || before.Partition[at] != p || before.Topics[before.Topic[at]] != o.Topics[o.Topic[i]] {
			at = before.At(o.Topics[o.Topic[i]], p)
		}
		if at >= 0 && before.HighWatermark[at] >= 0 && o.HighWatermark[i] >= before.HighWatermark[at] {
			by[i] = o.HighWatermark[i] - before.HighWatermark[at]
		}
	}
	return by
}

// At is the index of a partition; -1: it is not there.
func (m *MetadataView) At(topic string, partition int32) int {
	return row(m.Topics, m.Topic, m.Partition, topic, partition)
}

// row finds a partition in columns that are sorted by topic and partition.
func row(topics []string, topic, partition []int32, name string, number int32) int {
	t, ok := slices.BinarySearch(topics, name)
	if !ok { // not there, or under pseudonyms: they keep the rows in order, not the names
		if t = slices.Index(topics, name); t < 0 {
			return -1
		}
	}
	low, high := 0, len(partition)
	for low < high {
		middle := int(uint(low+high) / 2)
		if cmp.Or(cmp.Compare(topic[middle], int32(t)), cmp.Compare(partition[middle], number)) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(partition) || topic[low] != int32(t) || partition[low] != number {
		return -1
	}
	return low
}

// EpochEnds is where leader epochs end according to the leaders of suspect
// partitions, in columns sorted by topic, partition and epoch asked for. A group
// whose commit of that epoch is beyond the end has read what was cut off; the end
// of the leader's own epoch is its log end, which can be beyond the high watermark.
type EpochEnds struct {
	Topic     []string `json:"topic"`
	Partition []int32  `json:"partition"`
	Asked     []int32  `json:"asked"` // leader epoch
	Found     []int32  `json:"found"` // the largest epoch that the leader knows and that is not above; -1: none
	End       []int64  `json:"end"`   // offset where it ends; -1: not known

	Left   int `json:"left,omitempty"`   // suspect partitions that were not asked about: too many
	Untold int `json:"untold,omitempty"` // those whose leader told nothing
}

// Valid says which column does not fit.
func (e EpochEnds) Valid() error {
	n := len(e.Topic)
	for name, have := range map[string]int{"partition": len(e.Partition), "asked": len(e.Asked), "found": len(e.Found), "end": len(e.End)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	return nil
}

// Of is where an epoch of a partition ends, as its leader says.
func (e EpochEnds) Of(topic string, partition, epoch int32) (found int32, end int64, ok bool) {
	for i := range e.Topic {
		if cmp.Or(strings.Compare(e.Topic[i], topic), cmp.Compare(e.Partition[i], partition), cmp.Compare(e.Asked[i], epoch)) == 0 {
			return e.Found[i], e.End[i], true
		}
	}
	return -1, -1, false
}

// BatchHeader is what stands before the records of a batch.
type BatchHeader struct {
	Base          int64     `json:"base"`           // its first offset
	Last          int64     `json:"last"`           // its last offset
	LeaderEpoch   int32     `json:"leader_epoch"`   // of the leader that wrote it
	Records       int32     `json:"records"`        // fewer than offsets where it was compacted
	Bytes         int64     `json:"bytes"`          // header included
	First         time.Time `json:"first,omitzero"` // the zero time: not told
	Max           time.Time `json:"max,omitzero"`
	AppendTime    bool      `json:"append_time,omitempty"` // both times are the broker's, not the producer's
	Codec         string    `json:"codec"`                 // none, gzip, snappy, lz4, zstd
	Transactional bool      `json:"transactional,omitempty"`
	Control       bool      `json:"control,omitempty"`
	Producer      int64     `json:"producer"` // -1: not idempotent
	ProducerEpoch int16     `json:"producer_epoch"`
	Sequence      int32     `json:"sequence"`
}

// BatchSeen is a batch and why it was looked at.
type BatchSeen struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Group     string `json:"group"`         // whose committed offset is looked at
	Asked     int64  `json:"asked"`         // offset
	End       bool   `json:"end,omitempty"` // that is the last one, not the committed one
	BatchHeader
}

// Behind is by how much time the next record of a group is older than the newest
// of its partition, by what their batches say; false where that is not known.
func Behind(all []BatchSeen, group string) (seconds float64, ok bool) {
	var next, newest time.Time
	for _, b := range all {
		switch {
		case b.Group != group:
		case b.End && b.Last >= b.Asked && b.Base <= b.Asked:
			newest = b.Max
		case !b.End && b.Last >= b.Asked && next.IsZero():
			next = b.First
		}
	}
	if next.IsZero() || newest.IsZero() {
		return 0, false
	}
	return newest.Sub(next).Seconds(), true
}
