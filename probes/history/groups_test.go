package history

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// telling are changes with their times, as an operator reads them.
func telling(all []Change) []string {
	out := []string{}
	for _, c := range all {
		out = append(out, c.At.Format("15:04:05 ")+string(c.Kind)+": "+c.Text)
	}
	return out
}

func same(t *testing.T, have, want []string) {
	t.Helper()
	if !slices.Equal(have, want) {
		t.Errorf("told\n  %s\nwant\n  %s", strings.Join(have, "\n  "), strings.Join(want, "\n  "))
	}
}

// TestGroupStory: what befalls a group over an hour is told with its times, and
// plain commits are not.
func TestGroupStory(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	w.plain(classicOf("billing", 1, "a"))
	for n := range int64(60) {
		w.after(10 * time.Second)
		w.plain(commitOf("billing", "orders", 0, 100*n), commitOf("billing", "orders", 1, 50*n))
	}
	w.after(time.Second) // 02:10:01
	w.plain(classicOf("billing", 2, "a", "b"))
	w.save(t, dir, "__consumer_offsets-7", 0)
	base := w.next
	w.after(time.Minute)
	w.plain(commitOf("billing", "orders", 0, 0))
	w.plain(commitOf("billing", "orders", 1, 10))
	for n := range int32(4) { // a storm
		w.after(20 * time.Second)
		w.plain(classicOf("billing", 3+n, "a", "b", "c"))
	}
	w.after(time.Minute)
	w.plain(noCommit("billing", "orders", 1)) // by hand: it is younger than any retention
	w.plain(classicOf("billing", 7))
	w.after(8 * 24 * time.Hour)
	w.plain(noCommit("billing", "orders", 0), pair{keyOf(classicGroup, "billing"), nil})
	w.save(t, dir, "__consumer_offsets-7", base)

	unsure := readGroups(t, dir, CoordinatorOptions{}).Changes(Want{Broker: -1, Since: w.at.Add(-9 * 24 * time.Hour)})
	if c := unsure[2]; c.Kind != OffsetsExpired || c.Text != "group billing: committed offset of orders-1 expired or was deleted, 2m20s after it was last used, it was 10" {
		t.Errorf("with a retention that is not known: %+v", c)
	}
	g := readGroups(t, dir, CoordinatorOptions{Retention: usualRetention})
	same(t, telling(g.Changes(Want{Broker: -1})), []string{
		"02:10:01 generation-changed: group billing rebalanced 6 times within 3m20s: from 1 to 7",
		"02:11:01 offset-rewound: group billing: committed offsets went back 2 times, in 2 partitions of topic orders",
		"02:13:21 offsets-deleted: group billing: committed offset of orders-1 was deleted, it was 10",
		"02:13:21 group-deleted: group billing was deleted, as its offsets expired of 1 partition",
	})
	parts := g.Changes(Want{Broker: -1, Each: true})
	if n := len(parts); n != 11 || parts[1].Text != "group billing: committed offset of orders-0 went back from 5900 to 0" || parts[1].Partition != "orders-0" || parts[1].Before != "5900" || parts[1].After != "0" {
		t.Errorf("%d changes one by one, the second %+v", n, parts[1])
	}
	if other := g.Changes(Want{Broker: -1, Topic: "payments"}); len(other) != 0 {
		t.Errorf("of another topic: %q", telling(other))
	}
	b := g.Named("billing")
	if b == nil || b.State != GroupDead || b.Partition != 7 || b.Type != "classic" || b.Rewinds != 2 || b.Commits != 122 || len(b.Generations) != 7 || !slices.Equal(g.Partitions, []int32{7}) {
		t.Fatalf("%+v of %+v", b, g.Reading)
	}

	then := readGroups(t, dir, CoordinatorOptions{At: time.Date(2026, 11, 25, 2, 10, 0, 0, time.UTC)}).Named("billing")
	rate, over := then.Offsets[0].Rate()
	if o := then.Offsets[0]; o.Offset != 5900 || then.State != GroupStable || rate < 9.9 || rate > 10.1 || over < 5*time.Minute || len(then.Members) != 1 || then.Members[0] != (Member{ID: "a", Client: "client-a", Host: "/10.0.0.1"}) {
		t.Errorf("at 02:10:00 %+v, %v records a second over %s, members %+v", o, rate, over, then.Members)
	}
	all := readGroups(t, dir, CoordinatorOptions{Group: "other"})
	if len(all.All()) != 0 || len(all.Changes(Want{Broker: -1})) != 0 {
		t.Error("another group than the one that was asked for")
	}
}

