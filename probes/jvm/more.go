package jvm

import (
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// moreKeys is what perf data tells beside collections and the heap's use.
var moreKeys = []fact.Key{
	fact.EdenUsed, fact.EdenSize, fact.OldSize, fact.OldAfterGC, fact.HeapAfterGC, fact.MetaspaceUsed, fact.MetaspaceSize,
	fact.SafepointCount, fact.SafepointSync, fact.GCThreadSeconds, fact.JavaThreads,
}

// more is what a reading tells beside collections and the heap's use.
func more(s fact.Subject, d *hsperf.Data) []fact.Observation {
	var seen []fact.Observation
	for _, c := range []struct {
		key     fact.Of[float64]
		counter string
	}{
		{fact.EdenUsed, "sun.gc.generation.0.space.0.used"}, {fact.EdenSize, "sun.gc.generation.0.space.0.capacity"},
		{fact.OldSize, "sun.gc.generation.1.space.0.capacity"},
		{fact.MetaspaceUsed, "sun.gc.metaspace.used"}, {fact.MetaspaceSize, "sun.gc.metaspace.capacity"},
		{fact.SafepointCount, "sun.rt.safepoints"}, {fact.JavaThreads, "java.threads.live"},
	} {
		if v, ok := d.Longs[c.counter]; ok {
			seen = append(seen, c.key.Is(s, float64(v)))
		} else {
			seen = append(seen, c.key.Unknown(s, absent("no counter "+c.counter)))
		}
	}
	for _, c := range []struct {
		key     fact.Of[float64]
		counter string
	}{{fact.SafepointSync, "sun.rt.safepointSyncTime"}, {fact.GCThreadSeconds, "sun.threads.total_gc_cpu_time"}} {
		seconds, ok := d.Seconds(c.counter)
		if c.counter == "sun.threads.total_gc_cpu_time" {
			ns, told := d.Longs[c.counter] // nanoseconds, whatever the ticks are
			// ZGC of JDK 25 has the counter and leaves it at 0.
			seconds, ok = float64(ns)/1e9, told && (ns > 0 || d.Collector() != hsperf.ZGC)
		}
		if ok {
			seen = append(seen, c.key.Is(s, seconds))
		} else {
			seen = append(seen, c.key.Unknown(s, absent("no counter "+c.counter)))
		}
	}
	return seen
}

// after is what was in use when a collection had last ended.
type after struct {
	collections int64
	looked      bool
	heap, old   int64 // bytes; -1 not told
	seen        bool  // some collection ended while we looked
}

// note looks whether a collection ended since the last reading.
func (a *after) note(d *hsperf.Data) {
	n := int64(0)
	for _, i := range []string{"0", "1", "2"} {
		n += d.Longs["sun.gc.collector."+i+".invocations"]
	}
	if a.looked && n != a.collections {
		h := d.Heap()
		a.heap, a.old, a.seen = h.Used, h.OldUsed, true
	}
	a.collections, a.looked = n, true
}

func (a *after) facts(s fact.Subject, collector string) []fact.Observation {
	if !a.seen {
		because := &fact.Unknown{Reason: fact.NotYet, Detail: "no collection ended while ktriage looked"}
		return []fact.Observation{fact.OldAfterGC.Unknown(s, because), fact.HeapAfterGC.Unknown(s, because)}
	}
	return []fact.Observation{size(fact.OldAfterGC, s, a.old, collector), size(fact.HeapAfterGC, s, a.heap, collector)}
}

// afters remembers, between looks, what was in use after the collections of each
// JVM.
type afters struct {
	mu sync.Mutex
	of map[int]*remembered // by process id
}

type remembered struct {
	after
	created time.Time // of the JVM, so that a reused number begins anew
}

type aftersKey struct{}

// noteAll looks for collections in the readings of one JVM, in order, and says what
// was in use after the last.
func noteAll(t *probe.Target, pid int, readings []*hsperf.Data) after {
	all := probe.Shared(t, aftersKey{}, func() *afters { return &afters{of: map[int]*remembered{}} })
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, d := range readings {
		r := all.of[pid]
		if r == nil || !r.created.Equal(d.Created()) {
			r = &remembered{created: d.Created()}
			all.of[pid] = r
		}
		r.note(d)
	}
	return all.of[pid].after
}
