package kafka

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// fill writes some records to every partition of a topic.
func fill(t *testing.T, addresses []string, topic string, partitions int32, records int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addresses...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for p := range partitions {
		for range records {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: p}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// moveAll gives every partition of a topic to the next broker.
func moveAll(t *testing.T, cluster *kfake.Cluster, topic string, partitions int32) {
	t.Helper()
	for p := range partitions {
		if err := cluster.MoveTopicPartition(topic, p, (cluster.LeaderFor(topic, p)+1)%3); err != nil {
			t.Fatal(err)
		}
	}
}

// Leaders change after the view of them and before the question: the offsets are
// there in the same round, of every partition, and the ledger says who was asked.
func TestLeadersThatHaveJustMoved(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	fill(t, cluster.ListenAddrs(), "orders", 6, 3)
	target := aim(t, cluster.ListenAddrs()[0])
	target.Timeout = 5 * time.Second
	must(t, target, Metadata)
	moveAll(t, cluster, "orders", 6)
	var asked [3]atomic.Int64 // questions to each broker
	cluster.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked[cluster.CurrentNode()].Add(1)
		return nil, nil, false
	})
	o := value(t, must(t, target, Partitions), fact.PartitionEnds, fact.TheCluster)
	for i := range o.Partition {
		want := map[string]int64{"orders": 3, "plays": 0}[o.Topics[o.Topic[i]]]
		if o.HighWatermark[i] != want || o.LastStable[i] != want || o.LogStart[i] != 0 {
			t.Errorf("%s-%d: %d to %d, stable %d; %d records", o.Topics[o.Topic[i]], o.Partition[i], o.LogStart[i], o.HighWatermark[i], o.LastStable[i], want)
		}
	}
	total := int64(0)
	for id := range asked {
		n, name := asked[id].Load(), fmt.Sprintf("ListOffsets to broker %d", id)
		total += n
		at := slices.IndexFunc(target.Ledger.Entries(), func(e probe.Entry) bool { return e.Object == name })
		if at < 0 || int64(target.Ledger.Entries()[at].Count) != n {
			t.Errorf("%s: sent %d times, the ledger has %+v", name, n, target.Ledger.Entries())
		}
	}
	if total <= 9 { // three questions to each leader
		t.Errorf("%d questions: nobody was asked once more", total)
	}
}

// A broker that hangs beside the move is not dialled, and what the others lead
// now is known without waiting for it.
func TestMovedBesideAHungBroker(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	fill(t, cluster.ListenAddrs(), "orders", 6, 2)
	for p := range int32(6) {
		if err := cluster.MoveTopicPartition("orders", p, p%2); err != nil { // none is on broker 2
			t.Fatal(err)
		}
	}
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 2 * time.Second
	must(t, target, Metadata)
	cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, cluster.CurrentNode() == 2
	})
	must(t, target, Reach)
	for p := range int32(6) {
		if err := cluster.MoveTopicPartition("orders", p, (p+1)%2); err != nil {
			t.Fatal(err)
		}
	}
	r, view, err := viewed(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var wanted []int32
	for p := range int32(6) {
		wanted = append(wanted, int32(view.At("orders", p)))
	}
	e, told, err := r.endsOf(t.Context(), view, wanted)
	if took := time.Since(began); err != nil || took > target.Timeout/4 {
		t.Errorf("%d told in %s: %v", told, took, err)
	}
	for _, i := range wanted {
		if e.high[i] != 2 || e.stable[i] != 2 || e.start[i] != 0 {
			t.Errorf("partition %d: %d %d %d", view.Partition[i], e.start[i], e.stable[i], e.high[i])
		}
	}
}

// A topic that is gone, and a leader that never admits to be one: nothing is made
// up, and asking ends in time.
func TestMovedInVain(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 2 * time.Second
	must(t, target, Metadata)
	if err := cluster.DeleteTopic("plays"); err != nil {
		t.Fatal(err)
	}
	cluster.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		a := r.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, asked := range r.(*kmsg.ListOffsetsRequest).Topics {
			one := kmsg.NewListOffsetsResponseTopic()
			one.Topic = asked.Topic
			for _, p := range asked.Partitions {
				no := kmsg.NewListOffsetsResponseTopicPartition()
				no.Partition, no.ErrorCode, no.Offset = p.Partition, 6, -1
				one.Partitions = append(one.Partitions, no)
			}
			a.Topics = append(a.Topics, one)
		}
		return a, nil, true
	})
	began := time.Now()
	seen, err := look(t, target, Partitions)
	if took := time.Since(began); took > target.Timeout/2 {
		t.Errorf("took %s", took)
	}
	o := value(t, seen, fact.PartitionEnds, fact.TheCluster)
	for i := range o.Partition {
		if o.HighWatermark[i] != -1 || o.LastStable[i] != -1 || o.LogStart[i] != -1 {
			t.Errorf("%s-%d: %+v", o.Topics[o.Topic[i]], o.Partition[i], o)
		}
	}
	t.Logf("%v after %s", err, time.Since(began))
}

// What is asked for once more is bounded, by whole topics.
func TestAgainIsBounded(t *testing.T) {
	view := viewOf(wide(30, 1000))
	e := &logEnds{view: &view}
	for i := range e.view.Partition {
		if e.view.Partition[i]%500 == 0 { // two of each topic, twice
			e.moved = append(e.moved, int32(i), int32(i))
		}
	}
	slices.Reverse(e.moved)
	partitions, topics := e.again()
	if len(topics) != againAtMost/1000 || len(partitions) != 2*len(topics) || !slices.IsSorted(partitions) {
		t.Errorf("%d partitions of %d topics: %v", len(partitions), len(topics), partitions)
	}
	if !slices.IsSorted(topics) || !strings.HasPrefix(topics[0], "topic-") {
		t.Errorf("%v", topics)
	}
}
