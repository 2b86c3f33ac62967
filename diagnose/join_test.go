package diagnose

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// All brokers lose packets on their way to broker 2, and broker 2 loses most: it
// is named first, although the others have smaller ids.
func TestTheWorstIsFirst(t *testing.T) {
	lost := &Sign{ID: "lost"}
	loss := &Cause{ID: "loss", Signs: []Link{{Sign: lost, Strength: Always, Decisive: true}}}
	on := func(id int32, r Reading) *Finding {
		r.Outcome = Yes
		return &Finding{Cause: loss, Subject: fact.BrokerOf(id), Band: Confirmed, Probability: 0.99,
			Evidence: []Evidence{{SignState: SignState{Sign: lost, Reading: r}, Decisive: true}}}
	}
	share := func(v float64) Reading { return Reading{Value: v, Unit: fact.Ratio, Limit: 0.01} }
	roots := join([]*Finding{on(1, share(0.025)), on(2, share(0.07)), on(3, share(0.02))})
	if len(roots) != 3 || roots[0].Subject != fact.BrokerOf(2) || roots[2].Subject != fact.BrokerOf(3) {
		t.Errorf("%v", flat(roots))
	}
	low := func(v float64) Reading { return Reading{Value: v, Unit: fact.Bytes, Limit: 100, Below: true} }
	roots = join([]*Finding{on(1, low(90)), on(2, low(5)), on(3, Reading{})})
	if roots[0].Subject != fact.BrokerOf(2) || roots[2].Subject != fact.BrokerOf(3) {
		t.Errorf("what lies below its limit: %v", flat(roots))
	}
}
