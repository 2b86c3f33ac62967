package kafka

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// A broker that advertises a name which nobody can resolve: the step that ends
// the way to it is DNS, its other facts say so, and the broker that was reached
// tells all it has.
func TestAdvertisedNameOfNobody(t *testing.T) {
	t.Parallel()
	cluster := fake(t, kfake.NumBrokers(1))
	host, port := hostPort(t, cluster.ListenAddrs()[0])
	cluster.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.MetadataResponse)
		answer.ClusterID = kmsg.StringPtr("c")
		answer.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 0, Host: host, Port: port}, {NodeID: 7, Host: "broker.invalid", Port: 9092}}
		return answer, nil, true
	})
	cluster.ControlKey(int16(kmsg.DescribeCluster), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeClusterResponse)
		answer.ClusterID = "c"
		answer.Brokers = []kmsg.DescribeClusterResponseBroker{{NodeID: 0, Host: host, Port: port}, {NodeID: 7, Host: "broker.invalid", Port: 9092}}
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()...)
	reach := must(t, target, Reach)
	if r := value(t, reach, fact.BrokerReach, fact.BrokerOf(0)); r.Outcome != fact.Answered {
		t.Errorf("%+v", r)
	}
	r := value(t, reach, fact.BrokerReach, fact.BrokerOf(7))
	if r.Step != fact.Resolve || r.Outcome != fact.Unresolvable || r.Address != "broker.invalid:9092" {
		t.Errorf("%+v", r)
	}
	if len(r.Times) != 1 || r.Times[0].Step != fact.Resolve || r.Times[0].Seconds <= 0 {
		t.Errorf("times: %+v", r.Times)
	}
	seen, err := look(t, target, Metadata)
	if err == nil {
		t.Error("metadata of a broker that cannot be found: no error")
	}
	if v := value(t, seen, fact.Metadata, fact.BrokerOf(0)); len(v.Brokers) != 2 {
		t.Errorf("%+v", v)
	}
	if u := seen.unknown(t, fact.Metadata, fact.BrokerOf(7)); u.Reason != fact.Unreachable {
		t.Errorf("%+v", u)
	}
	if names := reach.subjects(fact.BrokerReach); !slices.Equal(names, []string{"0", "7"}) {
		t.Errorf("brokers %v", names)
	}
}

// On the broker's own host its listeners are known from its properties too: that
// it answers there does not hide that the cluster sends everybody elsewhere.
func TestListenerOfThisHostIsNotAdvertised(t *testing.T) {
	t.Parallel()
	const listener, advertised = "127.0.0.1:19093", "localhost:1"
	settled := func(told bool) fact.Reach {
		r := newRoster(&probe.Target{})
		r.learn(2, listener)
		if told {
			r.hear(2, advertised)
		}
		r.settle([]attempt{
			{address: listener, id: 2, reach: fact.Reach{Address: listener, Step: fact.APIVersions, Outcome: fact.Answered}, link: &link{}},
			{address: advertised, id: 2, reach: fact.Reach{Address: advertised, Step: fact.Connect, Outcome: fact.Refused}},
		})
		return r.peers["2"].reach
	}
	r := settled(true)
	if r.Outcome != fact.Answered || r.Own == nil || *r.Own != (fact.OwnAddress{Address: advertised, Step: fact.Connect, Outcome: fact.Refused}) {
		t.Errorf("%+v, own %+v", r, r.Own)
	}
	if r := settled(false); r.Own != nil {
		t.Errorf("nobody is told %s: %+v", advertised, r.Own)
	}
}
