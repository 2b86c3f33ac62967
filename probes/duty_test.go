package probes

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Whatever a probe of brokers costs: over an hour it looks for at most a twentieth
// of the time, also when it is not told all, and one that is quick runs as often as
// it wants. Time that it merely waits for a broker is no cost.
func TestDutyOverAnHour(t *testing.T) {
	for _, c := range []struct {
		cost, idle  time.Duration
		err         error
		least, most int64 // runs
	}{
		{10 * time.Millisecond, 0, nil, 700, 721},
		{time.Second, 0, nil, 160, 176},
		{2 * time.Second, 0, nil, 80, 90},
		{2 * time.Second, 0, errors.New("a broker refuses"), 80, 90},
		{20 * time.Second, 0, nil, 8, 11},
		{10 * time.Millisecond, 3 * time.Second, nil, 440, 452},
		{time.Second, 3 * time.Second, nil, 140, 155},
	} {
		synctest.Test(t, func(t *testing.T) {
			var runs atomic.Int64
			p := fake("a.asks", 0)
			p.Cost, p.Every, p.Timeout = probe.Cheap, 5*time.Second, time.Minute
			p.Observe = func(ctx context.Context, _ *probe.Target) ([]fact.Observation, error) {
				runs.Add(1)
				time.Sleep(c.cost + c.idle)
				probe.Waited(ctx, c.idle)
				return []fact.Observation{fact.CPUs.Is(fact.Subject{Scope: fact.Host, Name: "a"}, 4)}, c.err
			}
			l := live(LiveOptions{}, p)
			defer l.Close()
			var next float64 // as the last run told it
			for start := time.Now(); time.Since(start) < time.Hour; {
				b, err := l.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				next = b.Runs[0].Next
			}
			if rarely := duty*c.cost > p.Every; rarely && next != (duty*c.cost).Seconds() || !rarely && next != 0 {
				t.Errorf("cost %s: the next run is told in %g s", c.cost, next)
			}
			share := time.Duration(runs.Load()) * c.cost
			// The first two runs are before anything is known of the cost.
			if n := runs.Load(); n < c.least || n > c.most || share > time.Hour/20+2*c.cost {
				t.Errorf("cost %s, %s idle: %d runs, %s of an hour", c.cost, c.idle, n, share)
			}
		})
	}
}
