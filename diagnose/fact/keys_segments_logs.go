package fact

import (
	"fmt"
	"slices"
)

// LocalLogs is what the files of a log dir say of its partitions, in columns
// alike. Offsets are those of the next message; -1: not known, or not in
// the checkpoint. Each is as of when it was read: a running broker goes on
// writing, its recovery point and log start are written every minute, its high
// watermark every five seconds, and a broker that moves a replica has two.
type LocalLogs struct {
	All       int      `json:"all"`       // partitions there are; more than in the columns where there are too many
	Running   bool     `json:"running"`   // a broker has the log dir locked
	Partition []string `json:"partition"` // "orders-3"
	Segments  []int32  `json:"segments"`
	Bytes     []int64  `json:"bytes"`
	Written   []int64  `json:"written"` // when the active segment last changed, milliseconds since 1970

	First []int64 `json:"first"` // offset that the oldest segment begins with: at most the log start
	End   []int64 `json:"end"`   // log end: behind the last whole batch

	LogStart      []int64 `json:"log_start"` // of log-start-offset-checkpoint, which has those alone that DeleteRecords moved
	HighWatermark []int64 `json:"high_watermark"`
	RecoveryPoint []int64 `json:"recovery_point"`

	Epoch        []int32 `json:"epoch"`         // the last of leader-epoch-checkpoint; -1: none
	EpochStart   []int64 `json:"epoch_start"`   // its first offset
	WrittenEpoch []int32 `json:"written_epoch"` // of the last batch; -1: none, or not known
}

// Valid says which column does not fit.
func (l LocalLogs) Valid() error {
	n := len(l.Partition)
	for _, c := range []int{len(l.Segments), len(l.Bytes), len(l.Written), len(l.First), len(l.End), len(l.LogStart), len(l.HighWatermark), len(l.RecoveryPoint), len(l.Epoch), len(l.EpochStart), len(l.WrittenEpoch)} {
		if c != n {
			return fmt.Errorf("a column of %d entries for %d partitions", c, n)
		}
	}
	return nil
}

// At is the row of a partition, "orders-3"; -1: it has none here.
func (l LocalLogs) At(partition string) int { return slices.Index(l.Partition, partition) }

// Rows is the row of each partition, for whoever asks for many.
func (l LocalLogs) Rows() map[string]int {
	rows := make(map[string]int, len(l.Partition))
	for i, p := range l.Partition {
		rows[p] = i
	}
	return rows
}
