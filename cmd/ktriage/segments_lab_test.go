//go:build lab

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// watchedCluster is a real cluster with a session that looks at it.
type watchedCluster struct {
	*lab.Cluster
	live    *probes.Live
	session *diagnose.Session
	verdict *diagnose.Verdict
}

// TestLabSegmentsMean: of a flipped byte in a closed segment it is said which
// offsets, who has them whole and which group comes there; of an all-zero time
// index that it is one. Both are healed as the playbook says, and Verify agrees.
func TestLabSegmentsMean(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	rolling := map[string]string{"segment.index.bytes": "240", "index.interval.bytes": "300", "retention.ms": "-1"}
	if err := c.CreateTopic(ctx, lab.Topic{Name: "ledger", Partitions: 1, Replication: 3, On: []int32{3, 1, 2}, Configs: rolling}); err != nil {
		t.Fatal(err)
	}
	fillLedger(ctx, t, c)
	segments := closedSegments(t, c.Node(3))
	last := []time.Duration{0, 2 * time.Second, 10 * time.Second}
	w := &watchedCluster{Cluster: c, session: diagnose.NewSession(diagnose.All)}
	target := &probe.Target{Bootstrap: c.Bootstrap(), Timeout: 5 * time.Second, Scan: 256 << 20, Version: "test", Now: time.Now, Ledger: &probe.Ledger{}}
	defer target.Close()
	w.live = probes.NewLive(target, probes.All, probes.LiveOptions{First: probes.Discovery, Deadline: 15 * time.Second})
	defer w.live.Close()

	overwrite(t, segments[0], 300, func(b []byte) { b[0] ^= 0xff }, 1)
	index := strings.TrimSuffix(strings.Replace(segments[1], c.Node(3).LogDir, c.Node(2).LogDir, 1), ".log") + ".timeindex"
	before, err := os.ReadFile(index)
	if err != nil || len(bytes.Trim(before, "\x00")) == 0 {
		t.Fatalf("no time index to damage: %d bytes, %v", len(before), err)
	}
	overwrite(t, index, 0, func(b []byte) { clear(b) }, len(before))

	w.look(t, last...)
	dir3, dir2 := fact.LogDirOf(3, c.Node(3).LogDir), fact.LogDirOf(2, c.Node(2).LogDir)
	w.wantFound(t, dir3, "crc-mismatch in ledger-0/", "offset", "ledger-0 is led from here: group billing")
	w.wantFound(t, dir2, "timeindex-corrupt in ledger-0/")
	w.wantSign(t, "damage-without-copy", dir3, diagnose.No, "should be whole on brokers 1 and 2, in sync")
	w.wantSign(t, "damage-ahead-of-readers", dir3, diagnose.Yes, "group billing")
	ends, ok := fact.ReplicaLogs.Latest(w.session.Facts(), fact.TheCluster)
	for id := int32(1); id <= 3; id++ {
		if at := ends.At("ledger", 0, id); !ok || at < 0 || ends.End[at] != ledgerRecords || ends.Start[at] != 0 {
			t.Errorf("the log of ledger-0 on broker %d: row %d of %+v", id, at, ends)
		}
	}

	heal(ctx, t, c, 3, func() error {
		return os.Rename(filepath.Join(c.Node(3).LogDir, "ledger-0"), filepath.Join(t.TempDir(), "ledger-0"))
	})
	heal(ctx, t, c, 2, func() error { // with .timeindex alone missing a broker makes it empty
		return errors.Join(os.Remove(index), os.Remove(strings.TrimSuffix(index, ".timeindex")+".index"))
	})
	at := w.verdict.At
	w.session.Apply(fact.Batch{At: at, Marks: []fact.Mark{{At: at, Kind: fact.FixApplied, Text: "segment-corruption"}}})
	w.look(t, last...)
	fixed := 0
	for _, m := range w.session.Verify(at) {
		if m.Subject == dir2 || m.Subject == dir3 {
			if fixed++; m.Change != diagnose.Fixed {
				t.Errorf("%s on %s: %s, before %q, after %s %q", m.Sign.ID, m.Subject, m.Change, m.Before.Text, m.After.Outcome, m.After.Text)
			}
		}
	}
	if fixed < 2 {
		t.Errorf("Verify speaks of %d signs of the two log dirs, expected of both damages", fixed)
	}
}

// ledgerRecords is what fillLedger writes.
const ledgerRecords = 1200

// fillLedger writes records, a batch each of ten, and commits for a group before
// all of them.
func fillLedger(ctx context.Context, t *testing.T, c *lab.Cluster) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.DefaultProduceTopic("ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range ledgerRecords / 10 {
		var some []*kgo.Record
		for range 10 {
			some = append(some, kgo.SliceRecord(bytes.Repeat([]byte("x"), 100)))
		}
		if err := client.ProduceSync(ctx, some...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	var o kadm.Offsets
	o.AddOffset("ledger", 0, 0, -1)
	if err := kadm.NewClient(client).CommitAllOffsets(ctx, "billing", o); err != nil {
		t.Fatal(err)
	}
}

// closedSegments is the logs of ledger-0 on a node but the last; at least two.
func closedSegments(t *testing.T, n *lab.Node) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(n.LogDir, "ledger-0", "*.log"))
	slices.Sort(all)
	if err != nil || len(all) < 3 {
		t.Fatalf("%d segments, %v", len(all), err)
	}
	return all[:len(all)-1]
}

func overwrite(t *testing.T, name string, at int64, change func([]byte), n int) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	change(b)
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// heal stops a broker cleanly, has something done to its files and starts it.
func heal(ctx context.Context, t *testing.T, c *lab.Cluster, id int32, do func() error) {
	t.Helper()
	if err := c.Node(id).End(ctx, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := do(); err != nil {
		t.Fatal(err)
	}
	if err := c.Node(id).Start(); err != nil {
		t.Fatal(err)
	}
	if err := c.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

// look takes samples, each after a rest.
func (w *watchedCluster) look(t *testing.T, rests ...time.Duration) {
	t.Helper()
	for _, rest := range rests {
		time.Sleep(rest)
		b, err := w.live.Round(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.verdict = w.session.Apply(b)
	}
}

// wantFound is a finding of segment-corruption that says some words.
func (w *watchedCluster) wantFound(t *testing.T, on fact.Subject, words ...string) {
	t.Helper()
	for _, f := range w.verdict.All() {
		if f.Cause.ID != "segment-corruption" || f.Subject != on {
			continue
		}
		t.Logf("%s %s on %s: %s; affected %+v", f.Band, f.Severity, f.Subject, f.Says, f.Affected)
		for _, word := range words {
			if !strings.Contains(f.Says, word) {
				t.Errorf("%s: %q is missing in %q", on, word, f.Says)
			}
		}
		return
	}
	t.Errorf("no segment-corruption on %s; %s", on, w.verdict.Headline)
}

func (w *watchedCluster) wantSign(t *testing.T, id string, on fact.Subject, want diagnose.Outcome, text string) {
	t.Helper()
	for _, s := range w.verdict.Signs {
		if s.Sign.ID == id && s.Subject == on {
			if s.Outcome != want || !strings.Contains(s.Text, text) {
				t.Errorf("%s on %s: %s, %q, %v", id, on, s.Outcome, s.Text, s.Because)
			}
			return
		}
	}
	t.Errorf("no sign %s on %s", id, on)
}
