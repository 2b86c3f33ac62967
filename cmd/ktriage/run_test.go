package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/record"
)

// readAll reads a recording whole.
func readAll(t *testing.T, path string) (batches []fact.Batch, damage error) {
	t.Helper()
	r, err := record.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return batches, r.Damage()
		}
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
}

// waitFor waits until a running program has said something.
func waitFor(t *testing.T, what string, said func() string, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(said(), want) {
			return
		}
	}
	t.Fatalf("%s: no %q in %q", what, want, said())
}

// TestReportOfAConsoleIsNotBelowALogDir is w pressed in a log dir.
func TestReportOfAConsoleIsNotBelowALogDir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	path, err := saveReport("text", []string{dir})
	if left, _ := os.ReadDir(dir); err == nil || !strings.Contains(err.Error(), "below the log dir") || len(left) > 0 {
		t.Errorf("%q, %v, %d files", path, err, len(left))
	}
	path, err = saveReport("text", []string{filepath.Join(dir, "kafka")})
	if b, _ := os.ReadFile(path); err != nil || string(b) != "text" {
		t.Errorf("%q, %v", path, err)
	}
}

// incident records three brokers, of which the third is lost and comes back.
func incident(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "incident.ktr")
	w, err := record.Create(path, record.Header{Tool: "test"}, record.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 1, 41, 0, 0, time.UTC)
	for i := range 30 {
		b := fact.Batch{At: at.Add(time.Duration(i) * 2 * time.Second), Runs: []fact.Run{{Probe: "kafka.metadata", Status: fact.OK}}}
		down := i >= 10 && i < 20
		for id := int32(1); id <= 3; id++ {
			reach, state := fact.Reach{Address: "b:9092", Step: fact.APIVersions, Outcome: fact.Answered}, fact.ProcessState{PID: 40 + int(id), Exists: true, State: "S"}
			if down && id == 3 {
				reach.Step, reach.Outcome, state = fact.Connect, fact.Refused, fact.ProcessState{PID: 43, Found: "perf data"}
			} else {
				b.Observations = append(b.Observations, fact.Metadata.Is(fact.BrokerOf(id), view(down)))
			}
			b.Observations = append(b.Observations, fact.BrokerReach.Is(fact.BrokerOf(id), reach), fact.BrokerProcess.Is(fact.ProcessOf(id), state), fact.LogSigterm.Is(fact.BrokerOf(id), fact.LogLines{}))
		}
		b.Observations = append(b.Observations, fact.LogController.Is(fact.TheCluster, fact.LogLines{Count: 1}))
		if i == 20 {
			b.Marks = []fact.Mark{{At: b.At.Add(-time.Second), Kind: fact.FixApplied}}
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func view(down bool) fact.MetadataView {
	m := fact.MetadataView{ClusterID: "c", Topics: []string{"orders"}, Internal: []bool{false}, Topic: []int32{0}, Partition: []int32{0}, Leader: []int32{1}, Epoch: []int32{0}, Error: []int16{0}}
	alive := []int32{1, 2, 3}
	if down {
		alive = alive[:2]
	}
	for _, id := range alive {
		m.Brokers = append(m.Brokers, fact.BrokerAddress{ID: id, Host: "b", Port: 9092})
	}
	m.Replicas.Add([]int32{1, 2, 3})
	m.ISR.Add(alive)
	m.Offline.Add(nil)
	return m
}

func TestRecordingIsToldWithoutAScreen(t *testing.T) {
	path := incident(t, t.TempDir())
	got := ktriage(t, "replay", path)
	if got.status != 0 || strings.Contains(got.out, "broker-crashed") {
		t.Errorf("the end of the recording: exit %d, %q, %q", got.status, got.out, got.err)
	}
	got = ktriage(t, "report", path)
	for _, want := range []string{"# Incident report: broker 3 is down", "**fix applied**", "| FIXED |", "## Playbook"} {
		if got.status != 0 || !strings.Contains(got.out, want) {
			t.Errorf("the report: exit %d, no %q in %s%s", got.status, want, got.out, got.err)
		}
	}
	again := ktriage(t, "report", path)
	if again.out != got.out {
		t.Error("two reports of one recording differ")
	}
}

func TestVerdictBeforeTheFix(t *testing.T) {
	r, err := record.Open(incident(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, v, err := beforeFix(t.Context(), r)
	if err != nil || len(v.Findings) == 0 || v.Findings[0].Cause.ID != "broker-crashed" || v.Status != "fault" {
		t.Errorf("%v: %+v", err, v)
	}
}

func TestDamagedRecordingIsUsedAsFarAsItGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "half.ktr")
	half(t, incident(t, t.TempDir()), path)
	got := ktriage(t, "replay", "-o", "json", path)
	if got.status != 0 || !strings.HasPrefix(got.out, `{"schema":"ktriage.check/v1"`) || !strings.Contains(got.err, path+":") || !strings.Contains(got.err, "cut off") {
		t.Errorf("exit %d, %.80q, %q", got.status, got.out, got.err)
	}
}

// half copies the first two thirds of a file.
func half(t *testing.T, from, to string) {
	t.Helper()
	whole, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, whole[:len(whole)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReplayKeepsTheRhythm(t *testing.T) {
	at := time.Date(2026, 11, 23, 1, 41, 0, 0, time.UTC)
	var batches []fact.Batch
	for i := range 4 {
		batches = append(batches, fact.Batch{At: at.Add(time.Duration(i) * time.Second)})
	}
	p := &paced{from: &listed{batches}, speed: 10}
	began := time.Now()
	for range batches {
		if _, err := p.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 290*time.Millisecond || took > 2*time.Second {
		t.Errorf("three seconds at ten times the speed took %s", took)
	}
	if _, err := p.Next(t.Context()); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

type listed struct{ batches []fact.Batch }

func (l *listed) Next(context.Context) (fact.Batch, error) {
	if len(l.batches) == 0 {
		return fact.Batch{}, io.EOF
	}
	b := l.batches[0]
	l.batches = l.batches[1:]
	return b, nil
}

func TestConsoleOnARecording(t *testing.T) {
	cmd := program(t, []string{"TERM=xterm-256color", "LANG=C.UTF-8"}, "replay", "--speed", "0", incident(t, t.TempDir()))
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	defer cmd.Process.Kill()
	seen := follow(screen)
	waitFor(t, "first frame", seen, "replay of")
	waitFor(t, "the end", seen, "end of the recording")
	screen.WriteString("n")
	waitFor(t, "the prompt", seen, "note")
	screen.WriteString("called the storage people")
	screen.WriteString("\r")
	waitFor(t, "the note", seen, "noted")
	screen.WriteString("w")
	waitFor(t, "report", seen, "report written to")
	screen.WriteString("q")
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("after q: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("q does not quit")
	}
	reports, _ := filepath.Glob(filepath.Join(cmd.Dir, "ktriage-*.md"))
	if len(reports) != 1 {
		t.Fatalf("reports written: %v", reports)
	}
	for _, want := range []string{"# Incident report: broker 3 is down", "note: called the storage people"} {
		if b, err := os.ReadFile(reports[0]); err != nil || !bytes.Contains(b, []byte(want)) {
			t.Errorf("the report: %v, no %q in %.900s", err, want, b)
		}
	}
}

// TestJSONOnATerminal asks for JSON where a console could be drawn.
func TestJSONOnATerminal(t *testing.T) {
	for _, args := range [][]string{{"replay", incident(t, t.TempDir())}, {"demo", "healthy"}, {"--only", "host.usage", "--samples", "1"}} {
		cmd := program(t, []string{"TERM=xterm-256color"}, append(args, "-o", "json")...)
		screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		seen := follow(screen)
		waitFor(t, strings.Join(args, " "), seen, `{"schema":"ktriage.check/v1"`)
		if strings.Contains(seen(), "\x1b") {
			t.Errorf("%v: a console is drawn: %.200q", args, seen())
		}
		cmd.Process.Kill()
		cmd.Wait()
		screen.Close()
	}
}

// follow reads a terminal and gives what it showed so far.
func follow(from io.Reader) func() string {
	all := make(chan []byte, 1)
	all <- nil
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			all <- append(<-all, buf[:n]...)
			if err != nil {
				return
			}
		}
	}()
	return func() string {
		b := <-all
		all <- b
		return string(b)
	}
}

func TestNoBrokerIsAState(t *testing.T) {
	cmd := program(t, nil, "check", "--samples", "1", "--pid", "999999999")
	got := finish(t, cmd)
	if got.status != 3 || !strings.Contains(got.err, "no broker found on this host; looked for") || !strings.Contains(got.err, "ktriage demo") {
		t.Errorf("exit %d, %q, %q", got.status, got.out, got.err)
	}
}

func FuzzProperties(f *testing.F) {
	f.Add([]byte("a=b\nc : d\\\n  e\n# no\n"))
	f.Add([]byte("x=\\u00e9\ny=${z}\n"))
	f.Add([]byte("\\u12G4=1"))
	f.Add([]byte("a\x00b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parseProperties("f", text)
		if err != nil && !strings.HasPrefix(err.Error(), "f:") {
			t.Fatalf("the error names no line: %v", err)
		}
		if err == nil && all == nil {
			t.Fatal("neither properties nor an error")
		}
	})
}
