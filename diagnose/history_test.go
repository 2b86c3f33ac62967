package diagnose

import (
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// A value speaks of now for a minute, and until the next look of a probe that
// looks less often than that.
func TestFactsLastUntilTheNextLook(t *testing.T) {
	b := fact.BrokerOf(1)
	for _, c := range []struct {
		next  float64 // seconds until the next look
		after time.Duration
		stale bool
	}{
		{0, 59 * time.Second, false},
		{0, 61 * time.Second, true},
		{30, 61 * time.Second, true},
		{100, 110 * time.Second, false},
		{100, 151 * time.Second, true},
		{-1e300, 59 * time.Second, false},
		{1e300, 2 * time.Hour, true},
	} {
		h := newHistory()
		seen := fact.BrokerSoftware.Is(b, "4.3")
		seen.Source = "kafka.reach"
		h.add(fact.Batch{At: t0, Observations: []fact.Observation{seen}, Runs: []fact.Run{{Probe: "kafka.reach", Status: fact.OK, Next: c.next}}})
		h.add(fact.Batch{At: t0.Add(c.after), Runs: []fact.Run{{Probe: "host.cpu", Status: fact.OK}}})
		because := h.unknown(fact.BrokerSoftware.Def(), b)
		if stale := because != nil && because.Reason == fact.Stale; stale != c.stale || because != nil && !stale {
			t.Errorf("next look in %g s, after %s: %v", c.next, c.after, because)
		}
		if here := len(h.subjects(fact.BrokerSoftware.Def())) == 1; here == c.stale {
			t.Errorf("next look in %g s, after %s: the broker is a subject: %v", c.next, c.after, here)
		}
	}
	// Once it looks as often as usual again, the usual holds.
	h := newHistory()
	seen := fact.BrokerSoftware.Is(b, "4.3")
	seen.Source = "kafka.reach"
	for n, next := range []float64{100, 0} {
		h.add(fact.Batch{At: t0.Add(time.Duration(n) * time.Second), Observations: []fact.Observation{seen}, Runs: []fact.Run{{Probe: "kafka.reach", Next: next}}})
	}
	h.add(fact.Batch{At: t0.Add(70 * time.Second)})
	if h.unknown(fact.BrokerSoftware.Def(), b) == nil {
		t.Error("what was seen 69 s ago speaks of now")
	}
}
