package segments

import (
	"fmt"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// order holds what no checksum covers, offsets and leader epochs, against the
// batches before, the segment's neighbours and the checkpoint of epochs.
type order struct {
	base, next int64
	epochs     []epochStart
	magic      int8
	last       int64 // offset of the last batch; -1: none
	gaps       bool  // offsets are missing between batches or within one, as compaction leaves it
	unsure     bool  // a stretch was passed over: what was before it says little

	earlier  int64 // last offset of the batch before the last
	position int64 // of the last batch
	first    int64 // its first offset
	epoch    int32 // its leader epoch; -1: not known
	before   int32 // that of the batches before it, where it differs from them
	single   bool  // no other batch has had this epoch yet
	wrong    map[int64]bool
	strange  []strangeEpoch
}

// strangeEpoch is the first of a number of batches whose epoch the checkpoint
// contradicts.
type strangeEpoch struct {
	position, offset int64
	have, want       int32
	batches          int
}

// batch judges the next batch. What it returns has neither file nor severity.
func (o *order) batch(at int64, h *batch.Header, valid bool) (bad []Damage) {
	add := func(kind Kind, position, first, last int64, format string, args ...any) {
		bad = append(bad, Damage{Kind: kind, Position: position, BaseOffset: first, LastOffset: last, Text: fmt.Sprintf(format, args...)})
	}
	first, last := h.BaseOffset, h.LastOffset()
	if !valid {
		last = first // the number of offsets is under the checksum
	}
	switch {
	case first < o.base && h.Magic == 2:
		add(OffsetOrder, at, first, last, "offset %d in a segment that begins with %d", first, o.base)
		return bad
	case last-o.base > 1<<31-1:
		add(OffsetOrder, at, first, last, "offset %d, more than 2^31 behind the segment's first, %d", last, o.base)
		return bad
	case o.next >= 0 && last >= o.next:
		add(OffsetOrder, at, first, last, "offset %d, although the next segment begins with %d", last, o.next)
		return bad
	case o.last >= 0 && first <= o.last:
		if first > o.earlier && o.first > o.earlier+1 { // the batch before had jumped
			add(OffsetOrder, o.position, o.first, o.last, "offset %d is followed by %d", o.first, first)
		} else {
			add(OffsetOrder, at, first, last, "offset %d after %d", first, o.last)
			return bad
		}
	}
	if h.Magic == 2 && valid {
		bad = append(bad, o.leader(at, h)...)
	}
	if o.last >= 0 && first > o.last+1 || h.Count >= 0 && h.Count <= h.LastOffsetDelta {
		o.gaps = true
	}
	o.earlier, o.last, o.first, o.position = max(o.last, -1), last, first, at
	if valid {
		o.magic = h.Magic
	}
	return bad
}

// leader judges the leader epoch of a batch.
func (o *order) leader(at int64, h *batch.Header) (bad []Damage) {
	epoch := h.LeaderEpoch
	if epoch < o.epoch {
		d := Damage{Kind: BadBatchHeader, Position: at, BaseOffset: h.BaseOffset, LastOffset: h.LastOffset(),
			Text: fmt.Sprintf("leader epoch %d after %d", epoch, o.epoch)}
		one := o.single && epoch >= o.before
		if one { // the one batch before stands out
			d.Position, d.BaseOffset, d.LastOffset = o.position, o.first, o.last
			d.Text = fmt.Sprintf("leader epoch %d, before and after it %d", o.epoch, epoch)
			o.epoch = epoch
		}
		o.blame(d.BaseOffset)
		bad = append(bad, d)
		if !one {
			return bad
		}
	}
	switch {
	case epoch > o.epoch:
		o.before, o.single = o.epoch, true
	default:
		o.single = false
	}
	o.epoch = epoch
	if want, known := epochAt(o.epochs, h.BaseOffset); known && want != epoch {
		o.note(strangeEpoch{at, h.BaseOffset, epoch, want, 1})
	}
	return bad
}

func (o *order) blame(offset int64) {
	if o.wrong == nil {
		o.wrong = map[int64]bool{}
	}
	o.wrong[offset] = true
}

// note counts a batch that the checkpoint contradicts.
func (o *order) note(s strangeEpoch) {
	for i := range o.strange {
		if o.strange[i].have == s.have && o.strange[i].want == s.want {
			o.strange[i].batches++
			return
		}
	}
	if len(o.strange) < mostPerFile {
		o.strange = append(o.strange, s)
	}
}
