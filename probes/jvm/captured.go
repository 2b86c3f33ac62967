package jvm

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/jstat"
	"github.com/ktriage/ktriage/probes/probe"
)

// replayed is when captured output was first taken for the present.
type replayed struct {
	mu   sync.Mutex
	last time.Time
}

type replayedKey struct{}

// captured is what --jstat-file says, in place of perf data: each sample at its
// own distance from the last, which counts as taken when it was first looked at.
// Samples without time stamps have no distance, and only the last of them counts.
func captured(t *probe.Target) ([]fact.Observation, error) {
	samples, err := jstat.Parse(t.Jstat)
	if err != nil {
		return nil, err
	}
	r := probe.Shared(t, replayedKey{}, func() *replayed { return &replayed{} })
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.last.IsZero()
	if first {
		r.last = t.Now()
	}
	end := samples[len(samples)-1].Seconds
	if !first || math.IsNaN(end) {
		samples = samples[len(samples)-1:]
	}
	s := capturedOf(t)
	var seen []fact.Observation
	for i, x := range samples {
		back := end - x.Seconds
		if i == len(samples)-1 {
			back = 0
		}
		if !(back >= 0 && back < 1e6) || i > 0 && x.Seconds <= samples[i-1].Seconds {
			continue // of another JVM, or without a time
		}
		for _, o := range capturedFacts(s, x, len(samples) > 2) {
			o.At = r.last.Add(-time.Duration(back * float64(time.Second)))
			seen = append(seen, o)
		}
	}
	return seen, nil
}

// capturedOf is whom captured output is said to be of: the broker of this host,
// or one whose id nobody knows.
func capturedOf(t *probe.Target) fact.Subject {
	if all := t.Brokers(); len(all) == 1 {
		return host.SubjectOf(all[0])
	}
	return fact.Subject{Scope: fact.Process, Name: "of --jstat-file"}
}

const kib = 1024

// capturedKeys is what captured output alone tells.
var capturedKeys = []fact.Key{fact.OldUsedCommitted}

// ofJstat is why it is not told otherwise.
var ofJstat = absent("a column of jstat -gcutil; the sizes themselves are known")

// capturedFacts is one sample as facts. low says that there are enough of them to
// tell the least use of the heap.
func capturedFacts(s fact.Subject, x jstat.Sample, low bool) []fact.Observation {
	column := func(name string) (float64, bool) {
		v, ok := x.Columns[name]
		return v, ok
	}
	var seen []fact.Observation
	is := func(k fact.Of[float64], name string, scale float64) {
		if v, ok := column(name); ok {
			seen = append(seen, k.Is(s, v*scale))
		}
	}
	full, concurrent := "FGC", "CGC"
	if _, told := column("FGC"); told && x.Missing["EC"] { // Shenandoah: the pauses of its ordinary cycles
		full, concurrent = "", "FGC"
	}
	is(fact.GCYoungCount, "YGC", 1)
	is(fact.GCYoungSeconds, "YGCT", 1)
	is(fact.GCFullCount, full, 1)
	is(fact.GCFullSeconds, full+"T", 1)
	is(fact.GCConcurrentCount, concurrent, 1)
	is(fact.GCConcurrentSeconds, concurrent+"T", 1)
	is(fact.EdenUsed, "EU", kib)
	is(fact.EdenSize, "EC", kib)
	is(fact.OldSize, "OC", kib)
	is(fact.MetaspaceUsed, "MU", kib)
	is(fact.MetaspaceSize, "MC", kib)
	is(fact.OldUsedCommitted, "O", 0.01)
	if old, ok := column("OU"); ok {
		if eden, generations := column("EU"); generations {
			s0, _ := column("S0U")
			s1, _ := column("S1U")
			seen = append(seen, fact.OldUsed.Is(s, old*kib), fact.HeapUsed.Is(s, (eden+s0+s1+old)*kib))
			if low {
				seen = append(seen, fact.HeapLow.Is(s, (eden+s0+s1+old)*kib))
			}
		} else if x.Missing["EU"] { // one space for all
			seen = append(seen, fact.HeapUsed.Is(s, old*kib))
		}
	}
	if old, ok := column("OGCMX"); ok {
		most := old
		if young, ok := column("NGCMX"); ok && young != old { // G1 and ZGC give the heap's for each
			most += young
			seen = append(seen, fact.OldMax.Is(s, old*kib))
		}
		seen = append(seen, fact.HeapMax.Is(s, most*kib))
	}
	if x.Last != "" {
		seen = append(seen, fact.JVMGCCause.Is(s, x.Last))
	}
	for _, k := range slices.Concat(keys, moreKeys, capturedKeys) {
		if !slices.ContainsFunc(seen, func(o fact.Observation) bool { return o.Key == k.Def() }) {
			seen = append(seen, fact.Observation{Key: k.Def(), Subject: s, Because: &fact.Unknown{Reason: fact.NotObserved, Detail: "the output of jstat does not tell", How: "jstat -gc -t PID 1000 10 and jstat -gccapacity PID, into one file"}})
		}
	}
	return seen
}
