package probes

import (
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Unseen is a batch as it would have been with --skip: what the named probes and
// those that need them saw is unknown, for the reasons that Live gives. A recording
// can so be concluded from with less in sight.
func Unseen(b fact.Batch, list []*probe.Probe, skip []string) fact.Batch {
	why := unseen(list, skip)
	out := fact.Batch{At: b.At, Marks: b.Marks}
	for _, p := range list {
		if u := why[p.Name]; u != nil {
			for _, k := range p.Yields {
				o := fact.UnknownEverywhere(k, u)
				o.At, o.Source = b.At, p.Name
				out.Observations = append(out.Observations, o)
			}
		}
	}
	for _, o := range b.Observations {
		if why[o.Source] == nil {
			out.Observations = append(out.Observations, o)
		}
	}
	for _, r := range b.Runs {
		if u := why[r.Probe]; u != nil {
			r = fact.Run{Probe: r.Probe, Status: fact.NotAsked}
			if strings.HasPrefix(u.Detail, "needs ") {
				r.Status, r.Error = fact.Skipped, u.String()
			}
		}
		out.Runs = append(out.Runs, r)
	}
	return out
}

// unseen is why a probe of the list sees nothing when some are skipped, by its name.
func unseen(list []*probe.Probe, skip []string) map[string]*fact.Unknown {
	not, why := selected(list, LiveOptions{Skip: skip}), map[string]*fact.Unknown{}
	var of func(*probe.Probe) *fact.Unknown
	of = func(p *probe.Probe) *fact.Unknown {
		if named(p, skip) {
			return not[p]
		}
		for _, need := range p.Needs {
			if u := of(need); u != nil {
				return needs(need, u)
			}
		}
		return nil
	}
	for _, p := range list {
		if u := of(p); u != nil {
			why[p.Name] = u
		}
	}
	return why
}

// needs is why a probe cannot run that needs another one.
func needs(blocker *probe.Probe, why *fact.Unknown) *fact.Unknown {
	u := &fact.Unknown{Reason: fact.NotObserved, Detail: "needs " + blocker.Name}
	if why != nil {
		u.Reason, u.How = why.Reason, why.How
		u.Detail += ", " + strings.TrimPrefix(why.String(), "needs ")
	}
	return u
}
