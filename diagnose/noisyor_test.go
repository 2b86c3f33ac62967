package diagnose

import (
	"math"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Small catalogues of two causes and three signs, so that the sums can be done
// by hand.
var (
	signA = &Sign{ID: "a", On: fact.Broker, Trouble: true}
	signB = &Sign{ID: "b", On: fact.Broker, Trouble: true}
	signC = &Sign{ID: "c", On: fact.Broker, Trouble: true}
	one   = fact.BrokerOf(1)
)

func reads(a, b, c Outcome) []SignState {
	var all []SignState
	for i, o := range []Outcome{a, b, c} {
		st := SignState{Sign: []*Sign{signA, signB, signC}[i], Subject: one, Reading: Reading{Outcome: o}}
		if o == Unknown {
			st.Because = &fact.Unknown{Reason: fact.NotAllowed}
		}
		all = append(all, st)
	}
	return all
}

func cause(id string, prior float64, links ...Link) *Cause {
	return &Cause{ID: id, On: fact.Broker, Prior: prior, Signs: links, Severity: Major, Fault: brokerDown}
}

// chance is the probability of the catalogue's first cause.
func chance(c *Catalogue, states []SignState) float64 {
	g := c.groups(states)[0]
	return g.posterior(g.asFor(0))[0]
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestPosteriorIsTheSumOverAllSets(t *testing.T) {
	x := cause("x", 0.1, Link{Sign: signA, Strength: Always}, Link{Sign: signB, Strength: Often})
	y := cause("y", 0.2, Link{Sign: signB, Strength: Sometimes})
	g := (&Catalogue{Causes: []*Cause{x, y}}).groups(reads(Yes, Yes, No))[0]
	const leak = 0.02
	like := func(hasX, hasY bool) float64 {
		a, b := 1-leak, 1-leak
		p := 1.0
		if hasX {
			a, b, p = a*0.05, b*0.3, p*0.1
		} else {
			p *= 0.9
		}
		if hasY {
			b, p = b*0.7, p*0.2
		} else {
			p *= 0.8
		}
		return p * (1 - a) * (1 - b) * (1 - leak)
	}
	none, onlyX, onlyY, both := like(false, false), like(true, false), like(false, true), like(true, true)
	total := none + onlyX + onlyY + both
	got := g.posterior(g.asFor(0))
	if !near(got[0], (onlyX+both)/total) || !near(got[1], (onlyY+both)/total) {
		t.Errorf("posterior %v, want %v and %v", got, (onlyX+both)/total, (onlyY+both)/total)
	}
}

func TestUnknownLeavesTheLikelihood(t *testing.T) {
	x := cause("x", 0.1, Link{Sign: signA, Strength: Always}, Link{Sign: signB, Strength: Always})
	c := &Catalogue{Causes: []*Cause{x}}
	unknown := chance(c, reads(Yes, Unknown, NotApplicable))
	absent := chance(c, reads(Yes, NotApplicable, NotApplicable))
	healthy := chance(c, reads(Yes, No, NotApplicable))
	if !near(unknown, absent) || healthy >= unknown/2 {
		t.Errorf("unknown %v, not there %v, no %v: unknown must weigh nothing, and no must", unknown, absent, healthy)
	}
}

func TestAConsequenceIsExplainedByItsRoot(t *testing.T) {
	effect := cause("effect", 0.05, Link{Sign: signB, Strength: Always, Decisive: true})
	root := cause("root", 0.05, Link{Sign: signA, Strength: Always, Decisive: true})
	root.Leads = []*Cause{effect}
	c := &Catalogue{Causes: []*Cause{root, effect}}
	var found []*Finding
	for _, g := range c.groups(reads(Yes, Yes, No)) {
		of, _ := g.weigh()
		found = append(found, of...)
	}
	roots := join(found)
	if len(roots) != 1 || roots[0].Cause != root || len(roots[0].Under) != 1 || roots[0].Under[0].Cause != effect {
		t.Fatalf("want effect under root, have %v", flat(roots))
	}
	// The effect has not come yet: the root stands as firmly as without it.
	alone := c.groups(reads(Yes, No, No))[0]
	without := (&Catalogue{Causes: []*Cause{cause("root", 0.05, Link{Sign: signA, Strength: Always})}}).groups(reads(Yes, No, No))[0]
	if p, q := alone.posterior(alone.asFor(0))[0], without.posterior(without.asFor(0))[0]; !near(p, q) {
		t.Errorf("a consequence that has not come moves its root from %v to %v", q, p)
	}
}

func TestAConsequenceDoesNotBeginBeforeItsCause(t *testing.T) {
	effect := cause("effect", 0.05, Link{Sign: signB, Strength: Always, Decisive: true})
	root := cause("root", 0.05, Link{Sign: signA, Strength: Always, Decisive: true})
	root.Leads = []*Cause{effect}
	early := &Finding{Cause: effect, Subject: one, Band: Confirmed, Since: t0}
	late := &Finding{Cause: root, Subject: one, Band: Confirmed, Since: t0.Add(2 * onsetSlack)}
	if roots := join([]*Finding{early, late}); len(roots) != 2 {
		t.Errorf("the effect began %s before the root and hangs under it", 2*onsetSlack)
	}
	late.early = true // it was so at the first look: nobody knows since when
	if roots := join([]*Finding{early, late}); len(roots) != 1 || roots[0] != late {
		t.Error("a root that may have begun before the first look is told from its effect")
	}
}

func TestOneBrokersFaultIsNotAnothers(t *testing.T) {
	under := &Finding{Cause: underMinISR, Subject: fact.TheCluster, Band: Confirmed, Since: t0,
		Evidence: []Evidence{{SignState: SignState{Reading: Reading{Outcome: Yes, Blames: []fact.Subject{fact.BrokerOf(2)}}}}}}
	crash := &Finding{Cause: brokerCrashed, Subject: fact.BrokerOf(3), Band: Confirmed, Since: t0}
	if roots := join([]*Finding{under, crash}); len(roots) != 2 {
		t.Error("under-min-isr misses broker 2, and hangs under broker 3")
	}
	crash.Subject = fact.BrokerOf(2)
	if roots := join([]*Finding{under, crash}); len(roots) != 1 || roots[0] != crash {
		t.Error("under-min-isr misses broker 2, and does not hang under it")
	}
}

func TestWhatNothingExplainsIsSaid(t *testing.T) {
	c := &Catalogue{Causes: []*Cause{cause("x", 0.01, Link{Sign: signA, Strength: Always, Decisive: true})}, None: noneOfThese}
	var found []*Finding
	for _, g := range c.groups(reads(No, Yes, Yes)) {
		of, _ := g.weigh()
		found = append(found, of...)
	}
	if roots := join(found); len(roots) != 1 || roots[0].Cause != noneOfThese {
		t.Errorf("two troubles that no cause explains: %v", roots)
	}
}

func TestARulingSignThatNobodyReadKeepsFromConfirming(t *testing.T) {
	x := cause("x", 0.1, Link{Sign: signA, Strength: Always, Decisive: true})
	x.RulesOut = []*Sign{signC}
	c := &Catalogue{Causes: []*Cause{x}}
	for outcome, want := range map[Outcome]Band{Unknown: CannotTell, No: Confirmed} {
		found, _ := c.groups(reads(Yes, NotApplicable, outcome))[0].weigh()
		if len(found) != 1 || found[0].Band != want {
			t.Errorf("ruling sign %s: %v, want band %s", outcome, found, want)
		}
	}
	g := c.groups(reads(Yes, NotApplicable, Yes))[0]
	if found, _ := g.weigh(); len(found) != 0 || len(g.dropped) != 1 {
		t.Error("a ruling sign is yes and the cause stands")
	}
}

func TestLedgerWeighsByLeavingOut(t *testing.T) {
	x := cause("x", 0.1, Link{Sign: signA, Strength: Always}, Link{Sign: signB, Strength: Often})
	g := (&Catalogue{Causes: []*Cause{x}}).groups(reads(Yes, No, NotApplicable))[0]
	f := &Finding{Cause: x, Subject: one, Probability: g.posterior(g.asFor(0))[0]}
	g.evidence(f, 0, g.cands[0])
	if len(f.Evidence) != 2 || f.Evidence[0].Weight <= 0 || f.Evidence[1].Weight >= 0 {
		t.Fatalf("ledger %+v: yes must weigh for, no against", f.Evidence)
	}
	want := math.Log((1 - 0.98*0.05) / 0.02) // ln of the likelihood ratio of a yes
	if !near(f.Evidence[0].Weight, want) {
		t.Errorf("weight %v, want %v", f.Evidence[0].Weight, want)
	}
}
