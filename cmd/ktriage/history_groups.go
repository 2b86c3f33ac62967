package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/tui/text"
)

// toldGroups is what the logs of coordinators told; the zero value is nothing.
type toldGroups struct {
	groups       *history.Groups
	transactions *history.Transactions
	elsewhere    string // where the group that was asked for is
	cut          []string
}

type jsonCoordinators struct {
	Coordinators []history.Reading      `json:"coordinators"`
	Groups       []*history.Group       `json:"groups"`
	Transactions []*history.Transaction `json:"transactions"`
	Elsewhere    string                 `json:"group_elsewhere,omitempty"`
}

// coordinators reads what some log dirs have of groups and transactions, and adds
// what befell them to the changes. Where there is no metadata log, how far back
// that goes is counted from their own newest record.
func (s *settings) coordinators(ctx context.Context, t *probe.Target, h *toldHistory, want history.Want, dirs []string) {
	g, cluster := &h.groups, h.cluster()
	var err error
	o := history.CoordinatorOptions{Group: h.as.group, At: h.as.then, Rate: 200e6, Retention: s.offsetsRetention(t), Whole: h.as.group != ""}
	if h.as.group != "" {
		cluster.PartitionsOf(history.OffsetsTopic, func(*history.Partition) bool { o.Partitions++; return true })
	}
	if g.groups, err = history.ReadGroups(ctx, t, dirs, o); err != nil {
		g.cut = append(g.cut, oneLine(err.Error()))
	}
	g.groups.Compare(cluster)
	if h.as.group == "" {
		if g.transactions, err = history.ReadTransactions(ctx, t, dirs, o); err != nil {
			g.cut = append(g.cut, oneLine(err.Error()))
		}
	}
	if _, last := g.span(); h.Log == nil && h.as.since > 0 && !last.IsZero() {
		want.Since = last.Add(-h.as.since)
	}
	h.changes = append(h.changes, ofGroup(g.groups.Changes(want), h.as.group)...)
	if g.transactions != nil {
		now := h.now
		if !h.as.then.IsZero() {
			now = h.as.then
		}
		h.changes = append(h.changes, g.transactions.Changes(want, now)...)
	} else if g.groups.Named(h.as.group) == nil {
		g.elsewhere = whereGroup(h.as.group, cluster, g.groups.Partitions, o.Partitions)
	}
	slices.SortStableFunc(h.changes, func(a, b history.Change) int { return a.At.Compare(b.At) })
}

// span is from when to when the records are that were read; zero: none were.
func (g *toldGroups) span() (first, last time.Time) {
	for _, r := range g.readings() {
		if !r.First.IsZero() && (first.IsZero() || r.First.Before(first)) {
			first = r.First
		}
		if r.Last.After(last) {
			last = r.Last
		}
	}
	return first, last
}

func ofGroup(all []history.Change, group string) []history.Change {
	return slices.DeleteFunc(all, func(c history.Change) bool { return group != "" && c.Subject.Name != group })
}

// whereGroup says why nothing is known here of a group.
func whereGroup(group string, c *history.Cluster, here []int32, partitions int) string {
	n := history.CoordinatorPartition(group, partitions)
	if n < 0 {
		return fmt.Sprintf("nothing of group %s is on this node, and how many partitions %s has is not known", group, history.OffsetsTopic)
	}
	if slices.Contains(here, n) {
		return fmt.Sprintf("group %s has neither committed nor formed in what its partition of %s (%d) holds", group, history.OffsetsTopic, n)
	}
	on := "nobody knows which brokers have it"
	c.PartitionsOf(history.OffsetsTopic, func(p *history.Partition) bool {
		if p.Partition == n {
			on = "brokers " + idsText(p.Replicas) + " have it"
			if len(p.Replicas) == 1 {
				on = "broker " + idsText(p.Replicas) + " has it"
			}
			if p.Leader < 0 {
				on += ", and none leads it"
			} else {
				on += fmt.Sprintf(", broker %d leads it", p.Leader)
			}
		}
		return true
	})
	return fmt.Sprintf("group %s's partition of %s (%d) is not on this node; %s", group, history.OffsetsTopic, n, on)
}

// coordinatorDirs are the log dirs that partitions of coordinators may be in.
func (s *settings) coordinatorDirs(ctx context.Context, t *probe.Target, metadata string, paths []string) ([]string, error) {
	if len(paths) == 0 {
		return s.ownLogDirs(ctx, t)
	}
	var dirs []string
	for _, path := range append(slices.Clone(paths), metadata) {
		if strings.HasPrefix(filepath.Base(filepath.Clean(path)), "__cluster_metadata") {
			path = filepath.Dir(filepath.Clean(path))
		}
		if path = filepath.Clean(path); !slices.Contains(dirs, path) {
			dirs = append(dirs, path)
		}
	}
	return dirs, nil
}

// offsetsRetention is what this host's broker has configured; 0: not known.
func (s *settings) offsetsRetention(t *probe.Target) time.Duration {
	for _, set := range s.configured(t) {
		if n, err := strconv.Atoi(cmp.Or(set["offsets.retention.minutes"], "10080")); err == nil && n > 0 {
			return time.Duration(min(n, 100*365*24*60)) * time.Minute // more is no time.Duration
		}
	}
	return 0
}

