package diagnose

import (
	"maps"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of the broker's JVM, from its perf data.

// jvmWindow is how far back rates of the JVM look.
const jvmWindow = 30 * time.Second

// jvmSpan is how far back the sign's process can be asked: not beyond the start
// of its JVM, for what came before was another one's.
func jvmSpan(v *View) time.Duration {
	started, ok := fact.JVMStarted.Latest(v, v.Subject)
	if up := v.Now().Sub(started); ok && up < jvmWindow {
		return max(0, up)
	}
	return jvmWindow
}

// Limits of collections. The source wants 95 % of the time outside pauses; a
// broker on a crowded host reaches 5 % without anybody suffering, and in every
// fault that was made the share was 16 % and more.
const (
	gcShareLimit = 0.10
	gcPauseLimit = 0.2 // seconds; the source's bound of the longest pause
	heapLeft     = 0.92
)

var gcTimeShare = &Sign{
	ID: "gc-time-share", Title: "collections stop it for much of the time", On: fact.Process, Trouble: true, Leak: 0.01,
	Doc:  "Stop-the-world pauses take 10% or more of the wall time, as perf data tells, or where there is none the GC log. Below 5% is the source's aim.",
	Uses: []fact.Key{fact.GCYoungSeconds, fact.GCFullSeconds, fact.GCConcurrentSeconds, fact.SafepointSeconds, fact.GCPauseSeconds, fact.JVMStarted},
	Test: func(v *View) Reading {
		paused, over, because := pauses(v)
		if because != nil {
			return cannotTell(because)
		}
		return atLeast(paused/over, gcShareLimit, fact.Ratio, "paused %s of %s (%s)", duration(paused), duration(over), percent(paused/over))
	},
}

// pauses is the seconds that the process stood still for collections, and in
// how many.
func pauses(v *View) (paused, over float64, because *fact.Unknown) {
	known := false
	for _, k := range []fact.Of[float64]{fact.GCYoungSeconds, fact.GCFullSeconds, fact.GCConcurrentSeconds} {
		if by, seconds, ok := fact.Growth(k, v, v.Subject, jvmSpan(v)); ok {
			paused, over, known = paused+by, max(over, seconds), true
		}
	}
	if by, seconds, ok := fact.Growth(fact.SafepointSeconds, v, v.Subject, jvmSpan(v)); ok {
		paused, over, known = max(paused, by), max(over, seconds), true
	}
	if known && over > 0 {
		return paused, over, nil
	}
	if by, seconds, ok := fact.Growth(fact.GCPauseSeconds, v, v.Subject, jvmSpan(v)); ok && seconds > 0 {
		return by, seconds, nil
	}
	for _, k := range []fact.Key{fact.GCYoungSeconds, fact.GCConcurrentSeconds, fact.SafepointSeconds} {
		if because = v.Why(k, v.Subject); because == nil {
			return 0, 0, &fact.Unknown{Reason: fact.NotYet, Detail: "wants two samples"}
		}
	}
	return 0, 0, because
}

var gcPausesLong = &Sign{
	ID: "gc-pauses-long", Title: "its collections are long", On: fact.Process, Trouble: true, Leak: 0.01,
	Doc:  "Of the kind of collection that took most of the time, a pause lasts 200 ms or more on average, as perf data tells, or where there is none the GC log.",
	Uses: []fact.Key{fact.GCYoungCount, fact.GCYoungSeconds, fact.GCFullCount, fact.GCFullSeconds, fact.GCConcurrentCount, fact.GCConcurrentSeconds, fact.JVMGCCause, fact.JVMCollector, fact.JVMStarted, fact.GCRecent},
	Test: func(v *View) Reading {
		worst, most, kind, count := 0.0, 0.0, "", 0.0
		known := false
		for _, c := range []struct {
			kind           string
			count, seconds fact.Of[float64]
		}{
			{"young", fact.GCYoungCount, fact.GCYoungSeconds},
			{"full", fact.GCFullCount, fact.GCFullSeconds},
			{"concurrent", fact.GCConcurrentCount, fact.GCConcurrentSeconds},
		} {
			n, _, ok1 := fact.Growth(c.count, v, v.Subject, jvmSpan(v))
			took, _, ok2 := fact.Growth(c.seconds, v, v.Subject, jvmSpan(v))
			if !ok1 || !ok2 {
				continue
			}
			known = true
			if n > 0 && took > most {
				worst, most, kind, count = took/n, took, c.kind, n
			}
		}
		if !known {
			if recent, ok := fact.GCRecent.Latest(v, v.Subject); ok {
				worst, kind, count, cause := longestKind(v, recent.Pauses)
				return atLeast(worst, gcPauseLimit, fact.Seconds, "GC log: %.0f %s pauses of %s on average (%s)", count, kind, duration(worst), cause)
			}
			if because := v.Why(fact.GCYoungCount, v.Subject); because != nil {
				return cannotTell(because)
			}
			return notYet("wants two samples")
		}
		if count == 0 {
			return atLeast(0, gcPauseLimit, fact.Seconds, "no collection in the last %s", jvmWindow)
		}
		cause, _ := fact.JVMGCCause.Latest(v, v.Subject)
		collector, _ := fact.JVMCollector.Latest(v, v.Subject)
		return atLeast(worst, gcPauseLimit, fact.Seconds, "%.0f %s %s pauses of %s on average (%s)", count, collector, kind, duration(worst), cause)
	},
}

// longestKind is the mean length of those of the newest pauses that are of the
// kind that took most of the time, how many there were, and why the last.
func longestKind(v *View, pauses []fact.GCPause) (mean float64, kind string, count float64, cause string) {
	type sum struct {
		count, seconds float64
		cause          string
	}
	by := map[string]sum{}
	for _, p := range pauses {
		if p.At.IsZero() || v.Now().Sub(p.At) > jvmSpan(v) {
			continue
		}
		s := by[p.Kind]
		by[p.Kind] = sum{s.count + 1, s.seconds + p.Seconds, p.Cause}
	}
	most := 0.0
	for _, k := range slices.Sorted(maps.Keys(by)) {
		if s := by[k]; s.seconds > most {
			most, mean, kind, count, cause = s.seconds, s.seconds/s.count, k, s.count, s.cause
		}
	}
	if kind == "" {
		kind, cause = "stop-the-world", "none"
	}
	return mean, kind, count, cause
}

var heapFullAfterGC = &Sign{
	ID: "heap-full-after-gc", Title: "its heap is full also after collections", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:  "The least heap in use that was seen while collections ran is 92% or more of what the heap may be: collecting frees nothing. A heap that fills between collections is not this.",
	Uses: []fact.Key{fact.HeapLow, fact.HeapMax, fact.GCYoungCount, fact.GCFullCount, fact.GCConcurrentCount, fact.JVMStarted, fact.GCHeapAfter, fact.GCLogged, fact.GCPauseCount},
	Test: func(v *View) Reading {
		most, told := fact.HeapMax.Latest(v, v.Subject)
		low, ok := fact.HeapLow.Latest(v, v.Subject)
		if !told || !ok {
			return heapFullLogged(v)
		}
		if most <= 0 {
			return notApplicable("a heap without a bound")
		}
		for _, s := range v.Past(fact.HeapLow.Def(), v.Subject) {
			if b, ok := s.Value.(float64); ok && v.Now().Sub(s.At) <= jvmSpan(v) {
				low = min(low, b)
			}
		}
		young, _, ok1 := fact.Growth(fact.GCYoungCount, v, v.Subject, jvmSpan(v))
		full, _, ok2 := fact.Growth(fact.GCFullCount, v, v.Subject, jvmSpan(v))
		cycles, _, ok3 := fact.Growth(fact.GCConcurrentCount, v, v.Subject, jvmSpan(v))
		if !ok1 && !ok2 && !ok3 {
			return notYet("wants two samples")
		}
		share := low / most
		r := atLeast(share, heapLeft, fact.Ratio, "at least %s of %s in use through %.0f collections, %.0f of them full", percent(share), size(most), young+full+cycles, full)
		if young+full+cycles == 0 {
			r.Outcome = No
			r.Text = percent(share) + " in use, and no collection ran"
		}
		return r
	},
}

// heapFullLogged answers by the GC log, where perf data does not.
func heapFullLogged(v *View) Reading {
	after, ok := fact.GCHeapAfter.Latest(v, v.Subject)
	log, _ := fact.GCLogged.Latest(v, v.Subject)
	n, _, grown := fact.Growth(fact.GCPauseCount, v, v.Subject, jvmSpan(v))
	switch {
	case !ok:
		if because := v.Why(fact.HeapLow, v.Subject); because != nil {
			return cannotTell(because)
		}
		return cannotTell(v.Why(fact.HeapMax, v.Subject))
	case log.Heap.Max == nil && log.Heap.Capacity == nil:
		return cannotTell(&fact.Unknown{Reason: fact.NotYet, Detail: "the GC log has not told the heap's size"})
	case !grown:
		return notYet("wants two samples")
	}
	most := log.Heap.Capacity
	if log.Heap.Max != nil {
		most = log.Heap.Max
	}
	for _, s := range v.Past(fact.GCHeapAfter.Def(), v.Subject) {
		if b, ok := s.Value.(float64); ok && v.Now().Sub(s.At) <= jvmSpan(v) {
			after = min(after, b)
		}
	}
	share := after / max(1, *most)
	r := atLeast(share, heapLeft, fact.Ratio, "GC log: at least %s of %s in use after %.0f pauses", percent(share), size(*most), n)
	if n == 0 {
		r.Outcome, r.Text = No, "GC log: "+percent(share)+" in use, and no collection ran"
	}
	return r
}

var fullGCsRepeat = &Sign{
	ID: "full-gcs-repeat", Title: "full collections repeat", On: fact.Process, Trouble: true,
	Doc:  "Two or more full collections within 30 seconds. The source allows one an hour.",
	Uses: []fact.Key{fact.GCFullCount, fact.GCLoggedFull, fact.JVMStarted},
	Test: func(v *View) Reading {
		n, over, ok := fact.Growth(fact.GCFullCount, v, v.Subject, jvmSpan(v))
		if !ok {
			n, over, ok = fact.Growth(fact.GCLoggedFull, v, v.Subject, jvmSpan(v))
		}
		if !ok {
			if because := v.Why(fact.GCFullCount, v.Subject); because != nil {
				return cannotTell(because)
			}
			return notYet("wants two samples")
		}
		return atLeast(n, 2, fact.Count, "%.0f full collections in %s", n, duration(over))
	},
}

var outOfMemoryLogged = &Sign{
	ID: "out-of-memory-logged", Title: "a thread ran out of heap", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "java.lang.OutOfMemoryError in the broker's log since its last start. The thread may die while the process lives on.",
	Needs: []fact.Key{fact.LogOutOfMemory},
	Test:  func(v *View) Reading { return logged(v, fact.LogOutOfMemory, "OutOfMemoryError") },
}
