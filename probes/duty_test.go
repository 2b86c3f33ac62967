package probes

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Whatever a probe of brokers costs, up to two seconds: over an hour it looks for
// at most a twentieth of the time, and one that is quick runs as often as it wants.
func TestDutyOverAnHour(t *testing.T) {
	for _, c := range []struct {
		cost        time.Duration
		least, most int64 // runs
	}{{10 * time.Millisecond, 700, 721}, {time.Second, 160, 176}, {2 * time.Second, 80, 88}} {
		synctest.Test(t, func(t *testing.T) {
			var runs atomic.Int64
			p := fake("a.asks", 0)
			p.Cost, p.Every, p.Timeout = probe.Cheap, 5*time.Second, time.Minute
			p.Observe = func(context.Context, *probe.Target) ([]fact.Observation, error) {
				runs.Add(1)
				time.Sleep(c.cost)
				return nil, nil
			}
			l := live(LiveOptions{}, p)
			defer l.Close()
			for start := time.Now(); time.Since(start) < time.Hour; {
				if _, err := l.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			share := time.Duration(runs.Load()) * c.cost
			if n := runs.Load(); n < c.least || n > c.most || share > time.Hour/20 {
				t.Errorf("cost %s: %d runs, %s of an hour", c.cost, n, share)
			}
		})
	}
}
