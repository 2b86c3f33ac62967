package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	groupsAtOnce = 500   // named in one request
	groupsAtMost = 10000 // looked at in a round
)

// Groups asks every broker for the groups that it coordinates, and describes
// them where they are: no coordinator is looked up, and no group is joined.
var Groups = &probe.Probe{
	Name: "kafka.groups", Doc: "groups with state, members and their partitions, generation and coordinator",
	Cost: probe.Cheap, Every: 5 * time.Second,
	Yields:  []fact.Key{fact.Groups, fact.GroupState, fact.GroupType, fact.GroupGeneration, fact.GroupMembers, fact.GroupRoster, fact.GroupCoordinator},
	Observe: observeGroups,
}

// listing is a group as its coordinator lists it.
type listing struct {
	state, kind string
	coordinator string // name of the peer
}

func observeGroups(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	seen, err := r.each(ctx, "kafka.groups", r.observeGroupsOf, func(p *peer, because *fact.Unknown) (seen []fact.Observation) {
		ids, _ := r.groupsOf(p)
		for _, id := range ids {
			seen = append(seen, groupUnknown(id, because)...)
		}
		return seen
	})
	if !r.haveListed() {
		return nil, err
	}
	return append(seen, fact.Groups.Is(fact.TheCluster, r.groupIDs())), err
}

// haveListed says whether any broker ever listed its groups.
func (r *roster) haveListed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.listed
}

// groupIDs is every group last listed, sorted. A group whose coordinator does
// not answer now is still one of them.
func (r *roster) groupIDs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, slices.Sorted(maps.Keys(r.groups))...)
}

// groupsOf is the groups that a broker last listed, sorted, with their kinds.
func (r *roster) groupsOf(p *peer) (ids []string, listed map[string]listing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	listed = map[string]listing{}
	for id, g := range r.groups {
		if g.coordinator == p.name {
			listed[id] = g
		}
	}
	return slices.Sorted(maps.Keys(listed)), listed
}

