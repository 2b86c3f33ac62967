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

// repeated remembers a batch, and notes one that is there already: a producer
// that does not number its batches sends the same again when an answer is late.
func (w *pass) repeated(h *batch.Header) {
	key := uint64(h.CRC)<<32 | uint64(uint32(h.Length))
	if first, twice := w.seen[key]; twice && len(w.repeats) < mostRepeats && (h.Count > 1 || first != h.BaseOffset-1) {
		w.repeats = append(w.repeats, repeat{first, h.BaseOffset, int64(h.Count)})
	}
	if len(w.seen) >= mostRemembered {
		clear(w.seen)
	}
	w.seen[key] = h.BaseOffset
}
