//go:build lab || labmore

package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
)

// groupSteps are what the test does to groups, and how it is to be told.
//
// Before 4.0 a coordinator writes no end of a group that never had members: only
// that of its offsets.
func groupSteps(t *testing.T, version string, a *kadm.Client, cl *kgo.Client, seeds []string) []step {
	var members []*kgo.Client
	commit := func(group string, partition int32, to int64) func(context.Context) error {
		return func(ctx context.Context) error {
			o := kadm.Offsets{}
			o.AddOffset("orders", partition, to, -1)
			return a.CommitAllOffsets(ctx, group, o)
		}
	}
	join := func(ctx context.Context) error {
		m, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.ConsumerGroup("workers"), kgo.ConsumeTopics("orders"), kgo.ClientID(fmt.Sprintf("worker-%d", len(members))), kgo.AutoCommitInterval(time.Second))
		if err != nil {
			return err
		}
		t.Cleanup(m.CloseAllowingRebalance)
		members = append(members, m)
		go func() {
			for !m.PollFetches(context.Background()).IsClientClosed() {
			}
		}()
		return stable(ctx, a, "workers", len(members))
	}
	deleted := "group-deleted|group manual|*|*"
	if version < "4" {
		deleted = "offsets-deleted|group manual|7|"
	}
	return []step{
		{create(a, "orders", 2, 1), nil},
		{func(ctx context.Context) error {
			for n := range 100 {
				if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: fmt.Append(nil, n)}).FirstErr(); err != nil {
					return err
				}
			}
			return nil
		}, nil},
		{commit("manual", 0, 50), nil},
		{commit("manual", 1, 40), nil},
		{commit("manual", 0, 60), nil},
		{commit("manual", 0, 0), []string{"offset-rewound|group manual|60|0"}},
		{func(ctx context.Context) error {
			s := kadm.TopicsSet{}
			s.Add("orders", 1)
			answers, err := a.DeleteOffsets(ctx, "manual", s)
			return errors.Join(err, answers.Error())
		}, []string{"offsets-deleted|group manual|40|"}},
		{commit("manual", 0, 7), nil},
		{func(ctx context.Context) error {
			_, err := a.DeleteGroup(ctx, "manual")
			return err
		}, []string{deleted}},
		{join, nil},
		{join, []string{"generation-changed|group workers|*|*"}},
		{func(ctx context.Context) error {
			members[1].CloseAllowingRebalance()
			return stable(ctx, a, "workers", 1)
		}, []string{"generation-changed|group workers|*|*"}},
		{func(ctx context.Context) error { return txnCommit(ctx, seeds, "copier", 30, kgo.TryCommit) }, nil},
		{func(ctx context.Context) error { return txnCommit(ctx, seeds, "copier", 5, kgo.TryAbort) }, nil},
	}
}

