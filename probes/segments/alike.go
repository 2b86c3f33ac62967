package segments

import "github.com/ktriage/ktriage/probes/segments/batch"

const (
	alikeWindow = 1 << 16 // records of a segment among which one alike is looked for
	mostAlike   = 3       // times that one is sent again; what is there more often is meant to be
)

// alike finds records whose key and payload stand twice within a window: those
// that a producer without a producer id has sent again, in whatever batches and at
// whatever time. Single records may be alike because what they tell is, so only
// rows count: two and more in the same order. It needs 2 MiB, whatever comes by.
type alike struct {
	slots   []alikeSlot
	segment int32
	count   int64 // records of the segment so far
	before  uint64
	at      int64 // of the record that the last one was alike; -1: none
	row     int64 // how many in a row
	begins  Repeat
}

// alikeSlot is the last record with a digest.
type alikeSlot struct {
	digest  uint64
	count   int64
	offset  int64
	segment int32
	times   int32
}

// begin is the beginning of a segment.
func (a *alike) begin(segment int32) {
	a.segment, a.count, a.at, a.row, a.before = segment, 0, -1, 0, 0
}

// record takes the next record, and says how many more are there twice by now;
// where is the first of them.
func (a *alike) record(r *batch.Record) (more int64, where Repeat) {
	if a.slots == nil {
		a.slots = make([]alikeSlot, alikeWindow)
	}
	a.count++
	if r.KeySize <= 0 && r.ValueSize <= 0 {
		a.at, a.row, a.before = -1, 0, r.Digest
		return 0, where
	}
	slot := &a.slots[r.Digest%alikeWindow]
	old := *slot
	again := old.segment == a.segment && old.digest == r.Digest && a.count-old.count <= alikeWindow
	*slot = alikeSlot{r.Digest, a.count, r.Offset, a.segment, 1}
	if again {
		slot.times = old.times + 1
	}
	switch {
	case !again || slot.times > mostAlike || r.Digest == a.before:
		a.at, a.row = -1, 0
	case a.row > 0 && old.count == a.at+1:
		if a.at, a.row = old.count, a.row+1; a.row == 2 {
			more, where = 2, a.begins
		} else {
			more, where = 1, a.begins
		}
	default:
		a.at, a.row, a.begins = old.count, 1, Repeat{First: old.offset, Again: r.Offset}
	}
	a.before = r.Digest
	return more, where
}
