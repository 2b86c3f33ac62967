package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ktriage/ktriage/probes/segments"
	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

func realPartitions(t *testing.T) string {
	return filepath.Join(segmentstest.Unpack(t, "../../probes/segments/testdata/real.tar.zst"), "real")
}

func segmentsRun(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), append([]string{"segments"}, args...), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestSegmentsExit(t *testing.T) {
	dir := realPartitions(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		args   []string
		status int
		say    string
	}{
		{[]string{in("codec-none-0"), in("txn-log-0")}, 0, "clean: 2 partitions"},
		{[]string{in("log-dir")}, 0, "clean: 1 partition, "},
		{[]string{in("torn-tail-0")}, 0, "The broker mends by itself\nmajor    torn-tail"},
		{[]string{in("flipped-byte-0"), "--deep"}, 1, "[offsets 281\n         to 300]"},
		{[]string{in("flipped-byte-0/00000000000000000000.log"), "--rate", "0"}, 1, "crc-mismatch"},
		{[]string{in("flipped-byte-0"), "--since", "1h"}, 0, "1 segment passed over"},
		{[]string{in("nothing")}, 2, ""},
		{[]string{in("codec-none-0/leader-epoch-checkpoint")}, 2, ""},
		{[]string{t.TempDir()}, 2, ""},
		{[]string{in("codec-none-0"), "--rate", "fast"}, 2, ""},
	} {
		status, out, errOut := segmentsRun(t, c.args...)
		if status != c.status || !strings.Contains(out, c.say) {
			t.Errorf("%v: exit %d, want %d\n%s%s", c.args, status, c.status, out, errOut)
		}
		if status == 2 && (strings.Count(errOut, "\n") != 1 || !strings.HasPrefix(errOut, "ktriage: ")) {
			t.Errorf("%v: says %q", c.args, errOut)
		}
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 && !strings.Contains(line, "/") {
				t.Errorf("%v: a line of %d columns: %s", c.args, n, line)
			}
		}
	}
}

func TestSegmentsJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/segments.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := realPartitions(t)
	for name, damage := range map[string]int{"codec-none-0": 0, "flipped-epoch-0": 2, "bad-index-0": 1, "torn-tail-0": 1} {
		_, out, _ := segmentsRun(t, filepath.Join(dir, name), "-o", "json")
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var r struct{ Damage []segments.Damage }
		if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Damage) != damage {
			t.Errorf("%s: %d damages, want %d, error %v", name, len(r.Damage), damage, err)
		}
	}
	for _, k := range segments.Kinds {
		text, err := os.ReadFile("../../docs/segments.schema.json")
		if err != nil || !bytes.Contains(text, []byte(`"`+string(k)+`"`)) {
			t.Errorf("the schema does not know %s", k)
		}
	}
}

// TestSegmentsResume: what was sound is not read again, what was damaged or has
// changed is.
func TestSegmentsResume(t *testing.T) {
	dir := realPartitions(t)
	file := filepath.Join(t.TempDir(), "done")
	args := []string{filepath.Join(dir, "idem-0"), filepath.Join(dir, "flipped-byte-0"), "--resume", file}
	if status, out, errOut := segmentsRun(t, args...); status != 1 || !strings.Contains(out, "3 segments, ") {
		t.Fatalf("exit %d\n%s%s", status, out, errOut)
	}
	if status, out, _ := segmentsRun(t, args...); status != 1 || !strings.Contains(out, "1 segment, ") || !strings.Contains(out, "2 segments passed over") {
		t.Errorf("again: exit %d\n%s", status, out)
	}
	changed := filepath.Join(dir, "idem-0", "00000000000000000000.log")
	if err := os.Chtimes(changed, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := segmentsRun(t, args...); !strings.Contains(out, "2 segments, ") {
		t.Errorf("after a change:\n%s", out)
	}
	if status, _, errOut := segmentsRun(t, filepath.Join(dir, "idem-0"), "--resume", filepath.Join(dir, "log-dir", "done")); status != 2 || !strings.Contains(errOut, "log dir") {
		t.Errorf("a list in a log dir: exit %d, %s", status, errOut)
	}
	if _, err := os.Stat(filepath.Join(dir, "log-dir", "done")); err == nil {
		t.Error("something was written into a log dir")
	}
}

// TestSegmentsInterrupted: an interrupt ends a slow scan at once, and what was
// found so far is said.
func TestSegmentsInterrupted(t *testing.T) {
	dir := realPartitions(t)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	var out, errOut bytes.Buffer
	began := time.Now()
	status := run(ctx, []string{"segments", filepath.Join(dir, "codec-none-0"), filepath.Join(dir, "txn-log-0"), "--rate", "1000"}, &out, &errOut)
	if took := time.Since(began); status != exitInterrupted || took > 2*time.Second || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("exit %d after %s\n%s%s", status, took, out.String(), errOut.String())
	}
}
