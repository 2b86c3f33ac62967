package jvm

import (
	"os"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// capture observes captured output as if it had been taken now.
func capture(t *testing.T, text string) []fact.Observation {
	t.Helper()
	target := &probe.Target{Jstat: []byte(text), Now: func() time.Time { return time.Unix(1000, 0) }}
	seen, err := Perf.Observe(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func jstatFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../jstat/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// values is those of one key, in order, with when they were true.
func values(seen []fact.Observation, name string) (all []any, at []time.Time) {
	for _, o := range seen {
		if o.Key.Name == name && o.Because == nil {
			all, at = append(all, o.Value), append(at, o.At)
		}
	}
	return all, at
}

func TestCapturedAsFacts(t *testing.T) {
	seen := capture(t, jstatFile(t, "jstat-gc.jdk17-parallel.txt")+jstatFile(t, "jstat-gccapacity.jdk17-parallel.txt")+jstatFile(t, "jstat-gccause.jdk17-parallel.txt"))
	for name, want := range map[string]any{
		"jvm.gc.young.count": 4.0, "jvm.gc.young.seconds": 0.471, "jvm.gc.full.count": 2.0, "jvm.gc.full.seconds": 0.518,
		"jvm.heap.used": (8256.2 + 17044.4 + 153371.4) * 1024, "jvm.old.used": 153371.4 * 1024, "jvm.heap.max": (87040.0 + 175104.0) * 1024, "jvm.old.max": 175104.0 * 1024,
		"jvm.gc.last-cause": "Allocation Failure", "jvm.old.committed-share": 0.8759,
	} {
		got, _ := values(seen, name)
		if len(got) != 1 || got[0] != want {
			f, ok := want.(float64)
			if g, is := append(got, nil)[0].(float64); !ok || !is || g < f*(1-1e-9) || g > f*(1+1e-9) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	}
	for _, o := range seen { // Parallel has none, and jstat says so with a dash
		if o.Key == fact.GCConcurrentCount.Def() && (o.Because == nil || o.Because.How == "") {
			t.Errorf("%+v", o)
		}
	}
}

func TestCapturedSamplesKeepTheirDistance(t *testing.T) {
	text := jstatFile(t, "jstat-gcutil-t-interval.jdk17-parallel.txt")
	target := &probe.Target{Jstat: []byte(text), Now: func() time.Time { return time.Unix(1000, 0) }}
	first, err := Perf.Observe(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	_, at := values(first, "jvm.gc.young.count")
	if len(at) != 3 || !at[2].Equal(time.Unix(1000, 0)) || at[2].Sub(at[0]).Round(time.Millisecond) != 900*time.Millisecond {
		t.Errorf("samples at %v", at)
	}
	again, err := Perf.Observe(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if _, at := values(again, "jvm.gc.young.count"); len(at) != 1 || !at[0].Equal(time.Unix(1000, 0)) {
		t.Errorf("at the second look, samples at %v", at)
	}
}

// Without time stamps nobody knows how far apart samples are: only the last
// speaks.
func TestCapturedWithoutTimes(t *testing.T) {
	seen := capture(t, "YGC YGCT FGC FGCT\n1 0.1 0 0.0\n9 0.9 0 0.0\n")
	if got, _ := values(seen, "jvm.gc.young.count"); len(got) != 1 || got[0] != 9.0 {
		t.Errorf("%v", got)
	}
}

// What jstat of Shenandoah calls full collections are pauses of ordinary cycles.
func TestCapturedShenandoah(t *testing.T) {
	seen := capture(t, "S0C S1C S0U S1U EC EU OC OU YGC YGCT FGC FGCT CGC CGCT GCT\n- - - - - - 921600.0 476941.6 0 0.000 27 3.524 - - 3.524\n")
	full, _ := values(seen, "jvm.gc.full.count")
	concurrent, _ := values(seen, "jvm.gc.concurrent.count")
	if len(full) != 0 || len(concurrent) != 1 || concurrent[0] != 27.0 {
		t.Errorf("full %v, concurrent %v", full, concurrent)
	}
}
