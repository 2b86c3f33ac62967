package diagnose

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Two causes that one sign speaks for alike: what is reported says which is likelier.
func TestAReportMovesPriors(t *testing.T) {
	x, y := cause("x", 0.02, Link{Sign: signA, Strength: Often}), cause("y", 0.02, Link{Sign: signA, Strength: Often})
	x.Fault, y.Fault = consumerLag, highLatency
	c := &Catalogue{Causes: []*Cause{x, y}}
	even := c.groups(reads(Yes, Unknown, Unknown))[0]
	p := even.posterior(even.asFor(-1))
	if p[0] != p[1] {
		t.Fatalf("without a report they differ: %v", p)
	}
	told := c.groups(reads(Yes, Unknown, Unknown))
	lean(told, "high-latency")
	p = told[0].posterior(told[0].asFor(-1))
	if p[1] <= p[0] || p[1] < 2*p[0] {
		t.Errorf("reported high-latency: %v", p)
	}
	if q := told[0].cands[1].prior; q > reportedPrior {
		t.Errorf("prior %v", q)
	}
}

func TestWhatIsReportedIsSaid(t *testing.T) {
	s := NewSession(All)
	v := s.Apply(fact.Batch{Marks: []fact.Mark{{Kind: fact.Symptom, Text: "consumer-lag"}}})
	if len(v.Context) != 1 || v.Context[0].Text != "consumers lag; nothing that was found explains it" {
		t.Error(v.Context)
	}
	if v := NewSession(All).Apply(fact.Batch{Marks: []fact.Mark{{Kind: fact.Symptom, Text: "from-a-later-version"}}}); len(v.Context) != 0 {
		t.Error(v.Context)
	}
}
