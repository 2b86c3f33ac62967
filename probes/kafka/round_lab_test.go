//go:build lab || labmore

package kafka_test

import (
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/probe"
)

// round is one round of all probes, as `ktriage check` does it.
func round(t *testing.T, target *probe.Target, live *probes.Live) fact.Batch {
	t.Helper()
	began := time.Now()
	b, err := live.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Runs {
		t.Logf("%-16s %-8s %.3f s  %s", r.Probe, r.Status, r.Seconds, r.Error)
	}
	t.Logf("the round took %.2f s", time.Since(began).Seconds())
	return b
}

// last is the last observation of a key on a subject.
func last(b fact.Batch, key fact.Key, s fact.Subject) (found fact.Observation) {
	for _, o := range b.Observations {
		if o.Key == key.Def() && o.Subject == s {
			found = o
		}
	}
	return found
}

func want[T any](t *testing.T, b fact.Batch, key fact.Of[T], s fact.Subject) (v T) {
	t.Helper()
	o := last(b, key, s)
	v, ok := o.Value.(T)
	if !ok {
		t.Errorf("%s on %s: no value, unknown because %s", key.Def().Name, s, o.Because)
	}
	return v
}
