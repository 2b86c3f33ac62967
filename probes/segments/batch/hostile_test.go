package batch

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"testing"
)

// TestHostileLengths: what a length, a count or a size on disk asks for is never
// allocated before it is there.
func TestHostileLengths(t *testing.T) {
	body := binary.AppendVarint(nil, math.MaxInt32)                          // the record
	body = append(body, 0, 0, 0)                                             // attributes, time, offset
	body = binary.AppendVarint(binary.AppendVarint(body, math.MaxInt32), -1) // key, and no value
	for _, length := range []int32{MinV2 - lead, 200, 1 << 20, math.MaxInt32} {
		for codec := range int16(8) {
			raw := make([]byte, MinV2, 400)
			binary.BigEndian.PutUint32(raw[8:], uint32(length))
			raw[16] = 2
			binary.BigEndian.PutUint16(raw[21:], uint16(codec))
			binary.BigEndian.PutUint32(raw[23:], math.MaxInt32)
			binary.BigEndian.PutUint32(raw[57:], math.MaxInt32)
			raw = append(append(raw, body...), bytes.Repeat([]byte{0xff}, 200)...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s := NewScanner(bytes.NewReader(raw), 0, int64(len(raw)), make([]byte, 4<<10))
			for s.Next() {
			}
			h, err := Parse(raw)
			r := &Records{Keep: 1 << 10, Digest: true}
			if r.Open(&h, bytes.NewReader(raw[MinV2:])); r.Next() && err == nil {
				t.Errorf("length %d, codec %d: a record came of it", length, codec)
			}
			if r.Err() == nil {
				t.Errorf("length %d, codec %d: no error", length, codec)
			}
			if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 4<<20 {
				t.Errorf("length %d, codec %d: %d bytes allocated for %d", length, codec, after.TotalAlloc-before.TotalAlloc, len(raw))
			}
		}
	}
}
