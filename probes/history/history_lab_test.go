//go:build lab || labmore

package history

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/segments/batch"
)

// step is a change that the test makes, and how it is to be told.
type step struct {
	do   func(ctx context.Context) error
	want []string // kind, subject, before and after, "|" between them; "*" for anything
}

// happened is when a step was done.
type happened struct {
	step
	from, to time.Time
}

func ptr(s string) *string { return &s }

// alter sets, or with an empty value removes, a setting.
func alter(a *kadm.Client, topic, key, value string) func(context.Context) error {
	one := kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: ptr(value)}
	if value == "" {
		one = kadm.AlterConfig{Op: kadm.DeleteConfig, Name: key}
	}
	return func(ctx context.Context) error {
		var answers kadm.AlterConfigsResponses
		var err error
		if topic == "" {
			answers, err = a.AlterBrokerConfigs(ctx, []kadm.AlterConfig{one})
		} else {
			answers, err = a.AlterTopicConfigs(ctx, []kadm.AlterConfig{one}, topic)
		}
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

func quota(a *kadm.Client, user, key string, value float64, remove bool) func(context.Context) error {
	return func(ctx context.Context) error {
		answers, err := a.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{Entity: kadm.ClientQuotaEntity{{Type: "user", Name: &user}}, Ops: []kadm.AlterClientQuotaOp{{Key: key, Value: value, Remove: remove}}}})
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

func create(a *kadm.Client, topic string, partitions int32, replicas int16) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := a.CreateTopic(ctx, partitions, replicas, nil, topic)
		return err
	}
}

func dropTopic(a *kadm.Client, topic string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := a.DeleteTopic(ctx, topic)
		return err
	}
}

func grow(a *kadm.Client, topic string, to int) func(context.Context) error {
	return func(ctx context.Context) error {
		answers, err := a.UpdatePartitions(ctx, to, topic)
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

func scram(a *kadm.Client, user string, remove bool) func(context.Context) error {
	return func(ctx context.Context) error {
		var answers kadm.AlteredUserSCRAMs
		var err error
		if remove {
			answers, err = a.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: user, Mechanism: kadm.ScramSha256}}, nil)
		} else {
			answers, err = a.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "hunter2"}})
		}
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

// move reassigns a partition and waits until that is done.
func move(a *kadm.Client, topic string, p int32, to ...int32) func(context.Context) error {
	return func(ctx context.Context) error {
		var req kadm.AlterPartitionAssignmentsReq
		req.Assign(topic, p, to)
		if _, err := a.AlterPartitionAssignments(ctx, req); err != nil {
			return err
		}
		return until(ctx, func() (bool, error) {
			m, err := a.Metadata(ctx, topic)
			if err != nil {
				return false, err
			}
			now := m.Topics[topic].Partitions[p]
			return slices.Equal(now.Replicas, to) && len(now.ISR) == len(to), nil
		})
	}
}

func until(ctx context.Context, is func() (bool, error)) error {
	for {
		ok, err := is()
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting: %w: %w", ctx.Err(), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// inSync waits until the ISR of a partition has so many members.
func inSync(a *kadm.Client, topic string, p int32, n int) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, func() (bool, error) {
			m, err := a.Metadata(ctx, topic)
			if err != nil {
				return false, err
			}
			return len(m.Topics[topic].Partitions[p].ISR) == n, nil
		})
	}
}

