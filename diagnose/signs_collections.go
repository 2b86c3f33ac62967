package diagnose

import "github.com/ktriage/ktriage/diagnose/fact"

// Signs of how often the collector works, and for what.

var humongousPauses = &Sign{
	ID: "humongous-pauses", Title: "most of its pauses are for humongous objects", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "Half or more of the young pauses of the last minute, one in two seconds or more, have the cause G1 Humongous Allocation: objects larger than half a region. A scrape of metrics makes a few at its own rhythm.",
	Needs: []fact.Key{fact.GCHumongousCount, fact.GCYoungLogged},
	Test: func(v *View) Reading {
		const most, each = 0.5, 0.5
		humongous, over, ok1 := rate(fact.GCHumongousCount, v, v.Subject)
		young, _, ok2 := rate(fact.GCYoungLogged, v, v.Subject)
		if !ok1 || !ok2 || over < 5 && humongous >= each { // none is no, however short the look
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
	Uses:  []fact.Key{fact.JVMStarted},
	Test: func(v *View) Reading {
		const many, share = 3.0, 0.05
		n, over, ok1 := fact.Growth(fact.GCYoungCount, v, v.Subject, jvmSpan(v))
		took, _, ok2 := fact.Growth(fact.GCYoungSeconds, v, v.Subject, jvmSpan(v))
		if !ok1 || !ok2 || over <= 0 || over < 5 && n/over >= many/2 { // few are few, however short the look
			return notYet("wants two samples some seconds apart")
		}
		r := atLeast(n/over, many, fact.Count, "%.1f young collections/s over %s, %s of the time", n/over, duration(over), percent(took/over))
		if took/over < share {
			r.Outcome = No
		}
		return r
	},
}
