package diagnose

import (
	"sort"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// candidate is a cause on a subject, weighed within its group.
type candidate struct {
	cause   *Cause
	subject fact.Subject
	prior   float64   // the cause's, or what a report makes of it
	own     []float64 // of each variable of the group: how likely the cause itself makes it
	explain []float64 // the same with cascades, as path products
	none    bool      // it is the cause that stands for everything else
}

// group is what is weighed together: a broker with its process and its log
// dirs, one consumer group, or the cluster. A group has its own causes and its
// own signs; findings of two groups are joined afterwards, by whom they blame.
type group struct {
	subject fact.Subject
	vars    []SignState // yes, no and unknown readings on subjects of the group
	cands   []*candidate
	unseen  []*candidate // no sign of theirs is yes, and a decisive one could be read from here and was not
	dropped []RuledOut
}

// home is the group that a subject belongs to.
func home(s fact.Subject) fact.Subject {
	if broker, ok := s.Owner(); ok {
		return broker
	}
	switch s.Scope {
	case fact.Topic, fact.Partition:
		return fact.TheCluster
	}
	return s
}

// groups sorts the readings into groups and finds each one's candidates. A
// cause is a candidate on a subject where a sign of its own is yes: without that
// it cannot rise above its prior.
func (c *Catalogue) groups(states []SignState) []*group {
	byHome := map[fact.Subject]*group{}
	var all []*group
	many := map[fact.Subject]int{}
	for i := range states {
		many[home(states[i].Subject)]++
	}
	for _, st := range states {
		if st.Outcome == NotApplicable || st.Subject.Name == fact.Any {
			continue
		}
		h := home(st.Subject)
		g := byHome[h]
		if g == nil {
			g = &group{subject: h, vars: make([]SignState, 0, many[h])}
			byHome[h] = g
			all = append(all, g)
		}
		g.vars = append(g.vars, st)
	}
	sort.SliceStable(all, func(i, j int) bool { return subjectLess(all[i].subject, all[j].subject) })
	for _, g := range all {
		if g.troubled() {
			c.propose(g)
		}
	}
	return all
}

// troubled says whether any sign of the group is yes.
func (g *group) troubled() bool {
	for i := range g.vars {
		if g.vars[i].Outcome == Yes {
			return true
		}
	}
	return false
}

// propose fills in the group's candidates.
func (c *Catalogue) propose(g *group) {
	of := map[fact.Scope][]fact.Subject{}
	for _, cause := range c.Causes {
		subjects, known := of[cause.On]
		if !known {
			subjects = g.subjects(cause.On)
			of[cause.On] = subjects
		}
		for _, subject := range subjects {
			pointed, unseen := g.pointed(cause, subject)
			if !pointed && !unseen {
				continue // as most are: nothing is made for them
			}
			cand := g.candidate(cause, subject)
			for _, l := range cause.Signs {
				if i := g.find(l.Sign, subject); i >= 0 {
					cand.own[i] = float64(l.Strength)
				}
			}
			g.reach(cand, cause, 1, map[*Cause]bool{})
			if !pointed {
				g.unseen = append(g.unseen, cand)
				continue
			}
			if by := g.ruledOut(cause, subject); by != nil {
				g.dropped = append(g.dropped, RuledOut{cause, subject, *by})
				continue
			}
			g.cands = append(g.cands, cand)
		}
	}
	if c.None == nil {
		return
	}
	none := g.candidate(c.None, g.subject)
	none.none = true
	for i := range g.vars {
		if !g.vars[i].Sign.Trouble {
			continue
		}
		none.explain[i] = float64(Sometimes)
		if g.vars[i].Outcome != No { // what is not wrong does not speak against something else being so
			none.own[i] = float64(Sometimes)
		}
	}
	if g.anyYes(none) {
		g.cands = append(g.cands, none)
	}
}

// pointed says whether a sign of a cause's own is yes on a subject, and whether a
// decisive one could be read from here and was not.
func (g *group) pointed(cause *Cause, subject fact.Subject) (pointed, unseen bool) {
	for _, l := range cause.Signs {
		i := g.find(l.Sign, subject)
		if i < 0 {
			continue
		}
		pointed = pointed || !l.Follows && g.vars[i].Outcome == Yes
		unseen = unseen || l.Decisive && g.vars[i].Outcome == Unknown && !g.vars[i].elsewhere()
	}
	return pointed, unseen
}

func (g *group) candidate(cause *Cause, subject fact.Subject) *candidate {
	return &candidate{cause: cause, subject: subject, prior: cause.Prior, own: make([]float64, len(g.vars)), explain: make([]float64, len(g.vars))}
}

// passOn is how often a cause brings its consequence about.
const passOn = 0.9

// reach adds what a cause explains, its consequences' signs as path products.
func (g *group) reach(cand *candidate, cause *Cause, share float64, seen map[*Cause]bool) {
	if seen[cause] {
		return
	}
	seen[cause] = true
	for _, l := range cause.Signs {
		for i := range g.vars {
			if g.vars[i].Sign == l.Sign && reaches(cand.subject, cause, g.vars[i].Subject) {
				cand.explain[i] = max(cand.explain[i], share*float64(l.Strength))
			}
		}
	}
	for _, lead := range cause.Leads {
		if g.ruledOut(lead, g.relatedOr(lead.On, cand.subject)) == nil {
			g.reach(cand, lead, share*passOn, seen)
		}
	}
}

// relatedOr is the subject of a scope that belongs to another one, or that one.
func (g *group) relatedOr(scope fact.Scope, s fact.Subject) fact.Subject {
	if of, ok := related(scope, s); ok {
		return of
	}
	return s
}

// reaches says whether a cause on a subject, or a consequence of it, speaks for
// a sign on another subject of the same group. Two log dirs of one broker do
// not speak for each other; a dir speaks for its broker and its process.
func reaches(from fact.Subject, cause *Cause, to fact.Subject) bool {
	if of, ok := related(to.Scope, from); ok {
		return of == to
	}
	return cause.On == to.Scope // the process's cause and the broker's dirs
}

// subjects is those of a scope in the group, sorted.
func (g *group) subjects(scope fact.Scope) []fact.Subject {
	seen := map[fact.Subject]bool{}
	var all []fact.Subject
	note := func(s fact.Subject) {
		if s.Scope == scope && !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	for i := range g.vars {
		note(g.vars[i].Subject)
		if of, ok := related(scope, g.vars[i].Subject); ok && scope != fact.Cluster {
			note(of)
		}
	}
	sortSubjects(all)
	return all
}

// find is the index of a sign's reading on the subject that belongs to another
// subject; -1 when it was not asked there.
func (g *group) find(sign *Sign, subject fact.Subject) int {
	of, ok := related(sign.On, subject)
	if !ok {
		return -1
	}
	for i := range g.vars {
		if g.vars[i].Sign == sign && g.vars[i].Subject == of {
			return i
		}
	}
	return -1
}

func (g *group) anyYes(c *candidate) bool {
	for i, s := range c.own {
		if s > 0 && g.vars[i].Outcome == Yes {
			return true
		}
	}
	return false
}

// ruledOut is the reading that drops a cause on a subject; nil: none does. A
// reading from before a decisive sign turned yes drops nothing: that the broker
// answered a second before it died is no comfort.
func (g *group) ruledOut(c *Cause, subject fact.Subject) *SignState {
	onset := g.onset(c, subject)
	for _, r := range c.rules() {
		if i := g.find(r.sign, subject); i >= 0 && g.vars[i].Outcome == r.drops && !g.vars[i].At.Before(onset) {
			return &g.vars[i]
		}
	}
	return nil
}

// onset is when the first decisive sign of a cause turned yes; zero: none is.
func (g *group) onset(c *Cause, subject fact.Subject) (first time.Time) {
	for _, l := range c.Signs {
		if i := g.find(l.Sign, subject); l.Decisive && i >= 0 && g.vars[i].Outcome == Yes && (first.IsZero() || g.vars[i].changed.Before(first)) {
			first = g.vars[i].changed
		}
	}
	return first
}

// rule is a sign whose answer can drop a cause.
type rule struct {
	sign  *Sign
	drops Outcome
}

func (c *Cause) rules() []rule {
	var all []rule
	for _, s := range c.RulesOut {
		all = append(all, rule{s, Yes})
	}
	for _, l := range c.Signs {
		if l.Must {
			all = append(all, rule{l.Sign, No})
		}
	}
	return all
}
