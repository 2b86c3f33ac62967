//go:build lab

package history

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// asDescribedThen is what kafka-topics.sh said at a moment.
type asDescribedThen struct {
	at        time.Time
	what      string
	partition map[string]string
}

// TestLabThen: a broker is killed, and started again. Later each node's metadata log
// tells of the moments between what kafka-topics.sh said at the time.
func TestLabThen(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Second)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Shape: lab.Shape{OwnController: true, Settings: map[string]string{"min.insync.replicas": "2", "broker.session.timeout.ms": "6000"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 6, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	retention := func(ms string) {
		t.Helper()
		if _, err := c.Tool(ctx, "kafka.admin.ConfigCommand", "--alter", "--entity-type", "topics", "--entity-name", "orders", "--add-config", "retention.ms="+ms); err != nil {
			t.Fatal(err)
		}
	}
	var moments []asDescribedThen
	describe := func(what string, stable func(isr []string) bool) {
		t.Helper()
		for ctx.Err() == nil {
			out, err := c.Tool(ctx, "org.apache.kafka.tools.TopicCommand", "--describe")
			if err != nil {
				t.Fatal(err)
			}
			one := asDescribedThen{time.Now(), what, map[string]string{}}
			still := true
			for _, m := range described.FindAllStringSubmatch(out, -1) {
				one.partition[m[1]+"-"+m[2]] = fmt.Sprintf("leader %s replicas %s isr %s elr %s last %s", m[3], m[4], m[5], m[6], m[7])
				still = still && stable(strings.Split(m[5], ","))
			}
			if still && len(one.partition) >= 6 {
				moments = append(moments, one)
				return
			}
			time.Sleep(time.Second)
		}
		t.Fatalf("%s: %v", what, ctx.Err())
	}
	retention("7200000")
	describe("before", func(isr []string) bool { return len(isr) == 3 })
	if err := c.Node(3).End(ctx, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	describe("without broker 3", func(isr []string) bool { return !slices.Contains(isr, "3") })
	retention("3600000")
	if err := c.Restart(ctx, 3); err != nil {
		t.Fatal(err)
	}
	describe("with broker 3 again", func(isr []string) bool { return len(isr) == 3 })
	time.Sleep(2 * time.Second) // for the last record to reach the files
	for who, dir := range metadataDirs(c) {
		target := &probe.Target{Now: time.Now, LogDirs: []string{filepath.Dir(dir)}}
		for i, m := range moments {
			begin := time.Now()
			then, err := Then(ctx, target, m.at)
			if err != nil {
				t.Fatal(err)
			}
			told := describedThen(then)
			if !maps.Equal(told, m.partition) {
				t.Errorf("%s, %s: tells\n%v\nkafka-topics.sh said\n%v", who, m.what, told, m.partition)
			}
			want := []string{"7200000", "7200000", "3600000"}[i]
			if have, _ := then.Setting("topic", "orders", "retention.ms"); have != want {
				t.Errorf("%s, %s: retention.ms %s, want %s", who, m.what, have, want)
			}
			at := slices.IndexFunc(then.Brokers, func(b fact.LastBroker) bool { return b.ID == 3 })
			if at < 0 || then.Brokers[at].Fenced != (i == 1) || then.Brokers[at].Planned || m.at.Sub(then.Copy.Last) > 2*time.Second {
				t.Errorf("%s, %s: broker 3 of %+v, newest record %s before", who, m.what, then.Brokers, m.at.Sub(then.Copy.Last))
			}
			t.Logf("%s, %s: %d partitions as described, read in %s", who, m.what, len(told), time.Since(begin).Round(time.Millisecond))
		}
		target.Close()
	}
}

// describedThen is the partitions in the words of the moments.
func describedThen(c *fact.PastCluster) map[string]string {
	all := map[string]string{}
	for p := range c.Partition {
		all[fmt.Sprintf("%s-%d", c.Topics[c.Topic[p]], c.Partition[p])] = fmt.Sprintf("leader %s replicas %s isr %s elr %s last %s", nodeText(c.Leader[p]),
			idText(c.Replicas.At(p)), idText(c.ISR.At(p)), idText(c.ELR.At(p)), idText(c.LastELR.At(p)))
	}
	return all
}
