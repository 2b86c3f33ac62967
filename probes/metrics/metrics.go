// Package metrics reads the metrics endpoints of brokers: Prometheus text from a
// jmx_exporter with or without rules or from Strimzi's reporter, and Jolokia.
// Whatever they call a thing, it becomes the same fact.
package metrics

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// Probes is the probes of this package.
var Probes = []*probe.Probe{Endpoints}

// Endpoints reads the endpoints that were named, and those of the agents in the
// JVMs of this host's brokers.
var Endpoints = &probe.Probe{
	Name:    "metrics.endpoints",
	Doc:     "metrics of brokers: Prometheus endpoints and Jolokia, from --metrics-url or the brokers' own agents",
	Cost:    probe.Cheap,
	Every:   rest,
	Yields:  keys,
	Observe: observe,
}

// rest is the least time between two scrapes of one endpoint: an answer of a
// megabyte costs the broker humongous allocations on a small heap. Only the
// second may follow the first at once, as a check needs it for rates.
const rest = 15 * time.Second

// keys is what an endpoint can tell.
var keys = func() []fact.Key {
	all := []fact.Key{fact.MetricsSource, fact.MetricRequests, fact.MetricRequestCount, fact.MetricErrors, fact.MetricLogFlush, fact.MetricThrottled}
	seen := map[*fact.Def]bool{}
	for _, m := range scalars {
		if !seen[m.key.Def()] {
			seen[m.key.Def()] = true
			all = append(all, m.key)
		}
	}
	return all
}()

// memory is what is kept of the endpoints between runs.
type memory struct {
	client *http.Client
	mu     sync.Mutex
	of     map[string]past // by address
}

// past is when an endpoint was read, and whose it was.
type past struct {
	times   int
	last    time.Time
	subject fact.Subject
}

type memoryKey struct{}

// Close lets go of idle connections.
func (m *memory) Close() error {
	m.client.CloseIdleConnections()
	return nil
}

func observe(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	all := endpoints(t)
	if len(all) == 0 {
		return host.Nowhere(keys, noEndpoint), nil
	}
	m := probe.Shared(t, memoryKey{}, func() *memory { return &memory{client: newClient(), of: map[string]past{}} })
	seen, errs := make([][]fact.Observation, len(all)), make([]error, len(all))
	var wait sync.WaitGroup
	for i, e := range all {
		wait.Go(func() { seen[i], errs[i] = m.look(ctx, t, e) })
	}
	wait.Wait()
	var together []fact.Observation
	for _, one := range seen {
		together = append(together, one...)
	}
	return together, errors.Join(errs...)
}

// noEndpoint is why nothing is known where there is nothing to ask.
var noEndpoint = &fact.Unknown{Reason: fact.Absent, Detail: "no metrics endpoint is known", How: "--metrics-url http://HOST:PORT/metrics"}

// look reads one endpoint, unless it must be left alone yet: then nothing is
// observed, and what was read last stands.
func (m *memory) look(ctx context.Context, t *probe.Target, e endpoint) ([]fact.Observation, error) {
	address := shown(e.url)
	m.mu.Lock()
	before := m.of[address]
	m.mu.Unlock()
	if before.times >= 2 && time.Since(before.last) < rest-time.Second {
		return nil, nil
	}
	r, err := e.scrape(ctx, t, m.client)
	now := past{times: before.times + 1, last: time.Now(), subject: e.whose(t, r.samples)}
	if err != nil && before.subject.Name != "" {
		now.subject = before.subject
	}
	m.mu.Lock()
	m.of[address] = now
	m.mu.Unlock()
	if err != nil {
		because := probe.Because(err)
		var seen []fact.Observation
		for _, k := range keys {
			seen = append(seen, fact.Observation{Key: k.Def(), Subject: now.subject, Because: because})
		}
		return seen, err
	}
	return e.told(r, now.subject), nil
}

// told is the facts of one reading. What is not exported is unknown.
func (e endpoint) told(r reading, s fact.Subject) []fact.Observation {
	found := facts(r.samples)
	format := "prometheus"
	if e.jolokia {
		format = "jolokia"
	}
	found[fact.MetricsSource.Def()] = fact.MetricsEndpoint{URL: shown(e.url), Format: format, FoundBy: e.foundBy, Samples: len(r.samples), Seconds: r.took.Seconds()}
	absent := &fact.Unknown{Reason: fact.Absent, Detail: "not exported by " + shown(e.url), How: "a rule of the exporter that exports it"}
	var seen []fact.Observation
	for _, k := range keys {
		o := fact.Observation{Key: k.Def(), Subject: s, At: r.at}
		if v, ok := found[k.Def()]; ok {
			o.Value = v
		} else {
			o.Because = absent
		}
		seen = append(seen, o)
	}
	return seen
}
