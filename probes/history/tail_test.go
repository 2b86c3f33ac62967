package history

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// watch is a host with a broker, looked at again and again.
type watch struct {
	*testing.T
	target *probe.Target
}

func newWatch(t *testing.T, dirs ...string) watch {
	target := &probe.Target{Now: func() time.Time { return time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC) }}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 2, Roles: "broker", LogDirs: dirs}})
	t.Cleanup(func() { target.Close() })
	return watch{t, target}
}

func (w watch) look() map[string]fact.Observation {
	w.Helper()
	all, err := observeCoordinators(w.Context(), w.target)
	if err != nil {
		w.Fatal(err)
	}
	by := map[string]fact.Observation{}
	for _, o := range all {
		by[o.Key.Name+" "+o.Subject.Name] = o
	}
	return by
}

func pastOf(t *testing.T, seen map[string]fact.Observation, group string) fact.GroupPast {
	t.Helper()
	p, ok := seen["disk.group "+group].Value.(fact.GroupPast)
	if !ok || p.Valid() != nil {
		t.Fatalf("group %s: %+v of %d facts", group, seen["disk.group "+group], len(seen))
	}
	return p
}

// grow appends to the newest segment of a partition what was written.
func (w *logWriter) grow(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(w.bytes); err != nil {
		t.Fatal(err)
	}
	w.bytes = nil
}

