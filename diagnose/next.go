package diagnose

import (
	"math"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// next is the unknown sign whose answer would tell most for what it costs to
// get: expected information gain over the candidates of its group, divided by
// the effort its reason asks of the operator. Where nothing that was seen points
// anywhere it is the step that would answer most of what decides. Waiting is no
// step, and is said only when there is none. What may be behind a root goes first.
func next(c *Catalogue, groups []*group, v *Verdict, behind map[*Sign]bool) *NextLook {
	if st := c.mostUndecided(v, behind); st != nil && len(behind) > 0 {
		return c.look(st)
	}
	if st := mostTelling(groups, v, false); st != nil {
		return c.look(st)
	}
	if st := c.mostUndecided(v, nil); st != nil {
		return c.look(st)
	}
	if st := mostTelling(groups, v, true); st != nil {
		return c.look(st)
	}
	return nil
}

func (c *Catalogue) look(st *SignState) *NextLook {
	return &NextLook{Sign: st.Sign, Box: c.boxOf(st.Sign), Text: lookText(st)}
}

// waits says whether only time makes a reading known.
func waits(st *SignState) bool {
	return st.Because.Reason == fact.NotYet || st.Because.Reason == fact.Stale
}

// mostTelling is the unknown sign with the greatest gain for its effort, of those
// that want waiting or of the others.
func mostTelling(groups []*group, v *Verdict, waiting bool) (look *SignState) {
	best := 0.0
	for _, g := range groups {
		if len(g.cands) == 0 || g.settled(v) {
			continue
		}
		before := g.posterior(g.asFor(-1))
		for i := range g.vars {
			st := &g.vars[i]
			if st.Outcome != Unknown || waits(st) != waiting || !g.asked(i) {
				continue
			}
			if gain := g.gain(before, i) / effort(st.Because.Reason); gain > best {
				best, look = gain, st
			}
		}
	}
	return look
}

// mostUndecided is a reading that was not asked, by the step that would answer most
// readings of decisive signs, as dropping a --skip: that of the gravest cause. among,
// where there are any, is the signs that count.
func (c *Catalogue) mostUndecided(v *Verdict, among map[*Sign]bool) *SignState {
	ranks := c.decisive()
	gravest, answers, best := map[string]*SignState{}, map[string]int{}, ""
	for i := range v.Signs {
		st := &v.Signs[i]
		if st.Outcome != Unknown || st.Because.Reason != fact.NotAskedFor || ranks[st.Sign] == 0 {
			continue
		}
		if len(among) > 0 && !among[st.Sign] || len(among) == 0 && confirmed(v, home(st.Subject)) {
			continue
		}
		step := st.Because.How
		if was := gravest[step]; was == nil || ranks[st.Sign] > ranks[was.Sign] {
			gravest[step] = st
		}
		if answers[step]++; answers[step] > answers[best] {
			best = step
		}
	}
	return gravest[best]
}

// decisive is the signs that decide a cause, each with the rank of the gravest,
// counted from one.
func (c *Catalogue) decisive() map[*Sign]int {
	ranks := map[*Sign]int{}
	for _, cause := range c.Causes {
		for _, l := range cause.Signs {
			if l.Decisive {
				ranks[l.Sign] = max(ranks[l.Sign], 1+cause.Severity.Rank())
			}
		}
	}
	return ranks
}

// settled says whether a confirmed finding stands on the group already.
func (g *group) settled(v *Verdict) bool { return confirmed(v, g.subject) }

// confirmed says whether a finding that is no advice is, on the subjects of
// one home.
func confirmed(v *Verdict, at fact.Subject) bool {
	for _, f := range v.All() {
		if f.Band == Confirmed && f.Severity != Minor && home(f.Subject) == at {
			return true
		}
	}
	return false
}

// asked says whether any candidate has an opinion on a variable.
func (g *group) asked(i int) bool {
	for _, c := range g.cands {
		if c.own[i] > 0 {
			return true
		}
	}
	return false
}

// gain is by how many bits the answer to a variable is expected to narrow the
// candidates down.
func (g *group) gain(before []float64, i int) float64 {
	no := 1 - g.vars[i].Sign.leak()
	for c, cand := range g.cands {
		no *= 1 - before[c]*cand.own[i]
	}
	yes := 1 - no
	with := g.asFor(-1)
	with.fixed, with.to = i, Yes
	after := yes * entropy(g.posterior(with))
	with.to = No
	after += no * entropy(g.posterior(with))
	return max(0, entropy(before)-after)
}

func entropy(ps []float64) float64 {
	h := 0.0
	for _, p := range ps {
		if p > 0 && p < 1 {
			h -= p*math.Log2(p) + (1-p)*math.Log2(1-p)
		}
	}
	return h
}

// effort is what it takes to turn an unknown into an answer: wait, drop a flag,
// get a right, go to another host.
func effort(r fact.Reason) float64 {
	switch r {
	case fact.NotYet, fact.Stale, fact.TimedOut:
		return 1
	case fact.NotAskedFor:
		return 1.5
	case fact.NotAllowed, fact.Unreadable, fact.Unreachable:
		return 3
	}
	return 5
}

func lookText(st *SignState) string {
	text := st.Subject.String()
	if st.Subject.Name == fact.Any {
		text = "any " + string(st.Subject.Scope)
	}
	text += ": whether " + st.Sign.Title
	switch {
	case st.Because.How != "":
		return text + ": " + st.Because.How
	case st.Because.Reason == fact.NotObserved && st.Subject.Scope == fact.Cluster:
		return text + ": run ktriage on a broker's host"
	case st.Because.Reason == fact.NotObserved:
		return text + ": run ktriage on its host"
	}
	return text + ": " + st.Because.String()
}

// boxOf is the box of the flowchart that shows a sign.
func (c *Catalogue) boxOf(sign *Sign) *Box {
	for _, b := range c.Boxes {
		for _, s := range b.Signs {
			if s == sign {
				return b
			}
		}
	}
	return nil
}
