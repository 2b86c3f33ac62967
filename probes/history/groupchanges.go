package history

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// How far apart changes of a group may be that are told as one: of offsets, and
// of generations, which make a storm.
const stormy = 5 * time.Minute

// frozenAfter is how long an offset that moved must stand still, counted up to
// the newest record, before that is told.
const frozenAfter = 5 * time.Minute

// steady is how often an offset must have moved for its standing still to be
// worth a word.
const steady = 3

// groupKey is what changes of groups have in common that are told as one.
type groupKey struct {
	kind  Kind
	group *Group
}

// Changes are what changed in the groups, in order of time. That a group commits
// is none; what befell it and its offsets is.
func (g *Groups) Changes(w Want) []Change {
	all := []Change{}
	if w.Broker >= 0 {
		return all
	}
	open := map[groupKey]int{}
	for i := range g.events {
		e := &g.events[i]
		if !wantedAt(time.UnixMilli(e.at), w) || w.Topic != "" && (e.of == nil || e.of.Topic != w.Topic) {
			continue
		}
		one := e.change()
		if e.kind == GroupDeleted && !w.Each {
			all = withOffsets(all, &one, e, open)
		}
		key, near := groupKey{e.kind, e.group}, together
		switch e.kind {
		case GenerationChanged:
			near = stormy
		case OffsetsExpired, OffsetsDeleted:
			near = 0 // what goes together goes in one batch
		}
		if at, ok := open[key]; ok && !w.Each && e.kind != GroupDeleted && one.At.Sub(all[at].Until) <= near {
			all[at].join(one)
			continue
		}
		open[key] = len(all)
		all = append(all, one)
	}
	all = append(all, g.frozen(w)...)
	for i := range all {
		all[i].sumGroup()
	}
	slices.SortStableFunc(all, func(a, b Change) int { return a.At.Compare(b.At) })
	return all
}

func wantedAt(at time.Time, w Want) bool {
	return !at.Before(w.Since) && (w.Until.IsZero() || !at.After(w.Until))
}

// withOffsets takes into the end of a group the end of its offsets, which Kafka
// writes just before it.
func withOffsets(all []Change, one *Change, e *groupEvent, open map[groupKey]int) []Change {
	for _, kind := range []Kind{OffsetsExpired, OffsetsDeleted} {
		at, ok := open[groupKey{kind, e.group}]
		if !ok || at != len(all)-1 || !one.At.Equal(all[at].At) {
			continue
		}
		ends := all[at]
		word := "with its offsets"
		if kind == OffsetsExpired {
			word = "as its offsets expired"
		}
		one.Text = fmt.Sprintf("%s, %s of %s", one.Text, word, countOf(ends.Count, "partition"))
		delete(open, groupKey{kind, e.group})
		return all[:at]
	}
	return all
}

// change is an event as a change.
func (e *groupEvent) change() Change {
	at := time.UnixMilli(e.at).UTC()
	c := Change{At: at, Until: at, Kind: e.kind, Subject: Subject{"group", e.group.Name}, Count: 1, Offset: e.offset, Broker: -1, Before: numberText(e.before), After: numberText(e.after)}
	if e.of != nil {
		c.Topic, c.Partition = e.of.Topic, e.of.Topic+"-"+strconv.Itoa(int(e.of.Partition))
	}
	switch e.kind {
	case OffsetRewound:
		c.Text = fmt.Sprintf("group %s: committed offset of %s went back from %d to %d", e.group.Name, c.Partition, e.before, e.after)
		if e.another {
			c.Text += ": a new topic of that name"
		}
	case OffsetsExpired, OffsetsDeleted:
		c.doubt = !e.sure
		c.Text = fmt.Sprintf("group %s: committed offset of %s %s", e.group.Name, c.Partition, e.endText())
		if e.before >= 0 {
			c.Text += fmt.Sprintf(", it was %d", e.before)
		}
	case GenerationChanged:
		word := "generation"
		if e.group.Type != "classic" {
			word = "epoch"
		}
		c.Text = fmt.Sprintf("group %s rebalanced: %s %d", e.group.Name, word, e.after)
		if e.group.Type == "classic" { // the new protocol writes members afterwards
			c.Text += ", " + countOf(e.members, "member")
		}
	case GroupDeleted:
		c.Text = "group " + e.group.Name + " was deleted"
	}
	return c
}