func (r *roster) observeGroupsOf(ctx context.Context, p *peer) ([]fact.Observation, error) {
	got, err := r.ask(ctx, p, kmsg.NewPtrListGroupsRequest())
	if err == nil {
		err = refusal(p, "ListGroups", got.(*kmsg.ListGroupsResponse).ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	left := r.list(p, got.(*kmsg.ListGroupsResponse))
	ids, listed := r.groupsOf(p)
	seen, err := r.describe(ctx, p, ids, listed)
	if err == nil && left > 0 {
		err = probe.Fail(fact.NotAskedFor, fmt.Sprintf("%s coordinates %d groups, %d of them were not looked at", p, len(ids)+left, left), "")
	}
	return seen, err
}

// list remembers what a broker listed in place of what it listed before: the
// first groups by id, as far as there is room for them. It returns how many
// more there are.
func (r *roster) list(p *peer, answer *kmsg.ListGroupsResponse) (left int) {
	slices.SortFunc(answer.Groups, func(a, b kmsg.ListGroupsResponseGroup) int { return strings.Compare(a.Group, b.Group) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed = true
	for id, g := range r.groups {
		if g.coordinator == p.name {
			delete(r.groups, id)
		}
	}
	for i, g := range answer.Groups {
		if _, known := r.groups[g.Group]; len(r.groups) >= groupsAtMost && !known {
			return len(answer.Groups) - i
		}
		kind := strings.ToLower(g.GroupType)
		if kind == "" { // before Kafka 3.8
			kind = "classic"
		}
		r.groups[g.Group] = listing{g.GroupState, kind, p.name}
	}
	return 0
}

// describe tells of groups what their coordinator says.
func (r *roster) describe(ctx context.Context, p *peer, ids []string, listed map[string]listing) (seen []fact.Observation, err error) {
	byKind := map[string][]string{}
	for _, id := range ids {
		byKind[listed[id].kind] = append(byKind[listed[id].kind], id)
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		for some := range slices.Chunk(byKind[kind], groupsAtOnce) {
			told, failure := r.describeSome(ctx, p, kind, some)
			if failure != nil {
				err = failure
			}
			for _, id := range some {
				seen = append(seen, groupSeen(p, id, listed[id], told[id], failure)...)
			}
		}
	}
	return seen, err
}

// description is what the coordinator says of one group.
type description struct {
	state      string
	members    int
	generation float64 // -1: not told
	roster     fact.Roster
	err        error
}

// describeSome asks for groups of one kind. Kinds that can only be listed give no
// description and no error.
func (r *roster) describeSome(ctx context.Context, p *peer, kind string, ids []string) (map[string]description, error) {
	told := map[string]description{}
	switch kind {
	case "classic":
		request := kmsg.NewPtrDescribeGroupsRequest()
		request.Groups = ids
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		for _, g := range got.(*kmsg.DescribeGroupsResponse).Groups {
			told[g.Group] = description{g.State, len(g.Members), -1, classicRoster(g), refusal(p, "DescribeGroups", g.ErrorCode)}
		}
	case "consumer":
		request := kmsg.NewPtrConsumerGroupDescribeRequest()
		request.Groups = ids
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		for _, g := range got.(*kmsg.ConsumerGroupDescribeResponse).Groups {
			told[g.Group] = description{g.State, len(g.Members), float64(g.Epoch), consumerRoster(g), refusal(p, "ConsumerGroupDescribe", g.ErrorCode)}
		}
	case "share":
		request := kmsg.NewPtrShareGroupDescribeRequest()
		request.GroupIDs = ids
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		for _, g := range got.(*kmsg.ShareGroupDescribeResponse).Groups {
			told[g.GroupID] = description{g.GroupState, len(g.Members), float64(g.GroupEpoch), shareRoster(g), refusal(p, "ShareGroupDescribe", g.ErrorCode)}
		}
	case "streams":
		request := kmsg.NewPtrStreamsGroupDescribeRequest()
		request.Groups = ids
		got, err := r.ask(ctx, p, request)
		if err != nil {
			if probe.Because(err).Reason == fact.Absent {
				err = nil // it lists them, and does not describe them
			}
			return told, err
		}
		for _, g := range got.(*kmsg.StreamsGroupDescribeResponse).Groups {
			told[g.Group] = description{g.State, len(g.Members), float64(g.Epoch), streamsRoster(g), refusal(p, "StreamsGroupDescribe", g.ErrorCode)}
		}
	}
	return told, nil
}

// groupSeen is the facts of one group. failure is why its kind could not be
// described at all.
func groupSeen(p *peer, id string, l listing, d description, failure error) []fact.Observation {
	s := fact.Subject{Scope: fact.Group, Name: id}
	seen := []fact.Observation{fact.GroupType.Is(s, l.kind)}
	if p.id >= 0 {
		seen = append(seen, fact.GroupCoordinator.Is(s, float64(p.id)))
	} else {
		seen = append(seen, fact.GroupCoordinator.Unknown(s, &fact.Unknown{Reason: fact.NotObserved, Detail: p.String() + " does not say which broker it is"}))
	}
	if d.err != nil {
		failure = d.err
	}
	if d.state == "Dead" && l.state != "" && l.state != "Dead" {
		// So a broker speaks of a group of a kind that the request is not for:
		// its members were not counted.
		failure = probe.Fail(fact.NotSupported, fmt.Sprintf("%s lists the group as %s and describes it as Dead: it may be of another kind than %s", p, l.state, l.kind), "")
	}
	state := d.state
	if failure != nil || state == "" {
		state = l.state // the list says it too, from Kafka 2.6 on
	}
	if state != "" {
		seen = append(seen, fact.GroupState.Is(s, state))
	} else {
		seen = append(seen, fact.GroupState.Unknown(s, probe.Because(failure)))
	}
	switch {
	case failure != nil:
		because := probe.Because(failure)
		return append(seen, fact.GroupMembers.Unknown(s, because), fact.GroupRoster.Unknown(s, because), fact.GroupGeneration.Unknown(s, because))
	case d.state == "":
		because := &fact.Unknown{Reason: fact.NotSupported, Detail: "members of a " + l.kind + " group are not read"}
		return append(seen, fact.GroupMembers.Unknown(s, because), fact.GroupRoster.Unknown(s, because), fact.GroupGeneration.Unknown(s, because))
	}
	seen = append(seen, fact.GroupMembers.Is(s, float64(d.members)), fact.GroupRoster.Is(s, d.roster))
	if d.generation < 0 {
		because := &fact.Unknown{Reason: fact.NotSupported, Detail: "Kafka does not tell the generation of a classic group"}
		return append(seen, fact.GroupGeneration.Unknown(s, because))
	}
	return append(seen, fact.GroupGeneration.Is(s, d.generation))
}

func groupUnknown(id string, because *fact.Unknown) []fact.Observation {
	s := fact.Subject{Scope: fact.Group, Name: id}
	return []fact.Observation{fact.GroupState.Unknown(s, because), fact.GroupType.Unknown(s, because), fact.GroupGeneration.Unknown(s, because),
		fact.GroupMembers.Unknown(s, because), fact.GroupRoster.Unknown(s, because), fact.GroupCoordinator.Unknown(s, because)}
}
