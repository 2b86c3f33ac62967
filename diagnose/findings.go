package diagnose

import (
	"slices"
	"sort"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Bounds of the bands, as probabilities.
const (
	likelyFrom   = 0.75
	possibleFrom = 0.25
	// worthAsking is how likely a cause must be already for an unknown sign to
	// put it on the screen as "cannot tell".
	worthAsking = 0.03
)

// weigh turns one group into findings, none of them placed under another yet.
func (g *group) weigh() []*Finding {
	if len(g.cands) == 0 {
		return nil
	}
	now := g.posterior(asItIs)
	var found []*Finding
	explained := make([]bool, len(g.vars)) // by a finding that is sure
	for c, cand := range g.cands {
		f := g.finding(c, cand, now[c])
		if f == nil {
			continue
		}
		found = append(found, f)
		for i := range g.vars {
			explained[i] = explained[i] || f.Band.Sure() && cand.explain[i] > 0
		}
	}
	return slices.DeleteFunc(found, func(f *Finding) bool { return !f.Band.Sure() && f.redundant(g, explained) })
}

// redundant says whether every yes of a finding is explained by one that is sure.
func (f *Finding) redundant(g *group, explained []bool) bool {
	for _, e := range f.Evidence {
		if i := g.find(e.Sign, e.Subject); e.Outcome == Yes && i >= 0 && !explained[i] {
			return false
		}
	}
	return true
}

// finding is what a candidate comes to; nil when it is not worth showing.
func (g *group) finding(c int, cand *candidate, p float64) *Finding {
	f := &Finding{Cause: cand.cause, Subject: cand.subject, Role: Root, Probability: p}
	decisive := g.evidence(f, c, cand)
	moves := g.moves(f, c, cand, p)
	switch {
	case decisive && !g.unsettled(cand):
		// As a root its probability may be low because another root explains
		// its signs; that it is so is certain all the same.
		f.Band = Confirmed
		if alone := g.alone(c); p < 0.5 && alone >= 0.5 {
			f.Role, f.Probability = Consequence, alone
		} else if p < 0.5 {
			return nil
		}
	case moves && p >= worthAsking:
		f.Band = CannotTell
	case p >= likelyFrom:
		f.Band = Likely
	case p >= possibleFrom:
		f.Band = Possible
	default:
		return nil
	}
	g.describe(f, cand)
	return f
}

// alone is a candidate's probability if it had no competitor but chance.
func (g *group) alone(c int) float64 {
	others := map[int]bool{}
	for i := range g.cands {
		if i != c {
			others[i] = true
		}
	}
	with := asItIs
	with.dropped = others
	return g.posterior(with)[c]
}

// evidence fills in the ledger by leaving each sign out in turn, and says
// whether a decisive sign is yes.
func (g *group) evidence(f *Finding, c int, cand *candidate) (decisive bool) {
	strong := map[*Sign]bool{}
	for _, l := range cand.cause.Signs {
		strong[l.Sign] = strong[l.Sign] || l.Decisive
	}
	now := logOdds(f.Probability)
	for i := range g.vars {
		v := g.vars[i]
		if cand.own[i] == 0 || (v.Outcome != Yes && v.Outcome != No) {
			continue
		}
		with := asItIs
		with.without = i
		e := Evidence{SignState: v, Decisive: strong[v.Sign], Weight: now - logOdds(g.posterior(with)[c])}
		decisive = decisive || (e.Decisive && v.Outcome == Yes)
		f.Evidence = append(f.Evidence, e)
	}
	sort.SliceStable(f.Evidence, func(i, j int) bool {
		a, b := f.Evidence[i], f.Evidence[j]
		if (a.Outcome == Yes) != (b.Outcome == Yes) {
			return a.Outcome == Yes
		}
		return abs(a.Weight) > abs(b.Weight)
	})
	return decisive
}

// moves lists the unknown signs of a candidate and says whether the answer of
// one that could be seen from here would change whether to act on it.
func (g *group) moves(f *Finding, c int, cand *candidate, p float64) bool {
	rules := map[*Sign]bool{}
	for _, s := range cand.cause.RulesOut {
		rules[s] = true
	}
	any := false
	for i := range g.vars {
		v := &g.vars[i]
		ruling := rules[v.Sign]
		if v.Outcome != Unknown || (cand.own[i] == 0 && !ruling) {
			continue
		}
		m := Missing{Sign: v.Sign, Subject: v.Subject, Because: v.Because}
		if v.Because.Reason != fact.NotObserved {
			m.Moves = ruling && sure(p) || sure(g.given(i, Yes)[c]) != sure(p) || sure(g.given(i, No)[c]) != sure(p)
		}
		any = any || m.Moves
		f.Unknown = append(f.Unknown, m)
	}
	return any
}

// given is the probability of each candidate if a variable had an outcome.
func (g *group) given(variable int, to Outcome) []float64 {
	with := asItIs
	with.fixed, with.to = variable, to
	return g.posterior(with)
}

func sure(p float64) bool { return p >= likelyFrom }

// unsettled says whether a sign that would rule the candidate out could be seen
// from here and was not: then no sign confirms it.
func (g *group) unsettled(c *candidate) bool {
	for _, sign := range c.cause.RulesOut {
		i := g.find(sign, c.subject)
		if i >= 0 && g.vars[i].Outcome == Unknown && g.vars[i].Because.Reason != fact.NotObserved {
			return true
		}
	}
	return false
}

// describe fills in what a finding says, from its signs that are yes.
func (g *group) describe(f *Finding, cand *candidate) {
	var yes []SignState
	for _, e := range f.Evidence {
		if e.Outcome == Yes {
			yes = append(yes, e.SignState)
		}
	}
	f.Severity = f.Cause.Severity
	if f.Cause.Weigh != nil {
		f.Severity = f.Cause.Weigh(yes)
	}
	for _, y := range yes {
		if !y.Sign.Trouble && !y.decisive(f.Cause) {
			continue
		}
		if f.Since.IsZero() || y.Since.Before(f.Since) {
			f.Since = y.Since
		}
		f.Affected.add(y.Affected)
	}
	if f.Since.IsZero() && len(yes) > 0 {
		f.Since = yes[0].Since
	}
	f.Says = says(f, yes)
	for _, d := range g.dropped {
		if d.Subject == f.Subject {
			f.Alternatives = append(f.Alternatives, d.Cause.ID+": no, "+d.By.Text)
		}
	}
	for c, other := range g.cands {
		if other.cause == f.Cause || other.subject != f.Subject {
			continue
		}
		if no := g.strongestNo(c); no != nil {
			f.Alternatives = append(f.Alternatives, other.cause.ID+": less likely, "+no.Text)
		}
	}
}

// strongestNo is the reading that speaks most against a candidate.
func (g *group) strongestNo(c int) *SignState {
	best, at := 0.0, -1
	for i := range g.vars {
		if own := g.cands[c].own[i]; g.vars[i].Outcome == No && own > best {
			best, at = own, i
		}
	}
	if at < 0 {
		return nil
	}
	return &g.vars[at]
}

func (s *SignState) decisive(c *Cause) bool {
	for _, l := range c.Signs {
		if l.Sign == s.Sign && l.Decisive {
			return true
		}
	}
	return false
}

// says is the one sentence of a finding.
func says(f *Finding, yes []SignState) string {
	if f.Cause.Says != nil {
		return f.Cause.Says(f.Subject, yes)
	}
	text := ""
	for i, y := range yes {
		if i == 2 {
			break
		}
		if text != "" {
			text += "; "
		}
		text += y.Text
	}
	return text
}

// add joins what suffers, without naming anything twice.
func (a *Affected) add(b Affected) {
	for _, id := range b.Brokers {
		if !slices.Contains(a.Brokers, id) {
			a.Brokers = append(a.Brokers, id)
		}
	}
	for _, t := range b.Topics {
		if !slices.Contains(a.Topics, t) {
			a.Topics = append(a.Topics, t)
		}
	}
	for _, g := range b.Groups {
		if !slices.Contains(a.Groups, g) {
			a.Groups = append(a.Groups, g)
		}
	}
	a.Partitions = max(a.Partitions, b.Partitions)
}

func abs(x float64) float64 { return max(x, -x) }
