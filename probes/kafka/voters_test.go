package kafka

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

func TestElector(t *testing.T) {
	for text, want := range map[string]struct {
		id      int32
		address string
	}{"1@a:9093": {1, "a:9093"}, " b:9093 ": {-1, "b:9093"}, "3@[::1]:9": {3, "[::1]:9"}} {
		if id, address, ok := elector(text); !ok || id != want.id || address != want.address {
			t.Errorf("%q: %d %q %v", text, id, address, ok)
		}
	}
	for _, text := range []string{"", "a", "1@", "x@a:1", "-1@a:1", "1@a:0", "1@:9", "1@a:99999", "1@2@a:1"} {
		if id, address, ok := elector(text); ok {
			t.Errorf("%q: %d %q", text, id, address)
		}
	}
}

func FuzzElector(f *testing.F) {
	f.Add("1@localhost:9093")
	f.Add("localhost:9093")
	f.Add("@:")
	f.Fuzz(func(t *testing.T, text string) {
		id, address, ok := elector(text)
		if _, _, err := net.SplitHostPort(address); ok && (err != nil || id < -1) {
			t.Errorf("%q: %d %q", text, id, address)
		}
	})
}

// controller answers as a controller does: DescribeQuorum in full where it leads,
// and whom it takes for the active one.
func controller(t *testing.T, leads bool, leader int32) string {
	return listen(t, func(c net.Conn) {
		for {
			var size [4]byte
			if _, err := io.ReadFull(c, size[:]); err != nil {
				return
			}
			request := make([]byte, binary.BigEndian.Uint32(size[:]))
			if _, err := io.ReadFull(c, request); err != nil {
				return
			}
			key, version := int16(binary.BigEndian.Uint16(request)), int16(binary.BigEndian.Uint16(request[2:]))
			answer := kmsg.ResponseForKey(key)
			answer.SetVersion(version)
			switch a := answer.(type) {
			case *kmsg.ApiVersionsResponse:
				for _, k := range []kmsg.Key{kmsg.ApiVersions, kmsg.DescribeQuorum, kmsg.DescribeCluster} {
					a.ApiKeys = append(a.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: int16(k), MaxVersion: 1})
				}
			case *kmsg.DescribeQuorumResponse:
				p := kmsg.NewDescribeQuorumResponseTopicPartition()
				if p.ErrorCode = kerr.NotLeaderForPartition.Code; leads {
					p.ErrorCode, p.LeaderID, p.LeaderEpoch, p.HighWatermark = 0, leader, 7, 1234
				}
				a.Topics = []kmsg.DescribeQuorumResponseTopic{{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumResponseTopicPartition{p}}}
			case *kmsg.DescribeClusterResponse:
				a.ControllerID = leader
			}
			out := append([]byte(nil), request[4:8]...)
			if answer.IsFlexible() && key != int16(kmsg.ApiVersions) {
				out = append(out, 0)
			}
			out = answer.AppendTo(out)
			c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(out))), out...))
		}
	})
}

// A controller that leads, one that follows, one that is dead and one behind
// another protocol: all are named by this host's properties, and no broker is
// there.
func TestVotersOfAHostWithoutBrokers(t *testing.T) {
	target := aim(t)
	leads, follows, dead, other := controller(t, true, 1), controller(t, false, 1), closedPort(t), listen(t, answers("HTTP/1.1 400 Bad."))
	target.SetBrokers([]fact.LocalBroker{{NodeID: 1, Roles: "controller", Quorum: []string{"1@" + leads, "2@" + follows, "3@" + dead, other}}})
	said := value(t, must(t, target, Voters), fact.QuorumVoters, fact.TheCluster)
	if len(said) != 4 {
		t.Fatalf("%+v", said)
	}
	if v := said[0]; v.ID != 1 || !v.Leads || v.Leader != 1 || v.Epoch != 7 || v.HighWatermark != 1234 || v.Because != nil {
		t.Errorf("the one that leads: %+v", v)
	}
	if v := said[1]; v.ID != 2 || v.Leads || v.Leader != 1 || !v.Told || v.Epoch != -1 || v.HighWatermark != -1 || v.Because != nil {
		t.Errorf("the one that follows: %+v", v)
	}
	if v := said[2]; v.ID != 3 || v.Reach.Outcome != fact.Refused || v.Because == nil || v.Because.Reason != fact.Unreachable {
		t.Errorf("the dead one: %+v", v)
	}
	if v := said[3]; v.ID != -1 || v.Reach.Outcome != fact.Garbled || v.Because == nil {
		t.Errorf("another protocol: %+v", v)
	}
}

// With nobody to name them there is nothing to ask.
func TestVotersOfNobody(t *testing.T) {
	if _, err := look(t, aim(t, closedPort(t)), Voters); err == nil {
		t.Error("no error")
	}
}
