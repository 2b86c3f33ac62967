//go:build lab

package metrics_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/metrics"
	"github.com/ktriage/ktriage/probes/probe"
)

const written = 700

// TestLabExporter: the agents of real brokers are found by their command lines,
// and tell what was produced, as the ends of the logs do.
func TestLabExporter(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Shape: lab.Shape{Metrics: true}, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 3, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	produce(ctx, t, c)

	target := &probe.Target{Timeout: 20 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	live := probes.NewLive(target, []*probe.Probe{host.Brokers, metrics.Endpoints}, probes.LiveOptions{Deadline: 40 * time.Second, First: host.Brokers})
	defer live.Close()
	b, err := live.Round(ctx)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	produced := 0.0
	for _, o := range b.Observations {
		if v, ok := o.Value.(float64); ok {
			values[o.Key.Name] += v
		}
		if times, ok := o.Value.([]fact.RequestTimes); ok {
			for _, r := range times {
				if p99, told := r.Phases[fact.PhaseTotal]["p99"]; r.Request == "Produce" && r.Count > 0 {
					produced += r.Count
					if !told || p99 <= 0 || p99 > 60 {
						t.Errorf("%s: p99 of Produce is %v s", o.Subject, p99)
					}
				}
			}
		}
		if o.Key.Name == "metrics.endpoint" {
			t.Logf("%s: %+v", o.Subject, o.Value)
			if strings.Contains(o.Subject.Name, ":") {
				t.Errorf("whose endpoint: %s", o.Subject)
			}
		}
	}
	ends := logEnds(ctx, t, c)
	if ends != written || values["metrics.topics.messages-in"] != ends {
		t.Errorf("log ends add up to %v, messages in to %v, want %d", ends, values["metrics.topics.messages-in"], written)
	}
	for key, want := range map[string]float64{"metrics.controller.active": 1, "metrics.partitions.under-replicated": 0, "metrics.log.offline-dirs": 0, "metrics.broker.state": 9, "metrics.topics.failed-produce": 0} {
		if got, ok := values[key]; !ok || got != want {
			t.Errorf("%s adds up to %v, want %v", key, got, want)
		}
	}
	if produced == 0 || values["metrics.topics.bytes-in"] < written*100 || values["metrics.handlers.idle-seconds"] <= 0 {
		t.Errorf("%v produce requests, %v bytes in, handlers idle for %v s", produced, values["metrics.topics.bytes-in"], values["metrics.handlers.idle-seconds"])
	}
}

// produce writes records of 100 bytes and waits for each.
func produce(ctx context.Context, t *testing.T, c *lab.Cluster) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.DefaultProduceTopic("orders"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for range written {
		records = append(records, &kgo.Record{Value: make([]byte, 100)})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// logEnds is the sum of the topic's log ends, by Kafka's own tool.
func logEnds(ctx context.Context, t *testing.T, c *lab.Cluster) float64 {
	t.Helper()
	out, err := c.Tool(ctx, "org.apache.kafka.tools.GetOffsetShell", "--topic", "orders")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for line := range strings.Lines(out) {
		var partition, end int
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "orders:%d:%d", &partition, &end); n == 2 {
			sum += float64(end)
		}
	}
	return sum
}
