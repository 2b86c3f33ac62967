//go:build lab

package metrics_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/metrics"
	"github.com/ktriage/ktriage/probes/probe"
)

// TestLabJolokia: a real agent of Jolokia tells the same facts as a jmx_exporter in
// the same broker does just before and just after.
func TestLabJolokia(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Shape: lab.Shape{Single: true, Metrics: true, Jolokia: true}, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 3, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	produce(ctx, t, c)
	if _, err := c.Consume(ctx, "readers", "orders", 0); err != nil {
		t.Fatal(err)
	}
	n := c.Node(1)
	before := scrape(ctx, t, n.MetricsURL())
	seen := scrape(ctx, t, n.JolokiaURL())
	after := scrape(ctx, t, n.MetricsURL())
	for key, o := range before {
		compare(t, key, o, seen[key], after[key])
	}
	for key, want := range map[string]float64{"metrics.controller.active": 1, "metrics.broker.state": 3, "metrics.partitions.under-replicated": 0, "metrics.topics.failed-produce": 0} {
		if got := seen[key].Value; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	source := seen["metrics.endpoint"].Value.(fact.MetricsEndpoint)
	exported := after["metrics.endpoint"].Value.(fact.MetricsEndpoint)
	t.Logf("Jolokia: %d samples in %.0f ms; jmx_exporter: %d in %.0f ms", source.Samples, source.Seconds*1000, exported.Samples, exported.Seconds*1000)

	target := &probe.Target{PID: n.PID(), Version: "test"}
	defer target.Close()
	if _, err := host.Brokers.Observe(ctx, target); err != nil {
		t.Fatal(err)
	}
	both, err := metrics.Endpoints.Observe(ctx, target)
	if err != nil {
		t.Fatal(err)
	}
	var formats []string
	for _, o := range both {
		if e, is := o.Value.(fact.MetricsEndpoint); is && o.Subject == fact.BrokerOf(1) {
			formats = append(formats, e.Format)
		}
	}
	if slices.Sort(formats); !slices.Equal(formats, []string{"jolokia", "prometheus"}) {
		t.Errorf("agents found by the broker's command line: %q", formats)
	}
}

// compare checks that Jolokia tells what the exporter does before and after. Shares
// of the last minute move between, and so does what is in flight.
func compare(t *testing.T, key string, before, seen, after fact.Observation) {
	t.Helper()
	if (seen.Because == nil) != (before.Because == nil) && (seen.Because == nil) != (after.Because == nil) {
		t.Errorf("%s: exported: %v, %v; Jolokia: %v", key, before.Value, after.Value, seen.Value)
		return
	}
	switch v := seen.Value.(type) {
	case float64:
		low, _ := before.Value.(float64)
		high, _ := after.Value.(float64)
		slack := 1e-6
		if seen.Key.Kind == fact.GaugeKind {
			slack = 0.25 * max(1, high)
		}
		if v < min(low, high)-slack || v > max(low, high)+slack {
			t.Errorf("%s: exported %v before, %v after; Jolokia %v", key, low, high, v)
		}
	case []fact.NamedCount:
		first, last := before.Value.([]fact.NamedCount), after.Value.([]fact.NamedCount)
		if countOf(v, "Produce") == 0 && key == "metrics.requests.counts" || len(v) < len(first) || len(v) > len(last) {
			t.Errorf("%s: exported %v before, %v after; Jolokia %v", key, first, last, v)
		}
		for _, c := range v {
			if c.Count < countOf(first, c.Name) || c.Count > countOf(last, c.Name) {
				t.Errorf("%s: %s exported %v before, %v after; Jolokia %v", key, c.Name, countOf(first, c.Name), countOf(last, c.Name), c.Count)
			}
		}
	case []fact.RequestTimes:
		last := after.Value.([]fact.RequestTimes)
		produce := func(r fact.RequestTimes) bool { return r.Request == "Produce" }
		i, j := slices.IndexFunc(v, produce), slices.IndexFunc(last, produce)
		if i < 0 || j < 0 || !maps.EqualFunc(v[i].Phases, last[j].Phases, func(a, b fact.Spread) bool { return maps.Equal(a, b) }) || v[i].Count != last[j].Count {
			t.Errorf("%s: exported %v; Jolokia %v", key, last, v)
		}
	case fact.Timer:
		if last := after.Value.(fact.Timer); v.Count < before.Value.(fact.Timer).Count || v.Count > last.Count || len(v.Times) != len(last.Times) {
			t.Errorf("%s: exported %v; Jolokia %v", key, last, v)
		}
	}
}

func countOf(all []fact.NamedCount, name string) float64 {
	for _, c := range all {
		if c.Name == name {
			return c.Count
		}
	}
	return 0
}

// scrape is what one endpoint tells of broker 1, by the names of the keys.
func scrape(ctx context.Context, t *testing.T, url string) map[string]fact.Observation {
	t.Helper()
	target := &probe.Target{MetricsURLs: []string{"1=" + url}, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	seen, err := metrics.Endpoints.Observe(ctx, target)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]fact.Observation{}
	for _, o := range seen {
		if o.Subject != fact.BrokerOf(1) {
			t.Errorf("%s: of %s", o.Key.Name, o.Subject)
		}
		by[o.Key.Name] = o
	}
	return by
}
