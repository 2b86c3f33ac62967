package history

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

// real is the metadata log of a cluster of three nodes, 4.3.1.
func real(t testing.TB) string {
	t.Helper()
	return filepath.Join(segmentstest.Unpack(t, "../segments/testdata/real.tar.zst"), "real", "log-dir", MetadataDir)
}

func read(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Read(context.Background(), &probe.Target{}, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lines are changes as the tests write them.
func lines(all []Change) []string {
	var out []string
	for _, c := range all {
		out = append(out, fmt.Sprintf("%s %s %s %q %q %d", c.At.UTC().Format("15:04:05.000"), c.Kind, strings.TrimSpace(c.Subject.Scope+" "+c.Subject.Name), c.Before, c.After, c.Count))
	}
	return out
}

// TestCommitted: what is past the quorum's high watermark is not told: the planned
// shutdown that the log ends with, and the state as it was before it.
func TestCommitted(t *testing.T) {
	dir := real(t)
	whole := read(t, dir, Options{})
	var at int64
	for _, c := range whole.Cluster.Changes(Want{Broker: -1}) {
		if c.Kind == ControlledShutdown {
			at = c.Offset
		}
	}
	l := read(t, dir, Options{Committed: at})
	all := strings.Join(lines(l.Cluster.Changes(Want{Broker: -1})), "\n")
	if at == 0 || l.End > at || l.End < at-10 || strings.Contains(all, "controlled-shutdown") || !strings.Contains(all, "__transaction_state") || l.Cluster.Brokers[3].Fenced || len(l.Damage) != 0 {
		t.Errorf("up to offset %d: end %d, damage %q, in\n%s", at, l.End, l.Damage, all)
	}
	if l = read(t, dir, Options{Committed: whole.End}); l.End != whole.End {
		t.Errorf("with all committed: end %d of %d", l.End, whole.End)
	}
}

// TestRealLog: what a real log tells, from its first record to a planned shutdown.
func TestRealLog(t *testing.T) {
	l := read(t, real(t), Options{})
	if l.Records != 826 || l.End != 827 || l.Unknown+l.Newer+l.Undecoded != 0 || len(l.Damage) != 0 {
		t.Errorf("%d records, end %d, unknown %d, newer %d, undecoded %d, damage %q", l.Records, l.End, l.Unknown, l.Newer, l.Undecoded, l.Damage)
	}
	all := lines(l.Cluster.Changes(Want{Broker: -1}))
	wants := []string{
		`01:58:21.869 controller-changed cluster "" "2" 1`,
		`01:58:22.917 feature-changed cluster "" "metadata.version=30" 1`,
		`01:58:22.917 config-changed cluster "" "min.insync.replicas=2" 1`,
		`01:58:22.959 broker-registered broker 2 "" "PLAINTEXT://127.0.0.1:28002" 1`,
		`01:58:24.804 broker-unfenced broker 2 "fenced" "unfenced" 1`,
		`01:59:11.489 topic-created topic codec-none "" "1 partition, replication factor 3" 1`,
		`01:59:12.837 config-changed topic compacted "" "segment.ms=2000" 1`,
		`01:59:20.205 topic-created topic __transaction_state "" "3 partitions, replication factor 3" 1`,
		`02:04:29.713 controlled-shutdown broker 3 "serving" "shutting down" 1`,
		`02:04:29.713 isr-shrunk broker 3 "1,2,3 or 2,3,1 or 3,1,2" "1,2 or 2,1" 14`,
		`02:04:29.713 leader-changed partition __transaction_state-1 "3" "1" 1`,
		`02:04:30.370 broker-fenced broker 3 "unfenced" "fenced" 1`,
	}
	at := 0
	for _, line := range all {
		if at < len(wants) && line == wants[at] {
			at++
		}
	}
	if at < len(wants) {
		t.Errorf("in order, not found: %s, in\n%s", wants[at], strings.Join(all, "\n"))
	}
	n, holders := l.Cluster.Survey()
	if n.Topics != 12 || n.Partitions != 14 || n.Short != 14 || n.Leaderless != 0 || len(holders) != 2 || holders[0] != (fact.Holder{Broker: 1, All: 14}) {
		t.Errorf("%+v, %+v", n, holders)
	}
	if b := l.Cluster.Brokers[3]; !b.Fenced || !b.Planned || l.Cluster.Brokers[1].Fenced {
		t.Errorf("broker 3: %+v", b)
	}
	if each := l.Cluster.Changes(Want{Broker: 3, Each: true, Since: l.Last.Add(-2 * time.Second)}); len(each) != 17 {
		t.Errorf("%d changes about broker 3 in the last seconds, each: %q", len(each), lines(each))
	}
	if of := lines(l.Cluster.Changes(Want{Broker: -1, Topic: "idem"})); len(of) != 4 {
		t.Errorf("of topic idem: %q", of)
	}
}

// TestAt: the state of a moment is what the log says up to it.
func TestAt(t *testing.T) {
	l := read(t, real(t), Options{At: time.Date(2026, 11, 23, 2, 4, 29, 0, time.UTC)})
	n, _ := l.Cluster.Survey()
	if b := l.Cluster.Brokers[3]; b.Fenced || b.Controlled || n.Short != 0 || n.Partitions != 14 || l.Last.After(time.Date(2026, 11, 23, 2, 4, 29, 0, time.UTC)) {
		t.Errorf("before the shutdown: %+v, %+v, %s", b, n, l.Last)
	}
}

// TestDamaged: what precedes damage is told, and the damage.
func TestDamaged(t *testing.T) {
	dir := real(t)
	name := filepath.Join(dir, "00000000000000000000.log")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for what, c := range map[string]struct {
		change func([]byte) []byte
		says   string
	}{
		"flipped":  {func(b []byte) []byte { b[20040] ^= 1; return b }, "wrong checksum"},
		"torn":     {func(b []byte) []byte { return b[:20040] }, "ends within the batch"},
		"nonsense": {func(b []byte) []byte { copy(b[20716:], "rubbish that is no batch"); return b }, "base offset"},
	} {
		if err := os.WriteFile(name, c.change(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
		l := read(t, dir, Options{})
		if len(l.Damage) != 1 || !strings.Contains(l.Damage[0], c.says) || l.End < 230 || l.End > 270 || len(l.Cluster.Brokers) != 3 {
			t.Errorf("%s: damage %q, end %d, %d brokers", what, l.Damage, l.End, len(l.Cluster.Brokers))
		}
	}
}

// TestGrows: what is written after a first look is told at the next, and a
// batch that is half written is waited for.
func TestGrows(t *testing.T) {
	dir := real(t)
	name := filepath.Join(dir, "00000000000000000000.log")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, whole[:20040], 0o600); err != nil {
		t.Fatal(err)
	}
	l := read(t, dir, Options{})
	if len(l.Damage) > 0 || l.End > 300 {
		t.Fatalf("damage %q, end %d", l.Damage, l.End)
	}
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Advance(context.Background()); err != nil || l.End != 827 || len(l.Damage) > 0 || !l.Cluster.Brokers[3].Planned {
		t.Errorf("error %v, end %d, damage %q", err, l.End, l.Damage)
	}
}

// TestMissingSegment: a gap between segments is damage, not silence.
func TestMissingSegment(t *testing.T) {
	dir := t.TempDir()
	one := appendBatch(nil, 0, 1000, 1, record(noOp, 0).tags())
	two := appendBatch(nil, 7, 2000, 1, record(noOp, 0).tags())
	for name, data := range map[string][]byte{"00000000000000000000.log": one, "00000000000000000007.log": two} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if l := read(t, dir, Options{}); len(l.Damage) != 1 || !strings.Contains(l.Damage[0], "from 1 to 6") || l.End != 1 {
		t.Errorf("damage %q, end %d", l.Damage, l.End)
	}
}
