package tui

import (
	"context"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/diagnosetest"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// worst is the last batch of testdata/disk-full.case before the operator says, in
// a batch of its own, that the fix was applied.
const worst = 12

// incident is the batches of testdata/disk-full.case, with what a case file does
// not hold: how the probes fared, and the operator's mark.
func incident(t testing.TB) []fact.Batch {
	t.Helper()
	batches, err := readIncident()
	if err != nil {
		t.Fatal(err)
	}
	return batches
}

func readIncident() ([]fact.Batch, error) {
	const file = "testdata/disk-full.case"
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := diagnosetest.Parse(file, text)
	if err != nil {
		return nil, err
	}
	batches := c.Batches
	for i := range batches {
		b := &batches[i]
		for j := range b.Observations {
			b.Observations[j].Source = probeOf(b.Observations[j].Key.Name)
		}
		b.Runs = []fact.Run{
			{Probe: "host.memory", Status: fact.Failed, Seconds: 0.001, Error: "open /proc/meminfo: permission denied"},
			{Probe: "kafka.metadata", Status: fact.OK, Seconds: 0.012},
		}
	}
	at := batches[worst].At.Add(2 * time.Second)
	mark := fact.Batch{At: at, Marks: []fact.Mark{{At: at, Kind: fact.FixApplied, Text: "disk-full"}}}
	return slices.Insert(batches, worst+1, mark), nil
}

// probeOf is the probe that a key is likely from: its first two words.
func probeOf(key string) string {
	dots := 0
	for i, r := range key {
		if r == '.' {
			if dots++; dots == 2 {
				return key[:i]
			}
		}
	}
	return key
}

// reel gives batches, with a pause before each but the first; then it ends, or
// stays silent as a live source does.
type reel struct {
	batches []fact.Batch
	pause   time.Duration
	live    bool
	given   int
}

func (r *reel) Next(ctx context.Context) (fact.Batch, error) {
	if r.given == len(r.batches) {
		if r.live {
			<-ctx.Done()
			return fact.Batch{}, ctx.Err()
		}
		return fact.Batch{}, io.EOF
	}
	if r.given > 0 {
		select {
		case <-time.After(r.pause):
		case <-ctx.Done():
			return fact.Batch{}, ctx.Err()
		}
	}
	r.given++
	return r.batches[r.given-1], nil
}
