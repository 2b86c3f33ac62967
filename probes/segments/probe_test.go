package segments

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// facts is what the probe tells of one log dir.
type facts struct {
	verified fact.Verified
	damage   []fact.DamagedFile
	unknown  *fact.Unknown // of the damage
	topics   fact.TopicBatches
}

func observed(t *testing.T, target *probe.Target) facts {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := scanning.Observe(ctx, target)
	if err != nil {
		t.Fatal(err)
	}
	var f facts
	for _, o := range all {
		switch o.Key {
		case fact.SegmentsVerified.Def():
			f.verified = o.Value.(fact.Verified)
		case fact.SegmentsDamage.Def():
			if f.unknown = o.Because; o.Because == nil {
				f.damage = o.Value.([]fact.DamagedFile)
			}
		case fact.SegmentsTopics.Def():
			f.topics = o.Value.(fact.TopicBatches)
		}
	}
	return f
}

func scanTarget(dir string, budget int64) *probe.Target {
	t := &probe.Target{Now: time.Now, Ledger: &probe.Ledger{}, Scan: budget}
	t.SetBrokers([]fact.LocalBroker{{NodeID: 3, LogDirs: []string{dir}}})
	return t
}

// flip turns one bit of a closed segment around, and back: in its batch at 34593. It
// returns the size of the segment.
func flip(t *testing.T, dir string) int64 {
	t.Helper()
	name := filepath.Join(dir, "codec-none-0", "00000000000000000000.log")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[34693] ^= 1
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return int64(len(data))
}

// TestProbe: a flipped byte that nobody has read is found within the budget; what
// is sound is not read twice; a small budget comes round in several runs.
func TestProbe(t *testing.T) {
	dir := soundDir(t)
	age(t, dir)
	target := scanTarget(dir, 256<<20)
	defer target.Close()
	f := observed(t, target)
	if f.unknown != nil || len(f.damage) != 0 || f.verified.Segments != f.verified.AllSegments || f.verified.AllSegments != 12 || f.verified.Partitions != 10 {
		t.Errorf("sound: %+v", f)
	}
	if err := f.topics.Valid(); err != nil || len(f.topics.Topic) != 10 {
		t.Errorf("topics %v, error %v", f.topics.Topic, err)
	}
	records := f.topics.Records[0]
	if again := observed(t, target); again.verified != f.verified || again.topics.Records[0] != records {
		t.Errorf("again: %+v, then %+v", f.verified, again.verified)
	}

	flip(t, dir)
	age(t, dir)
	fresh := scanTarget(dir, 256<<20)
	defer fresh.Close()
	for range 2 { // damage is told at every run
		f = observed(t, fresh)
		if len(f.damage) != 1 || f.damage[0].Kind != "crc-mismatch" || f.damage[0].Position != 34593 || f.verified.Segments != 11 {
			t.Errorf("a flipped byte: %+v", f)
		}
	}

	small := scanTarget(dir, 40<<10)
	defer small.Close()
	seen := 0
	for run := range 6 {
		f = observed(t, small)
		if f.verified.Segments < seen || run == 0 && f.verified.Bytes > 40<<10 {
			t.Errorf("run %d of a small budget: %+v", run, f.verified)
		}
		seen = f.verified.Segments
	}
	if seen < 9 { // two segments are larger than the budget
		t.Errorf("a small budget never comes round: %+v", f.verified)
	}
}

// TestProbeCannotSee: what may not be read, or was not asked for, is unknown.
func TestProbeCannotSee(t *testing.T) {
	none := scanTarget(t.TempDir(), 0)
	if _, err := scanning.Observe(context.Background(), none); probe.Because(err).Reason != fact.NotAskedFor {
		t.Errorf("--scan 0: %v", err)
	}
	gone := scanTarget(filepath.Join(t.TempDir(), "gone"), -1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, err := scanning.Observe(ctx, gone)
	if err == nil || len(all) != 3 || all[0].Because == nil {
		t.Errorf("no such dir: %+v, %v", all, err)
	}
	dir := soundDir(t)
	slow := scanTarget(dir, -1)
	over, stop := context.WithTimeout(context.Background(), probe.AnswerBefore)
	defer stop()
	all, err = scanning.Observe(over, slow)
	for _, o := range all {
		if o.Key == fact.SegmentsDamage.Def() && o.Because == nil {
			t.Errorf("no time at all, and it says %+v, %v", o, err)
		}
	}
}
