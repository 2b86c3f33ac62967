package kafka_test

import (
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

// behind is a listener that tells the address of the proxy before it.
type behind struct {
	net.Listener
	front net.Addr
}

func (b behind) Addr() net.Addr { return b.front }

// restless moves partitions from broker to broker until it is told to stop.
func restless(cluster *kfake.Cluster) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := int32(0); ; n++ {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				cluster.MoveTopicPartition("orders", n%6, (cluster.LeaderFor("orders", n%6)+1)%3)
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-ended })
}

// The real program, as check, record and console, in front of a fake cluster
// with groups and transactions: every frame that reaches a broker only reads,
// and the audit counts the same.
func TestEveryFrameOnlyReads(t *testing.T) {
	t.Parallel()
	tp := &tap{}
	brokers := map[string]int32{}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, "orders", "plays"),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			id := int32(len(brokers))
			front := tp.before(t, id, l.Addr().String)
			brokers[front] = id
			a, err := net.ResolveTCPAddr("tcp", front)
			return behind{l, a}, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.TransactionalID("payments"), kgo.TransactionTimeout(time.Minute), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders"}, &kgo.Record{Topic: "plays"}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var o kadm.Offsets
	for p := range int32(6) {
		o.AddOffset("orders", p, 0, 0)
	}
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "billing", o); err != nil {
		t.Fatal(err)
	}
	if err := cluster.MoveTopicPartition("orders", 0, (cluster.LeaderFor("orders", 0)+1)%3); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	tp.take()

	program := build(t)
	still := restless(cluster)
	useAll(t, program, cluster.ListenAddrs()[0])
	still()
	frames, broken := tp.take()
	for _, b := range broken {
		t.Error(b)
	}
	counts := onlyReads(t, frames)
	for _, key := range []kmsg.Key{kmsg.ApiVersions, kmsg.Metadata, kmsg.ListOffsets, kmsg.OffsetFetch, kmsg.ListGroups, kmsg.DescribeGroups,
		kmsg.DescribeConfigs, kmsg.DescribeLogDirs, kmsg.ListTransactions, kmsg.DescribeProducers, kmsg.DescribeACLs, kmsg.OffsetForLeaderEpoch, kmsg.Fetch} {
		if counts[int16(key)] < 3 { // each of the three programs
			t.Errorf("%s was sent %d times: it was not tried", kmsg.NameForKey(int16(key)), counts[int16(key)])
		}
	}
	followed := slices.ContainsFunc(frames, func(f *frame) bool { return f.key() == int16(kmsg.ApiVersions) && f.version() != 3 })
	if !followed { // ktriage's own connections begin with version 3
		t.Error("the client that follows leaders was not tried")
	}
	t.Logf("%d frames of %d kinds", len(frames), len(counts))

	still = restless(cluster)
	defer still()
	said := audited(t, start(t, program, cluster.ListenAddrs()[1], "audit", "-o", "json"), brokers)
	frames, _ = tp.take()
	onlyReads(t, frames)
	agree(t, said, frames)
}
