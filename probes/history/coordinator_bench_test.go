package history

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// manyCommits writes a partition of about so many bytes: groups of 20 offsets,
// each committed again and again, and rebalances.
func manyCommits(tb testing.TB, dir string, groups int, size int64) (bytes int64) {
	tb.Helper()
	part := filepath.Join(dir, OffsetsTopic+"-0")
	if err := os.MkdirAll(part, 0o700); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(filepath.Join(part, segmentName(0)))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w := newWriter()
	for round := int64(0); bytes < size; round++ {
		for n := range groups {
			name := fmt.Sprintf("group-%05d", n)
			var all []pair
			for p := range int32(20) {
				all = append(all, commitOf(name, "a-topic-of-some-length", p, round))
			}
			w.plain(all...)
			if round%100 == 0 {
				w.plain(classicOf(name, int32(round/100), "a", "b"))
			}
		}
		w.after(5 * time.Second)
		n, err := f.Write(w.bytes)
		if err != nil {
			tb.Fatal(err)
		}
		bytes += int64(n)
		w.bytes = w.bytes[:0]
	}
	return bytes
}

// BenchmarkCommits reads 1 GiB of commits of 500 groups with 10 000 offsets:
//
//	go test -run xxx -bench Commits -benchtime 1x ./probes/history
func BenchmarkCommits(b *testing.B) {
	dir := b.TempDir()
	b.SetBytes(manyCommits(b, dir, 500, 1<<30))
	for b.Loop() {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g := readGroups(b, dir, CoordinatorOptions{Whole: true})
		runtime.GC()
		runtime.ReadMemStats(&after)
		if len(g.All()) != 500 || len(g.Damage) > 0 {
			b.Fatalf("%+v", g.Reading)
		}
		b.ReportMetric(float64(g.Records), "records")
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(1<<20), "MiB-kept")
		b.ReportMetric(float64(after.Sys)/(1<<20), "MiB-sys")
		runtime.KeepAlive(g)
	}
}

// TestManyCommits: what is kept depends on groups and offsets, not on how often
// they are committed, and has a bound.
func TestManyCommits(t *testing.T) {
	dir := t.TempDir()
	manyCommits(t, dir, 20, 8<<20)
	g := readGroups(t, dir, CoordinatorOptions{})
	if n := len(g.All()); n != 20 || g.room > mostKept-20*20 || g.room < mostKept-20*(20+mostGenerations+2) || g.Left != 0 {
		t.Errorf("%d groups, room %d, %+v", n, g.room, g.Reading)
	}
	full := newGroups(CoordinatorOptions{})
	full.room = 5
	for p := range int32(10) {
		c := commitOf("g", "t", p, 1)
		full.apply(&unit{0, 0, int64(p), 0, c.key, c.value})
	}
	if len(full.by["g"].offsets) != 5 || full.Left != 5 || len(full.keys) != 5 {
		t.Errorf("with room for 5: %d offsets, %d left", len(full.by["g"].offsets), full.Left)
	}
}
