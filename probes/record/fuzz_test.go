package record

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
)

func FuzzReader(f *testing.F) {
	f.Add(packed(f, header, `{"at":"2026-11-23T01:02:03Z","observations":[{"k":"host.cpus","s":"host a","v":4},{"k":"kafka.metadata","s":"broker 1","v":{"replicas":{"e":[3],"i":[1,2,3]}}}],"marks":[{"at":"2026-11-23T01:02:03Z","kind":"note"}]}`))
	f.Add(packed(f, header, `{"at":"2026-11-23T01:02:03Z"}`)[:30])
	f.Add(packed(f, header))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader("f", bytes.NewReader(data))
		if err != nil {
			return
		}
		defer r.Close()
		for range 1000 {
			b, err := r.Next(context.Background())
			if err != nil {
				return
			}
			if _, err := json.Marshal(b); err != nil {
				t.Fatalf("what was read cannot be written again: %v", err)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"at":"2026-11-23T01:02:03Z","observations":[{"k":"host.cpus","s":"host a","v":4}]}`))
	f.Add([]byte(`{"at":"2026-11-23T01:02:03Z","observations":[{"k":"kafka.group.offsets","s":"group g","v":{"topic":["t"],"partition":[0],"committed":[1],"log_start":[0],"log_end":[5],"last_stable":[5]}}]}`))
	f.Add([]byte(`{"at":"2026-11-23T01:02:03Z","observations":[{"k":"x","s":"broker 1"}]}`))
	f.Add([]byte(`{"observations":[null]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		b, err := decode(line)
		if err != nil {
			return
		}
		if _, err := json.Marshal(b); err != nil {
			t.Fatalf("what was read cannot be written again: %v", err)
		}
	})
}

// BenchmarkWrite prints how large a batch of three brokers is in the file.
func BenchmarkWrite(b *testing.B) {
	for _, partitions := range []int{30, 1000} {
		b.Run(map[int]string{30: "30partitions", 1000: "1000partitions"}[partitions], func(b *testing.B) {
			w, err := Create(filepath.Join(b.TempDir(), "a.ktr"), Header{}, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			defer w.Close()
			n := 0
			for b.Loop() {
				if err := w.Write(batch(n, partitions)); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(w.Size())/float64(n), "bytes/batch")
		})
	}
}
