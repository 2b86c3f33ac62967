//go:build lab || labmore

package history

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/probes/lab"
)

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
		if took := time.Since(from); took > 2*time.Second {
			t.Logf("step %d took %.1f s: %s", i+1, took.Seconds(), s.want[0])
		}
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
	settings := map[string]string{
		"metadata.log.max.record.bytes.between.snapshots": "6000",
		"authorizer.class.name":                           "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                                     "User:ANONYMOUS",
		"auto.leader.rebalance.enable":                    "false",
	}
	maps.Copy(settings, shape.Settings)
	rolled := shape.Settings["metadata.log.segment.ms"] != ""
	shape.Settings = settings
	c, cl := cluster(ctx, t, lab.Options{Shape: shape, Version: version})
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
		if files, err := filepath.Glob(filepath.Join(dir, "*.log")); err != nil || (len(files) > 3) != rolled {
			t.Errorf("%s: %d segments, more than 3 are wanted: %t, %v", who, len(files), rolled, err)
		}
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
	}
	agree(t, c, slices.Collect(maps.Values(metadataDirs(c)))...)
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
	hurt := t.TempDir()
	if err := os.CopyFS(hurt, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range snapshots { // none can be used: the log itself is whole
		name = filepath.Join(hurt, filepath.Base(name))
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if h := read(t, hurt, Options{Since: time.Millisecond}); len(h.Damage) == 0 || h.FromState || whole(h) != whole(full) {
		t.Errorf("%s: with damaged snapshots: damage %q, from a snapshot %t, the state\n%s\nwhole\n%s", who, h.Damage, h.FromState, whole(h), whole(full))
	}
	t.Logf("%s: the snapshot of offset %d and %d of %d records after it lead to the same state", who, l.Start, l.End-l.Start, full.End)
}

// cluster starts a Kafka and a client of it; both end with the test.
func cluster(ctx context.Context, t *testing.T, o lab.Options, more ...kgo.Opt) (*lab.Cluster, *kgo.Client) {
	t.Helper()
	c, err := lab.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	// What brokers say of topics is asked anew each time: the client would answer from
	// what it heard within the last five seconds.
	cl, err := kgo.NewClient(append(more, kgo.SeedBrokers(c.Bootstrap()...), kgo.MetadataMinAge(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return c, cl
}
