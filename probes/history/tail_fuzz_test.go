package history

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// FuzzTail: logs of any bytes, of which the end comes at a second look, are read
// within bounds, and what is told of them can be written to a recording and read
// back.
func FuzzTail(f *testing.F) {
	w := newWriter()
	w.plain(classicOf("g", 1, "a", "b"), commitOf("g", "t", 0, 500), commitOf("g", "t", 1, 70))
	w.part(9, commitOf("g", "t", 1, 900))
	cut := len(w.bytes)
	w.after(time.Minute)
	w.plain(commitOf("g", "t", 0, 100), noCommit("g", "t", 1), epochOf("h", 3), memberOf("h", "x"))
	w.end(9, true)
	f.Add(w.bytes, uint16(cut), false)
	f.Add(w.bytes, uint16(cut-7), false)
	f.Add(w.bytes[:cut], uint16(cut), false)
	late := &logWriter{at: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}
	late.plain(commitOf("g", "t", 0, 100))
	late.plain(commitOf("g", "t", 0, 50), classicOf("g", 1, "a"), classicOf("g", 2, "a"))
	f.Add(late.bytes, uint16(0), false)
	x := newWriter()
	x.plain(transactionOf("settle", 1, 5000, x.at, x.at, "out", 1, 0), transactionOf("late", 1, 5000, late.at, late.at, "out", 1))
	f.Add(x.bytes, uint16(50), true)
	f.Fuzz(func(t *testing.T, log []byte, at uint16, transactions bool) {
		dir, topic := t.TempDir(), OffsetsTopic
		if transactions {
			topic = TransactionsTopic
		}
		n := min(int(at), len(log))
		name := (&logWriter{bytes: log[:n]}).save(t, dir, topic+"-0", 0)
		target := &probe.Target{LogDirs: []string{dir}, Now: func() time.Time { return w.at }}
		defer target.Close()
		for range 3 {
			all, err := observeCoordinators(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range all {
				text, err := json.Marshal(o)
				if err != nil {
					t.Fatalf("%s: %v", o.Key.Name, err)
				}
				var back fact.Observation
				if err := json.Unmarshal(text, &back); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			file, err := os.OpenFile(filepath.Clean(name), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			file.Write(log[n:])
			file.Close()
			n = len(log)
		}
	})
}
