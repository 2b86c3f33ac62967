package segments

import (
	"fmt"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// mostPerFile is how many damages of one file are told one by one.
const mostPerFile = 20

// offsetIndex holds an offset index against the batches of its log as they come
// by. Before 3.9.1 an entry stood for everything that one append wrote: then its
// offset is that of a later batch than the one that it points to.
type offsetIndex struct {
	entries *entries
	base    int64
	entry   offsetEntry // the next that no batch has met
	have    bool
	last    offsetEntry // the one before
	met     bool        // the offset of last was that of a batch
	seen    bool        // there is a last
	tell    func(position, offset int64, kind Kind, text string)
}

func newOffsetIndex(e *entries, base int64, tell func(position, offset int64, kind Kind, text string)) *offsetIndex {
	x := &offsetIndex{entries: e, base: base, tell: tell, met: true}
	x.advance()
	return x
}

func (x *offsetIndex) advance() {
	for {
		raw, at := x.entries.read()
		if x.have = raw != nil; !x.have {
			return
		}
		x.entry = offsetEntryOf(raw, at, x.base)
		switch e := x.entry; {
		case e.offset < x.base || e.position <= 0:
			x.wrong(e, "expected an offset from %d on and a position above 0", x.base)
		case x.seen && !x.met && e.offset <= x.last.offset && e.position > x.last.position: // the one before stands out
			x.wrong(x.last, "the next one has offset %d", e.offset)
			x.last, x.met = e, true
			return
		case x.seen && (e.offset <= x.last.offset || e.position <= x.last.position):
			x.wrong(e, "expected more than in the one before, offset %d at %d", x.last.offset, x.last.position)
		default:
			return
		}
	}
}

func (x *offsetIndex) wrong(e offsetEntry, format string, args ...any) {
	x.tell(e.at, e.offset, IndexCorrupt, fmt.Sprintf("%s: %s", e, fmt.Sprintf(format, args...)))
}

// batch passes a batch of the log. sure says whether its header can be trusted.
func (x *offsetIndex) batch(position int64, h *batch.Header, sure bool) {
	for x.have && x.entry.position < position {
		x.wrong(x.entry, "no batch begins at this position, the next one does at %d", position)
		x.advance()
	}
	if x.have && x.entry.position == position {
		if !x.met && sure {
			x.wrong(x.last, "no batch up to position %d ends with this offset", position)
		}
		e := x.entry
		switch {
		case sure && e.offset < h.LastOffset():
			x.wrong(e, "the batch at this position ends with offset %d", h.LastOffset())
		case sure && x.seen && x.last.offset >= h.BaseOffset:
			x.wrong(x.last, "the batch at %d begins with offset %d, which is not behind it", position, h.BaseOffset)
		}
		x.last, x.seen, x.met = e, true, !sure || e.offset <= h.LastOffset() // or told already
		x.advance()
	} else if x.seen && (h.LastOffset() == x.last.offset || !sure) {
		x.met = true
	}
}

// skip passes a stretch of the log that cannot be read as batches.
func (x *offsetIndex) skip(to int64) {
	for x.have && x.entry.position < to {
		x.last, x.seen = x.entry, true
		x.advance()
	}
	x.met = true
}

// end is when the log has ended: at position, with the last offset.
func (x *offsetIndex) end(position, lastOffset int64) {
	if x.seen && !x.met {
		kind := IndexCorrupt
		if x.last.offset > lastOffset {
			kind = IndexRange
		}
		x.tell(x.last.at, x.last.offset, kind, fmt.Sprintf("%s: no batch ends with this offset, the log ends with %d", x.last, lastOffset))
	}
	for x.have {
		x.tell(x.entry.at, x.entry.offset, IndexRange, fmt.Sprintf("%s: the log has %d bytes of batches", x.entry, position))
		x.last, x.seen = x.entry, true
		x.advance()
	}
}
