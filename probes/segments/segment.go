package segments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// place is where a segment is, and what its neighbours say of it.
type place struct {
	partition string // "orders-3"
	dir       string
	base      int64
	next      int64 // base of the next segment; -1: this is the active one
	epochs    []epochStart
	unclean   bool           // not running, not stopped cleanly: the next start scans it from where it was last flushed
	flushed   int64          // the recovery point; -1: not known
	has       map[string]int // suffixes of the files beside it
}

func (p *place) active() bool { return p.next < 0 }

// mended says whether the next start of the broker rebuilds the segment's
// indexes, and cuts off what is not whole.
func (p *place) mended() bool {
	return p.unclean && (p.active() || p.flushed >= 0 && p.next > p.flushed)
}

func (p *place) file(suffix string) string {
	return filepath.Join(p.dir, fmt.Sprintf("%020d%s", p.base, suffix))
}

// content is what a segment holds.
type content struct {
	bytes, batches, records int64
	first, last             int64 // offsets; -1: no batches
	latest                  int64 // timestamp in milliseconds, -1 for none
	codecs                  [8]int64
	sizes                   [4]int64 // batches by sizeClass
	magics                  [3]int64 // batches by magic
	compared, alike         int64    // records without a producer id whose payload was looked at, and those there twice
	alikeAt                 Repeat
	unproduced              int64 // batches that no producer id protects from being written twice
	repeats                 []repeat
	tooLarge                int64 // batches not unpacked
	damage                  []Damage
	order                   order
}

// repeat is a batch that is there twice, byte for byte, without a producer id.
type repeat struct{ first, again, records int64 }

// verifier verifies segments one after the other, in memory that it reuses.
type verifier struct {
	target  *probe.Target
	pace    *polite.Pace
	deep    bool
	buffer  []byte
	indexes [2][]byte
	unpack  batch.Records
	stamped bool // unpack what the broker stamps: there no checksum tells a batch that was sent again
	twice   alike
	seen    []remembered // recent batches, by checksum
	nth     int32        // segment that is being verified: what is remembered of others does not count
}

func newVerifier(t *probe.Target, pace *polite.Pace, deep bool) *verifier {
	return &verifier{target: t, pace: pace, deep: deep, buffer: make([]byte, batch.BufferSize),
		indexes: [2][]byte{make([]byte, 32<<10), make([]byte, 32<<10)}, seen: make([]remembered, mostRemembered)}
}

// pass is one walk along a segment.
type pass struct {
	*verifier
	*place
	content
	s       *batch.Scanner
	name    string
	offsets *offsetIndex
	times   *timeIndex
	aborts  *txnIndex
	told    map[Kind]int
	wrong   map[string]int64 // position of the last damage that was told of an index, by suffix
	over    bool             // nothing that can be read follows
}

// segment verifies a segment and its indexes. The error is that of the context,
// or fs.ErrNotExist when the segment is gone.
func (v *verifier) segment(ctx context.Context, p *place) (content, error) {
	w := &pass{verifier: v, place: p, content: content{first: -1, last: -1, latest: -1}, name: p.file(suffixLog), told: map[Kind]int{}, wrong: map[string]int64{}}
	v.nth++
	v.twice.begin(v.nth)
	indexes := w.openIndexes(ctx)
	defer indexes()
	file, err := polite.Open(ctx, v.target, w.name, v.pace)
	if err != nil {
		return w.content, w.unreadable(ctx, w.name, err)
	}
	defer file.Close()
	w.bytes = file.Size()
	w.s = batch.NewScanner(file, 0, w.bytes, v.buffer)
	w.order = order{base: p.base, next: p.next, epochs: p.epochs, last: -1, epoch: -1, before: -1}
	if err := w.walk(ctx); err != nil {
		return w.content, err
	}
	grown := false
	if info, err := file.Stat(); err == nil {
		grown = info.Size() != w.bytes
	}
	w.closeIndexes(w.s.Position(), grown)
	return w.content, ctx.Err()
}

// unreadable notes a file that could not be read; a file that is gone is for the
// caller to look at anew.
func (w *pass) unreadable(ctx context.Context, name string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	w.add(Damage{Kind: Unreadable, Severity: Info, File: name, Position: -1, BaseOffset: w.base, LastOffset: -1, Text: err.Error()})
	return nil
}

func (w *pass) add(d Damage) {
	d.Partition = w.partition
	if w.told[d.Kind]++; w.told[d.Kind] <= mostPerFile {
		w.damage = append(w.damage, d)
	}
}

// bad notes damage of the log itself.
func (w *pass) bad(kind Kind, position, first, last int64, format string, args ...any) {
	d := Damage{Kind: kind, Severity: Critical, File: w.name, Position: position, BaseOffset: first, LastOffset: last, Text: fmt.Sprintf(format, args...)}
	if kind == TornTail {
		d.SelfHealing = w.active() || w.mended()
		d.Severity = Major
	}
	w.add(d)
}

