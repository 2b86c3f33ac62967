//go:build lab

package history

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/lab"
)

// described is a line of kafka-topics.sh --describe, ELR included.
var described = regexp.MustCompile(`Topic: (\S+)\s+Partition: (\d+)\s+Leader: (\S+)\s+Replicas: ([\d,]*)\s+Isr: ([\d,]*)\s+Elr: ([\d,]*)\s*LastKnownElr: ([\d,]*)`)

// TestLabLastSeen: brokers are killed one after the other, then the controller and
// the last; check and history name leader, ISR and ELR of every partition as
// kafka-topics.sh had them, who must come back first, and what was changed before.
func TestLabLastSeen(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 240*time.Second)
	defer cancel()
	k, err := lab.BuildKtriage(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := lab.Start(ctx, lab.Options{Shape: lab.Shape{OwnController: true, Settings: map[string]string{"min.insync.replicas": "2", "broker.session.timeout.ms": "6000"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	must := func(_ string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 6, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	must(c.Tool(ctx, "kafka.admin.ConfigCommand", "--alter", "--entity-type", "topics", "--entity-name", "orders", "--add-config", "retention.ms=7200000"))
	out := ""
	for _, id := range []int32{1, 2} {
		if err := c.Node(id).End(ctx, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for left := true; left; time.Sleep(time.Second) { // until it is in no ISR and leads nothing
			if out, err = c.Tool(ctx, "org.apache.kafka.tools.TopicCommand", "--describe"); err != nil {
				t.Fatal(err)
			}
			left = false
			for _, m := range described.FindAllStringSubmatch(out, -1) {
				left = left || m[3] == fmt.Sprint(id) || slices.Contains(strings.Split(m[5], ","), fmt.Sprint(id))
			}
		}
		if id == 1 {
			checkAlone(ctx, t, k, c, c.Node(1)).leadsOn(t, "broker 1")
		}
	}
	if end, committed := spanTold(ctx, t, k); committed < end || committed > end+100 {
		t.Errorf("history tells up to offset %d, of the quorum's high watermark %d", end, committed)
	}
	time.Sleep(2 * time.Second) // for the last record to reach the files
	for _, n := range []*lab.Node{c.Node(100), c.Node(3)} {
		if err := n.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Node(3).Gone(ctx); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, m := range described.FindAllStringSubmatch(out, -1) {
		want[m[1]+"-"+m[2]] = fmt.Sprintf("leader %s replicas %s isr %s elr %s last %s", m[3], m[4], m[5], m[6], m[7])
	}
	if len(want) < 6 {
		t.Fatalf("kafka-topics.sh named %d partitions:\n%s", len(want), out)
	}
	if end, committed := spanTold(ctx, t, k); end <= 0 || committed != -1 {
		t.Errorf("with nobody to ask history tells up to offset %d, of a high watermark %d", end, committed)
	}
	checkNames(ctx, t, k, c, want)
	checkAlone(ctx, t, k, c, c.Node(3)).isTheEnd(t)
	for who, dir := range metadataDirs(c) {
		if !strings.HasPrefix(who, "node 3 ") {
			continue // the others' logs end earlier
		}
		l := read(t, dir, Options{})
		n := 0
		l.Cluster.Partitions(func(p *Partition) bool {
			n++
			if have := fmt.Sprintf("leader %s replicas %s isr %s elr %s last %s", nodeText(p.Leader), idText(p.Replicas), idText(p.ISR), idText(p.ELR), idText(p.LastELR)); have != want[fmt.Sprintf("%s-%d", p.Topic, p.Partition)] {
				t.Errorf("history of %s: %s-%d: %s, kafka-topics.sh said %s", who, p.Topic, p.Partition, have, want[fmt.Sprintf("%s-%d", p.Topic, p.Partition)])
			}
			return true
		})
		t.Logf("history of %s: %d partitions as kafka-topics.sh had %d", who, n, len(want))
	}
}

// checkNames holds check -o json against what kafka-topics.sh said last.
func checkNames(ctx context.Context, t *testing.T, k *lab.Ktriage, c *lab.Cluster, want map[string]string) {
	raw, err := exec.CommandContext(ctx, k.Path, "check", "-o", "json", "--bootstrap-server", strings.Join(c.Bootstrap(), ",")).Output()
	if err == nil {
		t.Error("check exits 0 with every broker dead")
	}
	var told struct {
		Verdict  struct{ Status, Headline string }
		Findings []struct{ Cause, Band, Text string }
		Changed  []struct{ Kind, Text string }
		Last     *struct {
			Age        float64 `json:"age_seconds"`
			First      string  `json:"first_back"`
			Partitions []struct {
				Topic         string
				Partition     int
				Leader        int32
				Replicas, ISR []int32
				ELR           []int32
				LastELR       []int32 `json:"last_known_elr"`
			}
		} `json:"last_known"`
	}
	if err := json.Unmarshal(raw, &told); err != nil || told.Last == nil {
		t.Fatalf("%v: %s", err, raw)
	}
	for _, p := range told.Last.Partitions {
		name := fmt.Sprintf("%s-%d", p.Topic, p.Partition)
		if have := fmt.Sprintf("leader %s replicas %s isr %s elr %s last %s", nodeText(p.Leader), idText(p.Replicas), idText(p.ISR), idText(p.ELR), idText(p.LastELR)); have != want[name] {
			t.Errorf("check: %s: %s, kafka-topics.sh said %s", name, have, want[name])
		}
	}
	if len(told.Last.Partitions) != len(want) {
		t.Errorf("check names %d partitions, kafka-topics.sh %d", len(told.Last.Partitions), len(want))
	}
	named := ""
	for _, f := range told.Findings {
		named += f.Cause + " " + f.Band + ": " + f.Text + "\n"
	}
	t.Logf("age %.0f s, %s\n%schanged: %+v", told.Last.Age, told.Last.First, named, told.Changed)
	if !strings.Contains(named, "no-leader confirmed") || strings.Count(named, "broker-crashed confirmed: broker ") < 3 {
		t.Errorf("findings:\n%s", named)
	}
	if !slices.ContainsFunc(told.Changed, func(ch struct{ Kind, Text string }) bool {
		return ch.Kind == "config-changed" && strings.HasPrefix(ch.Text, "retention.ms of topic orders was set to 7200000")
	}) {
		t.Errorf("the change of retention.ms is not among %+v", told.Changed)
	}
	text, _ := exec.CommandContext(ctx, k.Path, "check", "--bootstrap-server", strings.Join(c.Bootstrap(), ",")).Output()
	t.Logf("%s", text)
}

// spanTold is where ktriage history ends, and the quorum's high watermark that it
// was told; -1: none.
func spanTold(ctx context.Context, t *testing.T, k *lab.Ktriage) (end, committed int64) {
	t.Helper()
	raw, err := exec.CommandContext(ctx, k.Path, "history", "-o", "json").Output()
	if err != nil {
		t.Errorf("history: %v", err)
	}
	var told struct {
		Span struct {
			End       int64  `json:"end_offset"`
			Committed *int64 `json:"quorum_high_watermark"`
		}
	}
	if err := json.Unmarshal(raw, &told); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if told.Span.Committed == nil {
		return told.Span.End, -1
	}
	return told.Span.End, *told.Span.Committed
}