func both(all ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, f := range all {
			if err := f(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// steps are the changes, in order. Broker 3 leaves as planned, broker 2 crashes.
func steps(c *lab.Cluster, a *kadm.Client, cl *kgo.Client) []step {
	end := func(id int32, sig syscall.Signal) func(context.Context) error {
		return func(ctx context.Context) error { return c.Node(id).End(ctx, sig) }
	}
	again := func(id int32) func(context.Context) error {
		return func(ctx context.Context) error { return c.Restart(ctx, id) }
	}
	at := func(id int32) string { return "PLAINTEXT://" + c.Node(id).Address() }
	acl := kadm.NewACLs().Topics("orders").ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:bob").AllowHosts("*").Operations(kadm.OpRead)
	const aclText = "allow User:bob to read on topic orders from *"
	feature := func(level int16, type_ int8) func(context.Context) error {
		return func(ctx context.Context) error {
			req := kmsg.NewPtrUpdateFeaturesRequest()
			req.TimeoutMillis = 10000
			f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
			f.Feature, f.MaxVersionLevel, f.UpgradeType = "transaction.version", level, type_
			req.FeatureUpdates = append(req.FeatureUpdates, f)
			resp, err := req.RequestWith(ctx, cl)
			if err == nil && resp.ErrorCode != 0 {
				err = fmt.Errorf("update features: code %d", resp.ErrorCode)
			}
			return err
		}
	}
	all := []step{
		{create(a, "orders", 3, 3), []string{"topic-created|topic orders||3 partitions, replication factor 3"}},
		{create(a, "single", 1, 1), []string{"topic-created|topic single||1 partition, replication factor 1"}},
		{alter(a, "orders", "retention.ms", "60000"), []string{"config-changed|topic orders||retention.ms=60000"}},
		{alter(a, "orders", "retention.ms", "90000"), []string{"config-changed|topic orders|retention.ms=60000|retention.ms=90000"}},
		{alter(a, "orders", "retention.ms", ""), []string{"config-changed|topic orders|retention.ms=90000|"}},
		{alter(a, "orders", "min.insync.replicas", "2"), []string{"config-changed|topic orders||min.insync.replicas=2"}},
		{alter(a, "", "log.cleaner.threads", "2"), []string{"config-changed|cluster||log.cleaner.threads=2"}},
		{alter(a, "", "log.cleaner.threads", ""), []string{"config-changed|cluster|log.cleaner.threads=2|"}},
		{quota(a, "alice", "producer_byte_rate", 1048576, false), []string{"quota-changed|client user=alice||producer_byte_rate=1048576"}},
		{quota(a, "alice", "producer_byte_rate", 2097152, false), []string{"quota-changed|client user=alice|producer_byte_rate=1048576|producer_byte_rate=2097152"}},
		{quota(a, "alice", "request_percentage", 12.5, false), []string{"quota-changed|client user=alice||request_percentage=12.5"}},
		{quota(a, "alice", "producer_byte_rate", 0, true), []string{"quota-changed|client user=alice|producer_byte_rate=2097152|"}},
		{func(ctx context.Context) error { _, err := a.CreateACLs(ctx, acl); return err }, []string{"acl-added|cluster||" + aclText}},
		{func(ctx context.Context) error { _, err := a.DeleteACLs(ctx, acl); return err }, []string{"acl-removed|cluster|" + aclText + "|"}},
		{scram(a, "carol", false), []string{"user-changed|user carol||SCRAM-SHA-256"}},
		{scram(a, "carol", false), []string{"user-changed|user carol|SCRAM-SHA-256|SCRAM-SHA-256"}},
		{scram(a, "carol", true), []string{"user-changed|user carol|SCRAM-SHA-256|"}},
		{grow(a, "orders", 5), []string{"partitions-added|topic orders|3 partitions|5 partitions"}},
		{create(a, "moved", 1, 1), []string{"topic-created|topic moved||1 partition, replication factor 1"}},
		{move(a, "moved", 0, 1, 2), []string{"reassignment-started|partition moved-0|*|1,2", "isr-expanded|partition moved-0|*|*", "reassignment-finished|partition moved-0|*|1,2"}},
		{move(a, "moved", 0, 3), []string{"reassignment-started|partition moved-0|1,2|3", "leader-changed|partition moved-0|*|3", "reassignment-finished|partition moved-0|*|3"}},
		{dropTopic(a, "moved"), []string{"topic-deleted|topic moved|1 partition|"}},
		{create(a, "moved", 2, 3), []string{"topic-created|topic moved||2 partitions, replication factor 3"}},
		{both(inSync(a, "moved", 0, 3), end(3, syscall.SIGTERM)), []string{"controlled-shutdown|broker 3|serving|shutting down", "isr-shrunk|broker 3|*|*", "broker-fenced|broker 3|unfenced|fenced"}},
		{again(3), []string{"broker-registered|broker 3|" + at(3) + "|" + at(3), "broker-unfenced|broker 3|fenced|unfenced", "isr-expanded|broker 3|*|*"}},
		{both(inSync(a, "orders", 0, 3), inSync(a, "moved", 0, 3), end(2, syscall.SIGKILL), inSync(a, "moved", 0, 2)), []string{"broker-fenced|broker 2|unfenced|fenced"}},
		{again(2), []string{"broker-registered|broker 2|" + at(2) + "|" + at(2), "broker-unfenced|broker 2|fenced|unfenced", "isr-expanded|broker 2|*|*"}},
		{both(inSync(a, "moved", 0, 3), inSync(a, "orders", 0, 3), dropTopic(a, "single")), []string{"topic-deleted|topic single|1 partition|"}},
	}
	if c.Version >= "4" {
		all = append(all, step{feature(1, 2), []string{"feature-changed|cluster|transaction.version=2|transaction.version=1"}}, step{feature(2, 1), []string{"feature-changed|cluster|transaction.version=1|transaction.version=2"}})
	} else {
		all = append(all, step{create(a, "late", 1, 3), []string{"topic-created|topic late||1 partition, replication factor 3"}}, step{dropTopic(a, "late"), []string{"topic-deleted|topic late|1 partition|"}})
	}
	return all
}

// perform makes the changes and notes when.
func perform(t *testing.T, ctx context.Context, all []step) (done []happened) {
	for i, s := range all {
		from := time.Now()
		ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
		err := s.do(ctx)
		cancel()
		if err != nil {
			t.Fatalf("step %d, %s: %v", i+1, s.want[0], err)
		}
		done = append(done, happened{s, from, time.Now()})
	}
	return done
}

// matches says whether a change is told as wanted.
func matches(c *Change, want string) bool {
	have := []string{string(c.Kind), strings.TrimSpace(c.Subject.Scope + " " + c.Subject.Name), c.Before, c.After}
	for i, w := range strings.Split(want, "|") {
		if w != "*" && w != have[i] {
			return false
		}
	}
	return true
}

// retold holds what a node tells against what was done: in order, in time.
func retold(t *testing.T, who string, told []Change, done []happened) {
	t.Helper()
	at, n := 0, 0
	for _, h := range done {
		for _, want := range h.want {
			found := -1
			for i := at; i < len(told); i++ {
				if when := told[i].At; matches(&told[i], want) && !when.Before(h.from.Add(-time.Second)) && !when.After(h.to.Add(time.Second)) {
					found = i
					break
				}
			}
			if found < 0 {
				t.Errorf("%s: %s between %s and %s is not told, in\n%s", who, want, h.from.UTC().Format(time.StampMilli), h.to.UTC().Format(time.StampMilli), strings.Join(lines(told[at:]), "\n"))
				return
			}
			if h.step.want[0] == want { // within a step Kafka may choose the order of a few
				at = found
			}
			n++
		}
	}
	t.Logf("%s: %d changes told in order", who, n)
}

// agree reads the same files with DumpLogSegments and compares record by record,
// field by field.
func agree(t *testing.T, c *lab.Cluster, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	snapshots, _ := filepath.Glob(filepath.Join(dir, "*.checkpoint"))
	files = append(files, snapshots...)
	script, class := filepath.Join(t.TempDir(), "dump"), "org.apache.kafka.tools.DumpLogSegments"
	if c.Version < "4.3" {
		class = "kafka.tools.DumpLogSegments"
	}
	if err := c.Script(script, class); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		out, err := exec.Command(script, "--cluster-metadata-decoder", "--skip-record-metadata", "--files", file).Output()
		if err != nil {
			t.Fatalf("DumpLogSegments %s: %v: %.500s", file, err, out)
		}
		var theirs []string
		for line := range strings.Lines(string(out)) {
			if _, payload, ok := strings.Cut(line, "payload: "); ok && strings.Contains(payload, `"type":`) {
				theirs = append(theirs, payload)
			} else if strings.HasPrefix(strings.TrimSpace(line), `{"type":`) {
				theirs = append(theirs, strings.TrimSpace(line))
			}
		}
		compareRecords(t, file, theirs)
	}
}

func compareRecords(t *testing.T, file string, theirs []string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	records, v, n, compared := batch.Records{Keep: mostValue}, values{}, 0, 0
	for s := batch.NewScanner(f, 0, info.Size(), nil); s.Next(); {
		if s.Header().Control() {
			continue
		}
		for records.Open(s.Header(), s.Body()); records.Next(); n++ {
			typ, what, err := decodeMetadata(&v, records.Record().Value)
			if err != nil || what == unknownType || what == newerVersion {
				t.Fatalf("%s record %d: type %d, verdict %d, %v", file, n, typ, what, err)
			}
			if n >= len(theirs) {
				t.Fatalf("%s: DumpLogSegments has %d records only", file, len(theirs))
			}
			if what == ignored {
				continue
			}
			var one struct {
				Type string
				Data map[string]any
			}
			if err := json.Unmarshal([]byte(theirs[n]), &one); err != nil {
				t.Fatalf("%s record %d: %v in %.200s", file, n, err, theirs[n])
			}
			if d := differs(metadataLayouts[typ].fields, &v, one.Data); d != "" {
				t.Errorf("%s record %d: %s, and DumpLogSegments has %s", file, n, d, theirs[n])
			}
			compared++
		}
	}
	if n != len(theirs) || compared == 0 {
		t.Errorf("%s: %d records, DumpLogSegments has %d", file, n, len(theirs))
	}
	t.Logf("%s: %d of %d records compared field by field", filepath.Base(file), compared, n)
}

// differs names the first field that is not as Kafka printed it. What Kafka
// leaves out has its default.
func differs(fields []field, v *values, data map[string]any) string {
	for _, f := range fields {
		theirs, printed := data[strings.ToLower(f.name[:1])+f.name[1:]]
		if f.to == unused || !printed && f.tagged && !v.is(f.to) {
			continue
		}
		var ours any
		switch f.kind {
		case int8s, int16s, int32s, int64s:
			ours = float64(v.num[f.to])
			if f.name == "Port" {
				ours = float64(uint16(v.num[f.to]))
			}
			if yes, ok := theirs.(bool); ok {
				theirs = map[bool]float64{false: 0, true: 1}[yes]
			}
		case floats:
			ours = v.real
		case texts:
			if v.is(f.to) {
				ours = v.text[f.to]
			}
		case uuids:
			ours = base64.RawURLEncoding.EncodeToString(v.uuid[f.to][:])
		case ids:
			list := []any{}
			for _, id := range v.ids[f.to] {
				list = append(list, float64(id))
			}
			if ours = list; !v.is(f.to) {
				ours = nil
			}
		case uuidSet:
			list := []any{}
			for _, id := range v.uuids[f.to] {
				list = append(list, base64.RawURLEncoding.EncodeToString(id[:]))
			}
			ours = list
		case rows:
			list, _ := theirs.([]any)
			if len(list) != len(v.rows[f.to]) {
				return fmt.Sprintf("%s: %d elements", f.name, len(v.rows[f.to]))
			}
			for i := range list {
				if d := differs(f.of, &v.rows[f.to][i], list[i].(map[string]any)); d != "" {
					return f.name + ": " + d
				}
			}
			continue
		}
		if !reflect.DeepEqual(ours, theirs) {
			return fmt.Sprintf("%s: %v", f.name, ours)
		}
	}
	return ""
}

// whole is all that a state says of partitions.
func whole(l *Log) string {
	var b strings.Builder
	l.Cluster.Partitions(func(p *Partition) bool {
		fmt.Fprintln(&b, p.Topic, p.Partition, p.Leader, p.Epoch, p.Replicas, p.ISR, p.ELR, p.LastELR, p.Adding, p.Removing, p.Recovering)
		return true
	})
	for _, n := range l.Cluster.Nodes() {
		fmt.Fprintln(&b, n.ID, n.Epoch, n.Endpoints, n.Fenced, n.Controlled)
	}
	fmt.Fprintln(&b, l.Cluster.Features, l.Cluster.configs, l.Cluster.quotas, l.Cluster.acls, l.Cluster.users)
	return b.String()
}

// metadataDirs are those of the cluster's nodes, by what to call them.
func metadataDirs(c *lab.Cluster) map[string]string {
	all := map[string]string{}
	for _, n := range c.Nodes {
		dir := n.LogDir
		if n.MetadataDir != "" {
			dir = n.MetadataDir
		}
		all[fmt.Sprintf("node %d (%s)", n.ID, n.Roles)] = filepath.Join(dir, MetadataDir)
	}
	return all
}

// tell runs the whole proof on one cluster.
func tell(t *testing.T, version string, shape lab.Shape) {
	ctx, cancel := context.WithTimeout(context.Background(), 280*time.Second)
	defer cancel()
	shape.Settings = map[string]string{
		"metadata.log.max.record.bytes.between.snapshots": "6000",
		"authorizer.class.name":                           "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                                     "User:ANONYMOUS",
		"auto.leader.rebalance.enable":                    "false",
	}
	c, err := lab.Start(ctx, lab.Options{Shape: shape, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	done := perform(t, ctx, steps(c, kadm.NewClient(cl), cl))
	if n := len(done); n < 30 {
		t.Errorf("%d steps, 30 are wanted", n)
	}
	time.Sleep(2 * time.Second) // for the last to reach every node
	seen := map[string]string{}
	for who, dir := range metadataDirs(c) { // live
		l := read(t, dir, Options{})
		if len(l.Damage) > 0 || l.Unknown+l.Newer+l.Undecoded > 0 {
			t.Errorf("%s: damage %q, unknown %d, newer %d, undecoded %d", who, l.Damage, l.Unknown, l.Newer, l.Undecoded)
		}
		if age := l.Age(time.Now()); age > 3*time.Second {
			t.Errorf("%s: the newest record is %s old", who, age)
		}
		retold(t, who+", live", l.Cluster.Changes(Want{Broker: -1}), done)
		seen[who] = whole(l)
	}
	asked, err := c.Partitions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes { // all at once
		n.Signal(syscall.SIGKILL)
	}
	for _, n := range c.Nodes {
		if err := n.Gone(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for who, dir := range metadataDirs(c) {
		l := read(t, dir, Options{})
		retold(t, who+", all dead", l.Cluster.Changes(Want{Broker: -1}), done)
		if whole(l) != seen[who] {
			t.Errorf("%s: the state is another than it was live:\n%s\nbefore\n%s", who, whole(l), seen[who])
		}
		leaders(t, who, l, asked)
		fromSnapshot(t, who, dir, l)
		agree(t, c, dir)
	}
	for _, n := range c.Nodes {
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	for who, dir := range metadataDirs(c) {
		retold(t, who+", restarted", read(t, dir, Options{}).Cluster.Changes(Want{Broker: -1}), done)
	}
}

// leaders holds leader and ISR of every partition against kafka-topics.sh.
func leaders(t *testing.T, who string, l *Log, asked []lab.PartitionLine) {
	t.Helper()
	have := map[string]string{}
	l.Cluster.Partitions(func(p *Partition) bool {
		have[fmt.Sprintf("%s-%d", p.Topic, p.Partition)] = fmt.Sprintf("%d %s %s", p.Leader, idText(p.Replicas), idText(p.ISR))
		return true
	})
	text := func(all []int) string { return strings.ReplaceAll(strings.Trim(fmt.Sprint(all), "[]"), " ", ",") }
	for _, p := range asked {
		if got, want := have[fmt.Sprintf("%s-%d", p.Topic, p.Partition)], fmt.Sprintf("%d %s %s", p.Leader, text(p.Replicas), text(p.ISR)); got != want {
			t.Errorf("%s: %s-%d is %s, kafka-topics.sh said %s", who, p.Topic, p.Partition, got, want)
		}
	}
	if len(asked) == 0 || len(have) != len(asked) {
		t.Errorf("%s: %d partitions, kafka-topics.sh has %d", who, len(have), len(asked))
	}
}

// fromSnapshot reads a copy that has lost all segments but the newest snapshot's
// rest, and comes to the same state.
func fromSnapshot(t *testing.T, who, dir string, full *Log) {
	t.Helper()
	snapshots, err := filepath.Glob(filepath.Join(dir, "*.checkpoint"))
	if err != nil || len(snapshots) < 1 {
		t.Fatalf("%s: %d snapshots, error %v", who, len(snapshots), err)
	}
	l := read(t, dir, Options{Since: time.Millisecond})
	if !l.FromState || l.Start == 0 || whole(l) != whole(full) {
		t.Errorf("%s: from a snapshot (%t, offset %d) the state is another:\n%s\nwhole\n%s", who, l.FromState, l.Start, whole(l), whole(full))
	}
	t.Logf("%s: the snapshot of offset %d and %d of %d records after it lead to the same state", who, l.Start, l.End-l.Start, full.End)
}
