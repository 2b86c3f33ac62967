package segments

import (
	"fmt"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// timeIndex holds a time index against the batches of its log as they come by.
type timeIndex struct {
	entries *entries
	base    int64
	entry   timeEntry
	have    bool
	last    timeEntry
	seen    bool
	latest  int64 // timestamp of the batches so far
	behind  int64 // offset of the last batch so far
	unsure  bool  // a header before could not be trusted, so neither can latest
	tell    func(position, offset int64, text string)
}

func newTimeIndex(e *entries, base int64, tell func(position, offset int64, text string)) *timeIndex {
	x := &timeIndex{entries: e, base: base, latest: -1, behind: -1, tell: tell}
	x.advance()
	return x
}

func (x *timeIndex) wrong(e timeEntry, format string, args ...any) {
	x.tell(e.at, e.offset, fmt.Sprintf("%s: %s", e, fmt.Sprintf(format, args...)))
}

func (x *timeIndex) advance() {
	for {
		raw, at := x.entries.read()
		if x.have = raw != nil; !x.have {
			return
		}
		x.entry = timeEntryOf(raw, at, x.base)
		switch e := x.entry; {
		case e.offset < x.base || e.stamp < 0:
			x.wrong(e, "expected a timestamp, and an offset from %d on", x.base)
		case x.seen && (e.offset < x.last.offset || e.stamp <= x.last.stamp):
			x.wrong(e, "expected more than in the one before, timestamp %d at offset %d", x.last.stamp, x.last.offset)
		default:
			x.last, x.seen = e, true
			return
		}
	}
}

// batch passes a batch of the log.
func (x *timeIndex) batch(h *batch.Header, sure bool) {
	if !sure {
		x.unsure = true
	}
	for x.have && x.entry.offset <= h.LastOffset() {
		at := x.latest
		if x.entry.offset >= h.BaseOffset {
			at = max(at, h.MaxTimestamp)
		}
		switch {
		case x.unsure:
		case x.entry.stamp > at:
			x.wrong(x.entry, "nothing up to this offset is later than %d", at)
		case x.entry.stamp < x.latest:
			x.wrong(x.entry, "the batches before it are as late as %d", x.latest)
		}
		x.advance()
	}
	x.latest, x.behind = max(x.latest, h.MaxTimestamp), h.LastOffset()
}

// end is when the log has ended.
func (x *timeIndex) end() {
	for x.have {
		x.wrong(x.entry, "the log ends with offset %d", x.behind)
		x.advance()
	}
}
