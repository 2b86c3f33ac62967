package hsperf

import "strings"

// Collector is the garbage collector, told by which counters there are: their
// texts changed from one JDK to the next.
type Collector string

const (
	G1         Collector = "G1"
	Parallel   Collector = "Parallel"
	Serial     Collector = "Serial"
	ZGC        Collector = "ZGC"
	Shenandoah Collector = "Shenandoah"
	CMS        Collector = "CMS"
	Epsilon    Collector = "Epsilon" // collects nothing
	Unnamed    Collector = ""        // one that this version of ktriage does not know
)

// Collector says which garbage collector the JVM runs.
func (d *Data) Collector() Collector {
	policy := d.Strings["sun.gc.policy.name"]
	names := [3]string{}
	for i, key := range []string{"sun.gc.collector.0.name", "sun.gc.collector.1.name", "sun.gc.collector.2.name"} {
		names[i] = d.Strings[key]
	}
	switch {
	case strings.HasPrefix(names[2], "Z"), strings.HasPrefix(names[0], "ZGC"):
		return ZGC
	case strings.HasPrefix(names[0], "Shenandoah"), strings.HasPrefix(names[1], "Shenandoah"):
		return Shenandoah
	case names[1] == "CMS", strings.Contains(policy, "CMS"), strings.HasPrefix(policy, "ParNew:"):
		return CMS
	case strings.HasPrefix(policy, "GarbageFirst"), strings.HasPrefix(names[0], "G1"):
		return G1
	case strings.HasPrefix(policy, "ParScav"), strings.HasPrefix(names[0], "PS"), strings.HasPrefix(names[0], "Parallel"):
		return Parallel
	case strings.HasPrefix(policy, "Copy"), strings.HasPrefix(names[0], "Copy"), strings.HasPrefix(names[0], "Serial"):
		return Serial
	case names == [3]string{} && policy == "":
		// One space and nothing else: Epsilon, and ZGC of JDK 11. Both have to be
		// asked for.
		if args := d.Strings["java.rt.vmArgs"]; strings.Contains(args, "-XX:+UseEpsilonGC") {
			return Epsilon
		} else if strings.Contains(args, "-XX:+UseZGC") {
			return ZGC
		}
	}
	return Unnamed
}

// Collections is the numbers of the counters sun.gc.collector.N that count young
// collections, full ones, and the pauses of concurrent cycles; -1 where the
// collector has no such thing. Shenandoah counts the pauses of its ordinary cycles
// where others count full collections, and so does CMS of JDK 8.
func (d *Data) Collections() (young, full, concurrent int) {
	_, apart := d.Longs["sun.gc.collector.2.invocations"]
	switch c := d.Collector(); {
	case c == Epsilon:
		return -1, -1, -1
	case c == Shenandoah, c == CMS && !apart:
		return 0, -1, 1
	case c == G1, c == CMS:
		return 0, 1, 2
	case c == Parallel, c == Serial:
		return 0, 1, -1
	}
	return 0, -1, 2
}

// Heap is how full the heap is, in bytes. A size that the collector does not
// tell, or cannot mean, is -1.
type Heap struct {
	Used, Max       int64
	OldUsed, OldMax int64
}

// Heap adds up the spaces. The percentages that jstat prints are shares of what
// is committed, which grows with the need; full is used against the largest
// size allowed.
func (d *Data) Heap() Heap {
	h := Heap{-1, -1, -1, -1}
	old, hasOld := d.Longs["sun.gc.generation.1.space.0.used"]
	oldMax, hasMax := d.Longs["sun.gc.generation.1.maxCapacity"]
	if !hasOld || !hasMax {
		return h
	}
	young, hasYoung := int64(0), false
	for _, space := range []string{"0", "1", "2"} {
		if used, ok := d.Longs["sun.gc.generation.0.space."+space+".used"]; ok {
			young, hasYoung = young+used, true
		}
	}
	h.Used, h.Max = old+young, oldMax
	c := d.Collector()
	if hasYoung && (c == Parallel || c == Serial || c == CMS) {
		// Fixed halves; G1 and ZGC give the whole heap as the largest size of
		// each generation, so theirs must not be added.
		h.Max += d.Longs["sun.gc.generation.0.maxCapacity"]
	}
	if hasYoung && c != Unnamed && c != Shenandoah && c != Epsilon {
		h.OldUsed, h.OldMax = old, oldMax
	}
	return h
}
