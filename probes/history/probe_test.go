package history_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

// realLog is a real metadata log, of the host of broker 3, which was shut down.
func realLog(t *testing.T) string {
	return filepath.Join(segmentstest.Unpack(t, "../segments/testdata/real.tar.zst"), "real", "log-dir")
}

func look(t *testing.T, target *probe.Target) map[string]fact.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := history.Probes[0].Observe(ctx, target)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]fact.Observation{}
	for _, o := range all {
		by[o.Key.Name+" "+o.Subject.String()] = o
	}
	return by
}

func TestMetadataProbe(t *testing.T) {
	dir := realLog(t)
	name := filepath.Join(dir, history.MetadataDir, "00000000000000000000.log")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	target := &probe.Target{Now: time.Now}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, Roles: "broker", LogDirs: []string{filepath.Dir(dir), dir}}})
	defer target.Close()
	seen := look(t, target)
	c := seen["disk.cluster cluster"].Value.(fact.LastCluster)
	if err := c.Valid(); err != nil || c.Copy.Node != 3 || c.Copy.Damage != "" || len(c.Brokers) != 3 || !c.Brokers[2].Fenced || !c.Brokers[2].Planned || c.Brokers[0].Fenced || c.Brokers[0].Port == 0 {
		t.Errorf("%v, %+v %+v", err, c.Copy, c.Brokers)
	}
	from, roll := target.Roll.Await(t.Context())
	if len(roll) != 3 || from != 3 {
		t.Errorf("the roll of %d: %+v", from, roll)
	}
	for i, b := range roll {
		if len(b.Endpoints) == 0 || b.ID != c.Brokers[i].ID || b.Endpoints[0].Protocol != "PLAINTEXT" || b.Endpoints[0].Address != fmt.Sprintf("%s:%d", c.Brokers[i].Host, c.Brokers[i].Port) {
			t.Errorf("broker %d listens at %+v, in the facts at %s:%d", b.ID, b.Endpoints, c.Brokers[i].Host, c.Brokers[i].Port)
		}
	}
	at := -1
	for i, topic := range c.Topic {
		if c.Topics[topic] == "idem" {
			at = i
		}
	}
	if at < 0 || c.Leader[at] != 1 || !slices.Equal(c.ISR.At(at), []int32{1, 2}) || !slices.Equal(c.Replicas.At(at), []int32{1, 2, 3}) {
		t.Errorf("idem-0 is row %d of %+v", at, c)
	}
	leaderless, behind := int32(0), int32(0)
	for p := range c.Partition {
		if c.Leader[p] < 0 {
			leaderless++
		}
		if len(c.ISR.At(p)) < len(c.Replicas.At(p)) {
			behind++
		}
	}
	stood := seen["disk.standing cluster"].Value.(fact.StandingTimes)
	end := len(stood.At) - 1
	if end < 3 || stood.Valid() != nil || stood.Live[end] != 2 || stood.Fenced[end] != 1 || stood.Leaderless[end] != leaderless || stood.Behind[end] != behind || behind == 0 {
		t.Errorf("stood %+v, and at last %d partitions without a leader and %d behind", stood, leaderless, behind)
	}
	if i := stood.Then(stood.At[end].Add(-time.Millisecond)); i != end-1 || stood.Then(stood.At[0].Add(-time.Hour)) != -1 || stood.Then(c.Copy.Last) != end {
		t.Errorf("a moment before the last is row %d of %d", i, end)
	}
	changes := seen["disk.changes cluster"].Value.(fact.ChangeList)
	has := func(kind, text string) bool {
		return slices.ContainsFunc(changes.All, func(ch fact.Change) bool { return ch.Kind == kind && ch.Text == text })
	}
	if !has("controlled-shutdown", "broker 3 asked to shut down: planned") || !has("isr-shrunk", "broker 3 fell out of the ISR of 14 partitions") {
		t.Errorf("changes %+v", changes)
	}
	for id := int32(1); id <= 3; id++ { // the controller took broker 3 out, no leader did
		o, ok := seen["disk.isr.shrinks "+fact.BrokerOf(id).String()]
		if s, _ := o.Value.(fact.ShrinkTimes); !ok || len(s.At) != 0 || s.To != c.Copy.Last {
			t.Errorf("shrinks of broker %d: %+v", id, o)
		}
	}
	// The file is cut back, as a follower of the quorum does: it is read anew.
	if err := os.WriteFile(name, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := history.Probes[0].Observe(context.Background(), target); err == nil || probe.Because(err).Reason != fact.NotYet {
		t.Errorf("after the cut: %v", err)
	}
	if half := look(t, target)["disk.cluster cluster"].Value.(fact.LastCluster); half.Copy.End >= c.Copy.End || half.Copy.End == 0 {
		t.Errorf("after the cut: end %d, before %d", half.Copy.End, c.Copy.End)
	}
}

// The rest comes later: only the tail is read, and what it says is the same as
// that of a first look.
func TestMetadataProbeFollows(t *testing.T) {
	dir := realLog(t)
	name := filepath.Join(dir, history.MetadataDir, "00000000000000000000.log")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fresh := &probe.Target{Now: time.Now, LogDirs: []string{dir}}
	defer fresh.Close()
	want := look(t, fresh)
	growing := &probe.Target{Now: time.Now, LogDirs: []string{dir}, Ledger: &probe.Ledger{}}
	defer growing.Close()
	for cut := len(whole) / 3; ; cut += len(whole) / 7 { // mostly within a batch
		cut = min(cut, len(whole))
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got := look(t, growing)
		if cut < len(whole) {
			continue
		}
		for key, o := range want {
			a, _ := o.MarshalJSON()
			b, _ := got[key].MarshalJSON()
			if string(a) != string(b) {
				t.Errorf("%s differs:\n%s\n%s", key, a, b)
			}
		}
		break
	}
}

func TestMetadataProbeWithoutALog(t *testing.T) {
	for _, c := range []struct {
		broker fact.LocalBroker
		reason fact.Reason
	}{
		{fact.LocalBroker{NodeID: 1, LogDirs: []string{t.TempDir()}}, fact.Absent}, // ZooKeeper
		{fact.LocalBroker{NodeID: 1, Roles: "broker", LogDirs: []string{t.TempDir()}}, fact.NotObserved},
	} {
		target := &probe.Target{Now: time.Now}
		target.SetBrokers([]fact.LocalBroker{c.broker})
		all, err := history.Probes[0].Observe(context.Background(), target)
		because := probe.Because(err)
		if err == nil && len(all) > 0 {
			because = all[0].Because
		}
		if because == nil || because.Reason != c.reason {
			t.Errorf("%+v: %v, %v, want %s", c.broker, all, err, c.reason)
		}
		target.Close()
	}
}
