//go:build lab

package kafka_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/lab"
)

// The real program in front of real brokers: check, record and console. What it
// sends only reads, the audit counts the same, and neither topics nor groups nor
// settings are others afterwards.
func TestLabEveryFrameOnlyReads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	program := build(t)
	tp := &tap{}
	var c *lab.Cluster
	fronts, brokers := map[int32]string{}, map[string]int32{}
	for id := int32(1); id <= 3; id++ {
		fronts[id] = tp.before(t, id, func() string { return fmt.Sprintf("127.0.0.1:%d", c.Node(id).FrontPort) })
		brokers[fronts[id]] = id
	}
	c, err := lab.Start(ctx, lab.Options{Shape: lab.Shape{OwnController: true, Fronts: fronts}, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 3, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	// No group yet and no transaction: looking one up would create an internal topic.
	useAll(t, program, fronts[1])
	before := topicsOf(ctx, t, c)
	if !slices.Equal(before, []string{"orders"}) {
		t.Errorf("after a look at a cluster without groups there are topics %v", before)
	}
	frames, broken := tp.take()
	onlyReads(t, frames, before...)

	slow(ctx, t, c)
	transact(ctx, t, c)
	before = topicsOf(ctx, t, c)
	tp.take()
	useAll(t, program, fronts[2])
	frames, more := tp.take()
	for _, b := range append(broken, more...) {
		t.Error(b)
	}
	counts := onlyReads(t, frames, before...)
	for _, key := range []kmsg.Key{kmsg.ApiVersions, kmsg.Metadata, kmsg.ListOffsets, kmsg.OffsetFetch, kmsg.ListGroups, kmsg.DescribeGroups, kmsg.DescribeQuorum,
		kmsg.DescribeConfigs, kmsg.DescribeLogDirs, kmsg.ListTransactions, kmsg.DescribeProducers, kmsg.Fetch, kmsg.DescribeCluster} {
		if counts[int16(key)] == 0 {
			t.Errorf("%s was not sent: it was not tried", kmsg.NameForKey(int16(key)))
		}
	}
	for key, n := range counts {
		t.Logf("%-30s %d", kmsg.NameForKey(key), n)
	}
	if after := topicsOf(ctx, t, c); !slices.Equal(before, after) {
		t.Errorf("topics %v became %v", before, after)
	}

	said := audited(t, start(t, program, fronts[3], "audit", "-o", "json"), brokers)
	frames, _ = tp.take()
	onlyReads(t, frames, before...)
	direct := 0 // to the controller, which the proxies are not before
	for key := range said {
		name, to, _ := strings.Cut(key, " to ")
		if to == "controller 100" {
			direct++
			delete(said, key)
			if !slices.Contains([]string{"ApiVersions", "DescribeQuorum", "DescribeCluster"}, name) {
				t.Errorf("%s", key)
			}
		}
	}
	if direct != 3 {
		t.Errorf("%d kinds of requests to the controller, three are expected", direct)
	}
	agree(t, said, frames)
}

func topicsOf(ctx context.Context, t *testing.T, c *lab.Cluster) []string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	all, err := kadm.NewClient(client).ListTopicsWithInternal(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return all.Names()
}

// slow writes a few batches and leaves a group at the first record of orders-2.
func slow(ctx context.Context, t *testing.T, c *lab.Cluster) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	began := time.Now().Add(-time.Hour)
	for i := range 3 {
		var records []*kgo.Record
		for range 10 {
			records = append(records, &kgo.Record{Topic: "orders", Partition: 2, Value: []byte(strings.Repeat("x", 100)), Timestamp: began.Add(time.Duration(i) * 20 * time.Minute)})
		}
		if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	var o kadm.Offsets
	o.AddOffset("orders", 2, 0, 0)
	if err := kadm.NewClient(client).CommitAllOffsets(ctx, "slow", o); err != nil {
		t.Fatal(err)
	}
}
