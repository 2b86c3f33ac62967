package diagnose

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs that the source's alert rules ask of brokers.

// latencyWindow is how lately requests must have come for their times to speak
// of now: histograms keep old values while nothing new comes.
const latencyWindow = 60 * time.Second

var produceLatencyHigh = &Sign{
	ID: "produce-latency-high", Title: "produce requests take long", On: fact.Broker,
	Doc:   "95% of the produce requests of this broker take up to 100 ms or longer in it, over the last minutes and while there are any.",
	Needs: []fact.Key{fact.MetricRequests},
	Test: func(v *View) Reading {
		now, _ := fact.MetricRequests.Latest(v, v.Subject)
		produce, ok := timesOf(now, "Produce")
		p95, told := produce.Phases[fact.PhaseTotal]["p95"]
		if !ok || !told {
			return notApplicable("p95 of produce requests is not exported")
		}
		before, _, known := fact.MetricRequests.Before(v, v.Subject, latencyWindow)
		if !known {
			return notYet("wants two samples: the times may be of the past")
		}
		if old, _ := timesOf(before, "Produce"); produce.Count >= 0 && old.Count == produce.Count {
			return no("no produce request lately")
		}
		return atLeast(p95, 0.1, fact.Seconds, "95%% of produce requests within %s, 99%% within %s", duration(p95), duration(produce.Phases[fact.PhaseTotal]["p99"]))
	},
}

// timesOf is the times of one type of request.
func timesOf(all []fact.RequestTimes, request string) (fact.RequestTimes, bool) {
	for _, r := range all {
		if r.Request == request {
			return r, true
		}
	}
	return fact.RequestTimes{}, false
}

// The source's limit: more than this many in this time.
const (
	shrinksLimit  = 5
	shrinksWindow = time.Hour
)

var isrShrinksOften = &Sign{
	ID: "isr-shrinks-often", Title: "its ISRs shrink again and again", On: fact.Broker,
	Doc:  "This broker put followers out of ISRs more than five times within an hour, as its log, its metrics or the metadata log on this host count.",
	Uses: []fact.Key{fact.LogISRShrunk, fact.MetricISRShrinks, fact.ISRShrinks},
	Test: func(v *View) Reading {
		if l, known := fact.LogISRShrunk.Latest(v, v.Subject); known {
			n := l.Within(v.Now(), shrinksWindow)
			r := atLeast(float64(n), shrinksLimit+1, fact.Count, "%s in an hour, in its log", plural(n, "ISR shrink"))
			if r.Outcome == Yes {
				r.Since = oftenSince(l, l.First, v.Now())
			}
			return r
		}
		total, known := fact.MetricISRShrinks.Latest(v, v.Subject)
		if !known {
			if s, told := fact.ISRShrinks.Latest(v, v.Subject); told {
				return shrinksAsNoted(v, s)
			}
			return notApplicable("neither its log nor its metrics nor a metadata log can be seen")
		}
		by, over, ok := fact.Growth(fact.MetricISRShrinks, v, v.Subject, shrinksWindow)
		switch {
		case ok && by > shrinksLimit, ok && over >= shrinksWindow.Seconds()*0.9:
			return atLeast(by, shrinksLimit+1, fact.Count, "%.0f ISR shrinks in %s", by, duration(over))
		case total <= shrinksLimit:
			return atLeast(total, shrinksLimit+1, fact.Count, "%.0f ISR shrinks since it started", total)
		}
		return notApplicable("wants an hour of samples")
	},
}

// shrinksAsNoted is the reading that the metadata log gives, as far as it speaks
// of now.
func shrinksAsNoted(v *View, s fact.ShrinkTimes) Reading {
	const fresh = time.Minute
	if old := v.Now().Sub(s.To); old > fresh {
		return notApplicable(fmt.Sprintf("the metadata log on this host ends %s before now", duration(old.Seconds())))
	}
	n := s.Within(v.Now(), shrinksWindow)
	told := min(v.Now().Sub(s.From), shrinksWindow)
	r := atLeast(float64(n), shrinksLimit+1, fact.Count, "%s in %s, in the metadata log", plural(n, "ISR shrink"), duration(told.Seconds()))
	if r.Outcome == Yes {
		r.Since = oftenSince(s, s.From, v.Now())
	}
	return r
}

// counted is what can say how often something was within a time.
type counted interface {
	Within(at time.Time, window time.Duration) int
}

// oftenSince is since when, minute by minute and without a break until now,
// there were more than the limit in the hour before; not before the first.
func oftenSince(l counted, first, now time.Time) time.Time {
	since := now
	for at := now; now.Sub(at) <= 24*time.Hour && l.Within(at, shrinksWindow) > shrinksLimit; at = at.Add(-time.Minute) {
		since = at
	}
	if since.Before(first) {
		return first
	}
	return since
}
