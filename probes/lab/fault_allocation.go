package lab

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

var allocationStorm = &Fault{
	Name:    "allocation-storm",
	Later:   true,
	Doc:     "an agent in broker 2 allocates 1200 MiB a second of what is garbage at once, into a young generation of 32 MiB",
	Shape:   Shape{JVM: map[int32][]string{2: {"-Xms384m", "-Xmx384m", "-Xmn32m"}}},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.LoadAgent(ctx, c.Node(2), "alloc,rate=1200")
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		pauses, err := youngPauses(c.Node(2), time.Now().Add(-5*time.Second))
		if err != nil {
			return "", err
		}
		if len(pauses) < 10 {
			return "", fmt.Errorf("%d of 10 young collections within 5 s", len(pauses))
		}
		last := pauses[len(pauses)-1]
		if last.After > 0.8*last.Capacity {
			return "", fmt.Errorf("the heap is full after collections, too: %s", last.Line)
		}
		return fmt.Sprintf("GC log: %d young collections within 5 s, the last %s", len(pauses), last.Line), nil
	},
	Bites:     time.Minute,
	Heal:      func(ctx context.Context, c *Cluster) error { return c.replace(ctx, 2) },
	Expect:    []Expect{{Cause: "allocation-storm"}},
	Forbidden: []string{"heap-exhaustion", "broker-crashed", "broker-hung"},
	Facts: []Sight{
		{"jvm.gclog.young.count", "process 2", "value moves"},
		{"jvm.gclog.allocated", "process 2", "value moves"},
		{"jvm.gclog.full.count", "process 2", "value stays"},
		{"jvm.gclog.heap.after", "process 2", "value<300000000"},
	},
}

var humongousAllocation = &Fault{
	Name:    "humongous-allocation",
	Doc:     "an agent in broker 2 allocates 500 MiB a second in arrays of 3000 KiB, with G1 regions of 1 MiB",
	Shape:   Shape{JVM: map[int32][]string{2: {"-Xms600m", "-Xmx600m", "-XX:G1HeapRegionSize=1m"}}},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.LoadAgent(ctx, c.Node(2), "humongous,size=3000,rate=500,live=150")
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		pauses, err := youngPauses(c.Node(2), time.Now().Add(-5*time.Second))
		if err != nil {
			return "", err
		}
		huge := slices.DeleteFunc(slices.Clone(pauses), func(p youngPause) bool { return p.Cause != "G1 Humongous Allocation" })
		if len(huge) < 5 || len(huge)*10 < len(pauses)*6 {
			return "", fmt.Errorf("%d of %d young collections within 5 s are because of humongous objects", len(huge), len(pauses))
		}
		return fmt.Sprintf("GC log: %d of %d young collections within 5 s are humongous, the last %s", len(huge), len(pauses), huge[len(huge)-1].Line), nil
	},
	Bites:     time.Minute,
	Heal:      func(ctx context.Context, c *Cluster) error { return c.replace(ctx, 2) },
	Later:     true,
	Expect:    []Expect{{Cause: "humongous-allocation"}},
	Forbidden: []string{"heap-exhaustion", "broker-crashed", "broker-hung"},
	Facts: []Sight{
		{"jvm.gclog.humongous.count", "process 2", "value moves"},
		{"jvm.gclog.humongous.seconds", "process 2", "value moves"},
		{"jvm.gclog.recent", "process 2", "cause=G1 Humongous Allocation; seconds>0"},
		{"jvm.gclog.allocated", "process 2", "value moves"},
	},
}

// youngPause is a young collection as the unified GC log tells it; MiB.
type youngPause struct {
	Line, Cause     string
	After, Capacity float64
}

// [2026-11-23T01:02:03.004+0000][gc] GC(30) Pause Young (Normal) (G1 Evacuation Pause) 226M->154M(256M) 9.370ms
var youngPauseLine = regexp.MustCompile(`(?m)^\[([^\]]+)\]\[gc *\] (GC\(\d+\) Pause Young (?:\([A-Z][a-z]+(?: [A-Z][a-z]+)?\) )?\(([^()]*(?:\(\))?)\) \d+M->(\d+)M\((\d+)M\) [\d.]+ms)$`)

// youngPauses is the young collections since a time.
func youngPauses(n *Node, since time.Time) ([]youngPause, error) {
	text, err := os.ReadFile(n.GCLog())
	if err != nil {
		return nil, fmt.Errorf("read the GC log of node %d: %w", n.ID, err)
	}
	return parseYoungPauses(string(text), since), nil
}

func parseYoungPauses(text string, since time.Time) []youngPause {
	var all []youngPause
	for _, m := range youngPauseLine.FindAllStringSubmatch(text, -1) {
		at, err := time.Parse("2006-01-02T15:04:05.000-0700", m[1])
		if err != nil || at.Before(since) {
			continue
		}
		p := youngPause{Line: m[2], Cause: m[3]}
		p.After, _ = strconv.ParseFloat(m[4], 64)
		p.Capacity, _ = strconv.ParseFloat(m[5], 64)
		all = append(all, p)
	}
	return all
}
