package diagnose

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of how often the collector works, and for what.

var humongousPauses = &Sign{
	ID: "humongous-pauses", Title: "most of its pauses are for humongous objects", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "Half or more of the young pauses of the last minute, one in two seconds or more, have the cause G1 Humongous Allocation: objects larger than half a region. A scrape of metrics makes a few at its own rhythm.",
	Needs: []fact.Key{fact.GCHumongousCount, fact.GCYoungLogged},
	Uses:  []fact.Key{fact.GCRecent, fact.JVMStarted},
	Test: func(v *View) Reading {
		const most, each = 0.5, 0.5
		humongous, over, ok1 := rate(fact.GCHumongousCount, v, v.Subject)
		young, _, ok2 := rate(fact.GCYoungLogged, v, v.Subject)
		long := ok1 && ok2 && over >= 5
		if pauses, logged, ok := youngLately(v); ok && !long {
			of := 0
			for _, p := range pauses {
				if p.Cause == "G1 Humongous Allocation" {
					of++
				}
			}
			humongous, young, over, long = float64(of)/logged, float64(len(pauses))/logged, logged, true
		}
		if !long && (!ok1 || !ok2 || humongous >= each) { // none is no, however short the look
			return notYet("wants two samples some seconds apart")
		}
		share := 0.0
		if young > 0 {
			share = humongous / young
		}
		r := atLeast(share, most, fact.Ratio, "%.1f of %.1f young pauses/s for humongous allocations, over %s", humongous, young, duration(over))
		if humongous < each {
			r.Outcome = No
		}
		return r
	},
}

var youngPausesPile = &Sign{
	ID: "young-pauses-pile", Title: "young collections follow each other", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "Three or more young collections a second over half a minute, that take 5% or more of the time: objects are made faster than the young generation is large.",
	Needs: []fact.Key{fact.GCYoungCount, fact.GCYoungSeconds},
	Uses:  []fact.Key{fact.JVMStarted, fact.GCRecent},
	Test: func(v *View) Reading {
		const many, share = 3.0, 0.05
		n, over, ok1 := fact.Growth(fact.GCYoungCount, v, v.Subject, jvmSpan(v))
		took, _, ok2 := fact.Growth(fact.GCYoungSeconds, v, v.Subject, jvmSpan(v))
		long := ok1 && ok2 && over >= 5
		if pauses, logged, ok := youngLately(v); ok && !long {
			n, took, over, long = float64(len(pauses)), 0, logged, true
			for _, p := range pauses {
				took += p.Seconds
			}
		}
		if !long && (!ok1 || !ok2 || over <= 0 || n/over >= many/2) { // few are few, however short the look
			return notYet("wants two samples some seconds apart")
		}
		r := atLeast(n/over, many, fact.Count, "%.1f young collections/s over %s, %s of the time", n/over, duration(over), percent(took/over))
		if took/over < share {
			r.Outcome = No
		}
		return r
	},
}

// lately is how far back the GC log is asked where there are no two samples far
// enough apart.
const lately = 10 * time.Second

// youngLately is the young pauses that the GC log tells of the last seconds, and
// how many seconds that is. ok is false where that is less than five seconds, and
// fewer pauses than say something all the same.
func youngLately(v *View) (young []fact.GCPause, over float64, ok bool) {
	recent, ok := fact.GCRecent.Latest(v, v.Subject)
	if !ok || len(recent.Pauses) == 0 {
		return nil, 0, false
	}
	from := v.Now().Add(-lately)
	begins := []time.Time{recent.Since}
	if len(recent.Pauses) == fact.MaxRecentGC { // what was before them is not told
		begins = append(begins, recent.Pauses[0].At)
	}
	if started, known := fact.JVMStarted.Latest(v, v.Subject); known {
		begins = append(begins, started)
	}
	for _, t := range begins {
		if t.After(from) {
			from = t
		}
	}
	for _, p := range recent.Pauses {
		if (p.Kind == "young" || p.Kind == "mixed") && !p.At.Before(from) {
			young = append(young, p)
		}
	}
	over = v.Now().Sub(from).Seconds()
	return young, over, over >= 5 || over > 0 && len(young) >= fact.MaxRecentGC/2
}
