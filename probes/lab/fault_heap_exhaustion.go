package lab

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

var heapExhaustion = &Fault{
	Name:    "heap-exhaustion",
	Doc:     "an agent in broker 2 leaks until 8 of 256 MiB of its heap are left, then less and less",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.LoadAgent(ctx, c.Node(2), "leak,left=8")
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		pauses, err := fullPauses(c.Node(2))
		if err != nil {
			return "", err
		}
		stuck := 0
		for _, p := range pauses {
			if p.After >= 0.9*p.Capacity {
				stuck++
			}
		}
		if stuck < 4 {
			return "", fmt.Errorf("%d of 4 full collections left 90 %% of the heap in use", stuck)
		}
		return "GC log: " + pauses[len(pauses)-1].Line, nil
	},
	Bites:     90 * time.Second,
	Heal:      func(ctx context.Context, c *Cluster) error { return c.replace(ctx, 2) },
	Expect:    []Expect{{"heap-exhaustion", "process 2"}},
	Holds:     []string{"broker-crashed"}, // at times a thread that it cannot do without meets OutOfMemoryError
	Branch:    "performance",
	Forbidden: []string{"planned-shutdown", "disk-full"},
	// Sooner or later a thread meets OutOfMemoryError, and the log alone decides.
	Blind: []Blind{{"jvm.perf,jvm.gclog,logs.lines", "heap-exhaustion"}},
}

// fullPause is a full collection as the unified GC log tells it; MiB.
type fullPause struct {
	Line                    string
	Before, After, Capacity float64
	Millis                  float64
}

// [2026-11-23T01:02:03.004+0000][gc] GC(30) Pause Full (G1 Compaction Pause) 254M->249M(256M) 141.370ms
var fullPauseLine = regexp.MustCompile(`Pause Full .*? (\d+)M->(\d+)M\((\d+)M\) ([\d.]+)ms`)

func fullPauses(n *Node) ([]fullPause, error) {
	text, err := os.ReadFile(n.GCLog())
	if err != nil {
		return nil, fmt.Errorf("read the GC log of node %d: %w", n.ID, err)
	}
	return parseFullPauses(string(text)), nil
}

func parseFullPauses(text string) []fullPause {
	var all []fullPause
	for _, m := range fullPauseLine.FindAllStringSubmatch(text, -1) {
		p := fullPause{Line: m[0]}
		for i, to := range []*float64{&p.Before, &p.After, &p.Capacity, &p.Millis} {
			*to, _ = strconv.ParseFloat(m[i+1], 64)
		}
		all = append(all, p)
	}
	return all
}

// replace restarts a broker as an operator does: SIGTERM, and SIGKILL when that
// leads to nothing.
func (c *Cluster) replace(ctx context.Context, id int32) error {
	n := c.Node(id)
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if n.Running() && n.End(wait, syscall.SIGTERM) != nil {
		n.kill()
	}
	return c.Restart(ctx, id)
}
