//go:build lab

package kafka_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// Two of three voters are killed. The one that is left does not lead and says so
// itself, while no broker tells of the quorum: all that without having seen the
// cluster before.
func TestLabVotersOfALostQuorum(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	look := func() fact.Batch {
		target := &probe.Target{Bootstrap: []string{c.Node(2).Address()}, Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
		defer target.Close()
		live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Only: []string{"kafka.quorum", "kafka.voters"}, Deadline: 15 * time.Second})
		defer live.Close()
		return round(t, target, live)
	}
	leads := 0
	for _, v := range want(t, look(), fact.QuorumVoters, fact.TheCluster) {
		if v.ID < 1 || v.ID > 3 || v.Reach.Outcome != fact.Answered || !v.Told || v.Leader < 1 || v.Because != nil {
			t.Errorf("while all is well: %+v", v)
		}
		if v.Leads {
			leads++
		}
	}
	if leads != 1 {
		t.Errorf("%d lead", leads)
	}
	for _, id := range []int32{1, 3} {
		if err := c.Node(id).End(ctx, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(15 * time.Second) // until node 2 has given up whom it followed
	b := look()
	if o := last(b, fact.QuorumState, fact.TheCluster); o.Because == nil {
		t.Errorf("a broker tells of a quorum: %+v", o.Value)
	}
	said := want(t, b, fact.QuorumVoters, fact.TheCluster)
	if len(said) != 3 {
		t.Fatalf("%+v", said)
	}
	for _, v := range said {
		t.Logf("%+v, because %s", v, v.Because)
		switch v.ID {
		case 2:
			if v.Leads || v.Reach.Outcome != fact.Answered || v.Epoch != -1 {
				t.Errorf("the one that is left: %+v", v)
			}
		default:
			if v.Reach.Outcome != fact.Refused || v.Because == nil || v.Because.Reason != fact.Unreachable {
				t.Errorf("a dead one: %+v", v)
			}
		}
	}
}
