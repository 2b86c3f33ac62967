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
	if h.Count == 1 {
		w.small++
	}
	if h.Magic == 2 && h.ProducerID < 0 && !h.Control() && h.Count > 0 {
		w.unproduced++
		w.repeated(h)
	}
	if w.aborts != nil {
		w.aborts.batch(h)
	}
	if !w.deep {
		return nil
	}
	w.unpack.Keep = 64
	w.unpack.Open(h, w.s.Body())
	n := int64(0)
	for w.unpack.Next() {
		n++
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
