package probes

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// fake is a probe that takes some time and then sees CPUs = 4.
func fake(name string, takes time.Duration, needs ...*probe.Probe) *probe.Probe {
	return &probe.Probe{Name: name, Every: 5 * time.Second, Needs: needs, Yields: []fact.Key{fact.CPUs},
		Observe: func(ctx context.Context, _ *probe.Target) ([]fact.Observation, error) {
			select {
			case <-time.After(takes):
				return []fact.Observation{fact.CPUs.Is(fact.Subject{Scope: fact.Host, Name: name}, 4)}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
}

// deaf is a probe that ignores its context and comes back much too late.
func deaf(name string, takes time.Duration, runs *atomic.Int32) *probe.Probe {
	return &probe.Probe{Name: name, Every: 5 * time.Second, Yields: []fact.Key{fact.MemTotal},
		Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
			runs.Add(1)
			time.Sleep(takes)
			return []fact.Observation{fact.MemTotal.Is(fact.Subject{Scope: fact.Host, Name: name}, 1)}, nil
		}}
}

func live(o LiveOptions, list ...*probe.Probe) *Live {
	return NewLive(&probe.Target{Timeout: 5 * time.Second}, list, o)
}

func statuses(b fact.Batch) map[string]fact.Status {
	all := map[string]fact.Status{}
	for _, r := range b.Runs {
		all[r.Probe] = r.Status
	}
	return all
}

// why is the reason for which a key is unknown in the batch, of any subject.
func why(b fact.Batch, k fact.Key) *fact.Unknown {
	for _, o := range b.Observations {
		if o.Key == k.Def() && o.Because != nil {
			return o.Because
		}
	}
	return nil
}

func mustRound(t *testing.T, l *Live) fact.Batch {
	t.Helper()
	b, err := l.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantStatus(t *testing.T, b fact.Batch, name string, want fact.Status) {
	t.Helper()
	if got := statuses(b)[name]; got != want {
		t.Errorf("%s: status %q, want %q", name, got, want)
	}
}

func TestRoundRunsNeedsFirstAndOthersTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := fake("a.first", time.Second)
		l := live(LiveOptions{}, fake("b.second", time.Second, first), first, fake("c.aside", 2*time.Second))
		start := time.Now()
		b := mustRound(t, l)
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %s, want 2s: the second after the first, the third beside them", took)
		}
		if len(b.Observations) != 3 || len(b.Runs) != 3 {
			t.Fatalf("%d observations and %d runs, want 3 and 3", len(b.Observations), len(b.Runs))
		}
		for _, o := range b.Observations {
			if o.Source != o.Subject.Name || o.At.IsZero() {
				t.Errorf("observation of %s: source %q, at %s", o.Subject, o.Source, o.At)
			}
		}
		if b.Runs[0].Probe != "b.second" || b.Runs[0].Seconds != 1 {
			t.Errorf("first run %+v, want b.second with 1 s: the order of the list", b.Runs[0])
		}
	})
}

func TestDiscoveryRunsBeforeAllWhateverComesOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var found, seen atomic.Bool
		first := &probe.Probe{Name: "b.first", Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
			time.Sleep(time.Second)
			found.Store(true)
			return nil, errors.New("nothing found")
		}}
		other := &probe.Probe{Name: "a.other", Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
			seen.Store(found.Load())
			return nil, nil
		}}
		b := mustRound(t, live(LiveOptions{First: first}, other, first))
		wantStatus(t, b, "a.other", fact.OK)
		if !seen.Load() {
			t.Error("it ran before discovery had ended")
		}
	})
}

func TestRoundNamesWhatWasSkippedAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &probe.Probe{Name: "a.broken", Yields: []fact.Key{fact.MemTotal},
			Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
				return nil, probe.Fail(fact.NotAllowed, "open /proc/1/io", "be root")
			}}
		second := fake("b.second", 0, broken)
		b := mustRound(t, live(LiveOptions{}, broken, second, fake("c.third", 0, second)))
		wantStatus(t, b, "a.broken", fact.Failed)
		wantStatus(t, b, "b.second", fact.Skipped)
		wantStatus(t, b, "c.third", fact.Skipped)
		u := why(b, fact.CPUs)
		if u == nil || u.Reason != fact.NotAllowed || u.How != "be root" || u.Detail != "needs a.broken, not-allowed: open /proc/1/io" {
			t.Errorf("the second's facts are unknown because %+v", u)
		}
	})
}

func TestPanicIsTheProbesOwnFailure(t *testing.T) {
	wild := &probe.Probe{Name: "a.wild", Yields: []fact.Key{fact.MemTotal},
		Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) { panic("index out of range") }}
	b := mustRound(t, live(LiveOptions{}, wild, fake("b.fine", 0)))
	wantStatus(t, b, "a.wild", fact.Failed)
	wantStatus(t, b, "b.fine", fact.OK)
	if u := why(b, fact.MemTotal); u == nil || u.Detail != "a.wild panicked: index out of range" {
		t.Errorf("unknown because %v", u)
	}
}

func TestPartialAnswerKeepsWhatWasSeen(t *testing.T) {
	half := &probe.Probe{Name: "a.half", Yields: []fact.Key{fact.CPUs, fact.MemTotal},
		Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
			return []fact.Observation{fact.CPUs.Is(fact.Subject{Scope: fact.Host, Name: "h"}, 2)}, errors.New("meminfo: no line MemTotal")
		}}
	b := mustRound(t, live(LiveOptions{}, half))
	wantStatus(t, b, "a.half", fact.Partial)
	if why(b, fact.MemTotal) == nil || why(b, fact.CPUs) != nil {
		t.Errorf("memory must be unknown and CPUs known: %+v", b.Observations)
	}
}

// A probe that found nothing says so: silence is for one that has not run.
func TestWhatThereIsNoneOfIsSaid(t *testing.T) {
	empty := &probe.Probe{Name: "a.empty", Yields: []fact.Key{fact.Groups, fact.GroupState},
		Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
			return []fact.Observation{fact.Groups.Is(fact.TheCluster, nil)}, nil
		}}
	b := mustRound(t, live(LiveOptions{}, empty))
	wantStatus(t, b, "a.empty", fact.OK)
	if u := why(b, fact.GroupState); u == nil || u.Reason != fact.Absent {
		t.Errorf("the state of no group is unknown because %v, want not-applicable", u)
	}
}

func TestOnlyUnknownsAreAFailure(t *testing.T) {
	none := &probe.Probe{Name: "a.none", Yields: []fact.Key{fact.BrokerSoftware, fact.MemTotal}, Observe: func(context.Context, *probe.Target) ([]fact.Observation, error) {
		return []fact.Observation{fact.BrokerSoftware.Unknown(fact.BrokerOf(3), &fact.Unknown{Reason: fact.Unreachable})}, errors.New("no broker answers")
	}}
	b := mustRound(t, live(LiveOptions{}, none))
	wantStatus(t, b, "a.none", fact.Failed)
	if len(b.Observations) != 2 || b.Observations[0].Subject != fact.BrokerOf(3) || b.Observations[1].Subject.Name != fact.Any {
		t.Errorf("observations %+v, want the unknown of broker 3 and that of memory everywhere", b.Observations)
	}
}

func TestProbeThatNeverReturnsIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		l := live(LiveOptions{Deadline: 15 * time.Second}, deaf("a.deaf", time.Minute, &runs), fake("b.fine", 0))
		start := time.Now()
		b := mustRound(t, l)
		if took := time.Since(start); took != 5*time.Second+grace {
			t.Errorf("took %s, want the timeout and its grace", took)
		}
		wantStatus(t, b, "a.deaf", fact.Failed)
		wantStatus(t, b, "b.fine", fact.OK)
		if u := why(b, fact.MemTotal); u == nil || u.Reason != fact.TimedOut {
			t.Errorf("unknown because %v, want timed-out", u)
		}
		b = mustRound(t, l)
		wantStatus(t, b, "a.deaf", fact.Failed)
		if runs.Load() != 1 {
			t.Errorf("started %d times at once, want 1", runs.Load())
		}
		time.Sleep(time.Minute) // the late answer arrives
		b = mustRound(t, l)
		if runs.Load() != 2 {
			t.Errorf("started %d times, want again once it had returned", runs.Load())
		}
		for _, o := range b.Observations {
			if o.Key == fact.MemTotal.Def() && o.Because == nil {
				t.Error("the late answer was taken for a new one")
			}
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestRoundEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := fake("a.slow", 4*time.Second)
		l := live(LiveOptions{Deadline: 6 * time.Second}, slow, fake("b.next", 4*time.Second, slow), fake("c.quick", 0))
		start := time.Now()
		b := mustRound(t, l)
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("took %s, more than the deadline", took)
		}
		wantStatus(t, b, "a.slow", fact.OK)
		wantStatus(t, b, "b.next", fact.Failed)
		wantStatus(t, b, "c.quick", fact.OK)
	})
}

func TestRoundEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := fake("a.slow", 4*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		b, err := live(LiveOptions{}, slow, fake("b.next", 0, slow), fake("c.quick", 0)).Round(ctx)
		if err != nil || len(b.Runs) != 3 {
			t.Errorf("a context's deadline bounds a round and is no error: %d runs, %v", len(b.Runs), err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		b, err = live(LiveOptions{}, fake("a.slow", 4*time.Second), fake("c.quick", 0)).Round(ctx)
		if !errors.Is(err, context.Canceled) || statuses(b)["c.quick"] != fact.OK {
			t.Errorf("cancelled: %v and %+v, want what was seen so far beside the error", err, b.Runs)
		}
	})
}

func TestNotAskedIsSaidAndUnknown(t *testing.T) {
	first := fake("a.first", 0)
	heavy := fake("c.heavy", 0)
	heavy.Cost = probe.Heavy
	list := []*probe.Probe{first, fake("b.second", 0, first), heavy}
	for _, tc := range []struct {
		o    LiveOptions
		want string
	}{
		{LiveOptions{}, "map[a.first:ok b.second:ok c.heavy:not-asked]"},
		{LiveOptions{Skip: []string{"b.second"}}, "map[a.first:ok b.second:not-asked c.heavy:not-asked]"},
		{LiveOptions{Skip: []string{"a"}}, "map[a.first:not-asked b.second:skipped c.heavy:not-asked]"},
		{LiveOptions{Only: []string{"b.second"}}, "map[a.first:ok b.second:ok c.heavy:not-asked]"},
		{LiveOptions{Only: []string{"c.heavy"}}, "map[a.first:not-asked b.second:not-asked c.heavy:ok]"},
	} {
		b := mustRound(t, live(tc.o, list...))
		if got := fmt.Sprint(statuses(b)); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.o, got, tc.want)
		}
	}
	b := mustRound(t, live(LiveOptions{Skip: []string{"b.second"}}, list...))
	if u := why(b, fact.CPUs); u == nil || u.Reason != fact.NotAskedFor || u.How != "drop --skip b.second" {
		t.Errorf("unknown because %+v", u)
	}
	if o := (LiveOptions{Only: []string{"b.second"}}); !o.Asks(first, list) || o.Asks(heavy, list) {
		t.Error("what is needed by what is asked for is asked for, and nothing else")
	}
	if err := CheckNames(list, []string{"a.first", "b"}); err != nil {
		t.Error(err)
	}
	if err := CheckNames(list, []string{"a.frist"}); err == nil || err.Error() != `no probe "a.frist", expected one of a.first b.second c.heavy` {
		t.Errorf("misspelt: %v", err)
	}
}
