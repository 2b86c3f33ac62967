package kafka

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// commitSome writes ten records and commits six of them as a classic group that
// nobody is in.
func commitSome(t *testing.T, addresses []string) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addresses...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for range 10 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: 2}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	admin := kadm.NewClient(client)
	var o kadm.Offsets
	o.AddOffset("orders", 2, 6, -1)
	if err := admin.CommitAllOffsets(t.Context(), "billing", o); err != nil {
		t.Fatal(err)
	}
	return admin
}

func TestHealthyCluster(t *testing.T) {
	cluster := fake(t)
	admin := commitSome(t, cluster.ListenAddrs())
	target := aim(t, cluster.ListenAddrs()[0])
	target.Timeout = 5 * time.Second

	reach := must(t, target, Reach)
	for id := range int32(3) {
		if r := value(t, reach, fact.BrokerReach, fact.BrokerOf(id)); r.Outcome != fact.Answered || r.Step != fact.APIVersions || r.Seconds <= 0 {
			t.Errorf("broker %d: %+v", id, r)
		}
		value(t, reach, fact.BrokerSoftware, fact.BrokerOf(id))
	}
	if got := reach.subjects(fact.BrokerReach); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("brokers %v", got)
	}

	metadata := must(t, target, Metadata)
	for id := range int32(3) {
		v := value(t, metadata, fact.Metadata, fact.BrokerOf(id))
		if len(v.Brokers) != 3 || !slices.Contains(v.Topics, "orders") || len(v.Leader) < 12 {
			t.Errorf("broker %d tells %d brokers, topics %v, %d partitions", id, len(v.Brokers), v.Topics, len(v.Leader))
		}
	}

	dirs := must(t, target, LogDirs)
	if got := dirs.subjects(fact.LogDirSize); len(got) != 3 {
		t.Errorf("log dirs %v", got)
	}

	configs := value(t, must(t, target, Configs), fact.Configs, fact.TheCluster)
	if !slices.Contains(configs.Topics, "orders") || configs.MinISR[0] < 1 || configs.MinISRSource[0] == "" {
		t.Errorf("configs %+v", configs)
	}

	groups := must(t, target, Groups)
	billing := fact.Subject{Scope: fact.Group, Name: "billing"}
	if ids := value(t, groups, fact.Groups, fact.TheCluster); !slices.Equal(ids, []string{"billing"}) {
		t.Errorf("groups %v", ids)
	}
	if s := value(t, groups, fact.GroupState, billing); s != "Empty" {
		t.Errorf("state %s", s)
	}
	if n := value(t, groups, fact.GroupMembers, billing); n != 0 {
		t.Errorf("members %v", n)
	}
	coordinators := admin.FindGroupCoordinators(t.Context(), "billing")
	if c := value(t, groups, fact.GroupCoordinator, billing); int32(c) != coordinators["billing"].NodeID {
		t.Errorf("coordinator %v, kadm says %v", c, coordinators["billing"].NodeID)
	}

	o := value(t, must(t, target, Offsets), fact.Offsets, billing)
	if !slices.Equal(o.Topic, []string{"orders"}) || o.Partition[0] != 2 || o.Committed[0] != 6 || o.LogStart[0] != 0 || o.LogEnd[0] != 10 || o.LastStable[0] != 10 {
		t.Errorf("offsets %+v", o)
	}

	sent := map[string]bool{}
	for _, e := range target.Ledger.Entries() {
		if e.Act != "request" || e.Count < 1 || e.Bytes < 1 {
			t.Errorf("ledger entry %+v", e)
		}
		sent[e.Object] = true
	}
	for _, want := range []string{"Metadata to broker 0", "Metadata to broker 2", "OffsetFetch to broker " + fact.BrokerOf(coordinators["billing"].NodeID).Name} {
		if !sent[want] {
			t.Errorf("the ledger lacks %q: %v", want, sent)
		}
	}
}

// kfake has no quorum, as a cluster with ZooKeeper.
func TestNoQuorum(t *testing.T) {
	target := aim(t, fake(t).ListenAddrs()...)
	seen := must(t, target, Quorum)
	if u := seen.unknown(t, fact.QuorumState, fact.TheCluster); u.Reason != fact.Absent {
		t.Errorf("%v, not-applicable is expected", u)
	}
	first := value(t, seen, fact.ZooKeeperController, fact.TheCluster) // nobody has told the metadata yet
	view := value(t, must(t, target, Metadata), fact.Metadata, fact.BrokerOf(1))
	if int32(first) != view.Controller {
		t.Errorf("controller %v before any metadata, which say %d", first, view.Controller)
	}
	if id := value(t, must(t, target, Quorum), fact.ZooKeeperController, fact.TheCluster); int32(id) != view.Controller {
		t.Errorf("controller %v, metadata says %d", id, view.Controller)
	}
}

func TestNobodyKnown(t *testing.T) {
	t.Parallel()
	target := aim(t)
	target.Timeout = 100 * time.Millisecond
	for _, p := range Probes {
		if seen, err := look(t, target, p); err == nil || probe.Because(err).Reason != fact.NotObserved {
			t.Errorf("%s: %v, %v", p.Name, seen, err)
		}
	}
}
