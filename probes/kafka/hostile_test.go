package kafka

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Peers that are no healthy broker: each must end in its own evidence, within
// the deadline, and must not keep the others from telling everything.
func TestHostilePeers(t *testing.T) {
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			c.Read(make([]byte, 512))
			io.WriteString(c, text)
			io.Copy(io.Discard, c)
		}
	}
	for _, h := range []struct {
		what    string
		address string
		step    fact.Step
		outcome fact.Outcome
		detail  string
	}{
		{"refuses", closedPort(t), fact.Connect, fact.Refused, "refused"},
		{"accepts and says nothing", listen(t, say("")), fact.APIVersions, fact.Silent, "no answer in"},
		{"closes at once", listen(t, func(net.Conn) {}), fact.APIVersions, fact.Closed, ""},
		{"speaks HTTP", listen(t, say("HTTP/1.1 400 Bad Request\r\n\r\n")), fact.APIVersions, fact.Garbled, "HTTP"},
		{"speaks TLS", listen(t, say("\x15\x03\x03\x00\x02\x02\x50")), fact.APIVersions, fact.Garbled, "SSL"},
		{"claims a huge size", listen(t, say("\x7f\xff\xff\xff")), fact.APIVersions, fact.Garbled, "size 2147483647"},
		{"claims a negative size", listen(t, say("\xff\xff\xff\xff")), fact.APIVersions, fact.Garbled, "size -1"},
		{"claims no size", listen(t, say("\x00\x00\x00\x00")), fact.APIVersions, fact.Garbled, "size 0"},
		{"answers something else", listen(t, say("\x00\x00\x00\x08\x00\x00\x00\x63\x00\x00\x00\x00")), fact.APIVersions, fact.Garbled, "correlation id 99"},
		{"answers with garbage", listen(t, say("\x00\x00\x00\x08\x00\x00\x00\x01\xff\xff\xff\xff")), fact.APIVersions, fact.Garbled, "ApiVersions"},
		{"half a frame, then silence", listen(t, say("\x00\x00\x01\x00\x00\x00\x00\x01")), fact.APIVersions, fact.Silent, "no answer in"},
		{"half a frame, then closes", listen(t, func(c net.Conn) {
			c.Read(make([]byte, 512))
			io.WriteString(c, "\x00\x00\x01\x00\x00\x00\x00\x01")
		}), fact.APIVersions, fact.Garbled, "closed after 4 of 256 bytes"},
		{"a byte now and then", listen(t, func(c net.Conn) {
			for _, b := range []byte(strings.Repeat("\x00\x00\x01\x00", 50)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}), fact.APIVersions, fact.Silent, "no answer in"},
		{"has no address", "broker.invalid:9092", fact.Resolve, fact.Unresolvable, "broker.invalid"},
		{"has no port", "127.0.0.1", fact.Resolve, fact.Unresolvable, "missing port"},
	} {
		t.Run(h.what, func(t *testing.T) {
			t.Parallel()
			target := aim(t, append(fake(t).ListenAddrs()[:1], h.address)...)
			began := time.Now()
			reach := must(t, target, Reach)
			if took := time.Since(began); took > target.Timeout {
				t.Errorf("took %s", took)
			}
			bad := fact.Subject{Scope: fact.Broker, Name: h.address}
			r := value(t, reach, fact.BrokerReach, bad)
			if r.Step != h.step || r.Outcome != h.outcome || !strings.Contains(r.Detail, h.detail) {
				t.Errorf("%+v", r)
			}
			for id := range int32(3) {
				if r := value(t, reach, fact.BrokerReach, fact.BrokerOf(id)); r.Outcome != fact.Answered {
					t.Errorf("broker %d: %+v", id, r)
				}
			}
			began = time.Now()
			metadata, err := look(t, target, Metadata)
			if took := time.Since(began); took > target.Timeout/2 {
				t.Errorf("metadata waited %s for a broker that is known not to answer", took)
			}
			if err == nil || !strings.Contains(err.Error(), "1 of 4 brokers told nothing") {
				t.Errorf("metadata: %v", err)
			}
			for id := range int32(3) {
				value(t, metadata, fact.Metadata, fact.BrokerOf(id))
			}
			metadata.unknown(t, fact.Metadata, bad)
			if _, err := look(t, target, Groups); err == nil {
				t.Error("groups: no error although one broker told nothing")
			}
		})
	}
}

