package diagnose

import (
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
