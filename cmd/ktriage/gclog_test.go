package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// gclogFile is a real log, unpacked.
func gclogFile(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.Open(filepath.Join("../../probes/gclog/testdata", name+".log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".log")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestGCLogObject(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/gclog.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	uptimes := filepath.Join(t.TempDir(), "bare.log")
	if err := os.WriteFile(uptimes, []byte("GC(1) Pause Full (System.gc()) 24M->4M(256M) 4.435ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{
		gclogFile(t, "jdk17-g1"): 1, gclogFile(t, "jdk25-zgc"): 0, gclogFile(t, "jdk25-parallel"): 1, gclogFile(t, "jdk17-g1-exhausted"): 1, gclogFile(t, "jdk17-shenandoah"): 0, uptimes: 3,
	} {
		got := ktriage(t, "gclog", "-o", "json", file)
		if got.status != want {
			t.Errorf("%s: exit %d, want %d: %s", file, got.status, want, got.err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got.out))
		if err != nil {
			t.Fatalf("%s: %v in %s", file, err, got.out)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v in %s", file, err, got.out)
		}
	}
}

// The numbers of the object are those that grep and awk find in the log.
func TestGCLogNumbers(t *testing.T) {
	got := ktriage(t, "gclog", "-o", "json", gclogFile(t, "jdk25-parallel"))
	var said struct {
		Schema, Collector, JDK string
		Span                   float64 `json:"span_seconds"`
		Full                   int     `json:"full_gcs"`
		Pauses                 struct {
			Count int
			Max   float64 `json:"max_seconds"`
			Total float64 `json:"total_seconds"`
		}
		Throughput float64 `json:"throughput_ratio"`
		Limits     []struct{ Name, Outcome string }
	}
	if err := json.Unmarshal([]byte(got.out), &said); err != nil {
		t.Fatal(err)
	}
	if said.Schema != "ktriage.gclog/v1" || said.Collector != "Parallel" || said.JDK != "25.0.3+9-LTS" || said.Full != 18 || said.Pauses.Count != 20 || said.Pauses.Max != 2.128071 ||
		said.Throughput < 0.989 || said.Throughput > 0.9892 {
		t.Errorf("%+v", said)
	}
	outcomes := map[string]string{}
	for _, l := range said.Limits {
		outcomes[l.Name] = l.Outcome
	}
	for name, want := range map[string]string{"pause-p95": "yes", "pause-p99": "yes", "pause-max": "yes", "throughput": "no", "full-gcs-per-hour": "yes"} {
		if outcomes[name] != want {
			t.Errorf("%s: %q, want %q", name, outcomes[name], want)
		}
	}
}

func TestGCLogText(t *testing.T) {
	file := gclogFile(t, "jdk25-zgc")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, nil, "gclog", "-")
	cmd.Stdin = bytes.NewReader(text)
	got := finish(t, cmd)
	if got.status != 0 || !strings.Contains(got.out, "ZGC, JDK 25.0.3+9-LTS, unified format, 1 start") || !strings.Contains(got.out, "threads stalled for memory               1") {
		t.Errorf("exit %d: %s%s", got.status, got.out, got.err)
	}
	for line := range strings.Lines(got.out) {
		if len(line) > 81 {
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
}

func TestGCLogMistakes(t *testing.T) {
	source, err := filepath.Abs("gclog_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{source: "gclog_test.go:1: not a GC log: expected a line of -Xlog:gc*", "/nowhere": "/nowhere", ".": "directory"} {
		got := ktriage(t, "gclog", file)
		if got.status != exitUsage || !strings.Contains(got.err, want) || strings.Count(got.err, "\n") != 1 || got.out != "" {
			t.Errorf("%s: exit %d, %q %q", file, got.status, got.out, got.err)
		}
	}
}
