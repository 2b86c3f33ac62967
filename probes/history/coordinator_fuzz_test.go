package history

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// FuzzCoordinatorRecord: keys and values of any bytes are decoded or refused,
// and what they add up to is told.
func FuzzCoordinatorRecord(f *testing.F) {
	at := time.UnixMilli(1e12)
	for _, p := range []pair{commitOf("g", "t", 1, 5), commitWithID("g", "t", 1, 6, UUID{1}), noCommit("g", "t", 1), classicOf("g", 1, "a", "b"), epochOf("g", 3), memberOf("g", "a"),
		transactionOf("x", 1, 60000, at, at, "t", 1, 2), {keyOf(23, "g"), nil}, {keyOf(classicGroup, "g"), nil}} {
		f.Add([]byte(p.key), []byte(p.value), p.value == nil)
	}
	f.Fuzz(func(t *testing.T, key, value []byte, gone bool) {
		if gone {
			value = nil
		}
		g, x := newGroups(CoordinatorOptions{}), &Transactions{by: map[string]*Transaction{}}
		for n := range int64(3) {
			u := unit{0, n, n, n * 1e6, key, value}
			g.apply(&u)
			x.apply(&u)
		}
		first := commitOf("g", "t", 1, 9)
		g.apply(&unit{0, 4, 4, 4e6, first.key, first.value})
		for _, one := range g.by {
			one.settle()
			for _, o := range one.Offsets {
				if rate, over := o.Rate(); rate >= 0 && over <= 0 {
					t.Errorf("%v records a second over %s", rate, over)
				}
			}
		}
		g.Changes(Want{Broker: -1})
		g.Changes(Want{Broker: -1, Each: true})
		x.Changes(Want{Broker: -1}, time.UnixMilli(1e13))
	})
}

// FuzzCoordinatorLog: a segment of any bytes is read up to what is wrong with it.
func FuzzCoordinatorLog(f *testing.F) {
	w := newWriter()
	w.plain(classicOf("g", 1, "a"), commitOf("g", "t", 0, 1))
	w.part(7, commitOf("g", "t", 0, 2))
	w.end(7, true)
	w.plain(noCommit("g", "t", 0))
	f.Add(w.bytes, int64(0))
	f.Add(w.bytes[:len(w.bytes)-9], int64(100))
	dir := f.TempDir() // one for all: directories cost more than reading
	part := filepath.Join(dir, OffsetsTopic+"-0")
	if err := os.Mkdir(part, 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, budget int64) {
		if err := os.WriteFile(filepath.Join(part, segmentName(0)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := ReadGroups(context.Background(), &probe.Target{}, []string{dir}, CoordinatorOptions{Budget: budget})
		if err != nil {
			t.Fatal(err)
		}
		if g.Bytes > int64(len(data)) {
			t.Errorf("%d bytes of %d", g.Bytes, len(data))
		}
	})
}
