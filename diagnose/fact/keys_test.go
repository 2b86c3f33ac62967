package fact_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// A key that is declared and not listed could not be read from a recording.
func TestEveryKeyIsListed(t *testing.T) {
	files, err := filepath.Glob("keys_*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no key files", err)
	}
	declared := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`= (?:Gauge|Counter|State\[[^(]+\])\("([^"]+)"`).FindAllSubmatch(text, -1) {
			declared[string(m[1])] = true
		}
	}
	listed := map[string]bool{}
	for _, k := range fact.Keys {
		name := k.Def().Name
		if listed[name] {
			t.Errorf("%s is listed twice", name)
		}
		listed[name] = true
		if !declared[name] {
			t.Errorf("%s is listed, and declared in no keys file", name)
		}
	}
	for name := range declared {
		if !listed[name] {
			t.Errorf("%s is declared and not in Keys", name)
		}
	}
}

func TestObservationsSurviveARecording(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 2, 3, 4, time.UTC)
	view := fact.MetadataView{ClusterID: "c", Topics: []string{"a"}, Internal: []bool{false},
		Topic: []int32{0}, Partition: []int32{0}, Leader: []int32{-1}, Epoch: []int32{0}, Error: []int16{5}}
	view.ISR.Add([]int32{1, 2})
	view.Replicas.Add([]int32{1, 2})
	view.Offline.Add(nil)
	for _, want := range []fact.Observation{
		fact.DirUsed.Is(fact.LogDirOf(1, "/a b"), 9e10),
		fact.Metadata.Is(fact.BrokerOf(2), view),
		fact.GroupState.Unknown(fact.Subject{Scope: fact.Group, Name: "g"}, &fact.Unknown{Reason: fact.NotAllowed, Detail: "d", How: "h"}),
	} {
		want.At, want.Source = at, "p"
		line, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got fact.Observation
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		again, err := json.Marshal(got)
		if err != nil || string(again) != string(line) || got.Key != want.Key {
			t.Errorf("wrote %s, read and wrote %s (%v)", line, again, err)
		}
	}
}

func TestAKeyOfALaterVersionIsKept(t *testing.T) {
	const line = `{"k":"later.key","s":"broker 1","v":{"x":[1,2]},"t":"2026-11-25T01:00:00Z"}`
	var o fact.Observation
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(o)
	if err != nil || string(again) != line {
		t.Errorf("read %s, wrote %s (%v)", line, again, err)
	}
}

func FuzzObservation(f *testing.F) {
	f.Add([]byte(`{"k":"host.dir.used","s":"logdir 1:/d","v":1e9}`))
	f.Add([]byte(`{"k":"kafka.metadata","s":"broker 1","v":{"isr":{"e":[5],"i":[1]},"topic":[9]}}`))
	f.Add([]byte(`{"k":"x","s":"cluster","u":{"reason":"stale"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var o fact.Observation
		if json.Unmarshal(line, &o) != nil {
			return
		}
		if view, ok := o.Value.(fact.MetadataView); ok {
			for i := range view.Partition {
				view.ISR.At(i)
			}
		}
	})
}
