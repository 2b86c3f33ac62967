package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestLastKnownOnTheVerdict: where all brokers are dead, the Verdict screen says
// how old the cluster is that it speaks of, and nothing of it while one answers.
func TestLastKnownOnTheVerdict(t *testing.T) {
	ownPlaybooks(t)
	at := time.Date(2026, 11, 25, 1, 41, 0, 0, time.UTC)
	last := fact.LastCluster{Copy: fact.LogCopy{Node: 3, Dir: "/data", First: at.Add(-time.Hour), Last: at.Add(-2 * time.Minute), End: 900}, Controller: 3,
		Topics: []string{"orders"}, Topic: []int32{0}, Partition: []int32{0}, Leader: []int32{-1}, LeaderEpoch: []int32{4},
		Brokers: []fact.LastBroker{{BrokerAddress: fact.BrokerAddress{ID: 3, Host: "b", Port: 9092}, Since: at.Add(-time.Hour)}}}
	for _, of := range []struct {
		list *fact.Lists
		ids  []int32
	}{{&last.Replicas, []int32{3}}, {&last.ISR, []int32{3}}, {&last.ELR, nil}, {&last.LastELR, nil}} {
		of.list.Add(of.ids)
	}
	for outcome, why := range map[fact.Outcome]string{fact.Refused: "every broker is gone", fact.Silent: "no broker answers from here"} {
		for _, size := range [][2]int{{80, 24}, {60, 16}, {120, 40}} {
			opt := smallOptions()
			opt.Catalogue, opt.Width, opt.Height, opt.NoColor = diagnose.All, size[0], size[1], true
			b := fact.Batch{At: at, Observations: []fact.Observation{fact.LastSeen.Is(fact.TheCluster, last),
				fact.BrokerReach.Is(fact.BrokerOf(3), fact.Reach{Address: "b:9092", Step: fact.Connect, Outcome: outcome})}}
			got := keys(t, feed(t, New(opt), []fact.Batch{b}), "v").View()
			mustFit(t, got, size[0], size[1])
			want := "last known 01:39:00, 2m0s ago, by node 3's log: " + why
			if size[0] < 80 {
				want = "last known 01:39:00, 2m0s ago, by node 3's log"
			}
			if !strings.Contains(got, want) {
				t.Errorf("%v: says not %q, but\n%s", size, want, got)
			}
			m := keys(t, feed(t, New(opt), []fact.Batch{b}), "T")
			mustFit(t, m.View(), size[0], size[1])
			shows(t, m, "PARTITIONS  last known 01:39:00: 1 partition, 1 no lea", "orders-0 ")
			shows(t, keys(t, m, "enter"), "orders-0: leader none, replicas 3, in sync 3", "as of 01:39:00, 2 min ago: no broker answers")
		}
	}
	if rows := lastKnownRows(nil); rows != nil {
		t.Errorf("a broker answers, and %v is said", rows)
	}
}
