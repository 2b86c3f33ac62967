package history

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// What leaders put out of ISRs counts as the metric of brokers does; what the
// controller takes out with a broker that it fences, or that shuts down, does not.
func TestShrinksAreTheLeaders(t *testing.T) {
	c := withTopic(t)
	for id := int32(1); id <= 3; id++ {
		c.Brokers[id] = &Broker{ID: id}
	}
	fence := func(at int64, id int32, tag int) {
		var v values
		_, _, err := decodeMetadata(&v, record(registrationChange, 1).int32(id).int64(0).tags(tag, body(nil).int8(1)))
		if err != nil {
			t.Fatal(err)
		}
		c.at, c.offset = at, at+1
		c.apply(registrationChange, &v) // in the batch of the change before
	}
	apply(t, c, 10e3, change(0, body(nil).ids(1, 2))) // by leader 1
	apply(t, c, 20e3, change(0, body(nil).ids(1, 2, 3)))
	apply(t, c, 30e3, change(0, body(nil).ids(1, 2))) // with broker 3, fenced
	fence(30e3, 3, 0)
	apply(t, c, 40e3, change(0, body(nil).ids(1))) // with broker 2, which asked to shut down
	fence(40e3, 2, 1)
	apply(t, c, 50e3, change(0, body(nil).ids(1, 3)))
	apply(t, c, 60e3, change(0, body(nil).ids(3), 1, body(nil).int32(3))) // with the leadership of 1
	if got := c.shrinks(time.Time{}); len(got) != 1 || len(got[1]) != 1 || got[1][0].UnixMilli() != 10e3 {
		t.Errorf("%v", got)
	}
	if got := c.shrinks(time.UnixMilli(11e3)); len(got) != 0 {
		t.Errorf("of later: %v", got)
	}
}

// Leaders that change often are told, those of the last hour alone.
func TestLeadersThatChangeOften(t *testing.T) {
	c := withTopic(t)
	const hour = 3600e3
	for i := range int64(9) {
		apply(t, c, 1000+i*hour/4, change(1, body(nil).int32(int32(i%2+2))))
	}
	last := time.UnixMilli(1000 + 2*hour)
	m := leadersFact(c, last, time.UnixMilli(1000))
	if err := m.Valid(); err != nil || !slices.Equal(m.Times, []int32{5}) || m.Topic[0] != "orders" || m.First[0].UnixMilli() != 1000+hour || !m.Last[0].Equal(last) || m.Seconds != 3600 {
		t.Errorf("%v, %+v", err, m)
	}
	if m := leadersFact(c, last, last.Add(-20*time.Minute)); len(m.Topic) != 0 || m.Seconds != 1200 { // the log is young
		t.Errorf("%+v", m)
	}
}

// BenchmarkMillionFacts tells the facts of a log of a million partitions:
//
//	go test -run xxx -bench MillionFacts -benchtime 1x ./probes/history
func BenchmarkMillionFacts(b *testing.B) {
	dir := b.TempDir()
	large(b, dir, 1e6)
	f := &follower{place: place{1, dir}, log: read(b, dir, Options{}), moved: -1}
	for b.Loop() {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		f.moved = -1
		all := f.observe()
		b.ReportMetric(time.Since(begin).Seconds(), "s-tell")
		begin = time.Now()
		again := f.observe()
		b.ReportMetric(time.Since(begin).Seconds(), "s-again")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
		if c := all[0].Value.(fact.LastCluster); len(c.Partition) != 1e6 || c.Valid() != nil {
			b.Fatalf("%d partitions", len(c.Partition))
		}
		runtime.KeepAlive(again)
	}
}
