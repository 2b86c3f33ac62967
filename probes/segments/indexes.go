package segments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// openIndexes opens what indexes the segment has, before the log: what they say
// is then in the log. The result closes them.
func (w *pass) openIndexes(ctx context.Context) (closing func()) {
	var open []*polite.File
	width := map[string]int64{suffixIndex: indexEntry, suffixTimeIndex: timeIndexEntry}
	for i, suffix := range []string{suffixIndex, suffixTimeIndex} {
		if w.has[suffix] == 0 {
			continue
		}
		name := w.file(suffix)
		file, err := polite.Open(ctx, w.target, name, w.pace)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				w.unreadable(ctx, name, err)
			}
			continue
		}
		open = append(open, file)
		size := file.Size()
		e := newEntries(file, size, width[suffix], w.indexes[i])
		if odd := size % width[suffix]; odd != 0 {
			w.index(suffix, size-odd, -1, indexKind(suffix), Major, fmt.Sprintf("%d bytes, expected a multiple of %d", size, width[suffix]))
		}
		if suffix == suffixIndex {
			w.offsets = newOffsetIndex(e, w.base, func(position, offset int64, kind Kind, text string) {
				w.index(suffixIndex, position, offset, kind, Major, text)
			})
		} else {
			w.times = newTimeIndex(e, w.base, func(position, offset int64, text string) {
				w.index(suffixTimeIndex, position, offset, TimeIndexCorrupt, Major, text)
			})
		}
	}
	w.openTxnIndex(ctx)
	return func() {
		for _, f := range open {
			f.Close()
		}
	}
}

func indexKind(suffix string) Kind {
	if suffix == suffixTimeIndex {
		return TimeIndexCorrupt
	}
	return IndexCorrupt
}

// index notes damage of an index.
func (w *pass) index(suffix string, position, offset int64, kind Kind, severity Severity, text string) {
	w.wrong[suffix] = position
	w.add(Damage{Kind: kind, Severity: severity, File: w.file(suffix), Position: position, BaseOffset: offset, LastOffset: -1, Text: text, SelfHealing: w.mended()})
}

// closeIndexes holds what remains of the indexes against the end of the log.
func (w *pass) closeIndexes(end int64, grown bool) {
	quiet := !w.active() || !grown
	if w.offsets != nil {
		if quiet {
			w.offsets.end(end, w.last)
		}
		w.leftovers(suffixIndex, w.offsets.entries, w.offsets.have)
		w.unused(suffixIndex, w.offsets.entries)
	}
	if w.times != nil {
		if quiet && w.order.last >= 0 {
			w.times.end()
		}
		w.leftovers(suffixTimeIndex, w.times.entries, w.times.have)
		w.unused(suffixTimeIndex, w.times.entries)
		w.lastTime()
	}
	if w.aborts != nil && quiet {
		w.aborts.end(w.last)
	}
}

// leftovers takes back what was told of an index that a broker has open, or had when
// it died. To cut off a log's end leaves the entries of that end where they are, behind
// those in use, until new ones take their place or the broker closes the file. They go
// on up to the unused ones; damage seldom does.
func (w *pass) leftovers(suffix string, e *entries, more bool) {
	if !w.active() {
		return
	}
	for raw := []byte{}; raw != nil; {
		raw, _ = e.read()
	}
	last := e.next - 2*e.width
	wrong, told := w.wrong[suffix]
	if !e.zeros || !more && !(told && wrong == last) {
		return
	}
	name := w.file(suffix)
	w.damage = slices.DeleteFunc(w.damage, func(d Damage) bool { return d.File == name && d.Position <= last })
}

// unused judges the zeros at the end of an index.
func (w *pass) unused(suffix string, e *entries) {
	if e.failed != nil && !errors.Is(e.failed, io.EOF) {
		w.add(Damage{Kind: Unreadable, Severity: Info, File: w.file(suffix), Position: e.next, BaseOffset: -1, LastOffset: -1, Text: e.failed.Error()})
		return
	}
	if !e.zeros {
		return
	}
	if at, found := e.dataAfterZeros(); found {
		w.index(suffix, at, -1, indexKind(suffix), Major, "an entry behind one of zeros")
		return
	}
	if !w.active() && suffix == suffixIndex {
		w.index(suffix, e.next, -1, IndexCorrupt, Minor, fmt.Sprintf("the last %d bytes are zeros, in a closed segment: offsets behind them are looked for from the segment's start", e.size-e.next))
	}
}

// lastTime judges what the broker takes for the timestamp of the whole segment
// when it decides whether its time is over.
func (w *pass) lastTime() {
	x := w.times
	if w.active() {
		if x.entries.zeros && !x.seen && x.entries.failed == nil && w.offsets != nil && w.offsets.last.at >= indexEntry && w.latest >= 0 {
			w.index(suffixTimeIndex, 0, w.base, TimeIndexCorrupt, Critical, "empty, although the offset index beside it has entries: the broker takes the segment for one of 1970, and deletes it with the next roll")
		}
		return
	}
	if w.latest <= 0 || w.batches == 0 || x.unsure {
		return
	}
	switch {
	case x.entries.zeros:
		w.index(suffixTimeIndex, x.entries.next-timeIndexEntry, w.base, TimeIndexCorrupt, Critical, "its last entry is zero, in a closed segment: the broker takes the segment for one of 1970, and the next pass of retention deletes it, whatever its age")
	case !x.seen:
		w.index(suffixTimeIndex, 0, w.base, TimeIndexCorrupt, Minor, "empty, in a closed segment: retention goes by the file's modification time")
	case x.last.stamp < w.latest:
		w.index(suffixTimeIndex, x.last.at, x.last.offset, TimeIndexCorrupt, Major, fmt.Sprintf("%s: the segment's latest timestamp is %d; retention goes by the last entry", x.last, w.latest))
	}
}

// txnIndex holds a transaction index against the control batches that come by.
type txnIndex struct {
	all  []aborted
	at   int
	tell func(a aborted, text string)
}

func (w *pass) openTxnIndex(ctx context.Context) {
	if w.has[suffixTxnIndex] == 0 {
		return
	}
	name := w.file(suffixTxnIndex)
	raw, err := readSmall(ctx, w.target, name, maxTxnIndex)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			w.unreadable(ctx, name, err)
		}
		return
	}
	all, position, err := parseTxnIndex(raw, w.base)
	if err != nil {
		w.index(suffixTxnIndex, position, -1, TxnIndexCorrupt, Major, err.Error())
	}
	w.aborts = &txnIndex{all: all, tell: func(a aborted, text string) {
		w.index(suffixTxnIndex, a.position, a.last, TxnIndexCorrupt, Major, text)
	}}
}

// batch passes a sound batch: an entry's last offset is that of an end mark of
// its producer, unless compaction has removed it.
func (x *txnIndex) batch(h *batch.Header) {
	for x.at < len(x.all) && x.all[x.at].last < h.BaseOffset {
		x.at++
	}
	for x.at < len(x.all) && x.all[x.at].last <= h.LastOffset() {
		if a := x.all[x.at]; h.Count > 0 && (!h.Control() || h.ProducerID != a.producer) {
			x.tell(a, fmt.Sprintf("a transaction of producer %d that ends at %d, where no end mark of it is", a.producer, a.last))
		}
		x.at++
	}
}

func (x *txnIndex) end(last int64) {
	if x.at < len(x.all) {
		x.tell(x.all[x.at], fmt.Sprintf("a transaction that ended at %d, the log ends with %d", x.all[x.at].last, last))
	}
}
