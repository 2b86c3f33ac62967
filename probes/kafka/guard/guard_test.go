package guard

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wire is a socket that keeps what reaches it.
type wire struct {
	net.Conn
	mu     sync.Mutex
	sent   bytes.Buffer
	closed bool
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.sent.Write(p)
	w.mu.Unlock()
	if w.Conn != nil {
		return w.Conn.Write(p)
	}
	return len(p), nil
}

func (w *wire) Close() error {
	w.closed = true
	if w.Conn != nil {
		return w.Conn.Close()
	}
	return nil
}

// keys is the API key of each frame that reached the socket. It reads the
// stream by itself and not with the code under test.
func (w *wire) keys(t testing.TB) []int16 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []int16
	for rest := w.sent.Bytes(); len(rest) > 0; {
		if len(rest) < 14 || len(rest)-4 < int(binary.BigEndian.Uint32(rest)) {
			t.Fatalf("part of a frame reached the socket: %d bytes", len(rest))
		}
		all = append(all, int16(binary.BigEndian.Uint16(rest[4:])))
		rest = rest[4+binary.BigEndian.Uint32(rest):]
	}
	return all
}

func frame(r kmsg.Request) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("ktriage")).AppendRequest(nil, r, 1)
}

// harmless is FACTS: the keys that only read, written out a second time.
var harmless = []int16{1, 2, 3, 9, 10, 15, 16, 17, 18, 23, 29, 32, 35, 36, 46, 48, 50, 55, 60, 61, 65, 66, 69, 74, 75, 77, 89, 90}

func anything(string) bool { return true }

func TestClientLibraryCannotChangeAnything(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	var mu sync.Mutex
	var wires []*wire
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RequestRetries(0),
		kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			w := &wire{Conn: c}
			mu.Lock()
			wires = append(wires, w)
			mu.Unlock()
			return New(w, anything), nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := t.Context()
	admin := kadm.NewClient(client)

	acts := map[string]func() error{
		"create a topic": func() error { _, err := admin.CreateTopic(ctx, 1, 1, nil, "evil"); return err },
		"delete a topic": func() error {
			answers, err := admin.DeleteTopics(ctx, "orders")
			return errors.Join(err, answers.Error())
		},
		"add partitions": func() error {
			answers, err := admin.CreatePartitions(ctx, 3, "orders")
			return errors.Join(err, answers.Error())
		},
		"delete records": func() error {
			var o kadm.Offsets
			o.AddOffset("orders", 0, 0, -1)
			answers, err := admin.DeleteRecords(ctx, o)
			return errors.Join(err, answers.Error())
		},
		"produce": func() error {
			ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond) // a producer tries for ever
			defer cancel()
			return client.ProduceSync(ctx, &kgo.Record{Topic: "orders"}).FirstErr()
		},
		"join a group": func() error {
			_, err := kmsg.NewPtrJoinGroupRequest().RequestWith(ctx, client)
			return err
		},
	}
	for what, act := range acts {
		if err := act(); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := admin.CreateTopic(ctx, 1, 1, nil, "evil"); !errors.Is(err, ErrRefused) {
		t.Errorf("create a topic: %v, ErrRefused is expected", err)
	}
	if topics, err := admin.ListTopics(ctx); err != nil || len(topics) != 1 || len(topics["orders"].Partitions) != 1 {
		t.Errorf("after it all: topics %v, error %v; orders with one partition is expected", topics.Names(), err)
	}
	seen := 0
	for _, w := range wires {
		for _, key := range w.keys(t) {
			seen++
			if !slices.Contains(harmless, key) {
				t.Errorf("%s reached the socket", kmsg.NameForKey(key))
			}
		}
	}
	if seen == 0 {
		t.Error("nothing at all reached a socket: the client did not go through the guard")
	}
}

func TestEveryKey(t *testing.T) {
	for key := -1; key <= 200; key++ {
		request := make([]byte, 64)
		if r := kmsg.RequestForKey(int16(key)); r != nil {
			defaults(r)
			r.SetVersion(r.MaxVersion())
			request = frame(r)[4:]
		} else {
			binary.BigEndian.PutUint16(request, uint16(key))
		}
		err := Check(request, anything)
		if want := slices.Contains(harmless, int16(key)); (err == nil) != want {
			t.Errorf("key %d: %v, allowed is %v", key, err, want)
		}
		if err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("key %d: %v does not wrap ErrRefused", key, err)
		}
	}
}

