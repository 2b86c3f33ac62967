package segments

import (
	"errors"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

const (
	mostRemembered = 4096 // batches in which a repeated one is looked for
	mostRepeats    = 100
)

// inside looks into a batch whose checksum is right.
func (w *pass) inside(at int64, h *batch.Header) error {
	if h.Count > 0 { // not so where compaction emptied it, and not known of old compressed sets
		w.sizes[sizeClass(h.Count)]++
	}
	w.magics[h.Magic]++
	unproduced := h.ProducerID < 0 && !h.Control() && h.Count != 0
	if h.Magic == 2 && unproduced {
		w.unproduced++
		w.repeated(h)
	}
	if w.aborts != nil {
		w.aborts.batch(h)
	}
	if !w.deep && !(w.stamped && unproduced && h.LogAppendTime()) {
		return nil
	}
	w.unpack.Keep, w.unpack.Digest = 64, unproduced
	w.unpack.Open(h, w.s.Body())
	n := int64(0)
	for w.unpack.Next() {
		if n++; unproduced {
			w.compare(w.unpack.Record())
		}
	}
	switch err := w.unpack.Err(); {
	case errors.Is(err, batch.ErrTooLarge):
		w.tooLarge++
	case err != nil:
		w.bad(BadRecord, at, h.BaseOffset, h.LastOffset(), "%v", err)
	case h.Count < 0:
		w.records += n
	}
	return nil
}

// compare counts a record that no producer id protects from being written twice,
// and that is there twice.
func (w *pass) compare(r *batch.Record) {
	w.compared++
	n, where := w.twice.record(r)
	if n > 0 && w.alike == 0 {
		w.alikeAt = where
	}
	w.alike += n
}

// sizeClass is where a batch of so many records is counted.
func sizeClass(records int32) int {
	switch {
	case records < 2:
		return 0
	case records < 10:
		return 1
	case records < 100:
		return 2
	}
	return 3
}

// remembered is a batch that a repeated one is recognised by.
type remembered struct {
	segment, size int32
	crc           uint32
	offset        int64
}

// repeated remembers a batch, and notes one that is there already: a producer
// that does not number its batches sends the same again when an answer is late.
// Two single records in a row may be alike because they were written in the same
// millisecond.
func (w *pass) repeated(h *batch.Header) {
	r := remembered{w.nth, h.Length, h.CRC, h.BaseOffset}
	slot := &w.seen[h.CRC%mostRemembered]
	if old := *slot; old.segment == r.segment && old.size == r.size && old.crc == r.crc && len(w.repeats) < mostRepeats && (h.Count > 1 || old.offset != h.BaseOffset-1) {
		w.repeats = append(w.repeats, repeat{old.offset, h.BaseOffset, int64(h.Count)})
	}
	*slot = r
}