// TestRetentionOfThisHost: an offset that is older than the retention that the
// broker's properties set has expired; where they set a longer one, it was deleted.
func TestRetentionOfThisHost(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	w.plain(commitOf("billing", "orders", 0, 100))
	w.after(24 * time.Hour)
	w.plain(noCommit("billing", "orders", 0))
	w.save(t, dir, "__consumer_offsets-7", 0)
	for seconds, want := range map[float64]string{3600: "expired", 604800: "deleted", 0: "expired or deleted"} {
		target := &probe.Target{Now: func() time.Time { return w.at }}
		target.SetBrokers([]fact.LocalBroker{{NodeID: 3, LogDirs: []string{dir}, OffsetsRetention: seconds}, {NodeID: 4}})
		all, err := coordinatorLogs.Observe(t.Context(), target)
		target.Close()
		if err != nil {
			t.Fatal(err)
		}
		var past fact.GroupPast
		for _, o := range all {
			if o.Key == fact.GroupOnDisk.Def() {
				past, _ = o.Value.(fact.GroupPast)
			}
		}
		if len(past.Gone) != 1 || past.Gone[0].How != want {
			t.Errorf("kept for %v s: %+v", seconds, past)
		}
	}
	if d := retentionOf([]fact.LocalBroker{{OffsetsRetention: 60}, {OffsetsRetention: 120}}); d != 0 {
		t.Errorf("of brokers that differ: %s", d)
	}
}

// TestGroupTransactions: commits within a transaction count when it is committed.
func TestGroupTransactions(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	w.plain(commitOf("copier", "in", 0, 500))
	w.part(1, commitOf("copier", "in", 0, 100)) // never happened
	w.part(2, commitOf("copier", "in", 0, 600))
	w.end(1, false)
	w.after(time.Second)
	w.end(2, true)
	w.part(3, commitOf("copier", "in", 0, 700))
	w.save(t, dir, "__consumer_offsets-0", 0)
	g := readGroups(t, dir, CoordinatorOptions{})
	if o := g.Named("copier").Offsets[0]; o.Offset != 600 || o.Commits != 2 || g.Aborted != 1 || g.Pending != 1 || len(g.Changes(Want{Broker: -1})) != 0 {
		t.Errorf("%+v, %+v, %q", o, g.Reading, telling(g.Changes(Want{Broker: -1})))
	}
}

// TestNewProtocol: epochs and members of the consumer protocol, a change of
// protocol that is no end of the group, and a topic that was made anew.
func TestNewProtocol(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	old, young := UUID{1}, UUID{2}
	w.plain(classicOf("mixed", 4, "x"))
	w.plain(commitWithID("mixed", "orders", 0, 1000, old))
	w.after(time.Minute)
	w.plain(pair{keyOf(classicGroup, "mixed"), nil}, memberOf("mixed", "x"), epochOf("mixed", 5))
	w.after(time.Minute)
	w.plain(memberOf("mixed", "y"), epochOf("mixed", 6), pair{keyOf(8, "mixed", "y"), body(nil).int16(0)}, pair{keyOf(99, "mixed"), body(nil).int16(0)}, pair{keyOf(consumerGroup, "late"), body(nil).int16(3)})
	w.plain(commitWithID("mixed", "orders", 0, 10, young))
	w.plain(commitWithID("mixed", "payments", 0, 10, old))
	w.after(time.Minute)
	w.plain(pair{keyOf(consumerMember, "mixed", "x"), nil})
	w.plain(pair{keyOf(consumerMember, "mixed", "y"), nil}, epochOf("mixed", 7))
	w.save(t, dir, "__consumer_offsets-0", 0)
	g := readGroups(t, dir, CoordinatorOptions{})
	same(t, telling(g.Changes(Want{Broker: -1})), []string{
		"02:01:00 generation-changed: group mixed rebalanced 3 times within 2m0s: from 4 to 7",
		"02:02:00 offset-rewound: group mixed: committed offset of orders-0 went back from 1000 to 10: a new topic of that name",
	})
	c := newCluster()
	c.byName["payments"], c.topics = 0, []topic{{name: "payments", id: young}}
	g.Compare(c)
	m := g.Named("mixed")
	if m.State != GroupEmpty || m.Type != "consumer" || m.Generation != 7 || m.Emptied.Format("15:04") != "02:03" || m.Offsets[0].Stale || !m.Offsets[1].Stale || g.Unknown != 1 || g.Newer != 1 || g.Undecoded != 0 {
		t.Errorf("%+v, %+v, offsets %+v", m, g.Reading, m.Offsets)
	}
}

