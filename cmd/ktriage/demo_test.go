package main

import (
	"io"
	"io/fs"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestDemosAreWhole reads every recording that is built in: an incident of each
// branch, named by its cause before the fix and over at the end, and a healthy
// one. No fault found is no fault shown.
func TestDemosAreWhole(t *testing.T) {
	total, healthy := int64(0), 0
	branches := map[diagnose.Branch]int{}
	names := demoNames()
	for _, name := range names {
		info, err := fs.Stat(demos, "demos/"+name+".ktr")
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		before, end := demoEnds(t, name)
		if end.Status == diagnose.StatusFault {
			t.Errorf("%s: at the end still %s: %s", name, end.Status, end.Headline)
		}
		if name == "healthy" {
			healthy++
			if before.Status == diagnose.StatusFault || len(before.Findings) > 0 {
				t.Errorf("%s: %s: %s", name, before.Status, before.Headline)
			}
			for _, m := range before.Coverage.Unknown {
				// What the recording is too old to hold is unknown, and nothing else.
				if m.Because.Reason != fact.NotYet && m.Because.Reason != fact.NotObserved {
					t.Errorf("%s: %s on %s: %s", name, m.Sign.ID, m.Subject, m.Because)
				}
			}
			continue
		}
		branches[before.Branch]++
		if before.Status != diagnose.StatusFault || before.Findings[0].Cause.ID != name {
			t.Errorf("%s: before the fix %s: %s", name, before.Status, before.Headline)
		}
	}
	if len(names) < 4 || healthy != 1 {
		t.Errorf("recordings %v, expected four at least, one of them healthy", names)
	}
	for _, b := range []diagnose.Branch{diagnose.AvailabilityBranch, diagnose.PerformanceBranch, diagnose.DataBranch} {
		if branches[b] == 0 {
			t.Errorf("no incident of the branch %s among %v", b, names)
		}
	}
	if total >= 2_000_000 {
		t.Errorf("the recordings have %d bytes, 2 MB at most are carried", total)
	}
	if _, err := demos.ReadFile("demos/README.md"); err != nil {
		t.Error(err)
	}
}

// demoEnds is what a recording says before its fix and at its end. An incident
// must have a fix.
func demoEnds(t *testing.T, name string) (before, end *diagnose.Verdict) {
	t.Helper()
	r, err := openDemo(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, before, err = beforeFix(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openDemo(name)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	session, _, err := (&settings{errOut: io.Discard}).fold(t.Context(), again)
	if err != nil || again.Damage() != nil {
		t.Fatalf("%s: %v, damage %v", name, err, again.Damage())
	}
	if session.FixApplied().IsZero() != (name == "healthy") {
		t.Errorf("%s: fix applied at %s", name, session.FixApplied())
	}
	return before, session.Verdict()
}
