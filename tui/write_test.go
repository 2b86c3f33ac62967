package tui

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/tui/text"
)

func TestReportAndProbe(t *testing.T) {
	shows(t, keys(t, broken(t, nil), "w"), "no place to write a report to")
	shows(t, keys(t, broken(t, nil), "r"), "nothing to probe")
	probed := 0
	var of *diagnose.Session
	saved := ""
	m := broken(t, func(o *Options) {
		o.Probe = func() { probed++ }
		o.Report = func(s *diagnose.Session, _ *diagnose.Verdict) (string, error) { of = s; return "# a report", nil }
		o.Save = func(text string) (string, error) { saved = text; return "/tmp/r.md", nil }
	})
	m = keys(t, m, "[", "r", "w")
	shows(t, m, "report written to /tmp/r.md")
	if probed != 1 || of != m.live.session || saved != "# a report" {
		t.Errorf("probed %d times, report of %p, saved %q", probed, of, saved)
	}
	m.opt.Save = func(string) (string, error) { return "", errors.New("disk full") }
	shows(t, keys(t, m, "w"), "no report: disk full")
	m.opt.Report = func(*diagnose.Session, *diagnose.Verdict) (string, error) { return "", errors.New("no words") }
	shows(t, keys(t, m, "w"), "no report: no words")
}

// TestReportOnAHungDisk presses w while nothing can be written: the console must
// go on.
func TestReportOnAHungDisk(t *testing.T) {
	m := broken(t, func(o *Options) {
		o.Report = func(*diagnose.Session, *diagnose.Verdict) (string, error) { return "x", nil }
		o.Save = func(string) (string, error) { panic("the disk was touched between two batches") }
	})
	next, cmd := m.Update(keyMsg("w"))
	shows(t, next.(Model), "writing the report")
	if cmd == nil {
		t.Error("nothing is going to write it")
	}
}

// TestReportOfALongSession feeds far more after an incident than the tape keeps,
// with a note and a fix: the report still tells all of it.
func TestReportOfALongSession(t *testing.T) {
	ownPlaybooks(t)
	got := ""
	m := broken(t, func(o *Options) {
		o.Report = func(s *diagnose.Session, worst *diagnose.Verdict) (string, error) {
			var b strings.Builder
			err := text.Report(&b, s, worst, text.About{})
			return b.String(), err
		}
		o.Save = func(text string) (string, error) { got = text; return "r.md", nil }
	})
	m = keys(t, m, "n", "h", "i", "enter", "p", "a")
	batches := incident(t)
	m = feed(t, m, batches[worst+2:])
	for i := range keepBatches + 10 {
		b := batches[len(batches)-1]
		b.At = b.At.Add(time.Duration(i) * 10 * time.Millisecond)
		m.take(b)
	}
	keys(t, m, "w")
	for _, want := range []string{"`disk-full` on logdir 3:/var/lib/kafka", "note: hi", "**fix applied**: disk-full", "| FIXED |"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in the report:\n%.1500s", want, got)
		}
	}
}

func TestCopy(t *testing.T) {
	ownPlaybooks(t)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	var sent []string
	m := broken(t, func(o *Options) { o.send = func(s string) { sent = append(sent, s) } })
	m = keys(t, m, "p", "j", "y")
	shows(t, m, "sent to the terminal (cannot verify); saved to")
	want := "kafka-log-dirs.sh --bootstrap-server b1:9092 \\\n    --describe --broker-list 3\n"
	if got := mustRead(t, m.saveFile); got != want {
		t.Errorf("saved %q, want %q", got, want)
	}
	if got := mustRead(t, keys(t, m, "G", "y").saveFile); got != "- alert: KafkaLogDirFull\n  expr: free < 0.1\n" {
		t.Errorf("saved %q, want the alert rule", got)
	}
	first := m.saveFile
	m = keys(t, m, "v", "y")
	if got := mustRead(t, m.saveFile); m.saveFile != first || !strings.HasPrefix(got, "CRITICAL disk-full on logdir 3:/var/lib/kafka (confirmed) since 01:00:25") {
		t.Errorf("saved %q to %s", got, m.saveFile)
	}
	if len(sent) != 3 || !strings.HasPrefix(sent[0], "\x1b]52;c;") {
		t.Errorf("sent %q", sent)
	}
	t.Setenv("STY", "1.pts")
	if seq := clipboard("x"); !strings.HasPrefix(seq, "\x1bP") {
		t.Errorf("inside screen %q is not wrapped", seq)
	}
}

// TestCopyIsRefused keeps copies from where nothing may be written, and says so
// when no place is left.
func TestCopyIsRefused(t *testing.T) {
	ownPlaybooks(t)
	bad, good := t.TempDir(), t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", bad)
	t.Setenv("TMPDIR", good)
	refused := []string{bad}
	m := broken(t, func(o *Options) {
		o.Refuse = func(path string) error {
			if slices.Contains(refused, filepath.Dir(path)) {
				return errors.New("below a log dir")
			}
			return nil
		}
	})
	saved := keys(t, m, "y").saveFile
	if info, err := os.Stat(saved); filepath.Dir(saved) != good || err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("saved to %q, %v", saved, err)
	}
	refused = append(refused, good)
	shows(t, keys(t, m, "y"), "not saved: below a log dir")
	if left, _ := os.ReadDir(bad); len(left) > 0 {
		t.Error("something was written where nothing may be")
	}
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