// endText says how a committed offset came to its end.
func (e *groupEvent) endText() string {
	switch {
	case e.kind == OffsetsDeleted:
		return "was deleted"
	case e.sure:
		return "expired"
	case e.age < 0:
		return "expired or was deleted"
	}
	return fmt.Sprintf("expired or was deleted, %s after it was last used", e.age.Round(time.Second))
}

func numberText(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// frozen tells of offsets that moved and then stood still up to the end of what
// was read: the group is stuck, or there is nothing more to read.
func (g *Groups) frozen(w Want) []Change {
	var all []Change
	for _, one := range g.All() {
		at := len(all)
		for _, o := range one.Offsets {
			if !o.still(g.Last) || !wantedAt(o.Moved, w) || w.Topic != "" && o.Topic != w.Topic {
				continue
			}
			name := o.Topic + "-" + strconv.Itoa(int(o.Partition))
			c := Change{At: o.Moved, Until: o.Moved, Kind: OffsetsFrozen, Subject: Subject{"group", one.Name}, Count: 1, Broker: -1, Before: numberText(o.Offset), After: numberText(o.Offset), Topic: o.Topic, Partition: name, Offset: -1}
			c.Text = fmt.Sprintf("group %s: committed offset of %s stands still at %d since then", one.Name, name, o.Offset)
			if len(all) == at || w.Each {
				all = append(all, c)
				continue
			}
			all[at].join(c)
			if c.At.Before(all[at].At) {
				all[at].At = c.At
			}
		}
	}
	return all
}

// still says whether an offset moved and then stood still up to a time, while its
// group had members or none that are known.
func (o *Offset) still(until time.Time) bool {
	return o.group.State != GroupDead && o.group.State != GroupEmpty && o.Gone.IsZero() && o.moves >= steady && until.Sub(o.Moved) >= frozenAfter
}

// partitionsText is how many different partitions changes are of.
func partitionsText(parts []Change, topic string) string {
	seen := map[string]bool{}
	for i := range parts {
		seen[parts[i].Partition] = true
	}
	text := countOf(len(seen), "partition")
	if len(parts) >= mostParts {
		text = "many partitions"
	}
	if topic != "" {
		text += " of topic " + topic
	}
	return text
}

func timesText(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// sumGroup says what several changes of a group have in common.
func (a *Change) sumGroup() {
	if a.Count == 1 {
		a.Until = time.Time{}
		return
	}
	for i := range a.Parts {
		a.Parts[i].Until = time.Time{}
	}
	first, last := a.Parts[0], a.Parts[len(a.Parts)-1]
	who := "group " + a.Subject.Name
	if slices.ContainsFunc(a.Parts, func(p Change) bool { return p.Topic != first.Topic }) {
		a.Topic = ""
	}
	a.Partition = ""
	of := partitionsText(a.Parts, a.Topic)
	switch a.Kind {
	case OffsetRewound:
		a.Before, a.After = common(a.Parts, func(p Change) string { return p.Before }), common(a.Parts, func(p Change) string { return p.After })
		a.Text = fmt.Sprintf("%s: committed offsets went back %s, in %s", who, timesText(a.Count), of)
	case OffsetsExpired, OffsetsDeleted:
		a.Before, a.After = common(a.Parts, func(p Change) string { return p.Before }), ""
		word := "were deleted"
		if a.Kind == OffsetsExpired {
			word = "expired"
			if slices.ContainsFunc(a.Parts, func(p Change) bool { return p.doubt }) {
				word = "expired or were deleted"
			}
		}
		a.Text = fmt.Sprintf("%s: committed offsets of %s %s", who, of, word)
	case GenerationChanged:
		a.Before, a.After = first.Before, last.After
		a.Text = fmt.Sprintf("%s rebalanced %s within %s: from %s to %s", who, timesText(a.Count), a.Until.Sub(a.At).Round(time.Second), orNone(a.Before), orNone(a.After))
	case OffsetsFrozen:
		a.Before, a.After = common(a.Parts, func(p Change) string { return p.Before }), common(a.Parts, func(p Change) string { return p.After })
		a.Text = fmt.Sprintf("%s: committed offsets of %s stand still since then", who, of)
	}
}
