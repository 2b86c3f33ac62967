package segments

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

func target() *probe.Target {
	return &probe.Target{Now: time.Now, Ledger: &probe.Ledger{}}
}

func mustScan(t testing.TB, o Options, paths ...string) *Report {
	t.Helper()
	r, err := Scan(context.Background(), target(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReal verifies real partitions: the sound ones are silent, and of the damaged
// ones what is wrong is named, and where.
func TestReal(t *testing.T) {
	root := filepath.Join(segmentstest.Unpack(t, "testdata/real.tar.zst"), "real")
	type want struct {
		kind     Kind
		file     string
		position int64
		heals    bool
	}
	const log, index = "00000000000000000000.log", "00000000000000000000.index"
	for dir, wants := range map[string][]want{
		"active-0": nil, "appendtime-0": nil, "codec-none-0": nil, "codec-gzip-0": nil, "codec-lz4-0": nil, "codec-snappy-0": nil, "codec-zstd-0": nil,
		"compacted-0": nil, "idem-0": nil, "txn-log-0": nil, "prealloc-0": nil, "log-dir": nil,
		"flipped-byte-0":  {{CRCMismatch, log, 34593, false}},
		"torn-tail-0":     {{TornTail, log, 71685, true}},
		"bad-index-0":     {{IndexCorrupt, index, 40, false}},
		"flipped-epoch-0": {{BadBatchHeader, log, 7087, false}, {EpochInvalid, "leader-epoch-checkpoint", -1, false}},
	} {
		for _, deep := range []bool{false, true} {
			r := mustScan(t, Options{Deep: deep}, filepath.Join(root, dir))
			var got []want
			for _, d := range r.Damage {
				got = append(got, want{d.Kind, filepath.Base(d.File), d.Position, d.SelfHealing})
			}
			if len(got) != len(wants) {
				t.Errorf("%s: %+v", dir, r.Damage)
				continue
			}
			for _, w := range wants {
				found := false
				for _, g := range got {
					found = found || g == w
				}
				if !found {
					t.Errorf("%s: %+v, want %+v", dir, r.Damage, w)
				}
			}
			if !r.Done || r.Summary.Batches == 0 {
				t.Errorf("%s: %+v", dir, r.Summary)
			}
		}
	}
}
