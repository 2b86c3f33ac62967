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
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// The same broker by several names appears once, under its id.
func TestAddressesFoldIntoBrokers(t *testing.T) {
	cluster := fake(t)
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	for _, a := range cluster.ListenAddrs() {
		_, port := hostPort(t, a)
		target.Bootstrap = append(target.Bootstrap, fmt.Sprintf("localhost:%d", port))
	}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 1, Listeners: []string{cluster.ListenAddrs()[1]}}, {NodeID: 9, Roles: "controller", Listeners: []string{closedPort(t)}}})
	for range 2 {
		if got := must(t, target, Reach).subjects(fact.BrokerReach); !slices.Equal(got, []string{"0", "1", "2"}) {
			t.Errorf("brokers %v", got)
		}
	}
}

// A forwarded port is another place than the broker advertises: the broker at
// its other end is recognised by what it says of itself.
func TestForwardedPort(t *testing.T) {
	cluster := fake(t)
	behind := cluster.ListenAddrs()[2]
	own := forward(t, behind)
	answerOnlyForItself(cluster)
	target := aim(t, own)
	target.Timeout = 5 * time.Second
	reach := must(t, target, Reach)
	if got := reach.subjects(fact.BrokerReach); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("brokers %v", got)
	}
	if r := value(t, reach, fact.BrokerReach, fact.BrokerOf(2)); r.Address != behind {
		t.Errorf("broker 2 has an address of its own, %s, and is spoken with at %s", behind, r.Address)
	}
}

// A broker that died is remembered by the address that others once told, and a
// dead one that only the controller knows of is tried too.
func TestDeadBrokersAreKnownByTheirID(t *testing.T) {
	cluster := fake(t)
	dead := closedPort(t)
	registered := atomic.Bool{}
	registered.Store(true)
	cluster.ControlKey(int16(kmsg.DescribeCluster), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeClusterResponse)
		for id, a := range append(slices.Clone(cluster.ListenAddrs()), dead) {
			host, port := hostPort(t, a)
			if id < 3 || registered.Load() {
				answer.Brokers = append(answer.Brokers, kmsg.DescribeClusterResponseBroker{NodeID: int32(id), Host: host, Port: port, IsFenced: id == 3})
			}
		}
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()[0], dead)
	target.Timeout = 3 * time.Second
	if r := value(t, must(t, target, Reach), fact.BrokerReach, fact.BrokerOf(3)); r.Outcome != fact.Refused || r.Address != dead {
		t.Errorf("%+v", r)
	}
	if all := value(t, must(t, target, Registered), fact.Registered, fact.TheCluster); len(all) != 4 || all[0].Fenced || !all[3].Fenced {
		t.Errorf("%+v", all)
	}
	registered.Store(false)
	if got := must(t, target, Reach).subjects(fact.BrokerReach); !slices.Equal(got, []string{"0", "1", "2", "3"}) {
		t.Errorf("brokers %v", got)
	}
}

// A denial is tried once, and says what would allow the request.
func TestDeniedIsNotAskedAgain(t *testing.T) {
	cluster := fake(t)
	var asked atomic.Int32
	cluster.ControlKey(int16(kmsg.DescribeLogDirs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked.Add(1)
		answer := r.ResponseKind().(*kmsg.DescribeLogDirsResponse)
		answer.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	for range 3 {
		s, err := look(t, target, LogDirs)
		if err == nil {
			t.Fatal("no error")
		}
		u := s.unknown(t, fact.LogDirError, fact.LogDirOf(1, fact.Any))
		if u.Reason != fact.NotAllowed || !strings.Contains(u.How, "--operation Describe --cluster") {
			t.Errorf("%+v", u)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times, once each broker is expected", n)
	}
}

// forward accepts connections for another address.
func forward(t *testing.T, to string) string {
	t.Helper()
	return listen(t, func(c net.Conn) {
		d, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer d.Close()
		go pipe(d, c)
		pipe(c, d)
	})
}

func pipe(from, to net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			to.Write(buffer[:n])
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

// A group that moved from a dead coordinator to a live one is known.
func TestGroupMovesToAnotherCoordinator(t *testing.T) {
	cluster := fake(t)
	commitSome(t, cluster.ListenAddrs())
	var coordinator atomic.Int32
	cluster.ControlKey(int16(kmsg.ListGroups), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.ListGroupsResponse)
		switch c := coordinator.Load(); {
		case c == cluster.CurrentNode():
			answer.Groups = []kmsg.ListGroupsResponseGroup{{Group: "billing", GroupState: "Stable", GroupType: "Classic"}}
		case c == 0 && cluster.CurrentNode() == 2: // the dead one
			return nil, net.ErrClosed, true
		}
		return answer, nil, true
	})
	billing := fact.Subject{Scope: fact.Group, Name: "billing"}
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 3 * time.Second
	coordinator.Store(2)
	if id := value(t, must(t, target, Groups), fact.GroupCoordinator, billing); id != 2 {
		t.Errorf("coordinator %v", id)
	}
	coordinator.Store(0)
	s, err := look(t, target, Groups)
	if err == nil {
		t.Error("no error although broker 2 told nothing")
	}
	if id := value(t, s, fact.GroupCoordinator, billing); id != 0 {
		t.Errorf("coordinator %v", id)
	}
}
