//go:build lab

package segments

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/lab"
)

// BenchmarkAgainstDump verifies half a gigabyte of cached segments, in batches of
// two sizes, and has Kafka's own tool do the same, and prints the ratio:
//
//	go test -tags lab -run xxx -bench AgainstDump -benchtime 1x ./probes/segments
func BenchmarkAgainstDump(b *testing.B) {
	install, err := lab.Find(context.Background(), lab.DefaultVersion)
	if err != nil {
		b.Fatal(err)
	}
	jars := filepath.Join(install.Dir, "jars", "*")
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("batches of %d KiB", size>>10), func(b *testing.B) { againstDump(b, jars, size) })
	}
}

func againstDump(b *testing.B, jars string, size int) {
	const partitions, each = 4, 128 << 20
	dir := b.TempDir()
	bulk(b, dir, partitions, each, size)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.log"))
	if err != nil {
		b.Fatal(err)
	}
	plain(b, files)
	for b.Loop() {
		var ours, theirs []float64
		for range 3 {
			begin := time.Now()
			mustScan(b, Options{}, dir)
			ours = append(ours, time.Since(begin).Seconds())
			begin = time.Now()
			out, err := exec.Command("java", "-cp", jars, "org.apache.kafka.tools.DumpLogSegments", "--files", strings.Join(files, ",")).Output()
			if err != nil || strings.Contains(string(out), "isvalid: false") || strings.Count(string(out), "isvalid: true") < partitions*each/size {
				b.Fatalf("DumpLogSegments: %v, %.300s", err, out)
			}
			theirs = append(theirs, time.Since(begin).Seconds())
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		b.ReportMetric(ours[1], "s-ktriage")
		b.ReportMetric(theirs[1], "s-dump")
		b.ReportMetric(theirs[1]/ours[1], "x-faster")
	}
}
