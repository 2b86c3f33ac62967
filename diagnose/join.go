package diagnose

import (
	"slices"
	"sort"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// onsetSlack is how much earlier than its root a consequence may seem to have
// begun: two readings of one event are never taken at the same moment.
const onsetSlack = 15 * time.Second

// join places consequences under their roots and sorts what is left.
func join(all []*Finding) []*Finding {
	parent := map[*Finding]*Finding{}
	for _, f := range all {
		parent[f] = nil
		for _, r := range all {
			if f == r || !r.Band.Sure() || !f.Band.Sure() || !r.Cause.bringsAbout(f.Cause, nil) || !blames(f, r) {
				continue
			}
			if !r.early && r.Since.After(f.Since.Add(onsetSlack)) {
				continue // a consequence cannot begin before its cause
			}
			if !r.Until.IsZero() && !f.early && f.Since.After(r.Until.Add(onsetSlack)) {
				continue // nor when its cause was over
			}
			if p := parent[f]; p == nil || r.Cause.bringsAbout(p.Cause, nil) {
				parent[f] = r
			}
		}
	}
	var roots []*Finding
	for _, f := range all {
		root := parent[f]
		for root != nil && parent[root] != nil && parent[root] != f {
			root = parent[root]
		}
		if root == nil {
			f.Role = Root
			roots = append(roots, f)
			continue
		}
		f.Role, f.ConsequenceOf = Consequence, root
		root.Under = append(root.Under, f)
		root.Affected.add(f.Affected)
		if f.Severity.Rank() > root.Severity.Rank() { // it does that now
			root.Severity = f.Severity
		}
	}
	rank(roots)
	for _, r := range roots {
		rank(r.Under)
	}
	return roots
}

// apart takes back that nothing explains what is wrong of a broker, where a cause
// on the cluster does: it is sure and affects that broker, or it was not seen
// whether it is there, and then nobody can tell.
func apart(all []*Finding, groups []*group) []*Finding {
	return slices.DeleteFunc(all, func(f *Finding) bool {
		broker, ok := nodeID(f.Subject)
		if !f.none || !ok || f.Subject.Scope != fact.Broker {
			return false
		}
		if slices.ContainsFunc(all, func(r *Finding) bool {
			return r.Band.Sure() && slices.Contains(r.Affected.Brokers, broker) && r.Cause.isAll(f)
		}) {
			return true
		}
		for _, g := range groups {
			for _, c := range g.unseen {
				if missing := g.missing(c); c.cause.isAll(f) && len(missing) > 0 {
					f.Unknown = append(f.Unknown, missing...)
					f.Band = CannotTell
				}
			}
		}
		return false
	})
}

// isAll says whether all that is wrong in a finding is what a cause makes wrong
// of the brokers it affects.
func (c *Cause) isAll(f *Finding) bool {
	return len(c.Shows) > 0 && !slices.ContainsFunc(f.Evidence, func(e Evidence) bool {
		return e.Outcome == Yes && !slices.Contains(c.Shows, e.Sign)
	})
}

// bringsAbout says whether a cause leads to another, over any number of others.
func (c *Cause) bringsAbout(other *Cause, by []*Cause) bool {
	if slices.Contains(by, c) {
		return false
	}
	by = append(by, c)
	return slices.ContainsFunc(c.Leads, func(lead *Cause) bool { return lead == other || lead.bringsAbout(other, by) })
}

// blames says whether a finding can be a consequence of a root: on the same
// broker, or by naming the root's broker.
func blames(f, root *Finding) bool {
	if f.Cause.Anywhere {
		return true
	}
	if home(f.Subject) == home(root.Subject) {
		return f.Subject.Scope != root.Subject.Scope || f.Subject == root.Subject
	}
	for _, e := range f.Evidence {
		if e.Outcome == Yes && (slices.Contains(e.Blames, home(root.Subject)) || slices.Contains(e.Through, home(root.Subject))) {
			return true
		}
	}
	return false
}

// rank sorts what one would act on first: the sure before the unsure, then by
// severity, then by probability; one cause on several subjects where it is worst.
func rank(all []*Finding) {
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		switch {
		case a.Band.Sure() != b.Band.Sure():
			return a.Band.Sure()
		case a.Severity != b.Severity:
			return a.Severity.Rank() > b.Severity.Rank()
		case a.Probability != b.Probability:
			return a.Probability > b.Probability
		case a.Cause.ID != b.Cause.ID:
			return a.Cause.ID < b.Cause.ID
		}
		if x, y := extent(a), extent(b); x != y {
			return x > y
		}
		return subjectLess(a.Subject, b.Subject)
	})
}

// extent is how far the number of a finding's first decisive sign with one is
// beyond its limit, as a ratio; 0 where none has a number.
func extent(f *Finding) float64 {
	for _, l := range f.Cause.Signs {
		for _, e := range f.Evidence {
			if e.Sign != l.Sign || !e.Decisive || e.Outcome != Yes || e.Unit == "" || e.Limit <= 0 || e.Value <= 0 {
				continue
			}
			if e.Below {
				return e.Limit / e.Value
			}
			return e.Value / e.Limit
		}
	}
	return 0
}

// flat is the findings with consequences behind their roots.
func flat(roots []*Finding) []*Finding {
	var all []*Finding
	for _, r := range roots {
		all = append(append(all, r), r.Under...)
	}
	return all
}
