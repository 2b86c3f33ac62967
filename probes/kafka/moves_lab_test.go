//go:build lab

package kafka_test

import (
	"context"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/lab"
)

func ofMoves(t *testing.T, b fact.Batch) {
	t.Helper()
	m := want(t, b, fact.Reassigned, fact.TheCluster)
	if !slices.Equal(m.Topic, []string{"big"}) || !slices.Equal(m.Adding.At(0), []int32{3}) || !slices.Equal(m.Removing.At(0), []int32{1}) {
		t.Errorf("reassignments: %+v", m)
	}
	k := want(t, b, fact.Configs, fact.TheCluster)
	big := slices.Index(k.Topics, "big")
	for name, set := range map[string]fact.Setting{"leader.replication.throttled.replicas": {Value: "*", Source: "DYNAMIC_TOPIC_CONFIG"},
		"retention.ms": {Value: "7200000", Source: "DYNAMIC_TOPIC_CONFIG"}, "cleanup.policy": {Value: "delete", Source: "DEFAULT_CONFIG"}} {
		if got, ok := k.Of(name, big); !ok || got != set {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, o := range b.Observations {
		if o.Key == fact.LogDirLag.Def() || o.Key == fact.LogDirFutures.Def() {
			t.Logf("%s %s %v %s", o.Key.Name, o.Subject, o.Value, o.Because)
			if o.Because != nil {
				t.Errorf("%s on %s: %s", o.Key.Name, o.Subject, o.Because)
			}
		}
	}
}

// shift begins to move the replica of big on broker 2 to its other log dir, at
// 20 kB a second; it tells from where to where.
func shift(ctx context.Context, t *testing.T, c *lab.Cluster) (from, to fact.Subject) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	rate := "20000"
	if _, err := admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "replica.alter.log.dirs.io.max.bytes.per.second", Value: &rate}}, 2); err != nil {
		t.Fatal(err)
	}
	dirs, err := admin.DescribeBrokerLogDirs(ctx, 2, nil)
	if err != nil || len(dirs) != 2 {
		t.Fatalf("log dirs of broker 2: %v, %v", dirs, err)
	}
	for _, d := range dirs.Sorted() {
		if _, here := d.Topics.Lookup("big", 0); here {
			from = fact.LogDirOf(2, d.Dir)
		} else {
			to = fact.LogDirOf(2, d.Dir)
			var move kadm.AlterReplicaLogDirsReq
			var what kadm.TopicsSet
			what.Add("big", 0)
			move.Add(d.Dir, what)
			answer, err := admin.AlterBrokerReplicaLogDirs(ctx, 2, move)
			if err != nil {
				t.Fatal(err)
			}
			answer.Each(func(r kadm.AlterReplicaLogDirsResponse) {
				if r.Err != nil {
					t.Fatalf("move to %s: %v", d.Dir, r.Err)
				}
			})
		}
	}
	return from, to
}

// ofShift is a replica that moves between two log dirs of a broker: in the new
// one it is not there yet, and lags.
func ofShift(t *testing.T, b fact.Batch, from, to fact.Subject) {
	t.Helper()
	if n := want(t, b, fact.LogDirFutures, from); n != 0 {
		t.Errorf("%s: %v future replicas, none is expected", from, n)
	}
	if n, lag := want(t, b, fact.LogDirFutures, to), want(t, b, fact.LogDirFutureLag, to); n != 1 || lag < 1 || lag > 300 {
		t.Errorf("%s: %v future replicas that lag %v records", to, n, lag)
	}
	if lag := want(t, b, fact.LogDirLag, to); lag != 0 {
		t.Errorf("%s: what is not there yet counts as a lag of %v", to, lag)
	}
}
