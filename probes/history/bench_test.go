package history

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// large writes a log of so many partitions, a thousand a topic, three replicas
// on a hundred brokers each, and then changes: every partition loses a member of
// its ISR and gets it back.
func large(tb testing.TB, dir string, partitions int) (bytes int64) {
	tb.Helper()
	f, err := os.Create(filepath.Join(dir, "00000000000000000000.log"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	offset, at := int64(0), time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC).UnixMilli()
	write := func(all ...body) {
		b := appendBatch(nil, offset, at, 1, all...)
		n, err := f.Write(b)
		if err != nil {
			tb.Fatal(err)
		}
		bytes += int64(n)
		offset += int64(len(all))
		at++
	}
	id := func(topic int) (u UUID) {
		binary.BigEndian.PutUint64(u[:], uint64(topic)*0x9e3779b97f4a7c15+1)
		return u
	}
	on := func(p int) (a, b, c int32) { return int32(p%100 + 1), int32((p+1)%100 + 1), int32((p+7)%100 + 1) }
	for p := 0; p < partitions; {
		all := []body{record(topicRecord, 0).text(fmt.Sprintf("topic-%06d", p/1000)).uuid(id(p / 1000)).tags()}
		for end := min(p+1000, partitions); p < end; p++ {
			a, b, c := on(p)
			all = append(all, record(partitionRecord, 1).int32(int32(p%1000)).uuid(id(p/1000)).ids(a, b, c).ids(a, b, c).ids().ids().int32(a).int32(0).int32(0).null().tags())
		}
		write(all...)
	}
	for round := range 2 {
		for p := 0; p < partitions; {
			var all []body
			for end := min(p+1000, partitions); p < end; p++ {
				a, b, c := on(p)
				isr := body(nil).ids(a, b)
				if round == 1 {
					isr = body(nil).ids(a, b, c)
				}
				all = append(all, record(partitionChange, 1).int32(int32(p%1000)).uuid(id(p/1000)).tags(0, isr))
			}
			write(all...)
		}
	}
	return bytes
}

// BenchmarkMillion reads a log of a million partitions and two million changes,
// and tells what changed:
//
//	go test -run xxx -bench Million -benchtime 1x ./probes/history
func BenchmarkMillion(b *testing.B) {
	const partitions = 1e6
	dir := b.TempDir()
	b.SetBytes(large(b, dir, partitions))
	for b.Loop() {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		l := read(b, dir, Options{})
		took := time.Since(begin)
		begin = time.Now()
		all := l.Cluster.Changes(Want{Broker: -1})
		told := time.Since(begin)
		n, _ := l.Cluster.Survey()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n.Partitions != partitions || n.Short != 0 || len(l.Damage) > 0 || len(all) < 1000 {
			b.Fatalf("%+v, damage %q, %d changes", n, l.Damage, len(all))
		}
		b.ReportMetric(took.Seconds(), "s-read")
		b.ReportMetric(told.Seconds(), "s-tell")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
		b.ReportMetric(float64(after.Sys)/(1<<20), "MiB-sys")
		runtime.KeepAlive(l)
		runtime.KeepAlive(all)
	}
}

// TestManyPartitions: partitions by the ten thousand, the state and the folding.
func TestManyPartitions(t *testing.T) {
	dir := t.TempDir()
	large(t, dir, 20000)
	l := read(t, dir, Options{})
	n, _ := l.Cluster.Survey()
	all := l.Cluster.Changes(Want{Broker: -1})
	count := map[Kind]int{}
	for _, c := range all {
		count[c.Kind] += c.Count
		if len(c.Parts) > mostParts {
			t.Errorf("%d parts", len(c.Parts))
		}
	}
	if n.Topics != 20 || n.Partitions != 20000 || count[ISRShrunk] != 20000 || count[ISRExpanded] != 20000 || count[TopicCreated] != 20 || len(all) > 300 {
		t.Errorf("%+v, %v, %d changes", n, count, len(all))
	}
}
