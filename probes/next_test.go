package probes

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

func TestNextGivesEachProbeItsOwnRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, slow := fake("a.quick", 0), fake("b.slow", 0)
		quick.Every, slow.Every = time.Second, 3*time.Second
		l := live(LiveOptions{}, quick, slow)
		defer l.Close()
		count, start := map[string]int{}, time.Now()
		for time.Since(start) < 10*time.Second {
			b, err := l.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Runs {
				count[r.Probe]++
			}
		}
		// A run comes at 0, and then an interval after the last one was taken in.
		if q, s := count["a.quick"], count["b.slow"]; q < 9 || q > 11 || s < 3 || s > 4 {
			t.Errorf("ran %v in 10 s, want about 10 and 4", count)
		}
	})
}

func TestNextIsNotHeldUpByAHangingProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		l := live(LiveOptions{}, deaf("a.deaf", 33*time.Second, &runs), fake("b.fine", 0))
		defer l.Close()
		start := time.Now()
		b, err := l.Next(t.Context())
		if err != nil || time.Since(start) > coalesce || statuses(b)["b.fine"] != fact.OK {
			t.Fatalf("first batch after %s: %+v, %v", time.Since(start), b.Runs, err)
		}
		failed := 0
		for time.Since(start) < 25*time.Second {
			if b, err = l.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			if statuses(b)["a.deaf"] == fact.Failed {
				failed++
			}
		}
		if runs.Load() != 1 || failed != 1 {
			t.Errorf("ran %d times and failed %d times in 25 s, want once each", runs.Load(), failed)
		}
		for time.Since(start) < 42*time.Second {
			if b, err = l.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, late := statuses(b)["a.deaf"]; late && statuses(b)["a.deaf"] == fact.OK {
				t.Error("the late answer was taken for a new one")
			}
		}
		if runs.Load() != 2 {
			t.Errorf("ran %d times, want again once it had returned", runs.Load())
		}
		time.Sleep(time.Minute)
	})
}

func TestExpensiveProbesRunLessOften(t *testing.T) {
	s := &slot{probe: &probe.Probe{Every: 5 * time.Second, Cost: probe.Cheap}}
	for _, tc := range []struct{ before, last, want time.Duration }{
		{0, 0, 5 * time.Second},
		{0, 2 * time.Second, 5 * time.Second}, // once is no habit
		{100 * time.Millisecond, 100 * time.Millisecond, 5 * time.Second},
		{time.Second, 2 * time.Second, 20 * time.Second},
		{3 * time.Second, 10 * time.Second, time.Minute}, // there is no cap
	} {
		s.cost = [2]time.Duration{tc.before, tc.last}
		if got := s.interval(); got != tc.want {
			t.Errorf("after costs of %s and %s: every %s, want %s", tc.before, tc.last, got, tc.want)
		}
	}
	s.probe, s.cost, s.status = &probe.Probe{Every: 30 * time.Second, Cost: probe.Cheap}, [2]time.Duration{}, fact.Failed
	if got := s.interval(); got != retry {
		t.Errorf("what failed runs again after %s, want %s", got, retry)
	}
	s.probe = &probe.Probe{Every: 2 * time.Second, Cost: probe.Free}
	if got := s.interval(); got != 2*time.Second {
		t.Errorf("files of this host are read every %s, want 2s", got)
	}
	silent := fact.BrokerReach.Is(fact.BrokerOf(3), fact.Reach{Outcome: fact.Silent})
	if !waited([]fact.Observation{silent}) {
		t.Error("waiting for a broker that does not answer is counted as cost")
	}
}

func TestMarksAndNowWakeNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(LiveOptions{}, fake("a.calm", 0))
		defer l.Close()
		if _, err := l.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(time.Second, func() { l.Mark(fact.Mark{Kind: fact.FixApplied, At: time.Now()}) })
		b, err := l.Next(t.Context())
		if err != nil || len(b.Marks) != 1 || time.Since(start) != time.Second {
			t.Errorf("after %s: marks %v, %v; want the mark at once", time.Since(start), b.Marks, err)
		}
		time.AfterFunc(time.Second, l.Now)
		b, err = l.Next(t.Context())
		if err != nil || statuses(b)["a.calm"] != fact.OK || time.Since(start) > 3*time.Second {
			t.Errorf("after %s: %v, %v; want a run at once", time.Since(start), b.Runs, err)
		}
	})
}

func TestNextKeepsWhatItGatheredWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(LiveOptions{}, fake("a.quick", 0))
		defer l.Close()
		ctx, cancel := context.WithTimeout(t.Context(), coalesce/2)
		defer cancel()
		if _, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v, want the context's error", err)
		}
		b, err := l.Next(t.Context())
		if err != nil || !slices.ContainsFunc(b.Runs, func(r fact.Run) bool { return r.Probe == "a.quick" }) {
			t.Errorf("what was gathered is lost: %+v, %v", b.Runs, err)
		}
	})
}

func TestDependentsRunAgainOnceTheirNeedRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		need := &probe.Probe{Name: "a.need", Every: time.Second, Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
			if down {
				return nil, errors.New("no broker answers")
			}
			return nil, nil
		}}
		then := fake("b.then", 0, need)
		then.Every = time.Hour
		l := live(LiveOptions{}, need, then)
		defer l.Close()
		start, last := time.Now(), fact.Status("")
		for time.Since(start) < 10*time.Second {
			b, err := l.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s, ran := statuses(b)["b.then"]; ran {
				last = s
			}
			if time.Since(start) > 5*time.Second {
				down = false
			}
		}
		if last != fact.OK {
			t.Errorf("still %q after its need recovered", last)
		}
	})
}
