//go:build lab

package kafka_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// What only real brokers show: an open transaction, a throttled reassignment,
// quotas, SCRAM users and the members of groups of both protocols.
func TestLabEverythingAtOnce(t *testing.T) {
	for _, version := range []string{"4.3.1", "3.9.2"} {
		t.Run(version, func(t *testing.T) { everything(t, version) })
	}
}

func everything(t *testing.T, version string) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Version: version, Shape: lab.Shape{OwnController: true, TwoDirs: true}, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	for _, topic := range []lab.Topic{{Name: "orders", Partitions: 3, Replication: 3}, {Name: "big", Partitions: 1, On: []int32{1, 2}, Configs: map[string]string{"retention.ms": "7200000"}}} {
		if err := c.CreateTopic(ctx, topic); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Consume(ctx, "billing", "orders", 0); err != nil {
		t.Fatal(err)
	}
	next := version == "4.3.1"
	if next {
		consumeNext(ctx, t, c)
	}
	stir(ctx, t, c)
	from, to := shift(ctx, t, c)
	open := transact(ctx, t, c)
	slow(ctx, t, c)
	if next {
		share(ctx, t, c)
	}
	time.Sleep(4 * time.Second)

	target := &probe.Target{Bootstrap: c.Bootstrap()[:1], Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Only: []string{"kafka"}, Deadline: 15 * time.Second}) // heavy ones too
	defer live.Close()
	b := round(t, target, live)
	ofBrokers(t, b, version)
	ofMoves(t, b)
	ofShift(t, b, from, to)
	ofAccess(t, b)
	ofTransactions(t, b, open)
	ofRoster(t, want(t, b, fact.GroupRoster, fact.Subject{Scope: fact.Group, Name: "billing"}), "classic")
	if next {
		ofRoster(t, want(t, b, fact.GroupRoster, fact.Subject{Scope: fact.Group, Name: "shipping"}), "consumer")
	}
	ofPath(t, b)
	ofControllers(t, b)
	if next {
		ofShare(t, b)
	}
	o := want(t, b, fact.Offsets, fact.Subject{Scope: fact.Group, Name: "billing"})
	if len(o.CommitEpoch) == 0 || o.CommitEpoch[0] < 0 {
		t.Errorf("epochs of commits: %+v", o)
	}
	for _, r := range b.Runs {
		if r.Status != fact.OK && !(r.Probe == "kafka.registered" && !next) {
			t.Errorf("%s is %s: %s", r.Probe, r.Status, r.Error)
		}
	}
}

// consumeNext joins a group of the consumer protocol.
func consumeNext(ctx context.Context, t *testing.T, c *lab.Cluster) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.ConsumerGroup("shipping"), kgo.ConsumeTopics("orders"), kgo.ClientID("shipper"),
		//lint:ignore SA1029 the client looks for this very key
		kgo.WithContext(context.WithValue(ctx, "opt_in_kafka_next_gen_balancer_beta", true)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	go func() {
		for ctx.Err() == nil && !client.PollFetches(ctx).IsClientClosed() {
		}
	}()
}

// stir begins a throttled move, and sets quotas and a SCRAM user.
func stir(ctx context.Context, t *testing.T, c *lab.Cluster) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.ManualPartitioner())) // partition 0: others look at what is in 1 and 2
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	admin := kadm.NewClient(client)
	var records []*kgo.Record
	for range 300 {
		records = append(records, &kgo.Record{Topic: "big", Value: []byte(strings.Repeat("x", 20000))}, &kgo.Record{Topic: "orders", Value: []byte("a")})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	all, rate := "*", "20000"
	for _, failure := range []func() error{
		func() (err error) {
			_, err = admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "leader.replication.throttled.replicas", Value: &all}, {Name: "follower.replication.throttled.replicas", Value: &all}}, "big")
			return err
		},
		func() (err error) {
			_, err = admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "leader.replication.throttled.rate", Value: &rate}, {Name: "follower.replication.throttled.rate", Value: &rate}}, 1, 2, 3)
			return err
		},
		func() error {
			var move kadm.AlterPartitionAssignmentsReq
			move.Assign("big", 0, []int32{3, 2})
			answer, err := admin.AlterPartitionAssignments(ctx, move)
			if err == nil {
				err = answer.Error()
			}
			return err
		},
		func() (err error) {
			name := "alice"
			_, err = admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{
				{Entity: kadm.ClientQuotaEntity{{Type: "client-id"}}, Ops: []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: 1e6}}},
				{Entity: kadm.ClientQuotaEntity{{Type: "user", Name: &name}}, Ops: []kadm.AlterClientQuotaOp{{Key: "request_percentage", Value: 50}}}})
			return err
		},
		func() (err error) {
			_, err = admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "alice", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "canary-of-a-password"}})
			return err
		},
	} {
		if err := failure(); err != nil {
			t.Fatal(err)
		}
	}
}

