package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestNextDropsTheSkip is a quiet cluster of which some probes were switched off:
// nothing points anywhere, and what to look at next is what they would have decided.
func TestNextDropsTheSkip(t *testing.T) {
	s := newScene()
	s.noLogs = true
	s.healthy()
	skipped := &fact.Unknown{Reason: fact.NotAskedFor, How: "drop --skip host.cgroup"} // one sign, against those of the logs
	s.see(fact.CgroupThrottledPeriods.Unknown(fact.ProcessOf(2), skipped), fact.CgroupCPUPeriods.Unknown(fact.ProcessOf(2), skipped))
	v := s.next()
	if v.Status != StatusIncomplete || v.Next == nil || !strings.Contains(v.Next.Text, "drop --skip logs") {
		t.Fatalf("look next at what most of the signs not asked want: %s", show(v))
	}
	if !decides(v.Next.Sign) {
		t.Errorf("%s decides nothing", v.Next.Sign.ID)
	}
}

func decides(s *Sign) bool {
	for _, c := range All.Causes {
		for _, l := range c.Signs {
			if l.Sign == s && l.Decisive {
				return true
			}
		}
	}
	return false
}

// TestWaitingIsNoStep is the same with what only time can tell beside it, in a group
// where something is suspected: dropping the --skip goes first.
func TestWaitingIsNoStep(t *testing.T) {
	for _, waiting := range []fact.Reason{fact.NotYet, fact.Stale} {
		if !waits(&SignState{Reading: Reading{Because: &fact.Unknown{Reason: waiting}}}) {
			t.Errorf("%s is nothing to wait for", waiting)
		}
	}
	s := newScene()
	s.noLogs = true
	s.healthy()
	late := &fact.Unknown{Reason: fact.NotYet, How: "wait for the next sample"}
	s.see(fact.CgroupThrottledPeriods.Unknown(fact.ProcessOf(2), late), fact.CgroupCPUPeriods.Unknown(fact.ProcessOf(2), late))
	if v := s.next(); v.Next == nil || strings.Contains(v.Next.Text, "wait") {
		t.Errorf("waiting is what is said: %s", show(v))
	}
}

// TestBehind is a crashed broker whose log nobody read: that it crashed is sure, what
// it crashed of is not, and the step that tells is what to look at next.
func TestBehind(t *testing.T) {
	s := newScene()
	s.crash()
	skipped := &fact.Unknown{Reason: fact.NotAskedFor, How: "drop --skip logs.lines"}
	dir := fact.LogDirOf(3, "/data")
	s.see(fact.LogNoSpace.Unknown(dir, skipped), fact.LogDirFailed.Unknown(dir, skipped))
	v := s.next()
	if len(v.Findings) != 1 || v.Findings[0].Cause != brokerCrashed || v.Findings[0].Band != Confirmed {
		t.Fatalf("a crash: %s", show(v))
	}
	f := v.Findings[0]
	if !slices.Contains(f.Behind, diskFull) || !slices.ContainsFunc(f.Unknown, func(m Missing) bool { return m.Sign == noSpaceLogged }) {
		t.Errorf("a full disk may be behind it, and its sign was not asked: behind %v, %s", f.Behind, show(v))
	}
	if v.Next == nil || !strings.Contains(v.Next.Text, "drop --skip logs.lines") {
		t.Errorf("look next at what was skipped: %s", show(v))
	}

	s = newScene()
	s.crash()
	if v = s.next(); len(v.Findings) != 1 || len(v.Findings[0].Behind) > 0 {
		t.Errorf("all was asked, and something may be behind it: %s", show(v))
	}
}

func TestBringsAbout(t *testing.T) {
	for _, x := range []struct {
		from, to *Cause
		want     bool
	}{{diskFull, brokerCrashed, true}, {brokerCrashed, diskFull, false}, {brokerCrashed, brokerCrashed, false}} {
		if got := x.from.bringsAbout(x.to, nil); got != x.want {
			t.Errorf("%s brings about %s: %v", x.from.ID, x.to.ID, got)
		}
	}
	for _, c := range All.Causes { // each ends, whatever circles there are
		c.bringsAbout(nil, nil)
	}
}