func TestAllowedRequestsWithSideEffects(t *testing.T) {
	metadata := func(version int16, create bool) kmsg.Request {
		return &kmsg.MetadataRequest{Version: version, AllowAutoTopicCreation: create, Topics: []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("new")}}}
	}
	find := func(version int16, kind int8) kmsg.Request {
		return &kmsg.FindCoordinatorRequest{Version: version, CoordinatorType: kind, CoordinatorKey: "g", CoordinatorKeys: []string{"g"}}
	}
	offsetsOnly := func(topic string) bool { return topic == "__consumer_offsets" }
	for _, c := range []struct {
		what    string
		request kmsg.Request
		exists  func(string) bool
		allowed bool
	}{
		{"metadata", metadata(12, false), anything, true},
		{"oldest harmless metadata", metadata(4, false), anything, true},
		{"metadata that creates", metadata(12, true), anything, false},
		{"metadata that creates, not flexible", metadata(4, true), anything, false},
		{"metadata that always creates", metadata(3, false), anything, false},
		{"metadata of a future version", metadata(99, false), anything, false},
		{"group coordinator", find(4, 0), offsetsOnly, true},
		{"group coordinator, old", find(0, 0), offsetsOnly, true},
		{"group coordinator without the topic", find(4, 0), nil, false},
		{"transaction coordinator without the topic", find(4, 1), offsetsOnly, false},
		{"share coordinator without the topic", find(6, 2), offsetsOnly, false},
		{"coordinator of an unknown kind", find(6, 3), anything, false},
		{"log ends", &kmsg.ListOffsetsRequest{Version: 7, ReplicaID: -1}, nil, true},
		{"log ends of a follower, as who debugs", &kmsg.ListOffsetsRequest{Version: 7, ReplicaID: -2}, nil, true},
		{"log ends as a follower", &kmsg.ListOffsetsRequest{Version: 7, ReplicaID: 1}, nil, false},
		{"epochs as a follower", &kmsg.OffsetForLeaderEpochRequest{Version: 4, ReplicaID: 2}, nil, false},
		{"handshake", &kmsg.SASLHandshakeRequest{Version: 1}, nil, true},
		{"handshake before raw tokens", &kmsg.SASLHandshakeRequest{Version: 0}, nil, false},
	} {
		w := &wire{}
		_, err := New(w, c.exists).Write(frame(c.request))
		if (err == nil) != c.allowed {
			t.Errorf("%s: %v, allowed is %v", c.what, err, c.allowed)
		}
		if (w.sent.Len() > 0) != c.allowed || w.closed == c.allowed {
			t.Errorf("%s: %d bytes sent, closed %v", c.what, w.sent.Len(), w.closed)
		}
	}
}

func TestSplitAnywhere(t *testing.T) {
	good := append(frame(&kmsg.ApiVersionsRequest{Version: 3}), frame(&kmsg.MetadataRequest{Version: 12})...)
	evil := frame(&kmsg.DeleteTopicsRequest{Version: 6, TopicNames: []string{"orders"}})
	stream := slices.Concat(good, evil, good)
	for first := 0; first <= len(stream); first++ {
		for _, second := range []int{first, first + 1, first + 7, len(stream)} {
			second = min(second, len(stream))
			w := &wire{}
			c := New(w, nil)
			var last error
			for _, piece := range [][]byte{stream[:first], stream[first:second], stream[second:]} {
				if _, err := c.Write(piece); err != nil {
					last = err
				}
			}
			if !errors.Is(last, ErrRefused) {
				t.Fatalf("cut at %d and %d: last error %v", first, second, last)
			}
			if !bytes.Equal(w.sent.Bytes(), good) {
				t.Fatalf("cut at %d and %d: keys %v reached the socket", first, second, w.keys(t))
			}
		}
	}
}

func TestHostileSizes(t *testing.T) {
	for _, size := range []uint32{0, 1, 9, MaxRequest + 1, 1 << 31, 1<<32 - 1} {
		stream := frame(&kmsg.ApiVersionsRequest{Version: 3})
		binary.BigEndian.PutUint32(stream, size)
		w := &wire{}
		if _, err := New(w, nil).Write(stream); !errors.Is(err, ErrRefused) || w.sent.Len() > 0 {
			t.Errorf("size %d: error %v, %d bytes sent", size, err, w.sent.Len())
		}
	}
	// A size that swallows a second request makes it part of the first one.
	stream := append(frame(&kmsg.ApiVersionsRequest{Version: 3}), frame(&kmsg.DeleteTopicsRequest{Version: 6})...)
	binary.BigEndian.PutUint32(stream, uint32(len(stream)-4))
	w := &wire{}
	New(w, nil).Write(stream)
	if keys := w.keys(t); len(keys) > 1 {
		t.Errorf("keys %v reached the socket", keys)
	}
}

func FuzzWrite(f *testing.F) {
	f.Add(frame(&kmsg.ApiVersionsRequest{Version: 3}), 3)
	f.Add(frame(&kmsg.MetadataRequest{Version: 12}), 20)
	f.Add(append(frame(&kmsg.MetadataRequest{Version: 4, AllowAutoTopicCreation: true}), frame(&kmsg.CreateTopicsRequest{Version: 7})...), 9)
	f.Add(frame(&kmsg.FindCoordinatorRequest{Version: 6, CoordinatorKeys: []string{"g"}}), 0)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 3, 0, 12}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		w := &wire{}
		c := New(w, nil)
		cut = max(0, min(cut, len(stream)))
		c.Write(stream[:cut])
		c.Write(stream[cut:])
		for _, key := range w.keys(t) {
			if !slices.Contains(harmless, key) || key == 10 {
				t.Errorf("key %d reached the socket", key)
			}
		}
	})
}
