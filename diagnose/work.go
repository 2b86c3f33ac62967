package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Work that is under way, or was a moment ago: context to know of before the
// findings. It judges nothing, and takes nothing from a finding: a fault during
// planned work is a fault.

const (
	restartWindow = 30 * time.Minute // of a rolling restart
	workLately    = 10 * time.Minute // since an election or a recovery that is over
	cleanersWork  = 0.3              // of a processor that the busiest log cleaner uses
)

// work is what the facts tell of such work, in the order of how much it explains.
func work(v *View) (all []Context) {
	for _, of := range []func(*View) (id, text string){restarts, recovery, election, compaction, rebalancedOnce} {
		if id, text := of(v); text != "" {
			all = append(all, Context{id, text})
		}
	}
	return all
}

// restarted is when a broker was last stopped on purpose, and when it was back;
// zero times where nothing tells.
type restarted struct{ stopped, back time.Time }

// restarts is the brokers that were stopped on purpose within half an hour and are
// back: one, or a rolling restart.
func restarts(v *View) (id, text string) {
	const onPurpose = "planned stop"
	of := map[fact.Subject]restarted{}
	note := func(b fact.Subject, at time.Time, what string) {
		r := of[b]
		if what == onPurpose && at.After(r.stopped) {
			r.stopped = at
		} else if what != onPurpose && at.After(r.back) {
			r.back = at
		}
		of[b] = r
	}
	for _, k := range []struct {
		of   fact.Of[fact.LogLines]
		what string
	}{{fact.LogSigterm, onPurpose}, {fact.LogControlledShutdown, onPurpose}, {fact.LogStarted, "back"}, {fact.LogUnfenced, "back"}} {
		for _, b := range k.of.Subjects(v) {
			if lines, ok := k.of.Latest(v, b); ok && lines.Count > 0 {
				note(b, lines.Last, k.what)
			}
		}
	}
	changes, _ := Happened(v)
	for _, c := range changes.All {
		switch c.Kind {
		case "controlled-shutdown":
			note(fact.BrokerOf(c.Broker), c.At, onPurpose)
		case "broker-unfenced":
			note(fact.BrokerOf(c.Broker), c.At, "back")
		}
	}
	var back []fact.Subject
	first := v.Now()
	for b, r := range of {
		if !r.stopped.IsZero() && r.back.After(r.stopped) && v.Now().Sub(r.stopped) <= restartWindow {
			back = append(back, b)
			if r.stopped.Before(first) {
				first = r.stopped
			}
		}
	}
	sortSubjects(back)
	names := make([]string, len(back))
	for i, b := range back {
		names[i] = b.Name
	}
	switch len(back) {
	case 0:
		return "", ""
	case 1:
		return "restart", fmt.Sprintf("broker %s was stopped on purpose at %s and is back since %s", names[0], clock(of[back[0]].stopped), clock(of[back[0]].back))
	}
	return "rolling-restart", fmt.Sprintf("brokers %s were stopped on purpose since %s, and are back", listed(names), clock(first))
}

// recovery is the brokers that read their logs through after an unclean stop.
func recovery(v *View) (id, text string) {
	var now []string
	for _, b := range fact.LogRecovery.Subjects(v) {
		lines, ok := fact.LogRecovery.Latest(v, b)
		if !ok || lines.Count == 0 || v.Now().Sub(lines.Last) > workLately {
			continue
		}
		started, _ := fact.LogStarted.Latest(v, b)
		if started.Last.Before(lines.Last) {
			now = append(now, fmt.Sprintf("broker %s since %s", b.Name, clock(lines.First)))
		}
	}
	if len(now) == 0 {
		return "", ""
	}
	return "log-recovery", "logs are read through after an unclean stop, and the broker serves when that is done: " + listed(now)
}

// election is leaders that went to their preferred replicas lately, by the metadata
// log on this host, with nobody gone whom they fled from.
func election(v *View) (id, text string) {
	const flight = 30 * time.Second
	view, known := clusterView(v)
	changes, told := Happened(v)
	if !known || !told {
		return "", ""
	}
	left := func(c *fact.Change) bool { // leaders moved because somebody went
		return slices.ContainsFunc(changes.All, func(o fact.Change) bool {
			by := c.At.Sub(o.At)
			return slices.Contains([]string{"broker-fenced", "controlled-shutdown", "broker-unregistered", "reassignment-finished", "log-dir-offline"}, o.Kind) && by > -flight && by < flight
		})
	}
	n, at := 0, time.Time{}
	for i := range changes.All {
		c := &changes.All[i]
		if c.Kind == "leader-changed" && c.Before != "none" && c.After != "none" && !strings.Contains(c.Text, "unclean") && v.Now().Sub(c.At) <= workLately && !left(c) {
			n, at = n+max(1, c.Count), c.At
		}
	}
	if n == 0 || !view.preferred() {
		return "", ""
	}
	return "preferred-election", fmt.Sprintf("the leaders of %s went back to their preferred replicas, last at %s", plural(n, "partition"), clock(at))
}

// preferred says whether every partition with a leader is led by its first replica.
func (c *clusterViewOf) preferred() bool {
	for p := range c.Partition {
		if r := c.Replicas.At(p); c.Leader[p] >= 0 && len(r) > 0 && r[0] != c.Leader[p] {
			return false
		}
	}
	return true
}

// compaction is the brokers of this host whose log cleaners work hard.
func compaction(v *View) (id, text string) {
	var busy []string
	for _, p := range fact.JVMThreadRoles.Subjects(v) {
		of := *v
		of.Subject = p
		if len(of.Past(fact.JVMThreadRoles.Def(), p)) == 0 {
			continue
		}
		if _, by, over, reading := threadsOf(&of, "log-cleaner"); reading == nil && by.Busiest/over >= cleanersWork {
			busy = append(busy, fmt.Sprintf("a log cleaner of broker %s uses %s of a processor", p.Name, percent(by.Busiest/over)))
		}
	}
	if len(busy) == 0 {
		return "", ""
	}
	return "compaction", "compacted topics are caught up with: " + listed(busy)
}

// rebalancedOnce is the groups that rebalanced lately and not again: a deploy, or a
// member that came or went.
func rebalancedOnce(v *View) (id, text string) {
	const most = 2 // leaving and joining are two of one deploy
	var once []string
	for _, g := range fact.GroupState.Subjects(v) {
		of := *v
		of.Subject = g
		state, _ := fact.GroupState.Latest(v, g)
		events, _, _ := rebalancesMet(&of)
		if logged := rebalancesLogged(&of); len(logged) > 0 {
			events = logged
		} else if disk, _, _ := rebalancesOnDisk(&of); len(disk) > 0 {
			events = disk
		}
		if n := len(events); n > 0 && n <= most && stable(state) {
			once = append(once, fmt.Sprintf("%s at %s", g.Name, clock(events[n-1])))
		}
	}
	if len(once) == 0 {
		return "", ""
	}
	return "rebalance", "rebalanced, and stable since: " + listed(once)
}