// TestStreamsGroup: a group of the streams protocol is told as what it is, with its
// epochs and its members by client id; what else its coordinator writes is passed
// over, and counts for nothing that was not understood.
func TestStreamsGroup(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	w.plain(streamsOf("shop", "a", true), streamsEpochOf("shop", 1), pair{keyOf(23, "shop"), body(nil).int16(0).int32(0)})
	w.after(time.Minute)
	w.plain(streamsOf("shop", "b", false), streamsEpochOf("shop", 2), pair{keyOf(streamsTarget, "shop"), body(nil).int16(0).int32(2).tags()})
	w.plain(pair{keyOf(21, "shop", "a"), body(nil).int16(0)}, pair{keyOf(22, "shop", "b"), body(nil).int16(0)})
	w.save(t, dir, "__consumer_offsets-0", 0)
	g := readGroups(t, dir, CoordinatorOptions{})
	one := g.Named("shop")
	want := []Member{{ID: "a", Client: "client-a", Host: "/10.0.0.3"}, {ID: "b", Client: "client-b", Host: "/10.0.0.3"}}
	if one == nil || one.Type != "streams" || one.State != GroupStable || one.Generation != 2 || !slices.Equal(one.Members, want) || g.Unknown+g.Newer+g.Undecoded+g.Left != 0 {
		t.Fatalf("%+v, %+v", one, g.Reading)
	}
	same(t, telling(g.Changes(Want{Broker: -1})), []string{"02:01:00 generation-changed: group shop rebalanced: epoch 2"})
	base := w.next
	w.after(time.Minute)
	w.plain(pair{keyOf(streamsMember, "shop", "a"), nil}, pair{keyOf(streamsMember, "shop", "b"), nil}, pair{keyOf(streamsGroup, "shop"), nil})
	w.save(t, dir, "__consumer_offsets-0", base)
	if one = readGroups(t, dir, CoordinatorOptions{}).Named("shop"); one.State != GroupDead || len(one.Members) != 0 {
		t.Errorf("deleted, and told as %+v", one)
	}
}

// TestGroupFrozen: an offset that moved and stands still is told with the time
// since which it does; one of a group that went is not.
func TestGroupFrozen(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	w.plain(classicOf("stuck", 1, "a"), classicOf("gone", 1, "a"))
	for n := range int64(100) {
		w.after(10 * time.Second)
		w.plain(commitOf("stuck", "orders", 0, min(n, 20)*10), commitOf("stuck", "orders", 1, n), commitOf("gone", "orders", 0, min(n, 20)))
	}
	w.plain(classicOf("gone", 2))
	w.save(t, dir, "__consumer_offsets-0", 0)
	g := readGroups(t, dir, CoordinatorOptions{})
	same(t, telling(g.Changes(Want{Broker: -1})), []string{
		"02:03:30 offsets-frozen: group stuck: committed offset of orders-0 stands still at 200 since then",
		"02:16:40 generation-changed: group gone rebalanced: generation 2, 0 members",
	})
}

