package kafka

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// mute is an address that accepts connections and says nothing, and how often.
func mute(t *testing.T) (string, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n := new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			t.Cleanup(func() { c.Close() })
		}
	}()
	return l.Addr().String(), n
}

func plainly(id int32, addresses ...string) probe.Registration {
	b := probe.Registration{ID: id}
	for i, a := range addresses {
		b.Endpoints = append(b.Endpoints, probe.Endpoint{Listener: []string{"CLIENTS", "INTERNAL"}[i], Protocol: "PLAINTEXT", Address: a})
	}
	return b
}

// here is a target whose host has one broker, 7, at an address.
func here(t *testing.T, address string) *probe.Target {
	target := aim(t)
	target.SetBrokers([]fact.LocalBroker{{NodeID: 7, Roles: "broker", Listeners: []string{address}}})
	return target
}

// TestLiveBrokersAreFoundByTheRoll: the broker of this host is dead, or hangs, and
// its metadata log names others, one of which answers and tells of all.
func TestLiveBrokersAreFoundByTheRoll(t *testing.T) {
	silent, _ := mute(t)
	for name, own := range map[string]string{"refuses": closedPort(t), "hangs": silent} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			target := here(t, own)
			end := target.Roll.Begin()
			go func() {
				time.Sleep(20 * time.Millisecond)
				target.Roll.Tell(7, []probe.Registration{plainly(1, c.ListenAddrs()[0]), plainly(7, own), plainly(8, closedPort(t))})
				end()
			}()
			seen := must(t, target, Reach)
			for _, id := range []int32{0, 1, 2} { // as the fake cluster has them
				if reach := value(t, seen, fact.BrokerReach, fact.BrokerOf(id)); reach.Outcome != fact.Answered {
					t.Errorf("broker %d: %+v", id, reach)
				}
			}
			seen, _ = look(t, target, Metadata) // it says of broker 7 that it told nothing
			if view := value(t, seen, fact.Metadata, fact.BrokerOf(2)); len(view.Topics) != 2 {
				t.Errorf("topics %q", view.Topics)
			}
			seen = must(t, target, Reach) // the address of 8 is only the log's: who answers does not know it
			for _, o := range seen {
				if o.Key == fact.BrokerReach.Def() && o.Subject == fact.BrokerOf(8) {
					t.Errorf("still tried: %+v", o)
				}
			}
		})
	}
}

// TestTheRollIsTriedOnceARound: an address of the log is dialled once, however many
// probes look, and said to be the log's; one at another listener is not dialled.
func TestTheRollIsTriedOnceARound(t *testing.T) {
	own, silent := closedPort(t), closedPort(t)
	other, times := mute(t)
	unwanted, never := mute(t)
	target := here(t, own)
	_, port, _ := net.SplitHostPort(own)
	target.Roll.Tell(7, []probe.Registration{
		plainly(7, "b7.invalid:1", "127.0.0.1:"+port), // so that the listener spoken to is INTERNAL
		plainly(1, unwanted, other),
		plainly(2, unwanted, silent),
		plainly(3, "no-such-host.invalid:9092"),
		{ID: 4, Endpoints: []probe.Endpoint{{Listener: "INTERNAL", Protocol: "SASL_SSL", Address: unwanted}}},
	})
	seen := must(t, target, Reach)
	for _, p := range []*probe.Probe{Metadata, Registered, Quorum, Groups} {
		look(t, target, p)
	}
	if times.Load() != 1 || never.Load() != 0 {
		t.Errorf("dialled %d times, and %d times the other listener", times.Load(), never.Load())
	}
	for id, want := range map[int32]fact.Outcome{1: fact.Silent, 2: fact.Refused, 3: fact.Unresolvable, 7: fact.Refused} {
		reach := value(t, seen, fact.BrokerReach, fact.BrokerOf(id))
		if reach.Outcome != want || (reach.FromLogOf != nil) != (id != 7) || id != 7 && *reach.FromLogOf != 7 {
			t.Errorf("broker %d: %+v, expected %s", id, reach, want)
		}
	}
	if len(seen) != 4*4 {
		t.Errorf("%s", seen)
	}
	must(t, target, Reach)
	if times.Load() != 2 {
		t.Errorf("dialled %d times in two rounds", times.Load())
	}
	for _, e := range target.Ledger.Entries() {
		if strings.Contains(e.Object, unwanted) {
			t.Errorf("%+v", e)
		}
	}
}

// TestTheRollOfAControllersHost: with no broker on this host its metadata log leads
// to the others.
func TestTheRollOfAControllersHost(t *testing.T) {
	c := fake(t)
	target := aim(t)
	target.SetBrokers([]fact.LocalBroker{{NodeID: 100, Roles: "controller"}})
	target.Roll.Tell(100, []probe.Registration{plainly(2, closedPort(t)), plainly(0, c.ListenAddrs()[0])})
	if reach := value(t, must(t, target, Reach), fact.BrokerReach, fact.BrokerOf(0)); reach.Outcome != fact.Answered {
		t.Errorf("%+v", reach)
	}
}

// TestNobodyReadsARoll: without a metadata log nothing is waited for.
func TestNobodyReadsARoll(t *testing.T) {
	target := here(t, closedPort(t))
	began := time.Now()
	must(t, target, Reach)
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestChoose(t *testing.T) {
	ends := []probe.Endpoint{{Listener: "A", Protocol: "SASL_SSL", Address: "a:1"}, {Listener: "B", Protocol: "PLAINTEXT", Address: "b:2"}, {Listener: "C", Protocol: "PLAINTEXT", Address: "c:3"}}
	for _, one := range []struct {
		protocol, want string
		names          []string
	}{{"PLAINTEXT", "b:2", nil}, {"PLAINTEXT", "c:3", []string{"C"}}, {"PLAINTEXT", "c:3", []string{"A", "C", "B"}}, {"SASL_SSL", "a:1", []string{"C"}}, {"SSL", "", nil}} {
		if got := choose(ends, one.protocol, one.names); got != one.want {
			t.Errorf("%s %q: %q, expected %q", one.protocol, one.names, got, one.want)
		}
	}
}
