package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRecordUntilStopped(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		path := filepath.Join(t.TempDir(), "a.ktr")
		cmd := program(t, nil, "record", path, "--only", "host.usage")
		errors, err := os.CreateTemp(t.TempDir(), "stderr")
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = errors
		said := func() string { b, _ := os.ReadFile(errors.Name()); return string(b) }
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		waitFor(t, "start", said, "recording to")
		time.Sleep(300 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGUSR1)
		waitFor(t, "mark", said, "noted: fix-applied")
		cmd.Process.Signal(sig)
		if err := cmd.Wait(); err != nil || !strings.Contains(said(), "recorded ") {
			t.Errorf("%s: %v, %q", sig, err, said())
		}
		batches, damage := readAll(t, path)
		marks, values := 0, 0
		for _, b := range batches {
			marks += len(b.Marks)
			for _, o := range b.Observations {
				if o.Because == nil {
					values++
				}
			}
		}
		if damage != nil || marks != 1 || values == 0 {
			t.Errorf("%s: damage %v, %d marks, %d values", sig, damage, marks, values)
		}
	}
}

// TestRecordSurvivesItsReader is a dropped connection that takes along whatever
// standard error was piped to.
func TestRecordSurvivesItsReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	cmd := program(t, nil, "record", path, "--only", "host.usage")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	write.Close()
	waitFor(t, "start", follow(read), "recording to")
	read.Close()
	cmd.Process.Signal(syscall.SIGHUP)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if batches, damage := readAll(t, path); damage != nil {
		t.Errorf("%d batches, damage %v", len(batches), damage)
	}
}

func TestRecordForATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	got := ktriage(t, "record", "--for", "400ms", "--only", "host.usage", path)
	if got.status != 0 || got.took > 5*time.Second {
		t.Fatalf("exit %d after %s: %s", got.status, got.took, got.err)
	}
	if batches, damage := readAll(t, path); len(batches) == 0 || damage != nil {
		t.Errorf("%d batches, damage %v", len(batches), damage)
	}
}

// TestRecordCheck is a recording that ends by itself after the looks of a check, and
// replays to what the check said.
func TestRecordCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	args := []string{"--samples", "3", "--every", "100ms", "--only", "host.usage,host.load"}
	got := ktriage(t, append([]string{"record", "--check", path}, args...)...)
	if got.status != 0 || got.took > 5*time.Second {
		t.Fatalf("exit %d after %s: %s", got.status, got.took, got.err)
	}
	batches, damage := readAll(t, path)
	if damage != nil || len(batches) != 3 {
		t.Fatalf("damage %v, %d batches of 3 looks", damage, len(batches))
	}
	for i, b := range batches {
		seen := map[string]bool{}
		for _, o := range b.Observations {
			if o.Because == nil {
				seen[o.Key.Name] = true
			}
		}
		if !seen["host.cpu.idle"] || !seen["host.load.1m"] {
			t.Errorf("look %d lacks what each look asks for: %v", i+1, seen)
		}
	}
}

func TestRecordRefusesALogDir(t *testing.T) {
	dir := t.TempDir()
	got := ktriage(t, "record", "--for", "1s", "--log-dir", dir, filepath.Join(dir, "a.ktr"))
	if entries, _ := os.ReadDir(dir); got.status != 2 || !strings.Contains(got.err, "below the log dir") || len(entries) > 0 {
		t.Errorf("exit %d, %q, %d files", got.status, got.err, len(entries))
	}
}

func TestRecordSaysThatItSharesALogDirsDisk(t *testing.T) {
	dir := t.TempDir()
	logs := filepath.Join(dir, "kafka")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	got := ktriage(t, "record", "--for", "300ms", "--only", "host.usage", "--log-dir", logs, filepath.Join(dir, "a.ktr"))
	if got.status != 0 || strings.Count(got.err, "on the file system of the log dir "+logs) != 1 {
		t.Errorf("exit %d, %q", got.status, got.err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"500000": 500000, "64MiB": 64 << 20, "1GB": 1e9, "1 KiB": 1024, "7B": 7} {
		var b bytesFlag
		if err := b.Set(text); err != nil || int64(b) != want {
			t.Errorf("%q is %d, %v; want %d", text, b, err, want)
		}
	}
	for _, text := range []string{"", "-1", "0", "1.5GB", "9999999999TiB", "GiB", "1 elephants"} {
		var b bytesFlag
		if err := b.Set(text); err == nil {
			t.Errorf("%q is %d, want an error", text, b)
		}
	}
	b := bytesFlag(1 << 30)
	if b.String() != "1GiB" {
		t.Errorf("1 GiB is written %q", b.String())
	}
}
