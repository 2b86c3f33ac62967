package lab

import (
	"context"
	"fmt"
	"time"
)

var gcPause = &Fault{
	Name:    "gc-pause",
	Doc:     "an agent in broker 2 asks for a full collection of 200 live MiB every 0.7 s, under the serial collector",
	Shape:   Shape{JVM: map[int32][]string{2: {"-Xms1g", "-Xmx1g", "-XX:+UseSerialGC"}}},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.LoadAgent(ctx, c.Node(2), "sysgc,live=200,every=700")
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		pauses, err := fullPauses(c.Node(2))
		if err != nil {
			return "", err
		}
		long := 0
		for _, p := range pauses {
			if p.Millis >= 200 {
				long++
			}
		}
		if long < 4 {
			return "", fmt.Errorf("%d of 4 collections took 200 ms", long)
		}
		return "GC log: " + pauses[len(pauses)-1].Line, nil
	},
	Bites:     time.Minute,
	Heal:      func(ctx context.Context, c *Cluster) error { return c.replace(ctx, 2) },
	Expect:    []Expect{{"gc-pause", "process 2"}},
	Branch:    "performance",
	Forbidden: []string{"heap-exhaustion", "broker-crashed", "broker-hung"},
	Facts: []Sight{
		{"jvm.gc.full.count", "process 2", "value moves"},
		{"jvm.gc.full.seconds", "process 2", "value moves"},
		{"jvm.gclog.full.count", "process 2", "value moves"},
		{"jvm.gclog.explicit.count", "process 2", "value moves"},
		{"jvm.safepoint.seconds", "process 2", "value moves"},
	},
}
