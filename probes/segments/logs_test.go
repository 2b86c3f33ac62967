package segments

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

// TestLogs: of real log dirs the ends of the logs are where a walk along all of
// their batches comes out, and the checkpoints have nothing above them.
func TestLogs(t *testing.T) {
	dirs := []string{soundDir(t)}
	for _, version := range []string{"4.3.1", "3.9.2", "2.8.2"} {
		root := segmentstest.Unpack(t, "testdata/corpus-"+version+".tar.zst")
		found, err := filepath.Glob(filepath.Join(root, "*", "meta.properties"))
		if err != nil || len(found) != 1 {
			t.Fatalf("corpus %s: %v, error %v", version, found, err)
		}
		dirs = append(dirs, filepath.Dir(found[0]))
	}
	rows := 0
	for _, dir := range dirs {
		l, err := localLogs(context.Background(), target(), dir)
		if err == nil {
			err = l.Valid()
		}
		if err != nil || l.All != len(l.Partition) || l.All == 0 || l.Running {
			t.Fatalf("%s: %+v, error %v", dir, l, err)
		}
		for i, p := range l.Partition {
			rows++
			first, end, epoch, segments := walked(t, filepath.Join(dir, p))
			if l.First[i] != first || l.End[i] != end || l.WrittenEpoch[i] != epoch || int(l.Segments[i]) != segments {
				t.Errorf("%s/%s: %d segments from %d to %d, epoch %d; a walk finds %d, %d, %d, %d", filepath.Base(dir), p, l.Segments[i], l.First[i], l.End[i], l.WrittenEpoch[i], segments, first, end, epoch)
			}
			if l.HighWatermark[i] > end || l.RecoveryPoint[i] > end || l.LogStart[i] > end {
				t.Errorf("%s/%s: checkpoints %d, %d, %d beyond the end, %d", filepath.Base(dir), p, l.HighWatermark[i], l.RecoveryPoint[i], l.LogStart[i], end)
			}
			if epoch >= 0 && l.Epoch[i] < epoch {
				t.Errorf("%s/%s: epoch %d in the checkpoint, %d in the log", filepath.Base(dir), p, l.Epoch[i], epoch)
			}
			if l.At(p) != i {
				t.Errorf("%s is at %d, not %d", p, l.At(p), i)
			}
		}
	}
	if rows < 30 {
		t.Errorf("%d logs in all", rows)
	}
}

// walked is what all batches of a partition say.
func walked(t *testing.T, dir string) (first, end int64, epoch int32, segments int) {
	t.Helper()
	l, err := list(target(), dir)
	if err != nil {
		t.Fatal(err)
	}
	epoch = -1
	for _, f := range l.segments {
		data, err := os.ReadFile((&place{dir: dir, base: f.base}).file(suffixLog))
		if err != nil {
			t.Fatal(err)
		}
		end = f.base
		for s := batch.NewScanner(strings.NewReader(string(data)), 0, int64(len(data)), nil); s.Next(); {
			end, epoch = s.Header().LastOffset()+1, s.Header().LeaderEpoch
		}
	}
	return l.segments[0].base, end, epoch, len(l.segments)
}

// TestTail: a batch that is being written is not there yet, and what cannot be
// told is not guessed.
func TestTail(t *testing.T) {
	dir := soundDir(t)
	p := filepath.Join(dir, "codec-none-0")
	name := filepath.Join(p, "00000000000000000000.log")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		data []byte
		end  int64
	}{
		"torn":           {data[:len(data)-5], 581},
		"zeros follow":   {append(append([]byte{}, data...), make([]byte, 9000)...), 600},
		"nonsense":       {append(append([]byte{}, data...), []byte(strings.Repeat("x", 100))...), -1},
		"shorter by far": {data[:2000], -1}, // the index points beyond it
	} {
		if err := os.WriteFile(name, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := localLogs(context.Background(), target(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if i := l.At("codec-none-0"); l.End[i] != c.end {
			t.Errorf("%s: ends at %d, want %d", what, l.End[i], c.end)
		}
	}
}

// TestLogsProbe: a log dir that is not there is unknown, the other one is told.
func TestLogsProbe(t *testing.T) {
	dir := soundDir(t)
	both := scanTarget(dir, 0)
	both.SetBrokers([]fact.LocalBroker{{NodeID: 3, LogDirs: []string{dir, dir + "-gone"}}})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := logsProbe.Observe(ctx, both)
	if err == nil || len(all) != 2 || all[0].Because != nil || all[1].Because == nil {
		t.Fatalf("%+v, error %v", all, err)
	}
	if l := all[0].Value.(fact.LocalLogs); l.End[l.At("codec-none-0")] != 600 {
		t.Errorf("%+v", l)
	}
}

// FuzzTail: whatever the bytes of an index and a log, the end is within what
// offsets there can be, or not known.
func FuzzTail(f *testing.F) {
	root := filepath.Join(segmentstest.Unpack(f, "testdata/real.tar.zst"), "real")
	for _, topic := range []string{"codec-none-0", "active-0", "prealloc-0", "compacted-0"} {
		log, err := os.ReadFile(filepath.Join(root, topic, "00000000000000000000.log"))
		if err != nil {
			f.Fatal(err)
		}
		index, err := os.ReadFile(filepath.Join(root, topic, "00000000000000000000.index"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(log[:min(len(log), 4000)], index[:min(len(index), 256)])
	}
	f.Fuzz(func(t *testing.T, log, index []byte) {
		starts := lastPositions(strings.NewReader(string(index)), int64(len(index)))
		if len(starts) < 1 || len(starts) > 3 {
			t.Fatalf("positions %d", starts)
		}
		for _, start := range starts {
			if start < math.MinInt32 || start > math.MaxInt32 {
				t.Fatalf("position %d", start)
			}
			if start < 0 || start >= int64(len(log)) {
				continue
			}
			if end, _ := tailOf(strings.NewReader(string(log)), start, int64(len(log)), 7); end.end < -1 || end.end >= 0 && end.end < 7 {
				t.Errorf("%+v", end)
			}
		}
	})
}
