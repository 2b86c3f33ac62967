package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Registered asks one broker which brokers the controller knows of, those that
// are fenced included: Metadata does not list these.
var Registered = &probe.Probe{
	Name: "kafka.registered", Doc: "registered brokers, fenced ones included (Kafka 4.0 on)",
	Cost: probe.Cheap, Every: 5 * time.Second,
	Yields:  []fact.Key{fact.Registered},
	Observe: fromAnyone("kafka.registered", registeredFrom),
}

func registeredFrom(ctx context.Context, r *roster, p *peer) ([]fact.Observation, error) {
	var answer *kmsg.DescribeClusterResponse
	err := r.with(ctx, p, func(ctx context.Context, l *link) error {
		request := kmsg.NewPtrDescribeClusterRequest()
		request.IncludeFencedBrokers = true
		if l.supports(request) < 2 {
			return probe.Fail(fact.Absent, fmt.Sprintf("%s does not tell fenced brokers: Kafka 4.0 and later do", p), "")
		}
		got, err := l.request(ctx, request)
		if err == nil {
			answer = got.(*kmsg.DescribeClusterResponse)
		}
		return err
	})
	if err == nil {
		err = refusal(p, "DescribeCluster", answer.ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	all := registrations(answer)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range all {
		r.hear(b.ID, addressOf(b.BrokerAddress))
	}
	return []fact.Observation{fact.Registered.Is(fact.TheCluster, all)}, nil
}

func registrations(answer *kmsg.DescribeClusterResponse) []fact.Registration {
	all := make([]fact.Registration, 0, len(answer.Brokers))
	for _, b := range answer.Brokers {
		one := fact.Registration{BrokerAddress: fact.BrokerAddress{ID: b.NodeID, Host: b.Host, Port: b.Port}, Fenced: b.IsFenced}
		if b.Rack != nil {
			one.Rack = *b.Rack
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b fact.Registration) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
