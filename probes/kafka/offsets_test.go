package kafka

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// With one leader hung the log ends of the partitions that others lead are
// known, those of its own are not, and nobody waits for it twice.
func TestOffsetsWithOneLeaderHung(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	admin := commitSome(t, cluster.ListenAddrs())
	var o kadm.Offsets
	for p := range int32(6) {
		o.AddOffset("orders", p, 0, -1)
	}
	if err := admin.CommitAllOffsets(t.Context(), "billing", o); err != nil {
		t.Fatal(err)
	}
	coordinator := admin.FindGroupCoordinators(t.Context(), "billing")["billing"].NodeID
	hung := (coordinator + 1) % 3
	for p := range int32(6) {
		if err := cluster.MoveTopicPartition("orders", p, p%3); err != nil {
			t.Fatal(err)
		}
	}
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 2 * time.Second
	billing := fact.Subject{Scope: fact.Group, Name: "billing"}
	for range 2 {
		must(t, target, Reach)
		must(t, target, Metadata)
		must(t, target, Groups)
		if all := value(t, must(t, target, Offsets), fact.Offsets, billing); len(all.LogEnd) != 6 || all.LogEnd[0] < 0 || all.LogEnd[1] < 0 || all.LogEnd[2] < 0 {
			t.Fatalf("before: %+v", all)
		}
	}
	var hangs atomic.Bool
	hangs.Store(true)
	cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, hangs.Load() && cluster.CurrentNode() == hung
	})
	if r := value(t, must(t, target, Reach), fact.BrokerReach, fact.BrokerOf(hung)); r.Outcome != fact.Silent {
		t.Fatalf("%+v", r)
	}
	look(t, target, Groups) // its connections are waited for here
	began := time.Now()
	seen, _ := look(t, target, Offsets)
	took := time.Since(began)
	after := value(t, seen, fact.Offsets, billing)
	for i := range after.LogEnd {
		if lost := after.Partition[i]%3 == hung; lost != (after.LogEnd[i] < 0) || lost != (after.LastStable[i] < 0) {
			t.Errorf("broker %d hangs: %+v", hung, after)
		}
	}
	if took > target.Timeout/2 {
		t.Errorf("took %s", took)
	}
	hangs.Store(false)
	must(t, target, Reach)
	must(t, target, Metadata)
	must(t, target, Groups)
	if all := value(t, must(t, target, Offsets), fact.Offsets, billing); all.LogEnd[0] < 0 || all.LogEnd[1] < 0 || all.LogEnd[2] < 0 {
		t.Errorf("after: %+v", all)
	}
}