// stable waits until a group has so many members and is at rest.
func stable(ctx context.Context, a *kadm.Client, group string, members int) error {
	for {
		d, err := a.DescribeGroups(ctx, group)
		if err == nil && d[group].State == "Stable" && len(d[group].Members) == members {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("group %s: %w, %v", group, ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// txnCommit commits an offset within a transaction, which is then ended so.
func txnCommit(ctx context.Context, seeds []string, group string, to int64, how kgo.TransactionEndTry) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.TransactionalID("txn-"+group), kgo.DefaultProduceTopic("orders"))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	if err := cl.ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); err != nil {
		return err
	}
	id, epoch, err := cl.ProducerID(ctx)
	if err != nil {
		return err
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = "txn-"+group, id, epoch, group
	if answer, err := add.RequestWith(ctx, cl); err != nil || answer.ErrorCode != 0 {
		return fmt.Errorf("add offsets: %v, %v", err, answer)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = "txn-"+group, id, epoch, group
	topic, partition := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
	topic.Topic, partition.Partition, partition.Offset = "orders", 0, to
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	answer, err := req.RequestWith(ctx, cl)
	if err != nil || answer.Topics[0].Partitions[0].ErrorCode != 0 {
		return fmt.Errorf("commit in a transaction: %v, %v", err, answer)
	}
	return cl.EndTransaction(ctx, how)
}

// tellGroups runs the proof for coordinators' logs on one cluster.
func tellGroups(t *testing.T, version string, shape lab.Shape) {
	ctx, cancel := context.WithTimeout(context.Background(), 170*time.Second)
	defer cancel()
	shape.Settings = map[string]string{"offsets.topic.num.partitions": "5", "transaction.state.log.num.partitions": "3", "group.initial.rebalance.delay.ms": "0"}
	c, cl := cluster(ctx, t, lab.Options{Shape: shape, Version: version}, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	watched, stop := follow(t, c)
	done := perform(t, ctx, groupSteps(t, version, kadm.NewClient(cl), cl, c.Bootstrap()))
	open, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.TransactionalID("hanging"), kgo.DefaultProduceTopic("orders"), kgo.TransactionTimeout(50*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	began := time.Now()
	if err := errors.Join(open.BeginTransaction(), open.ProduceSync(ctx, kgo.StringRecord("x")).FirstErr()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	dir := c.Nodes[0].LogDir
	stop()
	followed(t, watched, watched.target.Brokers()[0].LogDirs...)
	groupsTold(t, dir, done)
	transactionsTold(t, dir, began)
	for _, n := range c.Nodes {
		n.Signal(9)
	}
	groupsTold(t, dir, done)
	for topic, how := range map[string]string{OffsetsTopic: "--offsets-decoder", TransactionsTopic: "--transaction-log-decoder"} {
		agreeCoordinator(t, c, dir, topic, how)
	}
}

func groupsTold(t *testing.T, dir string, done []happened) {
	t.Helper()
	g := readGroups(t, dir, CoordinatorOptions{Retention: usualRetention})
	retold(t, "groups", g.Changes(Want{Broker: -1, Each: true}), done)
	if len(g.Damage)+len(g.Unreachable) > 0 || g.Unknown+g.Newer+g.Undecoded+g.Left+g.Pending != 0 || g.Aborted != 1 || len(g.Partitions) != 5 {
		t.Errorf("%+v", g.Reading)
	}
	copier, workers := g.Named("copier"), g.Named("workers")
	if copier == nil || len(copier.Offsets) != 1 || copier.Offsets[0].Offset != 30 || copier.Rewinds != 0 {
		t.Errorf("an aborted commit counts: %+v", copier)
	}
	if workers == nil || workers.State != GroupStable || len(workers.Members) != 1 || workers.Members[0].Client != "worker-0" || len(workers.Offsets) != 2 || workers.Partition != CoordinatorPartition("workers", 5) {
		t.Errorf("%+v", workers)
	}
	for _, o := range workers.Offsets {
		if o.Offset < 50 || o.Commits == 0 {
			t.Errorf("%+v", o)
		}
	}
	t.Logf("told:\n%s", strings.Join(telling(g.Changes(Want{Broker: -1})), "\n"))
}

func transactionsTold(t *testing.T, dir string, began time.Time) {
	t.Helper()
	x, err := ReadTransactions(t.Context(), &probe.Target{}, []string{dir}, CoordinatorOptions{})
	if err != nil || len(x.Damage) > 0 || x.Unknown+x.Newer+x.Undecoded != 0 {
		t.Fatalf("%v, %+v", err, x.Reading)
	}
	all := x.Changes(Want{Broker: -1}, time.Now().Add(time.Minute))
	if len(all) != 1 || all[0].Subject.Name != "hanging" || all[0].At.Sub(began).Abs() > time.Second || !strings.Contains(all[0].Text, "on 1 partition is open since then, Ongoing; its timeout is 50s") {
		t.Errorf("began at %s, told %q", began.UTC().Format(time.StampMilli), telling(all))
	}
}

// agreeCoordinator reads the same files with DumpLogSegments and compares record
// by record, field by field.
func agreeCoordinator(t *testing.T, c *lab.Cluster, dir, topic, how string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, topic+"-*", "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no segments of %s: %v", topic, err)
	}
	script, class := filepath.Join(t.TempDir(), "dump"), "org.apache.kafka.tools.DumpLogSegments"
	if c.Version < "4.3" {
		class = "kafka.tools.DumpLogSegments"
	}
	if err := c.Script(script, class); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(script, how, "--files", strings.Join(files, ",")).Output()
	if err != nil {
		t.Fatalf("DumpLogSegments: %v: %.500s", err, out)
	}
	if keep := os.Getenv("KTRIAGE_KEEP_DUMP"); keep != "" {
		if err := os.WriteFile(keep+how, out, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	theirs := map[string][][2]string{}
	file := ""
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(line, "Dumping "); ok {
			file = strings.TrimSpace(name)
		}
		if _, rest, ok := strings.Cut(line, " key: "); ok {
			key, payload, _ := strings.Cut(rest, " payload: ")
			theirs[file] = append(theirs[file], [2]string{key, strings.TrimSpace(payload)})
		}
	}
	n := 0
	for _, file := range files {
		n += compareUnits(t, file, topic, theirs[file])
	}
	if n < 5 {
		t.Errorf("%s: %d records compared", topic, n)
	}
	t.Logf("%s: %d records compared field by field with DumpLogSegments", topic, n)
}

// dumped is a key or a value as DumpLogSegments prints it.
type dumped struct {
	Type    string
	Version string
	Data    map[string]any
}

func compareUnits(t *testing.T, file, topic string, theirs [][2]string) (n int) {
	t.Helper()
	of := groupRecords
	if topic == TransactionsTopic {
		of = transactionRecords
	}
	var k, v values
	each := func(u *batch.Record) {
		if n >= len(theirs) {
			t.Errorf("%s: DumpLogSegments has %d records only", file, len(theirs))
			return
		}
		key, value := theirs[n][0], theirs[n][1]
		n++
		typ, what, err := decodeKey(of, &k, u.Key)
		if err != nil || what != decoded {
			t.Errorf("%s record %d: type %d, verdict %d, %v", file, n, typ, what, err)
			return
		}
		if !strings.HasPrefix(key, "{") {
			olderDump(t, fmt.Sprintf("%s record %d", file, n), topic, typ, u, &k, key, value)
			return
		}
		var one dumped
		if err := json.Unmarshal([]byte(key), &one); err != nil {
			t.Errorf("%s record %d: %v in key %.300s", file, n, err, key)
			return
		}
		if d := differs(of[typ].key.fields, &k, one.Data); d != "" || one.Type != fmt.Sprint(typ) {
			t.Errorf("%s record %d: type %d, %s, and DumpLogSegments has %s", file, n, typ, d, key)
		}
		if u.Value == nil {
			if strings.Contains(value, `"data":{`) {
				t.Errorf("%s record %d: a tombstone, and DumpLogSegments has %s", file, n, value)
			}
			return
		}
		what, err = decodeValue(of, typ, &v, u.Value)
		if err != nil || what == newerVersion || what == unknownType {
			t.Errorf("%s record %d: verdict %d, %v", file, n, what, err)
			return
		}
		one = dumped{}
		if err := json.Unmarshal([]byte(value), &one); err != nil {
			t.Errorf("%s record %d: %v in value %.300s", file, n, err, value)
			return
		}
		if what == decoded {
			if d := differs(of[typ].value.fields, &v, one.Data); d != "" {
				t.Errorf("%s record %d: %s, and DumpLogSegments has %s", file, n, d, value)
			}
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	records := batch.Records{Keep: mostValue}
	for s := batch.NewScanner(f, 0, info.Size(), nil); s.Next(); {
		for records.Open(s.Header(), s.Body()); !s.Header().Control() && records.Next(); {
			each(records.Record())
		}
	}
	if n != len(theirs) {
		t.Errorf("%s: %d records, DumpLogSegments has %d", file, n, len(theirs))
	}
	return n
}

// olderDump compares with what DumpLogSegments prints before 4.0: the key whole,
// and of the value what there is of it in words.
func olderDump(t *testing.T, which, topic string, typ int, u *batch.Record, k *values, key, value string) {
	t.Helper()
	wantKey, want := "transaction_metadata::transactionalId="+k.text[name], "<DELETE>"
	of := groupRecords
	switch {
	case topic == TransactionsTopic:
		of = transactionRecords
	case typ == offsetCommit:
		wantKey = fmt.Sprintf("offset_commit::group=%s,partition=%s-%d", k.text[group], k.text[name], k.num[partitionID])
	case typ == classicGroup:
		wantKey = "group_metadata::group=" + k.text[group]
	}
	if u.Value != nil {
		var v values
		if what, err := decodeValue(of, typ, &v, u.Value); err != nil || what != decoded {
			t.Errorf("%s: verdict %d, %v", which, what, err)
			return
		}
		switch {
		case topic == TransactionsTopic:
			want = fmt.Sprintf("producerId:%d,producerEpoch:%d,state=%s,", v.num[number], v.num[epoch], transactionStates[v.num[status]])
		case typ == offsetCommit:
			want = fmt.Sprintf("offset=%d", v.num[committed])
		case typ == classicGroup:
			want = fmt.Sprintf(`"generationId":%d`, v.num[generation])
		}
	}
	if key != wantKey || !strings.Contains(value+",", want) {
		t.Errorf("%s: %s with %s, and DumpLogSegments has %s with %s", which, wantKey, want, key, value)
	}
}
