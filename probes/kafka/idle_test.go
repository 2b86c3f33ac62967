package kafka

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/probe"
)

// With one broker hung each probe takes long, and says that it has merely waited:
// what is left is what it costs the others.
func TestWaitingForAHungBrokerIsNoCost(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 2 * time.Second
	for _, p := range []*probe.Probe{Reach, Metadata, Groups} {
		must(t, target, p)
	}
	var hangs atomic.Bool
	hangs.Store(true)
	cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, hangs.Load() && cluster.CurrentNode() == 2
	})
	slow := 0
	r, err := rosterOf(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*probe.Probe{Partitions, Configs, Reach} {
		r.mu.Lock()
		r.surveyed = time.Time{} // a long time has passed
		r.mu.Unlock()
		ctx, waited := probe.Metered(t.Context())
		ctx, cancel := context.WithTimeout(ctx, target.Timeout)
		began := time.Now()
		p.Observe(ctx, target)
		took := time.Since(began)
		cancel()
		if took > time.Second {
			slow++
		}
		if cost := took - waited(); cost < 0 || cost > 300*time.Millisecond {
			t.Errorf("%s took %s, of which it waited %s", p.Name, took, waited())
		}
	}
	if slow < 3 {
		t.Errorf("%d were slow: nothing has hung", slow)
	}
	hangs.Store(false)
	must(t, target, Reach)
	ctx, waited := probe.Metered(t.Context())
	if _, err := Partitions.Observe(ctx, target); err != nil || waited() != 0 {
		t.Errorf("with all well it has waited %s: %v", waited(), err)
	}
}
