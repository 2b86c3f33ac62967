package diagnose

import (
	"math"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Limits of a GC log as the source states them, strictly below or above.
const (
	gcP95Limit        = 0.05 // seconds
	gcP99Limit        = 0.1  // seconds
	gcThroughputLimit = 0.95 // of wall time outside pauses
	gcFullLimit       = 1    // an hour
)

// Limit is one limit of the source held against a value.
type Limit struct {
	Name    string
	Value   float64 // NaN when unknown or not applicable
	Limit   float64
	Unit    fact.Unit
	Outcome Outcome // Yes: it is passed
	Text    string  // why there is no value; "" otherwise
}

// GCLimits holds what a GC log tells against the limits: pauses and stalls,
// throughput, full collections.
func GCLimits(l fact.GCLog) []Limit {
	all := []Limit{
		gcLength("pause-p95", l, l.Pauses.P95, gcP95Limit),
		gcLength("pause-p99", l, l.Pauses.P99, gcP99Limit),
		gcLength("pause-max", l, l.Pauses.Max, gcPauseLimit),
		gcThroughput(l), gcFull(l),
	}
	if l.Collector == "ZGC" || l.Stalls.Count > 0 {
		// A thread that waits for memory stands still as in a pause.
		all = append(all, gcStall(l))
	}
	return all
}

func gcLength(name string, l fact.GCLog, value *float64, limit float64) Limit {
	r := Limit{Name: name, Value: math.NaN(), Limit: limit, Unit: fact.Seconds, Outcome: Unknown}
	switch {
	case value != nil:
		r.Value, r.Outcome = *value, passed(*value >= limit)
	case l.Collector == "Epsilon":
		r.Outcome, r.Text = NotApplicable, "Epsilon collects nothing"
	default:
		r.Text = "no pause is told"
	}
	return r
}

func gcThroughput(l fact.GCLog) Limit {
	r := Limit{Name: "throughput", Value: math.NaN(), Limit: gcThroughputLimit, Unit: fact.Ratio, Outcome: Unknown}
	if share, ok := GCThroughput(l); ok {
		r.Value, r.Outcome = share, passed(share <= gcThroughputLimit)
	} else {
		r.Text = "no time stamps, or none apart"
	}
	return r
}

// GCThroughput is the share of wall time outside pauses, 0 to 1; ok is false
// where the log does not tell how long it covers.
func GCThroughput(l fact.GCLog) (share float64, ok bool) {
	if l.Span == nil || *l.Span <= 0 || l.Pauses.Count == 0 && l.Collector != "Epsilon" {
		return 0, false
	}
	return min(1, max(0, 1 - l.Pauses.Total / *l.Span)), true
}

// gcFull is full collections an hour; of a log shorter than an hour, in it.
func gcFull(l fact.GCLog) Limit {
	r := Limit{Name: "full-gcs-per-hour", Value: math.NaN(), Limit: gcFullLimit, Unit: fact.Count, Outcome: Unknown}
	switch {
	case l.Collector == "ZGC", l.Collector == "Epsilon":
		r.Outcome, r.Text = NotApplicable, l.Collector+" has no full collections"
	case l.Pauses.Count == 0:
		r.Text = "no pause is told"
	case l.Span == nil && l.Full > 0:
		r.Text = "no time stamps"
	default:
		hours := 1.0
		if l.Span != nil {
			hours = max(1, *l.Span/3600)
		}
		r.Value = float64(l.Full) / hours
		r.Outcome = passed(r.Value >= gcFullLimit)
	}
	return r
}

func gcStall(l fact.GCLog) Limit {
	r := Limit{Name: "allocation-stall-max", Limit: gcPauseLimit, Unit: fact.Seconds, Outcome: No}
	if l.Stalls.Max != nil {
		r.Value, r.Outcome = *l.Stalls.Max, passed(*l.Stalls.Max >= gcPauseLimit)
	}
	return r
}

func passed(beyond bool) Outcome {
	if beyond {
		return Yes
	}
	return No
}
