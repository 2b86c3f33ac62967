package kafka

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Brokers that share an address nobody answers at are each refused, in every
// round, also when an earlier round is long past.
func TestBrokersOfOneRefusedAddress(t *testing.T) {
	address := closedPort(t)
	target := aim(t)
	var local []fact.LocalBroker
	for id := range int32(8) {
		local = append(local, fact.LocalBroker{NodeID: id, Listeners: []string{address}})
	}
	target.SetBrokers(local)
	for range 3 {
		seen := must(t, target, Reach)
		for _, b := range local {
			s := fact.BrokerOf(b.NodeID)
			if r := value(t, seen, fact.BrokerReach, s); r.Outcome != fact.Refused || r.Address != address {
				t.Errorf("%s: %+v", s, r)
			}
			if u := seen.unknown(t, fact.BrokerSoftware, s); u.Reason != fact.Unreachable {
				t.Errorf("%s: %+v", s, u)
			}
		}
		r, err := rosterOf(target)
		if err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		for _, p := range r.peers {
			p.tried = p.tried.Add(-2 * freshness)
		}
		r.mu.Unlock()
	}
}

// A survey that misses a broker does not make its last failure a panic.
func TestReachOfABrokerLongPast(t *testing.T) {
	target := aim(t, closedPort(t))
	r, err := rosterOf(target)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.peers["7"] = &peer{name: "7", id: 7, tried: time.Now().Add(-2 * freshness), reach: fact.Reach{Step: fact.Connect, Outcome: fact.Refused}}
	r.mu.Unlock()
	if u := must(t, target, Reach).unknown(t, fact.BrokerSoftware, fact.BrokerOf(7)); u.Reason != fact.Unreachable {
		t.Errorf("%+v", u)
	}
}

// Of brokers that all advertise localhost:9092 one answers. What it says is
// its own, and the others are neither there nor dead.
func TestOneAnswersForSeveral(t *testing.T) {
	for _, c := range []struct {
		what   string
		answer string
	}{{"says which one it is", "1"}, {"would not say", ""}} {
		t.Run(c.what, func(t *testing.T) {
			cluster := fake(t, kfake.NumBrokers(1))
			answer := c.answer
			if answer == "" {
				answer = cluster.ListenAddrs()[0]
			}
			var dead atomic.Bool
			oneOfThree(t, cluster, c.answer, &dead)
			target := aim(t, cluster.ListenAddrs()[0])
			target.Timeout = 3 * time.Second
			for range 2 {
				seen := must(t, target, Reach)
				if r := value(t, seen, fact.BrokerReach, fact.Subject{Scope: fact.Broker, Name: answer}); r.Outcome != fact.Answered {
					t.Errorf("%+v", r)
				}
				metadata, err := look(t, target, Metadata)
				if err == nil || !strings.Contains(err.Error(), "told nothing") {
					t.Errorf("metadata: %v", err)
				}
				value(t, metadata, fact.Metadata, fact.Subject{Scope: fact.Broker, Name: answer})
				for id := range int32(3) {
					s := fact.BrokerOf(id)
					if s.Name == answer {
						continue
					}
					u := seen.unknown(t, fact.BrokerReach, s)
					if u.Reason != fact.Unreachable || !strings.Contains(u.Detail, "the address of broker "+s.Name+" too") || u.How == "" {
						t.Errorf("%s: %+v", s, u)
					}
					metadata.unknown(t, fact.Metadata, s)
				}
			}
			dead.Store(true)
			seen := must(t, target, Reach)
			if got := seen.subjects(fact.BrokerReach); !slices.Equal(got, []string{"0", "1", "2"}) {
				t.Errorf("brokers %v", got)
			}
			for id := range int32(3) {
				if r := value(t, seen, fact.BrokerReach, fact.BrokerOf(id)); r.Outcome == fact.Answered {
					t.Errorf("broker %d: %+v", id, r)
				}
			}
		})
	}
}

// oneOfThree makes a cluster tell of three brokers at its one address; name is
// the one that it tells settings of, empty for none. Once dead it closes every
// connection.
func oneOfThree(t *testing.T, cluster *kfake.Cluster, name string, dead *atomic.Bool) {
	t.Helper()
	host, port := hostPort(t, cluster.ListenAddrs()[0])
	cluster.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if dead.Load() {
			return nil, net.ErrClosed, true
		}
		switch r := r.(type) {
		case *kmsg.DescribeClusterRequest:
			answer := r.ResponseKind().(*kmsg.DescribeClusterResponse)
			for id := range int32(3) {
				answer.Brokers = append(answer.Brokers, kmsg.DescribeClusterResponseBroker{NodeID: id, Host: host, Port: port})
			}
			return answer, nil, true
		case *kmsg.DescribeConfigsRequest:
			answer := r.ResponseKind().(*kmsg.DescribeConfigsResponse)
			for _, asked := range r.Resources {
				one := kmsg.NewDescribeConfigsResponseResource()
				one.ResourceType, one.ResourceName = asked.ResourceType, asked.ResourceName
				if asked.ResourceName != name {
					one.ErrorCode = kerr.InvalidRequest.Code
				}
				answer.Resources = append(answer.Resources, one)
			}
			return answer, nil, true
		}
		return nil, nil, false
	})
}

// A broker whose own address another one shares is spoken with where it was
// found, by a forwarded port.
func TestSharedAddressAndAnother(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(2))
	answerOnlyForItself(cluster)
	first, second := cluster.ListenAddrs()[0], cluster.ListenAddrs()[1]
	host, port := hostPort(t, first)
	cluster.ControlKey(int16(kmsg.DescribeCluster), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeClusterResponse)
		for id := range int32(2) {
			answer.Brokers = append(answer.Brokers, kmsg.DescribeClusterResponseBroker{NodeID: id, Host: host, Port: port})
		}
		return answer, nil, true
	})
	target := aim(t, first, second)
	target.Timeout = 3 * time.Second
	for range 2 {
		seen := must(t, target, Reach)
		for id, address := range cluster.ListenAddrs() {
			if r := value(t, seen, fact.BrokerReach, fact.BrokerOf(int32(id))); r.Outcome != fact.Answered || r.Address != address {
				t.Errorf("broker %d: %+v", id, r)
			}
		}
		if r := value(t, seen, fact.BrokerReach, fact.BrokerOf(1)); !strings.Contains(r.Detail, fmt.Sprintf("broker 0 answers at %s", first)) {
			t.Errorf("%+v", r)
		}
	}
}
