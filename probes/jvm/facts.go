package jvm

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hsperf"
)

// facts is what a reading says of a process; low is the least heap in use over
// all readings. What the collector does not have is unknown, not 0.
func facts(s fact.Subject, d *hsperf.Data, low int64) []fact.Observation {
	c := d.Collector()
	name := string(c)
	if name == "" {
		name = "this collector"
	}
	seen := []fact.Observation{
		text(fact.JVMVersion, s, d, "java.property.java.version"),
		text(fact.JVMGCCause, s, d, "sun.gc.lastCause"),
	}
	if c == hsperf.Unnamed {
		seen = append(seen, fact.JVMCollector.Unknown(s, absent("a collector that is not known")))
	} else {
		seen = append(seen, fact.JVMCollector.Is(s, name))
	}
	if created := d.Created(); created.IsZero() {
		seen = append(seen, fact.JVMStarted.Unknown(s, absent("no counter sun.rt.createVmBeginTime")))
	} else {
		seen = append(seen, fact.JVMStarted.Is(s, created.UTC()))
	}
	seen = append(seen, collections(s, d, name)...)
	if seconds, ok := d.Seconds("sun.rt.safepointTime"); ok {
		seen = append(seen, fact.SafepointSeconds.Is(s, seconds))
	} else {
		seen = append(seen, fact.SafepointSeconds.Unknown(s, absent("no counter sun.rt.safepointTime")))
	}
	h := d.Heap()
	return append(seen,
		size(fact.HeapUsed, s, h.Used, name), size(fact.HeapMax, s, h.Max, name),
		size(fact.OldUsed, s, h.OldUsed, name), size(fact.OldMax, s, h.OldMax, name),
		size(fact.HeapLow, s, low, name))
}

// collections is counts and times of the three kinds of pauses.
func collections(s fact.Subject, d *hsperf.Data, name string) []fact.Observation {
	young, full, concurrent := d.Collections()
	var seen []fact.Observation
	for _, kind := range []struct {
		index          int
		what           string
		count, seconds fact.Of[float64]
	}{
		{young, "young", fact.GCYoungCount, fact.GCYoungSeconds},
		{full, "full", fact.GCFullCount, fact.GCFullSeconds},
		{concurrent, "concurrent", fact.GCConcurrentCount, fact.GCConcurrentSeconds},
	} {
		prefix := fmt.Sprintf("sun.gc.collector.%d", kind.index)
		n, ok := d.Longs[prefix+".invocations"]
		seconds, timed := d.Seconds(prefix + ".time")
		switch {
		case ok && timed:
			seen = append(seen, kind.count.Is(s, float64(n)), kind.seconds.Is(s, seconds))
			continue
		case kind.index < 0, kind.what == "young": // ZGC has young ones in some versions only
			because := absent(name + " has no " + kind.what + " collections")
			seen = append(seen, kind.count.Unknown(s, because), kind.seconds.Unknown(s, because))
		default:
			because := absent("no counter " + prefix)
			seen = append(seen, kind.count.Unknown(s, because), kind.seconds.Unknown(s, because))
		}
	}
	return seen
}

func text(k fact.Of[string], s fact.Subject, d *hsperf.Data, counter string) fact.Observation {
	if v, ok := d.Strings[counter]; ok {
		return k.Is(s, v)
	}
	return k.Unknown(s, absent("no counter "+counter))
}

func size(k fact.Of[float64], s fact.Subject, bytes int64, collector string) fact.Observation {
	if bytes < 0 {
		return k.Unknown(s, absent(collector+" does not tell"))
	}
	return k.Is(s, float64(bytes))
}

// absent is why a number is missing that this JVM cannot give.
func absent(detail string) *fact.Unknown {
	return &fact.Unknown{Reason: fact.Absent, Detail: detail}
}
