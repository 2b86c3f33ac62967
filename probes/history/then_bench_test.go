package history

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// BenchmarkMillionThen makes the cluster of a moment from a log of a million
// partitions and two million changes of them, without a snapshot:
//
//	go test -run xxx -bench MillionThen -benchtime 1x ./probes/history
func BenchmarkMillionThen(b *testing.B) {
	dir := b.TempDir()
	if err := os.Mkdir(filepath.Join(dir, MetadataDir), 0o700); err != nil {
		b.Fatal(err)
	}
	large(b, filepath.Join(dir, MetadataDir), 1e6)
	target := &probe.Target{Now: time.Now, LogDirs: []string{dir}}
	defer target.Close()
	for b.Loop() {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		highest, stop := make(chan uint64), make(chan struct{})
		go func() { // what is in use while it is read
			most, s := uint64(0), runtime.MemStats{}
			for {
				select {
				case <-stop:
					highest <- most
					return
				case <-time.After(20 * time.Millisecond):
					runtime.ReadMemStats(&s)
					most = max(most, s.HeapInuse)
				}
			}
		}()
		begin := time.Now()
		then, err := Then(context.Background(), target, time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC))
		if err != nil || len(then.Partition) != 1e6 || then.Behind != 0 {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s-read")
		close(stop)
		b.ReportMetric(float64(<-highest-before.HeapInuse)/(1<<20), "MiB-most")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
		runtime.KeepAlive(then)
	}
}