// transact begins a transaction and leaves it open; it tells the producer id.
func transact(ctx context.Context, t *testing.T, c *lab.Cluster) int64 {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.TransactionalID("payments"), kgo.TransactionTimeout(50*time.Second),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for p := range int32(2) {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Partition: p, Value: []byte("b")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	id, _, err := client.ProducerID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func ofBrokers(t *testing.T, b fact.Batch, version string) {
	t.Helper()
	level := map[string]int16{"4.3.1": 30, "3.9.2": 21}[version]
	for id := int32(1); id <= 3; id++ {
		f := want(t, b, fact.BrokerFeatures, fact.BrokerOf(id))
		if got, ok := f.Level("metadata.version"); !ok || got != level {
			t.Errorf("broker %d: metadata.version %d, %d is expected; %+v", id, got, level, f)
		}
		if _, most, ok := want(t, b, fact.BrokerAPIs, fact.BrokerOf(id)).Versions(55); !ok || most != 2 {
			t.Errorf("broker %d: DescribeQuorum up to %d", id, most)
		}
		var steps []fact.Step
		for _, s := range want(t, b, fact.BrokerReach, fact.BrokerOf(id)).Times {
			steps = append(steps, s.Step)
			if s.Seconds < 0 || s.Seconds > 5 {
				t.Errorf("broker %d: %+v", id, s)
			}
		}
		if !slices.Contains(steps, fact.Connect) || !slices.Contains(steps, fact.APIVersions) {
			t.Errorf("broker %d: steps %v", id, steps)
		}
		set := want(t, b, fact.BrokerConfigs, fact.BrokerOf(id))
		t.Logf("broker %d tells %d settings", id, len(set))
		for name, value := range map[string]string{"leader.replication.throttled.rate": "20000", "num.io.threads": "4", "replica.lag.time.max.ms": "5000"} {
			at := slices.IndexFunc(set, func(s fact.NamedSetting) bool { return s.Name == name })
			if at < 0 || set[at].Value != value || !strings.HasSuffix(set[at].Source, "BROKER_CONFIG") {
				t.Errorf("broker %d: %s: %+v", id, name, set)
			}
		}
	}
	if q := want(t, b, fact.QuorumState, fact.TheCluster); len(q.Nodes) != 1 || q.Nodes[0].ID != 100 {
		t.Errorf("quorum: %+v", q)
	}
}

func ofAccess(t *testing.T, b fact.Batch) {
	t.Helper()
	q := want(t, b, fact.Quotas, fact.TheCluster)
	if len(q) != 2 || !q[0].Entity[0].Default || q[0].Key != "producer_byte_rate" || q[0].Value != 1e6 || q[1].Entity[0].Name != "alice" {
		t.Errorf("quotas: %+v", q)
	}
	if users := want(t, b, fact.SCRAMUsers, fact.TheCluster); !slices.Equal(users, []string{"alice"}) {
		t.Errorf("SCRAM users: %v", users)
	}
	if o := last(b, fact.ACLs, fact.TheCluster); o.Because == nil || o.Because.Reason != fact.Absent {
		t.Errorf("ACLs without an authorizer: %v, %s", o.Value, o.Because)
	}
	mine := want(t, b, fact.Permissions, fact.TheCluster)
	if !slices.Contains(mine.Cluster, "ALTER") || len(mine.Topics) != 1 || !slices.Contains(mine.Topics[0].Operations, "READ") {
		t.Errorf("rights: %+v", mine)
	}
}

func ofTransactions(t *testing.T, b fact.Batch, id int64) {
	t.Helper()
	o := want(t, b, fact.Transactions, fact.TheCluster)
	if !slices.Equal(o.ID, []string{"payments"}) || o.Producer[0] != id || o.State[0] != "Ongoing" || o.Timeout[0] != 50 || o.Partitions[0] != 2 ||
		time.Since(o.Started[0]) > time.Minute || o.Coordinator[0] < 1 {
		t.Errorf("transactions: %+v, producer %d is expected", o, id)
	}
	p := want(t, b, fact.OpenProducers, fact.TheCluster)
	if !slices.Equal(p.Partition, []int32{0, 1}) || p.Producer[0] != id || p.Started[0] < 0 || p.Held != 2 || p.Untold != 0 {
		t.Errorf("producers: %+v, producer %d is expected", p, id)
	}
}

func ofRoster(t *testing.T, r fact.Roster, kind string) {
	t.Helper()
	if err := r.Valid(); err != nil {
		t.Error(err)
	}
	if len(r.Members) != 1 || r.Members[0].Host != "127.0.0.1" || r.Members[0].Unread || r.Owned(0) != 3 || !slices.Equal(r.Topics, []string{"orders"}) ||
		len(r.Subscribed.At(0)) != 1 || r.Protocol == "" || (r.Epoch >= 0) != (kind == "consumer") || (len(r.TargetPartition.Items) == 3) != (kind == "consumer") {
		t.Errorf("%s group: %+v", kind, r)
	}
}

// share joins a share group.
func share(ctx context.Context, t *testing.T, c *lab.Cluster) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	join := kmsg.NewPtrShareGroupHeartbeatRequest()
	join.GroupID, join.MemberID, join.SubscribedTopicNames = "pickers", "dFe0r8mSS7qnkB3Tbi0Q2w", []string{"orders"}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		answer, err := join.RequestWith(ctx, client)
		if err == nil && answer.ErrorCode == 0 {
			join.MemberEpoch = answer.MemberEpoch
			where := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
			where.Groups = []kmsg.DescribeShareGroupOffsetsRequestGroup{{GroupID: "pickers"}}
			told, err := where.RequestWith(ctx, client)
			if err == nil && len(told.Groups) == 1 && len(told.Groups[0].Topics) == 1 { // the coordinator has set it up
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("join a share group: %+v, %v", answer, err)
		}
	}
}

func ofShare(t *testing.T, b fact.Batch) {
	t.Helper()
	pickers := fact.Subject{Scope: fact.Group, Name: "pickers"}
	if kind := want(t, b, fact.GroupType, pickers); kind != "share" {
		t.Errorf("pickers is of type %s", kind)
	}
	if r := want(t, b, fact.GroupRoster, pickers); len(r.Members) != 1 || r.ProtocolType != "share" {
		t.Errorf("%+v", r)
	}
	o := want(t, b, fact.ShareOffsets, pickers)
	if err := o.Valid(); err != nil || !slices.Equal(o.Topic, []string{"orders", "orders", "orders"}) || !slices.Equal(o.Partition, []int32{0, 1, 2}) {
		t.Errorf("%+v, %v", o, err)
	}
	t.Logf("share offsets: %+v", o)
}

// ofPath is the offsets of partitions, and what batches tell of a group that lags.
func ofPath(t *testing.T, b fact.Batch) {
	t.Helper()
	ends := want(t, b, fact.PartitionEnds, fact.TheCluster)
	if err := ends.Valid(); err != nil || ends.Left != 0 {
		t.Errorf("%+v, %v", ends, err)
	}
	for i, high := range ends.HighWatermark {
		if high < 0 || ends.LogStart[i] < 0 || ends.LastStable[i] < 0 || ends.LastStable[i] > high {
			t.Errorf("%s-%d: %d, %d, %d", ends.Topics[ends.Topic[i]], ends.Partition[i], ends.LogStart[i], ends.LastStable[i], high)
		}
	}
	for p, held := range []bool{true, true, false} {
		if i := ends.At("orders", int32(p)); i < 0 || (ends.LastStable[i] < ends.HighWatermark[i]) != held {
			t.Errorf("orders-%d: held back is %v: %+v", p, !held, ends)
		}
	}
	all := want(t, b, fact.Batches, fact.TheCluster)
	looked := 0
	for _, one := range all {
		if one.Group != "slow" {
			continue
		}
		looked++
		if one.Topic != "orders" || one.Partition != 2 || one.Records < 1 || one.First.IsZero() || one.Bytes < 61 {
			t.Errorf("%+v", one)
		}
	}
	behind, ok := fact.Behind(all, "slow")
	if looked < 2 || !ok || behind < 2000 || behind > 4000 {
		t.Errorf("%d headers, %g s behind, %v: %+v", looked, behind, ok, all)
	}
	t.Logf("%d headers of batches, the group is %.0f s behind", len(all), behind)
	want(t, b, fact.LeaderEpochs, fact.TheCluster)
}

// ofControllers is what the one controller says itself.
func ofControllers(t *testing.T, b fact.Batch) {
	t.Helper()
	said := want(t, b, fact.QuorumVoters, fact.TheCluster)
	if len(said) != 1 {
		t.Fatalf("%+v", said)
	}
	if v := said[0]; v.ID != 100 || !v.Leads || v.Leader != 100 || !v.Told || v.Epoch < 1 || v.HighWatermark < 10 || v.Because != nil || v.Reach.Outcome != fact.Answered {
		t.Errorf("%+v", v)
	}
}
