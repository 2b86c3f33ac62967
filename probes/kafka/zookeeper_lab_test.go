//go:build labmore

package kafka_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// absentWithZooKeeper is what Kafka 2.8 with ZooKeeper, without an authorizer, does
// not have or does not tell, and why.
var absentWithZooKeeper = map[string]fact.Reason{
	"kafka.quorum":           fact.Absent,
	"kafka.quorum.voters":    fact.Absent,
	"kafka.registered":       fact.Absent,
	"kafka.transactions":     fact.Absent,
	"kafka.acls":             fact.Absent,
	"kafka.logdir.total":     fact.NotSupported,
	"kafka.logdir.usable":    fact.NotSupported,
	"kafka.group.generation": fact.NotSupported,
}

// A cluster of 2.8.2 with ZooKeeper: every probe works, or says why there is
// nothing to tell; a broker that is killed is named.
func TestLabZooKeeper(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Version: "2.8.2", Shape: lab.Shape{ZooKeeper: true}, Owner: "test", Say: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 6, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Produce(ctx, "orders", 50, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Consume(ctx, "billing", "orders", 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)

	target := &probe.Target{Bootstrap: c.Bootstrap(), Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Deadline: 15 * time.Second})
	defer live.Close()
	b := round(t, target, live)
	withZooKeeper(t, b)

	ktriage, err := lab.BuildKtriage(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := ktriage.Check(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict.Status == "fault" || len(r.Findings) > 0 {
		t.Errorf("a healthy cluster: %s, %s; %v", r.Verdict.Status, r.Verdict.Headline, r.Findings)
	}
	t.Logf("%s; unknown: %+v", r.Verdict.Headline, r.Coverage.Unknown)
	seen, err := ktriage.Look(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, sight := range []lab.Sight{
		{Key: "host.brokers", Want: "node_id=2; running=true"},
		{Key: "host.brokers", Want: "no config~/zk/"}, // ZooKeeper's own process is no broker
		{Key: "host.process", Subject: "process 2", Want: "exists=true"},
	} {
		if err := seen.Check(sight); err != nil {
			t.Error(err)
		}
	}
	if err := c.Node(2).End(ctx, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	time.Sleep(8 * time.Second) // ZooKeeper forgets a session after 6 s
	if r, err = ktriage.Check(ctx, c); err != nil {
		t.Fatal(err)
	}
	crash := slices.IndexFunc(r.Findings, func(f lab.Finding) bool { return f.Cause == "broker-crashed" && f.Role == "root" })
	if crash < 0 || r.Findings[crash].Subject.Name != "2" || r.Findings[crash].Band != "confirmed" {
		t.Errorf("broker 2 was killed: %s, %v", r.Verdict.Headline, r.Findings)
	}
}

func withZooKeeper(t *testing.T, b fact.Batch) {
	t.Helper()
	if id := want(t, b, fact.ZooKeeperController, fact.TheCluster); id < 1 || id > 3 {
		t.Errorf("the controller is %v", id)
	}
	for id := int32(1); id <= 3; id++ {
		if v := want(t, b, fact.BrokerSoftware, fact.BrokerOf(id)); v != "2.8" {
			t.Errorf("broker %d runs %s", id, v)
		}
		if m := want(t, b, fact.Metadata, fact.BrokerOf(id)); len(m.Brokers) != 3 || !slices.Contains(m.Topics, "orders") {
			t.Errorf("broker %d tells %d brokers and topics %v", id, len(m.Brokers), m.Topics)
		}
	}
	billing := fact.Subject{Scope: fact.Group, Name: "billing"}
	if s := want(t, b, fact.GroupState, billing); s != "Stable" {
		t.Errorf("group: %s", s)
	}
	unknown := map[string]*fact.Unknown{}
	for _, o := range b.Observations {
		if o.Because != nil && !strings.HasPrefix(o.Key.Name, "host.") {
			unknown[o.Key.Name] = o.Because
		}
	}
	for key, because := range unknown {
		t.Logf("%-28s unknown: %s", key, because)
		reason, listed := absentWithZooKeeper[key]
		switch {
		case listed && because.Reason != reason:
			t.Errorf("%s is unknown: %s; %q is expected", key, because, reason)
		case because.Reason == fact.NotAskedFor: // a heavy probe
		case because.Detail == "" || because.Reason != fact.Absent && because.Reason != fact.NotSupported:
			t.Errorf("%s is unknown: %s; there is no such thing, or it is not told, is expected", key, because)
		}
	}
	for key := range absentWithZooKeeper {
		if unknown[key] == nil {
			t.Errorf("%s is told", key)
		}
	}
}
