package segments

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sort"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// tail is the end of a segment.
type tail struct {
	end   int64 // the offset that the next message gets; -1: not known
	epoch int32 // of the last batch; -1: none, or not known
}

// tailReach is how many bytes of headers are looked for from an index's last entry
// on: an entry comes every 4 KiB, or with every batch where they are larger.
const tailReach = 4 << 20

// readTail reads headers from where the offset index last points to. What a broker
// is writing at the moment is not there yet.
func readTail(ctx context.Context, t *probe.Target, pace *polite.Pace, dir string, f segmentFile) tail {
	unknown := tail{-1, -1}
	if f.size == 0 {
		return tail{f.base, -1}
	}
	name := filepath.Join(dir, fmt.Sprintf("%020d", f.base))
	starts := []int64{0}
	if f.has[suffixIndex] > 0 {
		if index, err := polite.Open(ctx, t, name+suffixIndex, pace); err == nil {
			if info, err := index.Stat(); err == nil {
				starts = lastPositions(index, info.Size())
			}
			index.Close()
		}
	}
	log, err := polite.Open(ctx, t, name+suffixLog, pace)
	if err != nil {
		return unknown
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return unknown
	}
	for _, start := range starts {
		if start < 0 || start >= info.Size() {
			return unknown
		}
		if t, some := tailOf(log, start, info.Size(), f.base); some || start == 0 {
			return t
		}
	}
	return unknown
}

// readerAt is what tails are read from.
type readerAt interface {
	ReadAt(p []byte, at int64) (int, error)
}

// tailOf is the end of a segment of so many bytes, a batch beginning at start;
// some says whether any whole one does.
func tailOf(from readerAt, start, size, base int64) (last tail, some bool) {
	var buf [4 << 10]byte
	s := batch.NewScanner(from, start, size, buf[:])
	s.HeadersOnly()
	last = tail{base, -1}
	for ; s.Next(); some = true {
		h := s.Header()
		if h.Check() != nil || h.LastOffset() < last.end-1 || s.Position()-start > tailReach {
			return tail{-1, -1}, true
		}
		last = tail{h.LastOffset() + 1, h.LeaderEpoch}
	}
	if stop := s.Stop(); stop == batch.Nonsense || stop == batch.Failed {
		return tail{-1, -1}, true
	}
	return last, some
}

// lastPositions is where the last entries in use of an offset index point to, the
// last first, and 0 behind the first of them. The index of an active segment is
// full of zeros behind them.
func lastPositions(index readerAt, size int64) (all []int64) {
	at := func(i int) (position int64, used bool) {
		var raw [indexEntry]byte
		if n, _ := index.ReadAt(raw[:], int64(i)*indexEntry); n < indexEntry {
			return 0, false
		}
		v := binary.BigEndian.Uint64(raw[:])
		return int64(int32(v)), v != 0
	}
	n := sort.Search(int(size/indexEntry), func(i int) bool { _, used := at(i); return !used })
	for i := n - 1; i >= 0 && len(all) < 3; i-- {
		position, _ := at(i)
		all = append(all, position)
	}
	if len(all) < 3 {
		all = append(all, 0)
	}
	return all
}