// TestGroupDamage: what precedes damage is told, and that it is there.
func TestGroupDamage(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	for n := range int64(10) {
		w.plain(commitOf("g", "t", 0, n))
	}
	whole := slices.Clone(w.bytes)
	name := w.save(t, dir, "__consumer_offsets-0", 0)
	size := len(whole) / 10
	for what, c := range map[string]struct {
		bytes  []byte
		offset int64
		say    string
	}{
		"torn":     {whole[:len(whole)-5], 8, "ends within the batch"},
		"flipped":  {func() []byte { b := slices.Clone(whole); b[3*size+80] ^= 1; return b }(), 2, "wrong checksum"},
		"nonsense": {append(slices.Clone(whole[:5*size]), []byte(strings.Repeat("nonsense", 20))...), 4, ": "},
	} {
		if err := os.WriteFile(name, c.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-time.Hour)
		if err := os.Chtimes(name, past, past); err != nil {
			t.Fatal(err)
		}
		g := readGroups(t, dir, CoordinatorOptions{})
		if len(g.Damage) != 1 || !strings.Contains(g.Damage[0], c.say) || !strings.Contains(g.Damage[0], "is told what precedes offset") || g.Named("g").Offsets[0].Offset != c.offset {
			t.Errorf("%s: damage %q, %+v", what, g.Damage, g.Named("g").Offsets[0])
		}
	}
	g, err := ReadGroups(t.Context(), &probe.Target{}, []string{dir + "/none"}, CoordinatorOptions{})
	if err != nil || len(g.Unreachable) != 1 {
		t.Errorf("a log dir that is not there: %v, %q", err, g.Unreachable)
	}
}

// TestGroupBudget: within a budget the newest is read, and that it is not all is
// said.
func TestGroupBudget(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	for segment := range int64(4) {
		base := w.next
		for n := range int64(1000) {
			w.plain(commitOf("g", "t", int32(n%10), segment*1000+n))
			w.after(time.Second)
		}
		w.save(t, dir, "__consumer_offsets-3", base)
	}
	all := readGroups(t, dir, CoordinatorOptions{})
	some := readGroups(t, dir, CoordinatorOptions{Budget: all.Bytes * 3 / 8})
	if all.Partial || !some.Partial || some.Records > 1500 || some.Records < 1490 || some.Bytes > all.Bytes*3/8 || len(some.Damage) > 0 || some.Last != all.Last {
		t.Errorf("all %+v, some %+v", all.Reading, some.Reading)
	}
	for i, o := range some.Named("g").Offsets {
		if o.Offset != all.Named("g").Offsets[i].Offset {
			t.Errorf("offset %d is %d, want %d", i, o.Offset, all.Named("g").Offsets[i].Offset)
		}
	}
}

// TestCoordinatorPartition: as Java computes it; the numbers are java's for
// Math.abs(s.hashCode()) % 50.
func TestCoordinatorPartition(t *testing.T) {
	for s, want := range map[string]int32{"": 0, "billing": 9, "payments-eu": 10, "Zähler-😀": 11, "polygenelubricants": 0} {
		if got := CoordinatorPartition(s, 50); got != want {
			t.Errorf("%q: partition %d, want %d", s, got, want)
		}
	}
	if got := CoordinatorPartition("x", 0); got != -1 {
		t.Errorf("of no partitions: %d", got)
	}
}

// TestTransactionStates: what is open, since when, and what was open long.
func TestTransactionStates(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	begin := w.at
	state := func(id string, n int8, start time.Time, topic string) {
		w.plain(transactionOf(id, n, 60000, start, w.at, topic, 1, 0))
	}
	state("quick", 1, begin, "out")
	w.after(time.Second)
	state("quick", 2, begin, "out")
	state("quick", 4, begin, "")
	long := w.at
	state("late", 1, long, "out")
	hang := w.at
	state("hanging", 1, hang, "out")
	w.after(61 * time.Second)
	state("late", 3, long, "out")
	state("late", 5, long, "")
	w.plain(pair{keyOf(0, "quick"), nil})
	w.save(t, dir, "__transaction_state-9", 0)
	x, err := ReadTransactions(t.Context(), &probe.Target{}, []string{dir}, CoordinatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, telling(x.Changes(Want{Broker: -1}, w.at)), []string{
		"02:00:01 transaction-open: transaction of late (producer 42, epoch 3) on 2 partitions was open for 1m1s, and was aborted by its coordinator, for its timeout at 02:01:02",
		"02:00:01 transaction-open: transaction of hanging (producer 42, epoch 3) on 2 partitions is open since then, Ongoing; its timeout is 1m0s",
	})
	all := x.All()
	if len(all) != 2 || all[0].Partition != 9 || all[0].Timeout != 60 || !slices.Equal(all[0].Topics[0].Partitions, []int32{0, 1}) || all[1].State != "CompleteAbort" || all[1].Open() {
		t.Errorf("%+v", all)
	}
}
