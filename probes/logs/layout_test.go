package logs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// TestLayouts: the same denial and the same exception in every layout that is
// understood, at the same time.
func TestLayouts(t *testing.T) {
	const tail = "\njava.nio.file.FileSystemException: /d/t-1: Too many open files\n\tat java.base/x\n"
	fault := "Encountered metadata publishing fault: Error applying topics delta"
	want := time.Date(2026, 11, 23, 2, 34, 26, 829e6, time.UTC)
	for name, test := range map[string]struct {
		log  string
		zone *time.Location
	}{
		"[%d] %p %m (%c)":                  {"[2026-11-23 02:34:26,829] ERROR " + fault + " (x)" + tail, time.UTC},
		"[%d] in another zone":             {"[2026-11-23 03:34:26,829] ERROR " + fault + " (x)" + tail, time.FixedZone("", 3600)},
		"%d{ISO8601}":                      {"2026-11-23T02:34:26,829 ERROR " + fault + tail, time.UTC},
		"%d %p":                            {"2026-11-23 02:34:26,829 ERROR " + fault + tail, time.UTC},
		"%p %d":                            {"ERROR 2026-11-23 02:34:26.829 " + fault + tail, time.UTC},
		"%-5p [%d]":                        {"INFO  [2026-11-23 02:34:00,000] idle\nERROR [2026-11-23 02:34:26,829] " + fault + tail, time.UTC},
		"%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}": {"2026-11-23T03:34:26.829+01:00 ERROR " + fault + tail, time.FixedZone("", 7200)},
		"%d{yyyy-MM-dd HH:mm:ss,SSS Z}":    {"[2026-11-23 03:34:26,829 +0100] ERROR " + fault + tail, time.UTC},
		"JSON of log4j 2":                  {`{"instant":{"epochSecond":1795401266,"nanoOfSecond":829000000},"level":"ERROR","loggerName":"x","message":"` + fault + `","thrown":{"message":"/d/t-1: Too many open files","name":"java.nio.file.FileSystemException"}}` + "\n", time.UTC},
		"JSON template (ECS)":              {`{"@timestamp":"2026-11-23T02:34:26.829Z","log.level":"ERROR","message":"` + fault + `","error.stack_trace":"java.nio.file.FileSystemException: /d/t-1: Too many open files\n\tat x"}` + "\n", time.UTC},
		"JSON of logstash":                 {`{"@timestamp":"2026-11-23T03:34:26.829+01:00","level":"ERROR","message":"` + fault + `","stack_trace":"java.nio.file.FileSystemException: /d/t-1: Too many open files"}` + "\n", time.UTC},
		"JSON after a line that is none":   {"starting\n" + `{"timeMillis":1795401266829,"level":"ERROR","message":"` + fault + `","thrown":{"extendedStackTrace":"java.nio.file.FileSystemException: /d/t-1: Too many open files"}}` + "\n", time.UTC},
	} {
		s := newScan(patterns, nil)
		s.zone = test.zone
		s.feed([]byte(test.log))
		l := s.report().of(fact.LogMetadataFault, "")
		if l.Count != 1 || !strings.Contains(l.Text, "FileSystemException: /d/t-1: Too many open files") || !l.First.Truncate(time.Millisecond).Equal(want) {
			t.Errorf("%s: %d lines, at %v: %s", name, l.Count, l.First, l.Text)
		}
		if files := s.report().of(fact.LogTooManyFiles, ""); files.Count != 1 {
			t.Errorf("%s: %d exceptions", name, files.Count)
		}
	}
}

// TestUnreadableLayout: a log that nobody can date is unknown, not silent.
func TestUnreadableLayout(t *testing.T) {
	p := newPlace(t, 1)
	text := strings.Repeat("02:34:26,829 ERROR Encountered fatal fault: x\n", 1000)
	if err := os.WriteFile(filepath.Join(p.dir, "b1/server.log"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	seen, err := p.lookErr()
	o := seen["log.fatal on broker 1"]
	if err == nil || o.Because == nil || o.Because.Reason != fact.Unreadable || !strings.Contains(probe.Because(err).How, "%d") {
		t.Errorf("%+v, error %v", o, err)
	}
}

// TestCopiedAndTruncated: logrotate copies the log, then empties it. What was
// written just before is in the copy, and counts once.
func TestCopiedAndTruncated(t *testing.T) {
	p := newPlace(t, 1)
	log := filepath.Join(p.dir, "b1/server.log")
	p.write("b1/server.log", begins, started)
	p.look()
	p.write("b1/server.log", failing, noSpace) // nobody looks before it is copied
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log+".1", text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors, want the one in the copy", n)
	}
	p.write("b1/server.log", failing, noSpace)
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 2 {
		t.Errorf("%d errors, want 2", n)
	}
}

func TestRolledNames(t *testing.T) {
	for name, want := range map[string]bool{
		"server.log.2026-11-25-01": true, "server.log.1": true, "server.log-20261125": true, "server.log.2026-11-25T01": true,
		"server.log": false, "server.log.1.gz": false, "server.log.tmp": false, "server.log.": false, "other.log.1": false, "server.logs": false,
	} {
		if got := rolledFrom("server.log", name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzLayout(f *testing.F) {
	f.Add([]byte(fullDisk))
	f.Add([]byte(`{"instant":{"epochSecond":1795401266,"nanoOfSecond":829000000},"level":"ERROR","message":"x","thrown":{"name":"y"}}`))
	f.Add([]byte("ERROR 2026-11-23T02:34:26.829+01:00 x\n"))
	f.Add([]byte("[2026-11-23 02:34:26,99999999999999999999999 -9999]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, ok := layoutOf(b)
		if at, dated := l.time(b, time.UTC); dated && at.Year() > 10000 {
			t.Fatalf("%v", at)
		}
		if ok && l.json {
			plain(b)
		}
		l.zoned(b)
	})
}