// TestGroupsAreFollowed: what is appended, rolled and compacted between looks is
// told once, and open transactions are carried over.
func TestGroupsAreFollowed(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	watched := newWatch(t, dir, dir+"/other")
	w.plain(classicOf("g", 1, "a", "b"), commitOf("g", "orders", 0, 500), commitOf("g", "orders", 1, 70))
	w.part(9, commitOf("g", "orders", 1, 900)) // counts when it is committed
	name := w.save(t, dir, "__consumer_offsets-4", 0)
	first := pastOf(t, watched.look(), "g")
	if first.State != "stable" || first.Partition != 4 || len(first.Generations.At) != 1 || first.Generations.Members[0] != 2 || first.Rewinds != nil || !first.Last.Equal(w.at) {
		t.Errorf("at first %+v", first)
	}
	w.after(time.Minute)
	w.plain(commitOf("g", "orders", 0, 100), noCommit("g", "orders", 1))
	w.end(9, true)
	w.grow(t, name)
	for range 2 { // the second look finds nothing new
		p := pastOf(t, watched.look(), "g")
		if len(p.Rewinds) != 1 || p.Rewinds[0] != (fact.Rewind{At: w.at, Topic: "orders", From: 500, To: 100, Now: 100}) {
			t.Fatalf("rewinds %+v", p.Rewinds)
		}
		if len(p.Gone) != 1 || p.Gone[0] != (fact.GoneOffset{At: w.at, Topic: "orders", Partition: 1, Was: 70, How: "expired or deleted", Again: w.at.Add(-time.Minute), To: 900}) {
			t.Errorf("gone %+v", p.Gone)
		}
	}
	// It rolls, and the cleaner puts a smaller file in the first one's place.
	rolled := w.next
	w.after(time.Minute)
	w.plain(classicOf("g", 2, "a"), commitOf("g", "orders", 0, 300))
	w.save(t, dir, "__consumer_offsets-4", rolled)
	clean := newWriter()
	clean.plain(commitOf("g", "orders", 1, 900))
	clean.save(t, dir, "__consumer_offsets-4.tmp", 0)
	if err := os.Rename(filepath.Join(dir, "__consumer_offsets-4.tmp", segmentName(0)), name); err != nil {
		t.Fatal(err)
	}
	seen := watched.look()
	p := pastOf(t, seen, "g")
	if len(p.Rewinds) != 1 || p.Rewinds[0].Now != 300 || !slices.Equal(p.Generations.Number, []int32{1, 2}) || !slices.Equal(p.Generations.Members, []int32{2, 1}) {
		t.Errorf("after rolling %+v", p)
	}
	list := seen["disk.groups.changes cluster"].Value.(fact.ChangeList)
	if list.Copy.Node != 2 || list.Copy.Damage != "" || !list.Copy.Last.Equal(w.at) || len(list.All) != 3 || list.All[2].Text != "group g rebalanced: generation 2, 1 member" {
		t.Errorf("changes %+v", list)
	}
	// What was read is cut off: everything is read anew.
	if err := os.Truncate(filepath.Join(dir, "__consumer_offsets-4", segmentName(rolled)), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := observeCoordinators(t.Context(), watched.target); err == nil || probe.Because(err).Reason != fact.NotYet {
		t.Errorf("after the cut: %v", err)
	}
	if p := pastOf(t, watched.look(), "g"); p.Rewinds != nil || len(p.Generations.At) != 0 {
		t.Errorf("read anew: %+v", p)
	}
}

// TestCopiesAreReadOnce: of the copies of three brokers on one host, the one that
// has come furthest, and the others when that one stands still.
func TestCopiesAreReadOnce(t *testing.T) {
	w, ahead, behind := newWriter(), t.TempDir(), t.TempDir()
	watched := newWatch(t, behind, ahead)
	w.plain(commitOf("g", "orders", 0, 500))
	short := slices.Clone(w.bytes)
	w.plain(commitOf("g", "orders", 0, 100))
	both := slices.Clone(w.bytes)
	w.save(t, ahead, "__consumer_offsets-4", 0)
	other := &logWriter{bytes: short}
	name := other.save(t, behind, "__consumer_offsets-4", 0)
	if p := pastOf(t, watched.look(), "g"); len(p.Rewinds) != 1 {
		t.Errorf("%+v", p)
	}
	for range 2000 {
		w.after(time.Second)
		w.plain(commitOf("g", "orders", 0, 200))
	}
	if err := os.WriteFile(name, append(both, w.bytes...), 0o600); err != nil {
		t.Fatal(err)
	}
	p := pastOf(t, watched.look(), "g")
	if len(p.Rewinds) != 1 || p.Rewinds[0].Now != 200 || !p.Last.Equal(w.at) {
		t.Errorf("the other copy went on: %+v", p)
	}
}

// TestOpenTransactionsAsFacts: what is open, with its partitions, and nothing of
// a host without coordinators.
func TestOpenTransactionsAsFacts(t *testing.T) {
	w, dir := newWriter(), t.TempDir()
	watched := newWatch(t, dir)
	if o := watched.look()["disk.transactions cluster"]; o.Because == nil || o.Because.Reason != fact.Absent {
		t.Errorf("without a coordinator %+v", o)
	}
	start := w.at
	w.plain(transactionOf("settle", 1, 5000, start, start, "out", 1, 0), transactionOf("done", 4, 5000, start, start, ""))
	name := w.save(t, dir, "__transaction_state-9", 0)
	seen := watched.look()
	x := seen["disk.transactions cluster"].Value.(fact.LastTransactions)
	if len(x.Open) != 1 || x.Valid() != nil || x.Open[0].ID != "settle" || x.Open[0].Timeout != 5 || !x.Open[0].Started.Equal(start) || !slices.Equal(x.Open[0].Partition, []int32{0, 1}) || x.Open[0].Topic[1] != "out" {
		t.Errorf("open %+v", x)
	}
	if list := seen["disk.groups.changes cluster"].Value.(fact.ChangeList); len(list.All) != 1 || list.All[0].Kind != "transaction-open" {
		t.Errorf("changes %+v", list)
	}
	w.after(time.Minute)
	w.plain(transactionOf("settle", 3, 5000, start, w.at, "out", 1, 0), transactionOf("settle", 5, 5000, start, w.at, ""))
	w.grow(t, name)
	if x := watched.look()["disk.transactions cluster"].Value.(fact.LastTransactions); len(x.Open) != 0 || !x.Last.Equal(w.at) {
		t.Errorf("ended %+v", x)
	}
}
