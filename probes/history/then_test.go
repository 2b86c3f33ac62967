package history_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/probe"
)

func hostOf(t *testing.T, b fact.LocalBroker) *probe.Target {
	target := &probe.Target{Now: time.Now}
	target.SetBrokers([]fact.LocalBroker{b})
	t.Cleanup(func() { target.Close() })
	return target
}

// TestThen: the cluster of a moment is what the log says up to it, counted as the
// facts count it that tell how it stood, and the next moment is told.
func TestThen(t *testing.T) {
	dir := realLog(t)
	target := hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{dir}})
	stood := look(t, target)["disk.standing cluster"].Value.(fact.StandingTimes)
	for i, at := range stood.At {
		c, err := history.Then(context.Background(), target, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Valid(); err != nil || c.Live != int(stood.Live[i]) || c.Fenced != int(stood.Fenced[i]) || c.Leaderless != int(stood.Leaderless[i]) || c.Behind != int(stood.Behind[i]) {
			t.Errorf("%s: %v, %d live, %d fenced, %d without leader, %d behind; the facts say %d %d %d %d", at, err, c.Live, c.Fenced, c.Leaderless, c.Behind,
				stood.Live[i], stood.Fenced[i], stood.Leaderless[i], stood.Behind[i])
		}
		if c.Copy.Node != 3 || c.Copy.Last.After(at) || !c.Next.After(at) && i < len(stood.At)-1 || c.Copy.Damage != "" || !c.At.Equal(at) {
			t.Errorf("%s: of %+v, next %s", at, c.Copy, c.Next)
		}
	}
	before, err := history.Then(context.Background(), target, time.Date(2026, 11, 23, 2, 4, 29, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(before.Topics, "idem")
	row := slices.Index(before.Topic, int32(at))
	if at < 0 || !slices.Equal(before.ISR.At(row), []int32{1, 2, 3}) || before.Live != 3 || before.Brokers[2].Fenced {
		t.Errorf("before the shutdown: %+v", before)
	}
	if v, ok := before.Setting("topic", "compacted", "segment.ms"); !ok || v != "2000" {
		t.Errorf("segment.ms of compacted is %q, %v, of %+v", v, ok, before.Settings)
	}
	if v, ok := before.Setting("broker", "", "min.insync.replicas"); !ok || v != "2" {
		t.Errorf("min.insync.replicas of all brokers is %q, %v", v, ok)
	}
	if _, ok := before.Setting("topic", "compacted", "retention.ms"); ok {
		t.Error("compacted has a setting that nobody made")
	}
}

// TestThenCut: of a moment after the damage what precedes it is told, and that; of
// one before it there is no word of damage.
func TestThenCut(t *testing.T) {
	dir := realLog(t)
	name := filepath.Join(dir, history.MetadataDir, "00000000000000000000.log")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raw[20040] ^= 1
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	target := hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{dir}})
	after, err := history.Then(context.Background(), target, time.Date(2026, 11, 23, 2, 4, 29, 0, time.UTC))
	if err != nil || !strings.Contains(after.Copy.Damage, "wrong checksum") || !after.Copy.Last.Before(after.At) || !after.Next.IsZero() || len(after.Brokers) != 3 {
		t.Errorf("after the damage: %v, %+v", err, after)
	}
	if err != nil {
		return
	}
	before, err := history.Then(context.Background(), target, after.Copy.Last.Add(-time.Second))
	if err != nil || before.Copy.Damage != "" || before.Next.IsZero() {
		t.Errorf("before the damage: %v, %+v", err, before)
	}
}

// TestThenNotKnown: why a moment is not known, and that nothing stands for it.
func TestThenNotKnown(t *testing.T) {
	dir := realLog(t)
	called, off := context.WithCancel(context.Background())
	off()
	late, end := context.WithTimeout(context.Background(), -time.Second)
	defer end()
	now := time.Date(2026, 11, 23, 2, 4, 29, 0, time.UTC)
	for what, c := range map[string]struct {
		ctx  context.Context
		host *probe.Target
		at   time.Time
		says string
	}{
		"too old":    {context.Background(), hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{dir}}), now.Add(-time.Hour), "the metadata log of node 3 begins at 2026-11-23 01:58:21 UTC"},
		"other host": {context.Background(), &probe.Target{Now: time.Now}, now, "no node of a cluster is on this host"},
		"ZooKeeper":  {context.Background(), hostOf(t, fact.LocalBroker{NodeID: 3, LogDirs: []string{dir}}), now, "there is no metadata log with ZooKeeper"},
		"no log":     {context.Background(), hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{t.TempDir()}}), now, "no __cluster_metadata-0 in"},
		"called off": {called, hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{dir}}), now, "canceled"},
		"too late":   {late, hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{dir}}), now, "was not read up to that moment in time"},
	} {
		if past, err := history.Then(c.ctx, c.host, c.at); err == nil || past != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v, want %q", what, past, err, c.says)
		}
	}
}

// TestThenAgain: one that is called off does not stand in the way of the next.
func TestThenAgain(t *testing.T) {
	target := hostOf(t, fact.LocalBroker{NodeID: 3, Roles: "broker", LogDirs: []string{realLog(t)}})
	for range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(200*time.Microsecond, cancel)
		if _, err := history.Then(ctx, target, time.Now()); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
}
