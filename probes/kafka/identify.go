package kafka

import (
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// identify learns from a broker which others there are, and then which one it
// is itself.
func (s *survey) identify(ctx context.Context, a *attempt) {
	r := s.roster
	others, err := whoIsThere(ctx, a.link)
	if err != nil {
		a.unwelcome(err, r.door.by().mechanism != nil, r.adopted.hint())
		return
	}
	var addresses []string
	r.mu.Lock()
	for _, b := range others {
		address := addressOf(b)
		r.hear(b.ID, address)
		addresses = append(addresses, address)
	}
	r.mu.Unlock()
	s.try(ctx, addresses...)
	for _, address := range addresses {
		r.locate(ctx, address)
	}
	if a.id = r.owner(a.place); a.id < 0 && r.mayAsk(a.address) {
		if a.id = whoAreYou(ctx, a.link, others); a.id < 0 {
			r.mu.Lock()
			r.nameless[a.address] = time.Now()
			r.mu.Unlock()
		}
	}
}

// mayAsk says whether a broker that would not say which one it is may be asked
// again: the answer may have been a denial.
func (r *roster) mayAsk(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.nameless[address]) > backOff
}

// unwelcome corrects a reach: a listener that wants SASL answers ApiVersions to
// anyone and then closes the connection.
func (a *attempt) unwelcome(err error, sasl bool, hint string) {
	if e := failed(fact.SASL, err); e.outcome == fact.Closed && !sasl {
		a.reach.Step, a.reach.Outcome = e.step, e.outcome
		a.reach.Detail = "closed the connection at the first request: the listener may want security.protocol SASL_…" + hint
		a.link.close()
		a.link = nil
	}
}

// whoIsThere asks a broker for all brokers, fenced ones included where it knows
// how to tell.
func whoIsThere(ctx context.Context, l *link) ([]fact.BrokerAddress, error) {
	var found []fact.BrokerAddress
	cluster := kmsg.NewPtrDescribeClusterRequest()
	if l.supports(cluster) < 0 {
		m := kmsg.NewPtrMetadataRequest()
		m.Topics = []kmsg.MetadataRequestTopic{} // no topics, nil would be all
		got, err := l.request(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, b := range got.(*kmsg.MetadataResponse).Brokers {
			found = append(found, fact.BrokerAddress{ID: b.NodeID, Host: b.Host, Port: b.Port})
		}
		return found, nil
	}
	cluster.IncludeFencedBrokers = true
	got, err := l.request(ctx, cluster)
	if err != nil {
		return nil, err
	}
	for _, b := range got.(*kmsg.DescribeClusterResponse).Brokers {
		found = append(found, fact.BrokerAddress{ID: b.NodeID, Host: b.Host, Port: b.Port})
	}
	return found, nil
}

// whoAreYou finds out which of the brokers is at the other end: a broker tells
// its own settings and refuses to tell those of another. -1: it would not say.
func whoAreYou(ctx context.Context, l *link, among []fact.BrokerAddress) int32 {
	ask := kmsg.NewPtrDescribeConfigsRequest()
	for _, b := range among {
		c := kmsg.NewDescribeConfigsRequestResource()
		c.ResourceType, c.ResourceName = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(b.ID))
		c.ConfigNames = []string{"node.id", "broker.id"}
		ask.Resources = append(ask.Resources, c)
	}
	got, err := l.request(ctx, ask)
	if err != nil {
		return -1
	}
	found := int32(-1)
	for _, c := range got.(*kmsg.DescribeConfigsResponse).Resources {
		if c.ErrorCode != 0 {
			continue
		}
		id, err := strconv.ParseInt(c.ResourceName, 10, 32)
		if err != nil || found >= 0 {
			return -1 // more than one: no telling
		}
		found = int32(id)
	}
	return found
}
