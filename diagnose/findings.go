package diagnose

import (
	"slices"
	"sort"
	"time"
)

// Bounds of the bands, as probabilities.
const (
	likelyFrom   = 0.75
	possibleFrom = 0.25
	certain      = 0.95 // what a decisive sign is worth at the least
	// worthAsking is how likely a cause must be already for an unknown sign to
	// put it on the screen as "cannot tell".
	worthAsking = 0.02
	// telling is how often a sign may be yes for no reason and still point at a
	// cause by itself.
	telling = 0.1
)

// weigh turns one group into findings, none of them placed under another yet,
// and says which trouble none of them accounts for.
func (g *group) weigh() (found []*Finding, loose []SignState) {
	settled := make([]bool, len(g.vars)) // explained by a finding that is sure
	for c, cand := range g.cands {
		f := g.finding(c, cand, g.posterior(g.asFor(c))[c])
		if f == nil {
			continue
		}
		f.explain, f.none = cand.explain, cand.none
		found = append(found, f)
		for i := range g.vars {
			settled[i] = settled[i] || f.Band.Sure() && !cand.none && cand.explain[i] > 0
		}
	}
	any := slices.Contains(settled, true)
	open := slices.ContainsFunc(found, (*Finding).decided)
	found = slices.DeleteFunc(found, func(f *Finding) bool {
		if f.none {
			return any || open || !f.Band.Sure() && f.Band != CannotTell // it stands only where it wins
		}
		return !f.Band.Sure() && f.redundant(g, settled)
	})
	for i, v := range g.vars {
		named := slices.ContainsFunc(found, func(f *Finding) bool { return f.explain[i] > 0 })
		if v.Outcome == Yes && v.Sign.Trouble && !named {
			loose = append(loose, v)
		}
	}
	return found, loose
}

// decided says whether a decisive sign of a finding is yes, and only what might
// rule it out was not seen: then it cannot be that nothing explains the rest.
func (f *Finding) decided() bool {
	return f.Band == CannotTell && !f.none && slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.Decisive && e.Outcome == Yes })
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
	if !slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.Outcome == Yes && e.Sign.leak() <= telling }) {
		return nil // that a group is stable makes no fault
	}
	moves := g.moves(f, c, cand, p)
	switch {
	case decisive && !g.unsettled(cand):
		// Another root may explain its signs, so that it is not likely as a root
		// of its own: that it is so is certain all the same.
		f.Band, f.Probability = Confirmed, max(p, g.alone(c), certain)
	case decisive:
		f.Band = CannotTell
	case moves && p >= worthAsking:
		f.Band = CannotTell
	case cand.none && p >= likelyFrom && g.maybe(f):
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

// maybe says whether a cause that nobody could look for would explain what
// "none of these" stands for, and names what was not seen of it.
func (g *group) maybe(f *Finding) (any bool) {
	for _, c := range g.unseen {
		if !slices.ContainsFunc(f.Evidence, func(e Evidence) bool {
			i := g.find(e.Sign, e.Subject)
			return e.Outcome == Yes && i >= 0 && c.explain[i] > 0
		}) {
			continue
		}
		missing := g.missing(c)
		f.Unknown = append(f.Unknown, missing...)
		any = any || len(missing) > 0
	}
	return any
}

// missing is what could be seen from here of a candidate and was not.
func (g *group) missing(c *candidate) (all []Missing) {
	for i, v := range g.vars {
		if c.own[i] > 0 && v.Outcome == Unknown && !v.elsewhere() {
			all = append(all, Missing{Sign: v.Sign, Subject: v.Subject, Because: v.Because, Moves: true})
		}
	}
	return all
}

// alone is a candidate's probability if it had no competitor but chance.
func (g *group) alone(c int) float64 {
	others := make([]bool, len(g.cands))
	for i := range g.cands {
		if i != c {
			others[i] = true
		}
	}
	with := g.asFor(c)
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
		with := g.asFor(c)
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
	for _, r := range cand.cause.rules() {
		rules[r.sign] = true
	}
	any := false
	for i := range g.vars {
		v := &g.vars[i]
		ruling := rules[v.Sign]
		if v.Outcome != Unknown || (cand.own[i] == 0 && !ruling) {
			continue
		}
		m := Missing{Sign: v.Sign, Subject: v.Subject, Because: v.Because}
		if !v.elsewhere() {
			m.Moves = ruling && sure(p) || sure(g.given(c, i, Yes)) != sure(p) || sure(g.given(c, i, No)) != sure(p)
		}
		any = any || m.Moves
		f.Unknown = append(f.Unknown, m)
	}
	return any
}

// given is a candidate's probability if a variable had an outcome.
func (g *group) given(c, variable int, to Outcome) float64 {
	with := g.asFor(c)
	with.fixed, with.to = variable, to
	return g.posterior(with)[c]
}

func sure(p float64) bool { return p >= likelyFrom }

// unsettled says whether a sign that would rule the candidate out could be seen
// from here and was not, or not since a decisive sign turned yes: then no sign
// confirms it.
func (g *group) unsettled(c *candidate) bool {
	onset := g.onset(c.cause, c.subject)
	for _, r := range c.cause.rules() {
		i := g.find(r.sign, c.subject)
		if i >= 0 && g.vars[i].Outcome == r.drops && g.vars[i].At.Before(onset) {
			return true
		}
		if i >= 0 && g.vars[i].Outcome == Unknown && !g.vars[i].elsewhere() {
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
	own := slices.ContainsFunc(yes, func(y SignState) bool { return f.Cause.dates(&y) })
	for _, y := range yes {
		if !y.Sign.Trouble && !y.decisive(f.Cause) {
			continue
		}
		if own && !f.Cause.dates(&y) {
			f.Affected.add(y.Affected)
			continue
		}
		if f.Since.IsZero() || y.Since.Before(f.Since) {
			f.Since = y.Since
		}
		f.early = f.early || y.early
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

// pass notes of a finding that it was, and may be over: where a minute has brought
// no more of the events that speak for it, and nothing speaks of now.
func (f *Finding) pass(now time.Time) {
	var last time.Time
	for i := range f.Evidence {
		e := &f.Evidence[i]
		switch {
		case e.Outcome != Yes || !e.Sign.Trouble && !e.Decisive:
		case e.Last.IsZero() || e.Lasting:
			return
		case e.Last.After(last):
			last = e.Last
		}
	}
	if !last.IsZero() && now.Sub(last) >= quiet {
		f.Until = last
		f.Says += "; none since " + clock(last) + ": it was, and may be over"
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

// dates says whether a reading tells when a cause began: what only follows from it,
// and from others too, may have been there before.
func (c *Cause) dates(y *SignState) bool {
	i := slices.IndexFunc(c.Signs, func(l Link) bool { return l.Sign == y.Sign })
	return i >= 0 && !c.Signs[i].Follows && (y.Sign.Trouble || c.Signs[i].Decisive)
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
	for _, p := range b.Named {
		if !slices.Contains(a.Named, p) {
			a.Named = append(a.Named, p)
		}
	}
	a.Partitions = max(a.Partitions, b.Partitions)
}

func abs(x float64) float64 { return max(x, -x) }
