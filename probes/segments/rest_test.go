package segments

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// restNow is what the probe tells of the rest.
func restNow(t *testing.T, target *probe.Target) (all []fact.RestOfScan) {
	t.Helper()
	seen, err := resting.Observe(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range seen {
		all = append(all, o.Value.(fact.RestOfScan))
	}
	return all
}

// ended waits for the rest.
func ended(t *testing.T, target *probe.Target) fact.RestOfScan {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if all := restNow(t, target); len(all) == 1 && all[0].State != fact.RestRuns && all[0].State != fact.RestWaits {
			return all[0]
		}
	}
	t.Fatalf("still %+v", restNow(t, target))
	return fact.RestOfScan{}
}

// TestRest: the budget lets nothing be read; the rest reads all, and from then on
// all is known to be sound, and damage is found within any budget.
func TestRest(t *testing.T) {
	dir := soundDir(t)
	size := flip(t, dir)
	age(t, dir)
	target := scanTarget(dir, 1)
	defer target.Close()
	if all := restNow(t, target); len(all) != 0 {
		t.Errorf("before anyone asked: %+v", all)
	}
	if f := observed(t, target); f.verified.Bytes != 0 || len(f.damage) != 0 {
		t.Errorf("a budget of one byte: %+v", f)
	}
	calls := make(chan bool, 100)
	StartRest(target, func() { calls <- true })
	StartRest(target, nil) // runs already
	r := ended(t, target)
	if r.State != fact.RestDone || r.Partitions != 10 || r.Bytes != r.AllBytes || r.Ended.IsZero() {
		t.Errorf("ended: %+v", r)
	}
	if len(calls) < 2 {
		t.Errorf("told %d times, expected of the damage and of the end", len(calls))
	}
	if s := target.Suspects.All(); len(s) != 1 || s[0].Partition != "codec-none-0" {
		t.Errorf("suspects %v", s)
	}
	if f := observed(t, target); len(f.damage) != 1 || f.damage[0].Position != 34593 {
		t.Errorf("after it, with a budget that nothing fits in: %+v", f)
	}
	target.Scan = size
	f := observed(t, target)
	if f.verified.Segments != 11 || len(f.damage) != 1 || f.damage[0].Position != 34593 {
		t.Errorf("after it, with a budget of the damaged segment: %+v", f)
	}
	flip(t, dir)
	target.Scan = 1
	if f := observed(t, target); len(f.damage) != 0 {
		t.Errorf("written anew, and not read again: %+v", f)
	}
}

// TestRestStops at once, and can go on.
func TestRestStops(t *testing.T) {
	dir := soundDir(t)
	age(t, dir)
	target := scanTarget(dir, 1)
	defer target.Close()
	hold := make(chan bool)
	r := restOf(target)
	known := probe.Shared(target, knownKey{dir}, newKnownDir)
	known.mu.Lock() // nothing is finished while this is held
	StartRest(target, nil)
	StopRest(target)
	go func() { known.mu.Unlock(); close(hold) }()
	<-hold
	if got := ended(t, target); got.State != fact.RestStopped {
		t.Errorf("stopped: %+v", got)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		running := r.running
		r.mu.Unlock()
		if !running {
			break
		}
	}
	StartRest(target, nil)
	if got := ended(t, target); got.State != fact.RestDone {
		t.Errorf("again: %+v", got)
	}
}

// TestSuspectsFirst: with room for one segment, that of the suspect is read.
func TestSuspectsFirst(t *testing.T) {
	dir := soundDir(t)
	age(t, dir)
	name := filepath.Join(dir, "codec-none-0", "00000000000000000000.log")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	old := info.ModTime().Add(-time.Hour)
	if err := os.Chtimes(name, old, old); err != nil { // by its age it would come last
		t.Fatal(err)
	}
	for _, suspect := range []bool{false, true} {
		target := scanTarget(dir, info.Size())
		if suspect {
			target.Suspects.Add("a test", "codec-none-0")
		}
		observed(t, target)
		known := probe.Shared(target, knownKey{dir}, newKnownDir)
		if _, read := known.sound[name]; read != suspect {
			t.Errorf("suspect %v: read %v of %d segments", suspect, read, len(known.sound))
		}
		target.Close()
	}
}