// readings are how much of which topic was read.
func (g *toldGroups) readings() []history.Reading {
	all := []history.Reading{}
	if g.groups != nil {
		all = append(all, g.groups.Reading)
	}
	if g.transactions != nil {
		all = append(all, g.transactions.Reading)
	}
	return all
}

// broken says whether not all could be read.
func (g *toldGroups) broken() bool {
	return len(g.cut) > 0 || slices.ContainsFunc(g.readings(), func(r history.Reading) bool { return len(r.Damage)+len(r.Unreachable) > 0 })
}

func (g *toldGroups) json() jsonCoordinators {
	j := jsonCoordinators{g.readings(), []*history.Group{}, []*history.Transaction{}, g.elsewhere}
	for i := range j.Coordinators {
		r := &j.Coordinators[i]
		r.Damage = append(slices.Clone(r.Damage), g.cut...)
	}
	if g.groups != nil {
		j.Groups = append(j.Groups, g.groups.All()...)
	}
	if g.transactions != nil {
		j.Transactions = append(j.Transactions, g.transactions.All()...)
	}
	return j
}

// notes says what of it was not read.
func (g *toldGroups) notes(b *strings.Builder) {
	for _, r := range g.readings() {
		for _, d := range r.Damage {
			b.WriteString(text.Wrap("  damaged: ", "    ", d))
		}
		for _, d := range r.Unreachable {
			b.WriteString(text.Wrap("  not read: ", "    ", oneLine(d)))
		}
		if r.Partial {
			b.WriteString(text.Wrap("  ", "  ", fmt.Sprintf("of %s the newest %d MiB were read", r.Topic, r.Bytes>>20)))
		}
		if n := r.Unknown + r.Newer; n > 0 {
			b.WriteString(text.Wrap("  ", "  ", fmt.Sprintf("%d records of %s are of a newer Kafka and were passed over", n, r.Topic)))
		}
		if r.Undecoded > 0 {
			b.WriteString(text.Wrap("  ", "  ", fmt.Sprintf("%d records of %s could not be decoded", r.Undecoded, r.Topic)))
		}
		if r.Left > 0 {
			b.WriteString(text.Wrap("  ", "  ", fmt.Sprintf("%d records of %s were left out: there are too many groups, offsets or open transactions", r.Left, r.Topic)))
		}
	}
	for _, c := range g.cut {
		b.WriteString(text.Wrap("  not read to the end: ", "    ", c))
	}
}

// text says how the group that was asked for stands.
func (g *toldGroups) text(b *strings.Builder, a *asHistory) {
	if a.group == "" || g.groups == nil {
		return
	}
	one := g.groups.Named(a.group)
	if one == nil {
		b.WriteString("\n" + text.Wrap("", "  ", text.Clean(g.elsewhere)))
		return
	}
	b.WriteString("\n" + text.Wrap("", "  ", text.Clean(groupText(one))))
	for _, m := range one.Members {
		b.WriteString(text.Wrap("  ", "    ", text.Clean(fmt.Sprintf("member %s of %s: %s", m.Client, m.Host, m.ID))))
	}
	listed := 0
	for _, o := range one.Offsets {
		if a.topic != "" && o.Topic != a.topic {
			continue
		}
		if listed++; listed > mostListed && !a.each {
			continue
		}
		b.WriteString(text.Wrap("  ", "    ", text.Clean(offsetText(o))))
	}
	if listed > mostListed && !a.each {
		fmt.Fprintf(b, "  and %d more: --each\n", listed-mostListed)
	}
}

// groupText is a group in a sentence.
func groupText(g *history.Group) string {
	kind := cmp.Or(map[string]string{"share": "Share group", "streams": "Streams group"}[g.Type], "Group")
	said := fmt.Sprintf("%s %s (partition %d of %s)", kind, g.Name, g.Partition, history.OffsetsTopic)
	switch {
	case g.State == history.GroupDead:
		return said + " was deleted at " + stampText(g.Deleted)
	case g.State == history.GroupEmpty:
		said += " has no members since " + stampText(g.Emptied)
	case g.State == history.GroupStable:
		said += " has " + some(len(g.Members), "member")
	}
	if g.Generation >= 0 {
		word := "generation"
		if g.Type != "classic" {
			word = "epoch"
		}
		said += fmt.Sprintf(", %s %d since %s, %s in what was read", word, g.Generation, stampText(g.Since), some(g.Rebalances, "rebalance"))
	}
	if g.Commits == 0 {
		return said + ", no commit"
	}
	return said + fmt.Sprintf(", %s, the last at %s", some(int(g.Commits), "commit"), stampText(g.LastCommit))
}

// offsetText is a committed offset in a line.
func offsetText(o *history.Offset) string {
	said := fmt.Sprintf("%s-%d: ", o.Topic, o.Partition)
	if !o.Gone.IsZero() {
		return said + "nothing is committed since " + stampText(o.Gone)
	}
	said += fmt.Sprintf("%d, committed %s", o.Offset, stampText(o.At))
	if rate, over := o.Rate(); rate >= 0 {
		said += fmt.Sprintf(", %.4g records/s over %s", rate, over.Round(time.Second))
	}
	if !o.Moved.Equal(o.At) {
		said += ", the same since " + stampText(o.Moved)
	}
	if !o.Rewound.IsZero() {
		said += fmt.Sprintf(", went back from %d to %d at %s", o.From, o.To, stampText(o.Rewound))
	}
	if o.Stale {
		said += "; it is of an earlier topic of that name"
	}
	return said
}
