//go:build lab

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

func outcomes(b fact.Batch) string {
	var all []string
	for _, o := range b.Observations {
		if r, ok := o.Value.(fact.Reach); ok {
			all = append(all, o.Subject.Name+" "+string(r.Step)+" "+string(r.Outcome))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// One broker hangs and one is killed: the facts of the third are complete, and
// all of it takes little more than the patience with one broker.
func TestLabOneHungOneKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Shape: lab.Shape{OwnController: true}, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	for _, topic := range []lab.Topic{{Name: "orders", Partitions: 6, Replication: 3}, {Name: "plays", Partitions: 3, Replication: 3, Configs: map[string]string{"min.insync.replicas": "2"}}} {
		if err := c.CreateTopic(ctx, topic); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Produce(ctx, "orders", 50, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Consume(ctx, "billing", "orders", 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)

	// Only one address is given, and by another name than the broker has for itself.
	first := c.Brokers()[0]
	target := &probe.Target{Bootstrap: []string{fmt.Sprintf("localhost:%d", first.Port)}, Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Deadline: 15 * time.Second})
	defer live.Close()
	billing := fact.Subject{Scope: fact.Group, Name: "billing"}

	b := round(t, target, live)
	healthy(t, b, billing)

	hung, killed := c.Node(2), c.Node(3)
	if err := killed.End(ctx, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := hung.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Log("at once:")
	b = round(t, target, live)
	if got := outcomes(b); got != "1 api-versions answered, 2 api-versions timed-out, 3 tcp refused" {
		t.Errorf("at once: %s", got)
	}
	time.Sleep(6 * time.Second)
	t.Log("once they are fenced:")
	b = round(t, target, live)
	broken(t, b, first)
	e := want(t, b, fact.LeaderEpochs, fact.TheCluster)
	if err := e.Valid(); err != nil || len(e.Topic) == 0 || e.End[0] < 0 || e.Found[0] < 0 {
		t.Errorf("epochs of partitions whose ISR is short: %+v, %v", e, err)
	}

	// A fresh start in the middle of the outage, pointed at all three.
	fresh := &probe.Target{Bootstrap: c.Bootstrap(), Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer fresh.Close()
	other := probes.NewLive(fresh, kafka.Probes, probes.LiveOptions{Deadline: 15 * time.Second})
	defer other.Close()
	t.Log("from nothing:")
	began := time.Now()
	b = round(t, fresh, other)
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("a round with one broker hung took %s", took)
	}
	broken(t, b, first)

	if err := hung.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := hung.End(ctx, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := first.End(ctx, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Log("all dead:")
	began = time.Now()
	b = round(t, target, live)
	if got := outcomes(b); got != "1 tcp refused, 2 tcp refused, 3 tcp refused" {
		t.Errorf("all dead: %s", got)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a round with all brokers dead took %s", took)
	}
	for _, e := range target.Ledger.Entries() {
		t.Logf("%5d × %-8s %-40s %d bytes", e.Count, e.Act, e.Object, e.Bytes)
	}
}

func healthy(t *testing.T, b fact.Batch, billing fact.Subject) {
	t.Helper()
	if got := outcomes(b); got != "1 api-versions answered, 2 api-versions answered, 3 api-versions answered" {
		t.Errorf("healthy: %s", got)
	}
	for id := int32(1); id <= 3; id++ {
		s := fact.BrokerOf(id)
		if v := want(t, b, fact.BrokerSoftware, s); v != "4.3" {
			t.Errorf("%s runs %s", s, v)
		}
		m := want(t, b, fact.Metadata, s)
		if len(m.Brokers) != 3 || !slices.Contains(m.Topics, "orders") {
			t.Errorf("%s tells %d brokers and topics %v", s, len(m.Brokers), m.Topics)
		}
	}
	if r := want(t, b, fact.Registered, fact.TheCluster); len(r) != 3 || r[0].Fenced {
		t.Errorf("registered: %+v", r)
	}
	if q := want(t, b, fact.QuorumState, fact.TheCluster); q.Leader != 100 || len(q.Voters) != 1 || len(q.Observers) != 3 {
		t.Errorf("quorum: %+v", q)
	}
	k := want(t, b, fact.Configs, fact.TheCluster)
	if i := slices.Index(k.Topics, "plays"); i < 0 || k.MinISR[i] != 2 || k.MinISRSource[i] != "DYNAMIC_TOPIC_CONFIG" {
		t.Errorf("configs: %+v", k)
	}
	dirs := 0
	for _, o := range b.Observations {
		if o.Key == fact.LogDirTotal.Def() && o.Value != nil && o.Value.(float64) > 0 {
			dirs++
		}
	}
	if dirs != 3 {
		t.Errorf("%d log dirs with a size, 3 are expected", dirs)
	}
	if s := want(t, b, fact.GroupState, billing); s != "Stable" {
		t.Errorf("group: %s", s)
	}
	if n := want(t, b, fact.GroupMembers, billing); n != 1 {
		t.Errorf("members: %v", n)
	}
	o := want(t, b, fact.Offsets, billing)
	if _, partitions := o.Lag(); partitions < 1 || slices.Contains(o.LogEnd, -1) || slices.Contains(o.LastStable, -1) {
		t.Errorf("offsets: %+v", o)
	}
}

// broken is what must be seen with broker 2 hung, broker 3 dead and both fenced.
func broken(t *testing.T, b fact.Batch, first *lab.Node) {
	t.Helper()
	if got := outcomes(b); got != "1 api-versions answered, 2 api-versions timed-out, 3 tcp refused" {
		t.Errorf("one hung, one killed: %s", got)
	}
	m := want(t, b, fact.Metadata, fact.BrokerOf(1))
	if m.Lives(2) || m.Lives(3) || !m.Lives(1) {
		t.Errorf("broker 1 tells brokers %+v", m.Brokers)
	}
	for id, reason := range map[int32]fact.Reason{2: fact.TimedOut, 3: fact.Unreachable} {
		if o := last(b, fact.Metadata, fact.BrokerOf(id)); o.Because == nil || o.Because.Reason != reason {
			t.Errorf("metadata of broker %d: %v because %s, %s is expected", id, o.Value, o.Because, reason)
		}
	}
	r := want(t, b, fact.Registered, fact.TheCluster)
	if len(r) != 3 || r[0].Fenced || !r[1].Fenced || !r[2].Fenced {
		t.Errorf("registered: %+v", r)
	}
	want(t, b, fact.QuorumState, fact.TheCluster)
	want(t, b, fact.Configs, fact.TheCluster)
	if e := want(t, b, fact.Eligible, fact.TheCluster); len(e.Topic) == 0 {
		t.Errorf("eligible leaders: %+v", e)
	}
	billing := fact.Subject{Scope: fact.Group, Name: "billing"}
	want(t, b, fact.GroupState, billing)
	compare(t, want(t, b, fact.Offsets, billing), first)
	mine := 0
	for _, o := range b.Observations {
		if owner, _ := o.Subject.Owner(); o.Key == fact.LogDirSize.Def() && owner == fact.BrokerOf(1) && o.Value != nil {
			mine++
		}
	}
	if mine != 1 {
		t.Errorf("%d log dirs of broker 1 with a size", mine)
	}
}

// compare sets offsets beside what kadm, with a client that knows nothing of
// this package, is told by the same broker. A leader whose ISR is too short to
// confirm its first records answers OFFSET_NOT_AVAILABLE for the end of the log.
func compare(t *testing.T, o fact.GroupOffsets, broker *lab.Node) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "orders")
	if err != nil {
		t.Error(err)
	}
	if len(o.Topic) == 0 || slices.Contains(o.LogStart, -1) {
		t.Errorf("offsets: %+v", o)
	}
	for i, p := range o.Partition {
		theirs, _ := ends.Lookup(o.Topic[i], p)
		if (o.LogEnd[i] < 0) != errors.Is(theirs.Err, kerr.OffsetNotAvailable) || o.LogEnd[i] >= 0 && o.LogEnd[i] != theirs.Offset {
			t.Errorf("partition %d: log end %d, kadm is told %d, %v", p, o.LogEnd[i], theirs.Offset, theirs.Err)
		}
	}
}

// behindNames looks through listeners that advertise names which nobody can
// resolve: a broker whose address was given tells all, of the others it is known
// at which step the way to them ends.
func behindNames(t *testing.T, c *lab.Cluster) {
	t.Helper()
	var given []string
	for id := int32(1); id <= 3; id++ {
		given = append(given, fmt.Sprintf("127.0.0.1:%d", c.Node(id).FrontPort))
	}
	for n := 1; n <= 3; n += 2 {
		target := &probe.Target{Bootstrap: given[:n], Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
		live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Deadline: 15 * time.Second})
		b := round(t, target, live)
		for id := int32(1); id <= 3; id++ {
			r := want(t, b, fact.BrokerReach, fact.BrokerOf(id))
			if int(id) > n {
				if r.Step != fact.Resolve || r.Outcome != fact.Unresolvable || r.Address != fmt.Sprintf("broker-%d.invalid:9092", id) {
					t.Errorf("broker %d, whose address was not given: %+v", id, r)
				}
				continue
			}
			if r.Outcome != fact.Answered || r.Own == nil || r.Own.Outcome != fact.Unresolvable {
				t.Errorf("broker %d, whose address was given: %+v", id, r)
			}
			want(t, b, fact.Metadata, fact.BrokerOf(id))
		}
		ends := want(t, b, fact.PartitionEnds, fact.TheCluster)
		for i, high := range ends.HighWatermark {
			if n == 3 && high < 0 {
				t.Errorf("partition %d of topic %d is not told", ends.Partition[i], ends.Topic[i])
			}
		}
		live.Close()
		target.Close()
	}
}

// An older Kafka does not tell fenced brokers, and says so; and without an
// active controller only what asks it is unknown.
func TestLabOlderKafkaWithoutController(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	nobody := map[int32]string{1: "broker-1.invalid:9092", 2: "broker-2.invalid:9092", 3: "broker-3.invalid:9092"}
	c, err := lab.Start(ctx, lab.Options{Version: "3.9.2", Shape: lab.Shape{OwnController: true, Fronts: nobody}, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 6, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	target := &probe.Target{Bootstrap: c.Bootstrap()[:1], Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Deadline: 15 * time.Second})
	defer live.Close()
	b := round(t, target, live)
	if v := want(t, b, fact.BrokerSoftware, fact.BrokerOf(2)); v != "3.9" {
		t.Errorf("software %s", v)
	}
	if o := last(b, fact.Registered, fact.TheCluster); o.Because == nil || o.Because.Reason != fact.Absent {
		t.Errorf("registered: %v, %s", o.Value, o.Because)
	}
	if q := want(t, b, fact.QuorumState, fact.TheCluster); q.Leader != 100 {
		t.Errorf("quorum: %+v", q)
	}
	topics := want(t, b, fact.Metadata, fact.BrokerOf(3)).Topics
	if slices.Contains(topics, "__consumer_offsets") {
		t.Errorf("topics %v: a look has created one", topics)
	}
	behindNames(t, c)

	if err := c.Node(100).End(ctx, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b = round(t, target, live)
	if o := last(b, fact.QuorumState, fact.TheCluster); o.Because == nil || o.Because.Reason != fact.TimedOut {
		t.Errorf("quorum: %v, %s", o.Value, o.Because)
	}
	for id := int32(1); id <= 3; id++ {
		want(t, b, fact.Metadata, fact.BrokerOf(id))
	}
	want(t, b, fact.Configs, fact.TheCluster)
	want(t, b, fact.Groups, fact.TheCluster)
}
