package history

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/probe"
)

func apply(t *testing.T, c *Cluster, at int64, b body) {
	t.Helper()
	var v values
	typ, what, err := decodeMetadata(&v, b)
	if err != nil || what != decoded {
		t.Fatalf("verdict %d, error %v", what, err)
	}
	c.at, c.offset = at, at
	c.batch = at
	c.apply(typ, &v)
}

var orders = UUID{1}

func withTopic(t *testing.T) *Cluster {
	c := newCluster()
	apply(t, c, 1000, record(topicRecord, 0).text("orders").uuid(orders).tags())
	apply(t, c, 1000, record(partitionRecord, 2).int32(0).uuid(orders).ids(1, 2, 3).ids(1, 2, 3).ids().ids().int32(1).int32(0).int32(0).null().tags())
	return c
}

func change(fields ...any) body {
	return record(partitionChange, 2).int32(0).uuid(orders).tags(fields...)
}

// TestPartitionLife: ISR, eligible leaders, an unclean election and a move.
func TestPartitionLife(t *testing.T) {
	c := withTopic(t)
	apply(t, c, 10e3, change(0, body(nil).ids(1, 2)))
	apply(t, c, 20e3, change(0, body(nil).ids(1), 6, body(nil).ids(2)))
	apply(t, c, 30e3, change(0, body(nil).ids(), 1, body(nil).int32(-1), 6, body(nil).ids(1, 2)))
	c.PartitionsOf("orders", func(p *Partition) bool {
		if p.Leader != -1 || idText(p.ELR) != "1,2" || p.Epoch != 1 || p.Since.UnixMilli() != 30e3 {
			t.Errorf("%+v", p)
		}
		return true
	})
	apply(t, c, 40e3, change(0, body(nil).ids(3), 1, body(nil).int32(3), 5, body(nil).int8(1), 6, body(nil).ids()))
	apply(t, c, 50e3, change(5, body(nil).int8(0)))
	apply(t, c, 60e3, change(2, body(nil).ids(3, 4), 3, body(nil).ids(3), 4, body(nil).ids(4)))
	apply(t, c, 65e3, change(2, body(nil).ids(3, 4, 5), 3, body(nil).ids(3, 5), 4, body(nil).ids(4)))
	apply(t, c, 66e3, change(2, body(nil).ids(3, 4, 5), 3, body(nil).ids(3, 4), 4, body(nil).ids(5)))
	apply(t, c, 67e3, change(2, body(nil).ids(3, 4), 3, body(nil).ids(3), 4, body(nil).ids(4)))
	apply(t, c, 70e3, change(0, body(nil).ids(4), 1, body(nil).int32(4), 2, body(nil).ids(4), 3, body(nil).ids(), 4, body(nil).ids()))
	got := strings.Join(lines(c.Changes(Want{Broker: -1})), "\n")
	want := strings.Join([]string{
		`00:00:01.000 topic-created topic orders "" "1 partition, replication factor 3" 1`,
		`00:00:10.000 isr-shrunk partition orders-0 "1,2,3" "1,2" 1`,
		`00:00:20.000 isr-shrunk partition orders-0 "1,2" "1" 1`,
		`00:00:30.000 leader-changed partition orders-0 "1" "none" 1`,
		`00:00:30.000 isr-shrunk partition orders-0 "1" "" 1`,
		`00:00:40.000 unclean-election partition orders-0 "none" "3" 1`,
		`00:01:00.000 reassignment-started partition orders-0 "1,2,3" "4" 1`,
		`00:01:06.000 reassignment-started partition orders-0 "3,4,5" "5" 1`,
		`00:01:07.000 reassignment-started partition orders-0 "3,4,5" "4" 1`,
		`00:01:10.000 leader-changed partition orders-0 "3" "4" 1`,
		`00:01:10.000 isr-expanded partition orders-0 "3" "4" 1`,
		`00:01:10.000 reassignment-finished partition orders-0 "3,4" "4" 1`,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSecretsStay: no value of a secret setting and no key of a credential
// leaves the decoder.
func TestSecretsStay(t *testing.T) {
	c := newCluster()
	for _, key := range []string{"ssl.keystore.password", "listener.name.x.plain.sasl.jaas.config", "ssl.keystore.key", "sasl.oauthbearer.client.credentials.client.secret"} {
		apply(t, c, 1, record(configRecord, 0).int8(4).text("1").text(key).text("hunter2").tags())
		apply(t, c, 2, record(configRecord, 0).int8(4).text("1").text(key).text("hunter2b").tags())
	}
	apply(t, c, 3, record(scramCredential, 0).text("alice").int8(1).text("hunter2").text("hunter2").text("hunter2").int32(4096).tags())
	all := c.Changes(Want{Broker: -1})
	if len(all) != 9 {
		t.Errorf("%d changes, want 9: a secret that changed is told as changed", len(all))
	}
	for _, one := range all {
		if strings.Contains(one.Text+one.Before+one.After, "hunter") {
			t.Errorf("%+v", one)
		}
	}
	if value, _ := c.Config("broker", "1", "ssl.keystore.key"); value != hidden {
		t.Errorf("kept: %q", value)
	}
}

// TestWhatIsNew: unknown types and versions are counted, new tags skipped.
func TestWhatIsNew(t *testing.T) {
	var v values
	for name, c := range map[string]struct {
		raw  body
		what verdict
		err  string
	}{
		"type":    {record(99, 0).text("x"), unknownType, ""},
		"version": {record(partitionChange, 9), newerVersion, ""},
		"frame":   {body{7, 5, 0}, newerVersion, ""},
		"tag":     {change(77, body("whatever it is")), decoded, ""},
		"token":   {record(10, 0), ignored, ""},
		"short":   {record(topicRecord, 0).text("orders"), decoded, "TopicRecord version 0: field TopicId: the record ends within it"},
		"length":  {append(record(topicRecord, 0), 0xff, 0x7f), decoded, "field Name: length"},
		"empty":   {nil, decoded, "frame"},
	} {
		_, what, err := decodeMetadata(&v, c.raw)
		if what != c.what || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: verdict %d, error %v", name, what, err)
		}
	}
}

// TestOthers: quotas, ACLs, users, features, all brokers' settings, partitions
// added, a topic deleted and made anew.
func TestOthers(t *testing.T) {
	c := withTopic(t)
	entity := func(pairs ...string) body {
		b := record(clientQuota, 0).int8(int8(len(pairs)/2 + 1))
		for i := 0; i < len(pairs); i += 2 {
			b = b.text(pairs[i])
			if pairs[i+1] == "" {
				b = b.null()
			} else {
				b = b.text(pairs[i+1])
			}
			b = b.tags()
		}
		return b
	}
	apply(t, c, 2e3, entity("user", "alice", "client-id", "").text("producer_byte_rate").real(1048576).int8(0).tags())
	apply(t, c, 3e3, entity("client-id", "", "user", "alice").text("producer_byte_rate").real(0).int8(1).tags())
	apply(t, c, 4e3, record(aclAdded, 0).uuid(UUID{9}).int8(2).text("orders").int8(4).text("User:bob").text("*").int8(4).int8(2).tags())
	apply(t, c, 5e3, record(aclRemoved, 0).uuid(UUID{9}).tags())
	apply(t, c, 6e3, record(configRecord, 0).int8(4).text("").text("log.cleaner.threads").text("2").tags())
	apply(t, c, 7e3, record(configRecord, 0).int8(4).text("").text("log.cleaner.threads").null().tags())
	apply(t, c, 8e3, record(partitionRecord, 1).int32(1).uuid(orders).ids(2, 3).ids(2, 3).ids().ids().int32(2).int32(0).int32(0).null().tags())
	apply(t, c, 9e3, record(removeTopic, 0).uuid(orders).tags())
	apply(t, c, 10e3, record(topicRecord, 0).text("orders").uuid(UUID{2}).tags())
	apply(t, c, 10e3, record(partitionRecord, 0).int32(0).uuid(UUID{2}).ids(1).ids(1).ids().ids().int32(1).int32(0).int32(0).tags())
	got := strings.Join(lines(c.Changes(Want{Broker: -1})), "\n")
	want := strings.Join([]string{
		`00:00:01.000 topic-created topic orders "" "1 partition, replication factor 3" 1`,
		`00:00:02.000 quota-changed client client-id=<default>,user=alice "" "producer_byte_rate=1048576" 1`,
		`00:00:03.000 quota-changed client client-id=<default>,user=alice "producer_byte_rate=1048576" "" 1`,
		`00:00:04.000 acl-added cluster "" "deny User:bob to write on topic orders (prefixed) from *" 1`,
		`00:00:05.000 acl-removed cluster "deny User:bob to write on topic orders (prefixed) from *" "" 1`,
		`00:00:06.000 config-changed cluster "" "log.cleaner.threads=2" 1`,
		`00:00:07.000 config-changed cluster "log.cleaner.threads=2" "" 1`,
		`00:00:08.000 partitions-added topic orders "1 partition" "2 partitions" 1`,
		`00:00:09.000 topic-deleted topic orders "2 partitions" "" 1`,
		`00:00:10.000 topic-created topic orders "" "1 partition, replication factor 1" 1`,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzDecode: whatever a record holds, it is decoded or refused, and applied.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(change(0, body(nil).ids(1, 2), 1, body(nil).int32(-1))))
	f.Add([]byte(record(topicRecord, 0).text("orders").uuid(orders).tags()))
	f.Add([]byte(record(partitionRecord, 2).int32(5).uuid(orders).ids(1).ids(1).ids().ids().int32(1).int32(0).int32(0).null().tags()))
	f.Add([]byte(record(registrationChange, 3).int32(1).int64(2).tags(0, body(nil).int8(1), 1, body(nil).int8(1))))
	f.Add([]byte(record(configRecord, 0).int8(2).text("orders").text("retention.ms").text("1").tags()))
	c := newCluster()
	n := 0
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n++; n%1000 == 1 {
			c = newCluster()
			apply(t, c, 1, record(topicRecord, 0).text("orders").uuid(orders).tags())
		}
		var v values
		if typ, what, err := decodeMetadata(&v, raw); err == nil && what == decoded {
			c.apply(typ, &v)
		}
		if len(c.events) > 2000 {
			t.Fatalf("%d events", len(c.events))
		}
		if n%100 == 0 {
			c.Changes(Want{Broker: -1})
			c.Survey()
			c.Partitions(func(*Partition) bool { return true })
		}
	})
}

// FuzzLog: whatever a segment and a snapshot hold, they are read to an end, and
// what is told of them is in order.
func FuzzLog(f *testing.F) {
	whole, err := os.ReadFile(filepath.Join(real(f), "00000000000000000000.log"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:3000], []byte{}, false)
	f.Add([]byte{}, whole[:2000], true)
	f.Add(appendBatch(nil, 7, 1000, 1, record(beginTransaction, 0).tags(), record(topicRecord, 0).text("orders").uuid(orders).tags(), record(abortTransaction, 0).tags()), whole[:500], false)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, log, snapshot []byte, recent bool) {
		for name, data := range map[string][]byte{"00000000000000000000.log": log, "00000000000000000007-0000000001.checkpoint": snapshot} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o := Options{}
		if recent {
			o.Since = 1
		}
		l, err := Read(context.Background(), &probe.Target{}, dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if l.End < l.Start {
			t.Fatalf("from %d to %d", l.Start, l.End)
		}
		offset := int64(-1)
		for _, c := range l.Cluster.Changes(Want{Broker: -1}) {
			if c.Offset < offset {
				t.Fatalf("offset %d after %d", c.Offset, offset)
			}
			offset = c.Offset
		}
		if err := clusterFact(l.Cluster).Valid(); err != nil {
			t.Fatal(err)
		}
		leadersFact(l.Cluster, l.Last, l.First)
	})
}

// TestTransactions: what was aborted never was.
func TestTransactions(t *testing.T) {
	dir := t.TempDir()
	topic := func(called string, id byte) body {
		return record(topicRecord, 0).text(called).uuid(UUID{id}).tags()
	}
	log := appendBatch(nil, 0, 1000, 1, record(beginTransaction, 0).tags(), topic("never", 1), record(abortTransaction, 0).tags())
	log = appendBatch(log, 3, 2000, 1, record(beginTransaction, 0).tags(), topic("orders", 2))
	log = appendBatch(log, 5, 3000, 1, record(endTransaction, 0).tags(), record(beginTransaction, 0).tags(), topic("open", 3))
	if err := os.WriteFile(filepath.Join(dir, "00000000000000000000.log"), log, 0o600); err != nil {
		t.Fatal(err)
	}
	if all := read(t, dir, Options{}).Cluster.Topics(); strings.Join(all, " ") != "orders" {
		t.Errorf("topics %q", all)
	}
}
