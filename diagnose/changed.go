package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// ChangedBefore is a change that somebody made before a finding began.
type ChangedBefore struct {
	fact.Change
	Of *Finding
	By time.Duration // before the onset, or before it was first seen where nobody knows that
}

// Bounds of what changed before.
const (
	changedWithin = 2 * time.Hour // before the onset
	changedAfter  = 2 * time.Second
	mostChanged   = 3 // of each root
	mostRoots     = 4
)

// acts are the kinds of changes that somebody makes, in the words of
// docs/history.schema.json. What follows by itself (leaders, ISRs, fencing) is
// rather what is to be explained.
var acts = map[string]bool{
	"broker-registered": true, "broker-unregistered": true, "controlled-shutdown": true, "reassignment-started": true, "reassignment-finished": true,
	"topic-created": true, "topic-deleted": true, "partitions-added": true, "config-changed": true, "quota-changed": true, "acl-added": true,
	"acl-removed": true, "user-changed": true, "feature-changed": true,
}

// changed is what was changed before the roots began, for each root the nearest
// first: what touches its subject, or everything.
func (s *Session) changed(roots []*Finding) []ChangedBefore {
	if len(roots) == 0 {
		return nil // as on most looks: nothing to put in order
	}
	list := s.changes()
	var all []ChangedBefore
	told := 0
	for _, f := range roots {
		if f.Severity.Rank() < Major.Rank() || f.Cause.Context || told == mostRoots {
			continue
		}
		told++
		onset := f.Since
		if f.early || onset.IsZero() {
			onset = s.history.now
		}
		n := 0
		for i := len(list) - 1; i >= 0 && n < mostChanged; i-- {
			c := &list[i]
			by := onset.Sub(c.At)
			if by < -changedAfter || by > changedWithin || !acts[c.Kind] && !befell(c, by) || bornWith(list, i) || !f.touchedBy(c) {
				continue
			}
			all = append(all, ChangedBefore{*c, f, max(0, by)})
			n++
		}
	}
	return all
}

// changes is what the metadata log and the coordinators' logs on this host tell,
// oldest first.
func (s *Session) changes() (all []fact.Change) {
	v := &View{history: s.history, reads: map[*fact.Def]bool{}}
	happened, _ := Happened(v)
	groups, _ := fact.GroupsChanged.Latest(v, fact.TheCluster)
	all = slices.Concat(happened.All, groups.All)
	slices.SortStableFunc(all, func(a, b fact.Change) int { return a.At.Compare(b.At) })
	return all
}

// befell says whether a change is what befell a group before something else did:
// somebody deployed it, or moved or deleted its offsets, or they expired. At the
// onset itself it is what is found, and not what was before.
func befell(c *fact.Change, by time.Duration) bool {
	return c.Scope == "group" && c.Kind != "offsets-frozen" && by >= time.Second
}

// bornWith says whether a change is no act of its own: how something was made.
func bornWith(all []fact.Change, i int) bool {
	c := &all[i]
	switch c.Kind {
	case "feature-changed", "broker-registered":
		return c.Before == ""
	case "topic-created":
		return strings.HasPrefix(c.Topic, "__")
	case "config-changed": // with its topic, or with the cluster
		return slices.ContainsFunc(all, func(o fact.Change) bool {
			made := o.Kind == "topic-created" && o.Topic == c.Topic || o.Kind == "feature-changed" && o.Before == "" && c.Topic == "" && c.Before == ""
			return made && o.At.Equal(c.At)
		})
	}
	return false
}

// touchedBy says whether a change is about what a finding is about, or about
// everything.
func (f *Finding) touchedBy(c *fact.Change) bool {
	suffers := f.Affected
	for _, u := range f.Under {
		suffers.Topics = append(slices.Clone(suffers.Topics), u.Affected.Topics...)
	}
	switch {
	case c.Scope == "group": // what befalls one group is no change for others
		return f.Subject == fact.Subject{Scope: fact.Group, Name: c.Name}
	case f.Subject.Scope == fact.Cluster:
		return true
	case c.Topic != "":
		return slices.Contains(suffers.Topics, c.Topic) || f.Subject == (fact.Subject{Scope: fact.Topic, Name: c.Topic})
	case c.Broker >= 0:
		owner, owned := f.Subject.Owner()
		return owned && owner == fact.BrokerOf(c.Broker)
	}
	return true // settings of all brokers, ACLs, quotas, users, features
}
