package segments

import (
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"
)

// bulk writes a log dir of partitions of one segment of so many bytes each, in
// batches of a size.
func bulk(t testing.TB, dir string, partitions int, bytes int64, size int) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{})
	for p := range partitions {
		at := filepath.Join(dir, fmt.Sprintf("bulk-%d", p))
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(at, "00000000000000000000.log"))
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, size-70)
		random.Read(payload)
		offset := int64(0)
		for written := int64(0); written < bytes; offset++ {
			record := kmsg.Record{Value: payload}
			record.Length = int32(len(record.AppendTo(nil)) - 1)
			b := kmsg.RecordBatch{FirstOffset: offset, Magic: 2, NumRecords: 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, FirstTimestamp: 1e12 + offset, MaxTimestamp: 1e12 + offset}
			b.Records = sized(record)
			b.Length = int32(49 + len(b.Records))
			raw := b.AppendTo(nil)
			sum := crc32.Checksum(raw[21:], castagnoli)
			b.CRC = int32(sum)
			n, err := f.Write(b.AppendTo(nil))
			if err != nil {
				t.Fatal(err)
			}
			written += int64(n)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// sized is a record with its length before it.
func sized(r kmsg.Record) []byte {
	r.Length = 0
	body := r.AppendTo(nil)[1:] // a length of 0 takes one byte
	r.Length = int32(len(body))
	return r.AppendTo(nil)
}

// plain reads files with pread and sums them, and does nothing else.
func plain(t testing.TB, files []string) {
	buf := make([]byte, 512<<10)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var sum uint32
		for at := int64(0); ; {
			n, err := f.ReadAt(buf, at)
			sum = crc32.Update(sum, castagnoli, buf[:n])
			at += int64(n)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
	}
}

// BenchmarkRatios prints how fast cached segments are verified, beside plain
// pread and CRC-32C of the same bytes, on one core and on two. Where others use
// the machine too, the ratio in CPU time is the one to believe:
//
//	go test -run xxx -bench Ratios -benchtime 1x ./probes/segments
func BenchmarkRatios(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("batches=%dKiB", size>>10), func(b *testing.B) { ratios(b, size) })
	}
}

func ratios(b *testing.B, size int) {
	const partitions, each = 4, 128 << 20
	dir := b.TempDir()
	bulk(b, dir, partitions, each, size)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.log"))
	if err != nil || len(files) != partitions {
		b.Fatal(files, err)
	}
	seconds := func(f func()) (wall, cpu float64) {
		begin, before := time.Now(), cpuSeconds(b)
		f()
		return time.Since(begin).Seconds(), cpuSeconds(b) - before
	}
	one := func(workers int) { mustScan(b, Options{Workers: workers}, dir) }
	plain(b, files) // into the page cache
	for b.Loop() {
		all := map[string][]float64{}
		for range 9 { // the machine is shared: pairs, and their medians
			p, pCPU := seconds(func() { plain(b, files) })
			single, singleCPU := seconds(func() { one(1) })
			two, _ := seconds(func() { one(2) })
			for name, x := range map[string]float64{"of-plain": p / single, "of-plain-in-cpu": pCPU / singleCPU, "x-on-two-cores": single / two, "GB/s": partitions * each / single / 1e9} {
				all[name] = append(all[name], x)
			}
		}
		for name, of := range all {
			slices.Sort(of)
			b.ReportMetric(of[len(of)/2], name)
		}
	}
}

// cpuSeconds is the CPU time that this process has taken.
func cpuSeconds(t testing.TB) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// idle makes a log dir of partitions that hold nothing, as an idle cluster has
// them: an empty segment each, and full-size indexes of holes.
func idle(t testing.TB, partitions int) string {
	t.Helper()
	dir := t.TempDir()
	sizes := map[string]int64{".log": 0, ".index": 10485760, ".timeindex": 10485756}
	var template string
	for p := range partitions {
		if p%50_000 == 0 { // a file bears 65 000 names at most
			template = filepath.Join(t.TempDir(), "template")
			for suffix, size := range sizes {
				if err := os.WriteFile(template+suffix, nil, 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(template+suffix, size); err != nil {
					t.Fatal(err)
				}
			}
		}
		at := filepath.Join(dir, fmt.Sprintf("empty-%d", p))
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		for suffix := range sizes {
			if err := os.Link(template+suffix, filepath.Join(at, "00000000000000000000"+suffix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// BenchmarkEmptyPartitions verifies 100 000 partitions that hold nothing, and
// prints the time, the CPU time and the memory it took.
func BenchmarkEmptyPartitions(b *testing.B) {
	const partitions = 100_000
	dir := idle(b, partitions)
	for b.Loop() {
		most := watchHeap()
		begin, before := time.Now(), cpuSeconds(b)
		r := mustScan(b, Options{}, dir)
		if r.Summary.Partitions != partitions || len(r.Damage) > 0 {
			b.Fatalf("%+v", r.Summary)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s")
		b.ReportMetric(cpuSeconds(b)-before, "cpu-s")
		b.ReportMetric(float64(most())/(1<<20), "MiB")
	}
}

// watchHeap looks every few milliseconds at how much memory the heap takes, with
// what the collector has not freed yet; the result ends it and is the most.
func watchHeap() (most func() uint64) {
	debug.FreeOSMemory()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	now := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64() + sample[1].Value.Uint64()
	}
	before := now()
	stop, top := make(chan struct{}), make(chan uint64)
	go func() {
		highest := before
		for {
			select {
			case <-stop:
				top <- max(highest, now()) - before
				return
			case <-time.After(5 * time.Millisecond):
				highest = max(highest, now())
			}
		}
	}()
	return func() uint64 { close(stop); return <-top }
}
