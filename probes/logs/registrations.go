package logs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// registrations is what the logs of the controllers here say of all brokers:
// every controller writes every change of a registration, so that any one of
// them can tell a planned stop from a crash.
func registrations(nodes []node) []fact.Observation {
	var read []report
	ids := map[int32]bool{}
	alive := false
	because := &fact.Unknown{Reason: fact.NotObserved, Detail: "no controller's log on this host", How: "run ktriage on a controller's host"}
	for i := range nodes {
		n := &nodes[i]
		if id := n.id(); id >= 0 && n.serves() {
			ids[id] = true
		}
		switch {
		case !n.controls():
		case n.controller.err == nil && len(n.controller.named) > 0:
			read = append(read, n.controller)
			alive = alive || n.Running || n.FoundBy == "--kafka-logs"
		case n.controller.err != nil && n.Roles != "":
			because = probe.Because(n.controller.err)
		case n.controller.err == nil && n.Roles != "":
			because = &fact.Unknown{Reason: fact.Unreadable, Detail: "controller.log of node " + n.subject().Name + " speaks of no broker", How: because.How}
		}
		if n.server.err == nil && len(n.server.named) > 0 { // all in one file
			read = append(read, n.server)
			alive = alive || n.Running
		}
	}
	for _, r := range read {
		for _, id := range r.named {
			ids[id] = true
		}
	}
	seen := []fact.Observation{controllerRead(read, alive, because)}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		seen = append(seen, registrationOf(id, nodes, read, because)...)
	}
	return seen
}

// controllerRead says whether the silence of controllers' logs means anything.
func controllerRead(read []report, alive bool, because *fact.Unknown) fact.Observation {
	var l fact.LogLines
	for _, r := range read {
		l.Since = earliest(l.Since, r.since)
		if r.last.After(l.Last) {
			l.Last = r.last
		}
		for _, one := range r.lines {
			l.Count += one.Count
		}
	}
	switch {
	case len(read) == 0:
		return fact.LogController.Unknown(fact.TheCluster, because)
	case !alive:
		return fact.LogController.Unknown(fact.TheCluster, &fact.Unknown{Reason: fact.Stale, Detail: "no controller runs on this host: its log ended at " + l.Last.Format("15:04:05"), How: because.How})
	}
	return fact.LogController.Is(fact.TheCluster, l)
}

// registrationOf is what is logged of one broker's coming and going.
func registrationOf(id int32, nodes []node, read []report, because *fact.Unknown) []fact.Observation {
	s, name := fact.BrokerOf(id), fmt.Sprint(id)
	var asked, fenced, unfenced fact.LogLines
	for _, r := range read {
		asked = merge(asked, r.of(fact.LogControlledShutdown, name))
		fenced = merge(fenced, r.of(fact.LogFenced, name))
		unfenced = merge(unfenced, r.of(fact.LogUnfenced, name))
		for _, l := range []*fact.LogLines{&asked, &fenced, &unfenced} {
			l.Since = earliest(l.Since, r.since)
		}
	}
	ownRead, stopped := false, because
	for i := range nodes {
		n := &nodes[i]
		switch {
		case n.id() != id:
			continue
		case n.server.err == nil:
			ownRead = true
			asked = merge(asked, n.server.of(fact.LogControlledShutdown, ""))
		default:
			stopped = probe.Because(n.server.err)
		}
		if because.Reason == fact.NotObserved { // the broker is here, its controllers are not
			because = &fact.Unknown{Reason: fact.Absent, Detail: because.Detail, How: because.How}
		}
	}
	seen := []fact.Observation{}
	if len(read) > 0 || ownRead {
		seen = append(seen, fact.LogControlledShutdown.Is(s, asked))
	} else {
		seen = append(seen, fact.LogControlledShutdown.Unknown(s, stopped))
	}
	if len(read) == 0 {
		return append(seen, fact.LogFenced.Unknown(s, because), fact.LogUnfenced.Unknown(s, because))
	}
	return append(seen, fact.LogFenced.Is(s, fenced), fact.LogUnfenced.Is(s, unfenced))
}

// serves says whether the node is a broker: it may be a controller alone.
func (n *node) serves() bool {
	return n.Roles == "" || slices.Contains(strings.Split(n.Roles, ","), "broker")
}
