package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// controllersListed is DescribeCluster's type of endpoint for controllers (KIP-919).
const controllersListed = 2

// Voters asks each controller at its own listener, over a new connection. That
// it is refused, or speaks another protocol, is what it observes and no failure:
// controllers are often not meant to be reached from where the operator is.
var Voters = &probe.Probe{
	Name: "kafka.voters", Doc: "what each controller says itself: whether it leads, and whom it takes for the active controller",
	Cost: probe.Cheap, Every: 10 * time.Second,
	Yields:  []fact.Key{fact.QuorumVoters},
	Observe: observeVoters,
}

func observeVoters(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := rosterOf(t)
	if err != nil {
		return nil, err
	}
	lost := r.survey(ctx, freshness) // controllers of this host are there to be asked also when no broker is known
	addresses, err := r.askedElectors(ctx)
	if len(addresses) == 0 {
		if err = cmp.Or(lost, err); err == nil {
			err = probe.Fail(fact.Absent, "no settings name a controller: the cluster has ZooKeeper", "")
		}
		return nil, err
	}
	said := make([]fact.VoterSaid, len(addresses))
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	began := time.Now()
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() { said[i] = r.askVoter(ctx, address) })
	}
	all.Wait()
	if slices.ContainsFunc(said, func(v fact.VoterSaid) bool { return v.Because != nil && v.Because.Reason == fact.TimedOut }) {
		probe.Waited(ctx, time.Since(began))
	}
	slices.SortStableFunc(said, func(a, b fact.VoterSaid) int {
		return cmp.Or(cmp.Compare(uint32(a.ID), uint32(b.ID)), strings.Compare(a.Reach.Address, b.Reach.Address))
	})
	return []fact.Observation{fact.QuorumVoters.Is(fact.TheCluster, said)}, nil
}

// askVoter connects to a controller and asks it. One that denied the question is
// not asked again for a while.
func (r *roster) askVoter(ctx context.Context, address string) fact.VoterSaid {
	r.mu.Lock()
	id := r.electors[address]
	before, denied := r.denials["voter "+address]
	r.mu.Unlock()
	v := fact.VoterSaid{ID: id, Epoch: -1, HighWatermark: -1, Leader: -1}
	controller := &peer{name: address, id: id, door: r.door, controls: true}
	if id >= 0 {
		controller.name = strconv.Itoa(int(id))
	}
	a := r.attempt(ctx, address, controller.String())
	v.Reach = a.reach
	switch {
	case a.link == nil:
		v.Because = probe.Because(controller.unknown(a.reach))
		return v
	case denied && time.Now().Before(before.until):
		a.link.close()
		v.Because = before.because
		return v
	}
	defer a.link.close()
	err := errors.Join(r.askWhoLeads(ctx, a.link, controller, &v), r.askLeadership(ctx, a.link, controller, &v))
	if err == nil {
		return v
	}
	v.Because = probe.Because(err)
	if v.Because.Reason == fact.NotAllowed {
		r.mu.Lock()
		r.denials["voter "+address] = denial{v.Because, time.Now().Add(backOff)}
		r.mu.Unlock()
	}
	return v
}

// askLeadership asks for the quorum, of which only the active controller tells.
func (r *roster) askLeadership(ctx context.Context, l *link, controller *peer, v *fact.VoterSaid) error {
	got, err := l.request(ctx, quorumRequest())
	if err != nil {
		return controller.explain(l.address, err)
	}
	answer := got.(*kmsg.DescribeQuorumResponse)
	if len(answer.Topics) == 1 && len(answer.Topics[0].Partitions) == 1 && answer.Topics[0].Partitions[0].ErrorCode == kerr.NotLeaderForPartition.Code {
		return nil // the leader and epoch beside it are zeros that mean nothing
	}
	q, err := quorumOf(controller, answer)
	if err != nil {
		return err
	}
	v.Leads, v.Leader, v.Told, v.Epoch, v.HighWatermark = true, q.Leader, true, q.Epoch, q.HighWatermark
	return nil
}

// askWhoLeads asks whom a controller takes for the active one, and which others
// there are. Before Kafka 3.7 controllers do not tell.
func (r *roster) askWhoLeads(ctx context.Context, l *link, controller *peer, v *fact.VoterSaid) error {
	request := kmsg.NewPtrDescribeClusterRequest()
	request.EndpointType = controllersListed
	if l.supports(request) < 1 {
		return nil
	}
	got, err := l.request(ctx, request)
	if err != nil {
		return controller.explain(l.address, err)
	}
	answer := got.(*kmsg.DescribeClusterResponse)
	if err := refusal(controller, "DescribeCluster", answer.ErrorCode); err != nil {
		return err
	}
	v.Leader, v.Told = answer.ControllerID, true
	for _, b := range answer.Brokers {
		r.elect(b.NodeID, addressOf(fact.BrokerAddress{Host: b.Host, Port: b.Port}))
	}
	return nil
}