// walk passes all batches, damaged stretches included.
func (w *pass) walk(ctx context.Context) error {
	for {
		for !w.over && w.s.Next() {
			if err := w.batch(); err != nil {
				return w.unreadable(ctx, w.name, err)
			}
		}
		at := w.s.Position()
		if w.over {
			return nil
		}
		switch w.s.Stop() {
		case batch.AtEnd:
			return nil
		case batch.Failed:
			if errors.Is(w.s.Err(), io.ErrUnexpectedEOF) { // cut while it was read: another look
				return fs.ErrNotExist
			}
			return w.unreadable(ctx, w.name, w.s.Err())
		case batch.Zeros:
			if !w.active() {
				w.bad(BadBatchHeader, at, w.last+1, -1, "nothing but zeros up to the end of the file, %d bytes, in a closed segment", w.bytes-at)
			}
			return nil
		case batch.Torn, batch.Nonsense:
			more, err := w.gap(at, w.s.Err(), w.s.Stop() == batch.Torn)
			if err != nil {
				return w.unreadable(ctx, w.name, err)
			}
			if !more {
				return nil
			}
		}
	}
}

// gap is a place where no batch begins: it notes it, and goes on behind it where
// there is more.
func (w *pass) gap(at int64, why error, torn bool) (more bool, err error) {
	next, err := w.s.Resync(at+1, w.order.last+1, w.limit())
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if why == nil {
		why = errors.New("its length goes beyond the end of the file")
	}
	if err != nil { // nothing follows
		if torn {
			w.bad(TornTail, at, w.order.last+1, -1, "the last batch is incomplete, %d bytes of it are there", w.bytes-at)
		} else {
			w.bad(BadBatchHeader, at, w.order.last+1, -1, "%v; no batch follows in the remaining %d bytes", why, w.bytes-at)
		}
		w.skip(w.bytes)
		w.over = true
		w.s.Skip(at) // where the sound part ends
		return false, nil
	}
	w.s.Skip(next)
	w.skip(next)
	peek := *w.s // the offset that the next batch begins with
	peek.Next()
	w.s.Skip(next)
	w.bad(BadBatchHeader, at, w.order.last+1, peek.Header().BaseOffset-1, "%v; the next batch begins %d bytes further on", why, next-at)
	return true, nil
}

// limit is the highest offset that can be in the segment.
func (w *pass) limit() int64 {
	if w.next >= 0 {
		return w.next - 1
	}
	return w.base + 1<<31
}

func (w *pass) skip(to int64) {
	if w.offsets != nil {
		w.offsets.skip(to)
	}
	if w.times != nil {
		w.times.unsure = true
	}
	w.order.unsure = true
}

// batch judges the current batch, and passes it to the indexes.
func (w *pass) batch() error {
	h, at, valid := w.s.Header(), w.s.Position(), w.s.Valid()
	if !valid && !w.followed(at, h) {
		_, err := w.gap(at, errors.New("neither the checksum fits nor does a batch follow"), false)
		return err
	}
	sound := h.Check()
	w.batches++
	w.codecs[h.Codec()]++
	if sound == nil && h.Count > 0 {
		w.records += int64(h.Count)
	}
	if !valid {
		kind := CRCMismatch
		if h.Magic < w.order.magic {
			kind = BadBatchHeader
		}
		last := h.LastOffset()
		if sound != nil {
			last = -1
		}
		w.bad(kind, at, h.BaseOffset, last, "checksum %08x of the batch does not fit its %d bytes", h.CRC, h.Size())
	}
	if sound != nil {
		if valid {
			w.bad(BadBatchHeader, at, h.BaseOffset, -1, "%v", sound)
		}
		w.order.unsure = true
		return nil
	}
	for _, d := range w.order.batch(at, h, valid) {
		d.File, d.Severity = w.name, Critical
		w.add(d)
	}
	if w.first < 0 {
		w.first = h.BaseOffset
	}
	w.last, w.latest = max(w.last, h.LastOffset()), max(w.latest, h.MaxTimestamp)
	if w.offsets != nil {
		w.offsets.batch(at, h, valid)
	}
	if w.times != nil {
		w.times.batch(h, valid && !w.order.unsure)
	}
	if valid {
		return w.inside(at, h)
	}
	return nil
}

// followed says whether after a batch that is damaged another one begins, or the
// end comes: then its length is right.
func (w *pass) followed(at int64, h *batch.Header) bool {
	trial := *w.s
	if trial.Next() {
		next := trial.Header()
		ok := trial.Valid() || next.BaseOffset > h.BaseOffset && next.BaseOffset <= w.limit()
		w.s.Skip(at + h.Size())
		return ok
	}
	ok := trial.Stop() == batch.AtEnd || trial.Stop() == batch.Zeros
	if trial.Stop() == batch.Torn && w.active() {
		next := trial.Header().BaseOffset
		ok = w.bytes-trial.Position() < batch.Common || next > h.BaseOffset && next <= w.limit()
	}
	w.s.Skip(at + h.Size())
	return ok
}
