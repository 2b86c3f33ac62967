package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Want is which changes are wanted.
type Want struct {
	Since  time.Time // zero: all
	Until  time.Time // zero: all
	Topic  string    // "": all
	Broker int32     // -1: all
	Each   bool      // do not fold

	newest int // look at the newest so many events alone; 0: all
}

// together is how far apart changes may be that are told as one.
const together = 5 * time.Second

// mostParts of a folded change are kept.
const mostParts = 1000

// Changes are what changed, in the order of the log.
func (c *Cluster) Changes(w Want) []Change {
	var all []Change
	open := map[foldKey]*fold{}
	first := 0
	if w.newest > 0 {
		first = max(0, len(c.events)-w.newest)
	}
	for i := first; i < len(c.events); i++ {
		e := &c.events[i]
		at := time.UnixMilli(e.at)
		if at.Before(w.Since) || !w.Until.IsZero() && at.After(w.Until) || !c.wanted(e, w) {
			continue
		}
		one := c.change1(e)
		key := foldKey{e.kind, e.broker}
		which := uint64(uint32(e.topic))<<32 | uint64(uint32(e.partition))
		if f := open[key]; f != nil && !w.Each && e.said == nil && at.Sub(all[f.at].Until) <= together && !f.has[which] {
			all[f.at].join(one)
			f.has[which] = true
			continue
		}
		if e.said == nil && !w.Each {
			open[key] = &fold{len(all), map[uint64]bool{which: true}}
		}
		all = append(all, one)
	}
	for i := range all {
		all[i].sum()
	}
	return all
}

// foldKey is what changes have in common that are told as one.
type foldKey struct {
	kind   Kind
	broker int32
}

// fold is a change that others may join: those of partitions that are not in it,
// for what comes and goes within seconds is to be seen.
type fold struct {
	at  int // index into the changes
	has map[uint64]bool
}

// wanted says whether an event is about a topic or a broker.
func (c *Cluster) wanted(e *event, w Want) bool {
	if w.Topic != "" && (e.topic < 0 || c.topics[e.topic].name != w.Topic) && (e.said == nil || e.said.subject != Subject{"topic", w.Topic}) {
		return false
	}
	if w.Broker < 0 || e.broker == w.Broker {
		return true
	}
	switch {
	case e.said != nil:
		return false
	case e.kind == LeaderChanged || e.kind == UncleanElection:
		return e.before == w.Broker || e.after == w.Broker
	}
	return slices.Contains(c.lists.ids(e.before), w.Broker) != slices.Contains(c.lists.ids(e.after), w.Broker)
}

// change1 is an event as a change.
func (c *Cluster) change1(e *event) Change {
	one := Change{At: time.UnixMilli(e.at).UTC(), Until: time.UnixMilli(e.at).UTC(), Kind: e.kind, Count: 1, Offset: e.offset, through: e.offset, Broker: e.broker}
	if e.topic >= 0 {
		one.Topic = c.topics[e.topic].name
	}
	if e.said != nil {
		one.Subject, one.Before, one.After, one.Text = e.said.subject, e.said.before, e.said.after, e.said.text
		if one.Text == "" {
			one.Text = string(e.kind) + " " + one.Subject.Name
		}
		return one
	}
	one.Subject = Subject{"partition", one.Topic + "-" + strconv.Itoa(int(e.partition))}
	if e.kind == LeaderChanged || e.kind == UncleanElection {
		one.Before, one.After = nodeText(e.before), nodeText(e.after)
	} else {
		one.Before, one.After = idText(c.lists.ids(e.before)), idText(c.lists.ids(e.after))
	}
	one.Text = fmt.Sprintf("%s of %s: %s, before %s", what[e.kind], one.Subject.Name, orNone(one.After), orNone(one.Before))
	return one
}

// what a kind of change of a partition is about.
var what = map[Kind]string{LeaderChanged: "leader", UncleanElection: "unclean election, leader", ISRShrunk: "ISR shrank, ISR", ISRExpanded: "ISR grew, ISR",
	ReassignmentStarted: "reassignment to other replicas, replicas", ReassignmentFinished: "reassignment finished, replicas"}

// nodeText is a node id; "none" for none.
func nodeText(id int32) string {
	if id < 0 {
		return "none"
	}
	return strconv.Itoa(int(id))
}

// join adds a change to those that are told as one.
func (a *Change) join(b Change) {
	if a.Count == 1 {
		a.Parts = []Change{*a}
	}
	a.Count++
	a.Until, a.through = b.Until, b.through
	if len(a.Parts) < mostParts {
		a.Parts = append(a.Parts, b)
	}
}

// sum says what the several have in common.
func (a *Change) sum() {
	if a.Count == 1 {
		a.Until = time.Time{}
		return
	}
	for i := range a.Parts {
		a.Parts[i].Until = time.Time{}
	}
	whose := "cluster"
	a.Subject = Subject{"cluster", ""}
	if a.Broker >= 0 {
		whose = "broker " + strconv.Itoa(int(a.Broker))
		a.Subject = Subject{"broker", strconv.Itoa(int(a.Broker))}
	}
	if topic := a.Parts[0].Topic; !slices.ContainsFunc(a.Parts, func(p Change) bool { return p.Topic != topic }) && a.Count <= len(a.Parts) {
		a.Topic = topic
	} else {
		a.Topic = ""
	}
	a.Before, a.After = common(a.Parts, func(p Change) string { return p.Before }), common(a.Parts, func(p Change) string { return p.After })
	n := countOf(a.Count, "partition")
	switch a.Kind {
	case LeaderChanged:
		a.Text = fmt.Sprintf("leader of %s: %s, before %s", n, a.After, a.Before)
	case UncleanElection:
		a.Text = fmt.Sprintf("unclean election of a leader for %s: %s, before %s", n, a.After, a.Before)
	case ISRShrunk:
		a.Text = fmt.Sprintf("%s fell out of the ISR of %s", whose, n)
	case ISRExpanded:
		a.Text = fmt.Sprintf("%s came back into the ISR of %s", whose, n)
	case ReassignmentStarted:
		a.Text = fmt.Sprintf("reassignment of %s began", n)
	case ReassignmentFinished:
		a.Text = fmt.Sprintf("reassignment of %s finished", n)
	}
	if a.Topic != "" {
		a.Text += " of topic " + a.Topic
	}
}

// common are the distinct values of the parts, or "various".
func common(parts []Change, of func(Change) string) string {
	var seen []string
	for _, p := range parts {
		if s := orNone(of(p)); !slices.Contains(seen, s) {
			seen = append(seen, s)
		}
		if len(seen) > 5 {
			return "various"
		}
	}
	slices.Sort(seen)
	return strings.Join(seen, " or ")
}