// A broker that hangs after it has answered costs its own facts only.
func TestHangsLater(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	target := aim(t, cluster.ListenAddrs()[0])
	target.Timeout = 3 * time.Second
	must(t, target, Reach)
	var hangs atomic.Bool
	hangs.Store(true)
	cluster.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, cluster.CurrentNode() == 1 && hangs.Load() // handled with nothing: never an answer
	})
	metadata, err := look(t, target, Metadata)
	if err == nil || probe.Because(err).Reason != fact.TimedOut {
		t.Errorf("%v, timed-out is expected", err)
	}
	if u := metadata.unknown(t, fact.Metadata, fact.BrokerOf(1)); u.Reason != fact.TimedOut || !strings.Contains(u.Detail, "broker 1") {
		t.Errorf("broker 1: %s", u)
	}
	for _, id := range []int32{0, 2} {
		value(t, metadata, fact.Metadata, fact.BrokerOf(id))
	}
	hangs.Store(false)
	// The connection with an answer outstanding is not used again.
	metadata = must(t, target, Metadata)
	value(t, metadata, fact.Metadata, fact.BrokerOf(1))
}

func TestAllDead(t *testing.T) {
	t.Parallel()
	addresses := []string{closedPort(t), closedPort(t), listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })}
	target := aim(t, addresses...)
	began := time.Now()
	reach := must(t, target, Reach)
	if took := time.Since(began); took > target.Timeout {
		t.Errorf("took %s", took)
	}
	for i, outcome := range []fact.Outcome{fact.Refused, fact.Refused, fact.Silent} {
		if r := value(t, reach, fact.BrokerReach, fact.Subject{Scope: fact.Broker, Name: addresses[i]}); r.Outcome != outcome {
			t.Errorf("%+v, %s is expected", r, outcome)
		}
	}
	for _, p := range Probes[1:] {
		began := time.Now()
		if _, err := look(t, target, p); err == nil {
			t.Errorf("%s: no error", p.Name)
		}
		if took := time.Since(began); took > target.Timeout/4 {
			t.Errorf("%s waited %s again", p.Name, took)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x01"))
	f.Add([]byte("HTTP/1.1 200 OK"))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x50"))
	f.Add([]byte("\x00\xff\xff\xff\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		frame, err := readFrame(strings.NewReader(string(stream)), 1<<20)
		if err == nil && (len(frame) < 4 || len(frame) != int(binary.BigEndian.Uint32(stream))) {
			t.Errorf("%d bytes", len(frame))
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	keys := []kmsg.Request{kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrMetadataRequest(), kmsg.NewPtrDescribeLogDirsRequest(),
		kmsg.NewPtrDescribeQuorumRequest(), kmsg.NewPtrListGroupsRequest(), kmsg.NewPtrOffsetFetchRequest(), kmsg.NewPtrDescribeClusterRequest()}
	for i := range keys {
		f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), i, int16(3))
	}
	f.Fuzz(func(t *testing.T, frame []byte, key int, version int16) {
		r := keys[max(0, key)%len(keys)]
		r.SetVersion(max(0, version) % (r.MaxVersion() + 1))
		answer, err := parseAnswer(frame, r, 1)
		if (answer == nil) == (err == nil) {
			t.Errorf("%v, %v", answer, err)
		}
		if m, ok := answer.(*kmsg.MetadataResponse); ok {
			if v := viewOf(m); len(v.Topic) != len(v.ISR.Ends) || len(v.Topic) != len(v.Error) {
				t.Errorf("columns of different lengths: %+v", v)
			}
		}
	})
}
