package segments

import (
	"cmp"
	"slices"
)

// Kind is what is wrong with a file.
type Kind string

// The kinds there are.
const (
	CRCMismatch      Kind = "crc-mismatch"             // a checksum does not fit its batch
	BadBatchHeader   Kind = "bad-batch-header"         // where a batch must begin, none does
	BadRecord        Kind = "bad-record"               // a right checksum, but records that do not parse
	OffsetOrder      Kind = "offset-order"             // offsets go back, or lie outside their segment
	TornTail         Kind = "torn-tail"                // the last batch is incomplete
	IndexCorrupt     Kind = "index-corrupt"            // entries that no broker has written
	IndexRange       Kind = "index-out-of-range"       // entries that point beyond their segment
	TimeIndexCorrupt Kind = "timeindex-corrupt"        // the same of times
	TxnIndexCorrupt  Kind = "txnindex-corrupt"         // the same of aborted transactions
	SnapshotCorrupt  Kind = "snapshot-corrupt"         // of producers, or of the metadata log
	EpochInvalid     Kind = "epoch-checkpoint-invalid" // leader epochs that contradict themselves or the log
	CheckpointBad    Kind = "checkpoint-invalid"       // any other small file that does not parse, or contradicts the log
	MissingFile      Kind = "missing-file"
	StrayFile        Kind = "stray-file" // left over, or of nobody
	Unreadable       Kind = "unreadable" // not seen: says nothing of the file
)

// Kinds is every kind.
var Kinds = []Kind{CRCMismatch, BadBatchHeader, BadRecord, OffsetOrder, TornTail, IndexCorrupt, IndexRange, TimeIndexCorrupt, TxnIndexCorrupt, SnapshotCorrupt, EpochInvalid, CheckpointBad, MissingFile, StrayFile, Unreadable}

// Severity is how much a damage can do.
type Severity string

const (
	Info     Severity = "info"     // the broker passes over it
	Minor    Severity = "minor"    // costs time, or is a sign of something else
	Major    Severity = "major"    // reads fail, or go astray, when they come there
	Critical Severity = "critical" // messages are lost, or will be, or the broker will not start
)

// Damage is one thing that is wrong on a disk.
type Damage struct {
	Kind        Kind     `json:"kind"`
	Severity    Severity `json:"severity"`
	Partition   string   `json:"partition"` // "orders-3"; empty for a file of the log dir
	File        string   `json:"file"`
	Position    int64    `json:"position"`    // bytes from the file's beginning; -1: the file as a whole
	BaseOffset  int64    `json:"base_offset"` // the first offset concerned; -1: none
	LastOffset  int64    `json:"last_offset"` // the last one; -1: not known
	Text        string   `json:"text"`
	SelfHealing bool     `json:"self_healing"` // the broker mends it by itself, at its next start at the latest
}

// same says whether two looks at the same files saw the same damage.
func (d *Damage) same(other *Damage) bool {
	return d.Kind == other.Kind && d.File == other.File && d.Position == other.Position && d.BaseOffset == other.BaseOffset
}

// persistent is what both of two looks saw.
func persistent(first, second []Damage) []Damage {
	return slices.DeleteFunc(second, func(d Damage) bool {
		return !slices.ContainsFunc(first, func(old Damage) bool { return d.same(&old) })
	})
}

var gravity = []Severity{Info, Minor, Major, Critical}

// byPlace sorts damage by file and position.
func byPlace(all []Damage) {
	slices.SortStableFunc(all, func(a, b Damage) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Position, b.Position))
	})
}

// Gravest is the damage that can do most, without what heals by itself; nil when
// there is none.
func Gravest(all []Damage) *Damage {
	var worst *Damage
	for i := range all {
		d := &all[i]
		if d.SelfHealing || d.Kind == Unreadable {
			continue
		}
		if worst == nil || slices.Index(gravity, d.Severity) > slices.Index(gravity, worst.Severity) {
			worst = d
		}
	}
	return worst
}
