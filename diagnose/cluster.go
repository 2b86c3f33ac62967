package diagnose

import (
	"maps"
	"slices"
	"sort"
	"strconv"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// cluster is who is there, as the newest facts say.
func (s *Session) cluster() ClusterState {
	v := &View{history: s.history, reads: map[*fact.Def]bool{}}
	c := ClusterState{Controller: -1, Partitions: -1, Groups: -1}
	if q, ok := fact.QuorumState.Latest(v, fact.TheCluster); ok {
		c.Mode, c.Controller = "kraft", q.Leader
	}
	if view, ok := clusterView(v); ok {
		c.ID = view.ClusterID
		c.Partitions = len(view.Partition)
	}
	if groups, ok := fact.Groups.Latest(v, fact.TheCluster); ok {
		c.Groups = len(groups)
	}
	c.Local, _ = localBrokers(v)
	for _, l := range c.Local {
		if c.Mode == "" && l.Roles != "" {
			c.Mode = "kraft"
		}
	}
	for _, b := range fact.BrokerSoftware.Subjects(v) {
		if version, ok := fact.BrokerSoftware.Latest(v, b); ok && newer(version, c.Version) {
			c.Version = version
		}
	}
	c.Brokers = brokerStates(v)
	return c
}

// brokerStates is every broker known of, with the address it was last seen at.
func brokerStates(v *View) []BrokerState {
	byID := map[int32]*BrokerState{}
	at := func(id int32) *BrokerState {
		if byID[id] == nil {
			byID[id] = &BrokerState{ID: id}
		}
		return byID[id]
	}
	for _, s := range knownBrokers(v) {
		id, err := strconv.Atoi(s.Name)
		if err != nil {
			continue
		}
		b := at(int32(id))
		if reach, ok := fact.BrokerReach.Latest(v, s); ok {
			b.Reachable = reach.Outcome == fact.Answered
		}
	}
	place := func(a fact.BrokerAddress) {
		b := at(a.ID)
		b.Host, b.Port, b.Rack = a.Host, a.Port, a.Rack
	}
	if all, ok := fact.Registered.Latest(v, fact.TheCluster); ok {
		for _, r := range all {
			place(r.BrokerAddress)
		}
	}
	if last := lastSeen(v); last != nil {
		for _, b := range last.Brokers {
			place(b.BrokerAddress)
		}
	}
	if view, ok := clusterView(v); ok {
		for _, b := range view.Brokers {
			place(b)
		}
	}
	all := make([]BrokerState, 0, len(byID))
	for _, b := range byID {
		all = append(all, *b)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}

// knownBrokers is every broker that anything speaks of, live or not, sorted.
// Controllers that are no brokers are not among them.
func knownBrokers(v *View) []fact.Subject {
	var all []fact.Subject
	note := func(s fact.Subject) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for _, s := range fact.BrokerReach.Subjects(v) {
		note(s)
	}
	if registered, ok := fact.Registered.Latest(v, fact.TheCluster); ok {
		for _, r := range registered {
			note(fact.BrokerOf(r.ID))
		}
	}
	if view, ok := clusterView(v); ok {
		for _, b := range view.Brokers {
			note(fact.BrokerOf(b.ID))
		}
		for _, id := range view.replicaIDs() {
			note(fact.BrokerOf(id))
		}
	}
	if last := lastSeen(v); last != nil {
		for _, b := range last.Brokers {
			note(fact.BrokerOf(b.ID))
		}
	}
	if local, ok := localBrokers(v); ok {
		for _, l := range local {
			if l.NodeID >= 0 && l.Roles != "controller" {
				note(fact.BrokerOf(l.NodeID))
			}
		}
	}
	sortSubjects(all)
	return all
}

// localBrokers is the brokers of this host; ok is false when it was not looked.
func localBrokers(v *View) (all []fact.LocalBroker, ok bool) {
	for _, host := range fact.LocalBrokers.Subjects(v) {
		if found, known := fact.LocalBrokers.Latest(v, host); known {
			all, ok = append(all, found...), true
		}
	}
	return all, ok
}

// clusterViewOf is one broker's view with what is derived from it.
type clusterViewOf struct {
	fact.MetadataView
	from            fact.Subject
	placed, missing map[int32]int // replicas of each broker, and those of them that are not in the ISR
	offsets         []int         // the partitions that groups commit to
}

// clusterView is the view to believe where brokers disagree: the one that has
// seen most leader elections. A broker cut off from the controllers keeps old
// epochs, and so loses.
func clusterView(v *View) (best *clusterViewOf, ok bool) {
	for _, b := range fact.Metadata.Subjects(v) {
		v.note(fact.Metadata.Def(), b)
	}
	if best = v.history.clusterView(); best != nil {
		return best, true
	}
	return &clusterViewOf{}, false
}

// clusterView is worked out once for each batch: many signs ask for it, of every
// broker. nil: no view is known.
func (h *history) clusterView() *clusterViewOf {
	if h.viewKnown {
		return h.view
	}
	h.view, h.viewKnown = nil, true
	most := int64(-1)
	for _, b := range h.subjects(fact.Metadata.Def()) {
		value, known := h.latest(fact.Metadata.Def(), b)
		view, ok := value.(fact.MetadataView)
		if !known || !ok {
			continue
		}
		sum := int64(0)
		for _, e := range view.Epoch {
			sum += int64(e) + 1
		}
		if sum > most {
			most, h.view = sum, &clusterViewOf{MetadataView: view, from: b}
		}
	}
	if h.view != nil {
		h.view.count()
	}
	return h.view
}

// count fills in what each broker has of the replicas.
func (c *clusterViewOf) count() {
	c.placed, c.missing = map[int32]int{}, map[int32]int{}
	internal := int32(slices.Index(c.Topics, offsetsTopic))
	for p := range c.Partition {
		if c.Topic[p] == internal {
			c.offsets = append(c.offsets, p)
		}
		isr := c.ISR.At(p)
		for _, id := range c.Replicas.At(p) {
			c.placed[id]++
			if !slices.Contains(isr, id) {
				c.missing[id]++
			}
		}
	}
}

// replicaIDs is every broker that a replica is placed on, sorted.
func (c *clusterViewOf) replicaIDs() []int32 { return slices.Sorted(maps.Keys(c.placed)) }

// newer says whether a version "4.3" is above another; anything is above "".
func newer(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return slices.Compare(x, y) > 0
}

func numbers(version string) []int {
	var all []int
	n, any := 0, false
	for _, r := range version + "." {
		switch {
		case r >= '0' && r <= '9':
			n, any = n*10+int(r-'0'), true
		case any:
			all, n, any = append(all, n), 0, false
		}
	}
	return all
}
