package batch

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

func seeds(f *testing.F) [][]byte {
	root := filepath.Join(segmentstest.Unpack(f, "../testdata/real.tar.zst"), "real")
	var all [][]byte
	for _, topic := range []string{"codec-none-0", "codec-gzip-0", "codec-snappy-0", "codec-lz4-0", "codec-zstd-0", "txn-log-0", "compacted-0"} {
		data, err := os.ReadFile(filepath.Join(root, topic, "00000000000000000000.log"))
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, data[:min(len(data), 3000)])
	}
	return append(all, legacy(f, 0), legacy(f, 1))
}

// FuzzScanner: whatever the bytes, batches follow one another within them, and a
// buffer of any size sees the same.
func FuzzScanner(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		small := NewScanner(bytes.NewReader(data), 0, int64(len(data)), make([]byte, 4<<10))
		large := NewScanner(bytes.NewReader(data), 0, int64(len(data)), make([]byte, 64<<10))
		end := int64(0)
		for small.Next() {
			if !large.Next() || *large.Header() != *small.Header() || large.Valid() != small.Valid() {
				t.Fatalf("at %d: %+v, and with a larger buffer %+v", small.Position(), small.Header(), large.Header())
			}
			if small.Position() != end {
				t.Fatalf("a batch at %d, expected at %d", small.Position(), end)
			}
			end += small.Header().Size()
			if end > int64(len(data)) {
				t.Fatalf("a batch ends at %d of %d", end, len(data))
			}
		}
		if large.Next() || large.Stop() != small.Stop() || small.Stop() == Failed || small.Position() != end {
			t.Fatalf("stop %d at %d, with a larger buffer %d", small.Stop(), small.Position(), large.Stop())
		}
		if next, err := small.Resync(end+1, 0, 1<<40); err == nil && (next <= end || next >= int64(len(data))) {
			t.Fatalf("resynchronised at %d", next)
		}
	})
}

// FuzzRecords: whatever the bytes of a batch, its records are read to an end, in
// bounded memory.
func FuzzRecords(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	r := &Records{Keep: 1 << 10, Digest: true}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for s := NewScanner(bytes.NewReader(data), 0, int64(len(data)), make([]byte, 64<<10)); s.Next(); {
			r.Open(s.Header(), s.Body())
			n := int32(0)
			for r.Next() {
				n++
			}
			if r.Err() == nil && s.Header().Magic == 2 && n != s.Header().Count {
				t.Fatalf("%d records of %d and no error", n, s.Header().Count)
			}
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 64<<20 {
			t.Fatalf("%d bytes allocated for %d", after.TotalAlloc-before.TotalAlloc, len(data))
		}
	})
}
