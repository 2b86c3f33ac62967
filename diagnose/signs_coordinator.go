package diagnose

import (
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of where a group's commits go: its partition of __consumer_offsets, whose
// leader is its coordinator.

// offsetsTopic is where groups and their commits are written, by all versions.
const offsetsTopic = "__consumer_offsets"

var commitsNowhere = &Sign{
	ID: "commits-cannot-be-written", Title: "its coordinator cannot write", On: fact.Group, Leak: 0.001,
	Doc:   "The partition of __consumer_offsets that the group's name is hashed to has no leader, or fewer replicas in sync than its minimum: commits fail, and so does every rebalance, for this group and all others of that partition, and for no other. Or its coordinator answers here, and is advertised at an address that leads nowhere: that is where its members are sent.",
	Needs: []fact.Key{fact.GroupState, fact.Metadata},
	Uses:  []fact.Key{fact.Configs, fact.BrokerReach},
	Test: func(v *View) Reading {
		if state, _ := fact.GroupState.Latest(v, v.Subject); state == "Dead" {
			return notApplicable("it is no more")
		}
		view, _ := clusterView(v)
		p := view.homeOf(v.Subject.Name)
		if p < 0 {
			return notApplicable("no " + offsetsTopic)
		}
		need, told := minISROf(v, offsetsTopic)
		name := fmt.Sprintf("%s %d", offsetsTopic, view.Partition[p])
		isr := len(view.ISR.At(p))
		r := yes("")
		switch need = min(need, len(view.Replicas.At(p))); {
		case view.Leader[p] < 0:
			r.Text = "its commits go to " + name + ", which has no leader"
		case told && isr < need:
			r.Text = fmt.Sprintf("its commits go to %s, of which %d of the %d replicas that it needs are in sync", name, isr, need)
		case !told && isr < len(view.Replicas.At(p)):
			return cannotTell(v.Why(fact.Configs, fact.TheCluster))
		default:
			if r, nowhere := ledNowhere(v, view.Leader[p]); nowhere {
				return r
			}
			return no("%s, where its commits go, is led by broker %d with %s in sync", name, view.Leader[p], plural(isr, "replica"))
		}
		r.Blames = append([]fact.Subject{fact.TheCluster}, view.lacking([]int{p})...)
		return r
	},
}

// ledNowhere is a reading of a coordinator that answers, and whose advertised address
// does not: members ask any broker for it, and are sent there.
func ledNowhere(v *View, leader int32) (r Reading, nowhere bool) {
	reach, known := fact.BrokerReach.Latest(v, fact.BrokerOf(leader))
	if !known || reach.Outcome != fact.Answered || reach.Own == nil || reach.Own.Outcome == fact.Answered {
		return r, false
	}
	r = yes("its coordinator is broker %d, and members are sent to %s, which is %s from here", leader, reach.Own.Address, reach.Own.Outcome)
	r.Blames = []fact.Subject{fact.BrokerOf(leader)}
	return r, true
}

// minISROf is min.insync.replicas of a topic; told is false where it is not known.
func minISROf(v *View, topic string) (need int, told bool) {
	configs, _ := fact.Configs.Latest(v, fact.TheCluster)
	if i := slices.Index(configs.Topics, topic); i >= 0 {
		return int(configs.MinISR[i]), true
	}
	return 0, false
}

// homeOf is the partition that a group's commits go to, as an index; -1: the cluster
// has none, or not all of them are known.
func (c *clusterViewOf) homeOf(group string) int {
	if len(c.offsets) == 0 {
		return -1
	}
	number := homeAmong(group, len(c.offsets))
	for _, p := range c.offsets {
		if c.Partition[p] == number {
			return p
		}
	}
	return -1
}

// groupsAt is the groups, of those that are known, whose commits go to some
// partitions.
func (c *clusterViewOf) groupsAt(v *View, partitions []int) (names []string) {
	if !slices.ContainsFunc(partitions, func(p int) bool { return slices.Contains(c.offsets, p) }) {
		return nil
	}
	for _, g := range fact.GroupState.Subjects(v) {
		if slices.Contains(partitions, c.homeOf(g.Name)) {
			names = append(names, g.Name)
		}
	}
	return names
}

// cutOff is the words for groups whose commits fail; empty for none.
func cutOff(groups []string) string {
	switch len(groups) {
	case 0:
		return ""
	case 1:
		return "; group " + groups[0] + " cannot commit"
	}
	return "; groups " + listed(groups) + " cannot commit"
}

// homeAmong is the number of the partition of __consumer_offsets that a group's name
// is hashed to, of so many: Java's String.hashCode without its sign.
func homeAmong(group string, partitions int) int32 {
	h := int32(0)
	for _, unit := range utf16.Encode([]rune(group)) {
		h = 31*h + int32(unit)
	}
	if h < 0 {
		h = max(0, -h) // the smallest number has no counterpart
	}
	return h % int32(partitions)
}
