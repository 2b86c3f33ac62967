//go:build lab || labmore

package history

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/lab"
)

// follow looks at coordinators' logs while they are written, and stops.
func follow(t *testing.T, c *lab.Cluster) (w watch, stop func()) {
	var dirs []string
	for _, n := range c.Nodes {
		dirs = append(dirs, n.LogDir)
	}
	w = newWatch(t, dirs...)
	w.target.Now = time.Now
	end, ended := make(chan struct{}), make(chan struct{})
	looks := 0
	go func() {
		defer close(ended)
		for {
			if _, err := observeCoordinators(t.Context(), w.target); err != nil {
				t.Errorf("look %d: %v", looks, err)
			}
			looks++
			select {
			case <-end:
				return
			case <-time.After(150 * time.Millisecond):
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(end)
		<-ended
		t.Logf("%d looks", looks)
	})
	t.Cleanup(stop) // where the test ends early
	return w, stop
}

// followed compares what many looks come to with what one look comes to.
func followed(t *testing.T, w watch, dirs ...string) {
	t.Helper()
	var many, one map[string]fact.Observation
	for range 10 { // something may be written between the two
		many = w.look()
		fresh := newWatch(t, dirs...)
		fresh.target.Now = w.target.Now
		one = fresh.look()
		if reflect.DeepEqual(many, one) {
			break
		}
	}
	if !reflect.DeepEqual(many, one) {
		t.Errorf("many looks come to\n%+v\none look to\n%+v", many, one)
	}
	p := pastOf(t, many, "manual")
	if len(p.Rewinds) != 1 || p.Rewinds[0].From != 60 || p.Rewinds[0].To != 0 || len(p.Gone) < 1 || p.Gone[0].Was != 40 || p.Gone[0].How != "deleted" {
		t.Errorf("manual: %+v", p)
	}
	if p := pastOf(t, many, "workers"); len(p.Generations.At) < 3 || p.State != "stable" || time.Since(p.Last) > time.Minute {
		t.Errorf("workers: %+v", p)
	}
	if x := many["disk.transactions cluster"].Value.(fact.LastTransactions); len(x.Open) != 1 || x.Open[0].ID != "hanging" || x.Open[0].Timeout != 50 || len(x.Open[0].Topic) != 1 || x.Open[0].Topic[0] != "orders" {
		t.Errorf("open: %+v", x)
	}
}
