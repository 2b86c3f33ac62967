package jvm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/probe"
)

// observed runs a probe once and returns what it saw by the names of the keys.
func observed(t *testing.T, p *probe.Probe, target *probe.Target) map[string]fact.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	seen, _ := p.Observe(ctx, target) // an error is why all is unknown
	by := map[string]fact.Observation{}
	for _, o := range seen {
		by[o.Key.Name] = o
	}
	for _, k := range p.Yields {
		if _, ok := by[k.Def().Name]; !ok {
			t.Errorf("%s was not observed", k.Def().Name)
		}
	}
	return by
}

var pauseEnd = regexp.MustCompile(`GC\(\d+\) (?:[yYO]: )?Pause .* [\d.]+ms\n`)

// TestGCLogOfRealJVMs: the log is found by the JVM's options, and followed while
// the JVM writes it.
func TestGCLogOfRealJVMs(t *testing.T) {
	classes := hosttest.Compile(t)
	for i, jdk := range hosttest.JDKs(t) {
		for j, option := range []string{
			"-Xlog:gc*:file=logs/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M", // as Kafka's scripts say
			"-Xlog:gc:gc-%p.log:uptime,level,tags",
			"-Xlog:gc*,safepoint:file=\"gc.log\":uptimemillis,tags:filesize=8K,filecount=3",
		} {
			if i > 0 && j > 0 {
				continue
			}
			t.Run(filepath.Base(jdk.Home)+option[5:9], func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
					t.Fatal(err)
				}
				cmd := hosttest.Start(t, jdk, classes, dir, "-Xmx48m", "-Xms48m", "-XX:+UseG1GC", option)
				target := target(cmd.Process.Pid)
				var by map[string]fact.Observation
				for end := time.Now().Add(8 * time.Second); ; {
					by = observed(t, GCLog, target)
					if n, ok := by["jvm.gclog.pause.count"].Value.(float64); ok && n >= 3 || time.Now().After(end) {
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				if by["jvm.gclog"].Because != nil {
					t.Fatalf("unknown: %v", by["jvm.gclog"].Because)
				}
				log := by["jvm.gclog"].Value.(fact.GCLog)
				recent := by["jvm.gclog.recent"].Value.(fact.RecentGC)
				if log.Collector != "G1" || log.Pauses.Count < 3 || len(recent.Pauses) == 0 || by["jvm.gclog.heap.after"].Because != nil {
					t.Errorf("%+v", log)
				}
				for _, p := range recent.Pauses {
					if since := time.Since(p.At); since < -time.Second || since > time.Minute || p.Seconds <= 0 || p.Kind == "" || p.Cause == "" {
						t.Errorf("pause %+v, %s ago", p, since)
					}
				}
				if text, err := os.ReadFile(recent.File); err == nil && !strings.Contains(option, "filesize=8K") {
					if n := len(pauseEnd.FindAll(text, -1)); n < log.Pauses.Count {
						t.Errorf("%d pauses seen, the log has %d", log.Pauses.Count, n)
					}
				}
			})
		}
	}
}

func TestReasonsOfNoGCLog(t *testing.T) {
	jdk, classes := hosttest.JDKs(t)[0], hosttest.Compile(t)
	dir := t.TempDir()
	none := hosttest.Start(t, jdk, classes, dir)
	if o := observed(t, GCLog, target(none.Process.Pid))["jvm.gclog"]; o.Because == nil || o.Because.Reason != fact.Absent || !strings.Contains(o.Because.How, "-Xlog:gc*") {
		t.Errorf("no log: %v", o.Because)
	}
	moved := hosttest.Start(t, jdk, classes, dir, "-Xlog:gc:file=gone.log")
	if err := os.Remove(filepath.Join(dir, "gone.log")); err != nil {
		t.Fatal(err)
	}
	if o := observed(t, GCLog, target(moved.Process.Pid))["jvm.gclog"]; o.Because == nil || o.Because.Reason != fact.Unreadable || !strings.Contains(o.Because.Detail, filepath.Join(dir, "gone.log")) {
		t.Errorf("log moved away: %v", o.Because)
	}
	file := filepath.Join(dir, "old.log")
	if err := os.WriteFile(file, []byte("[1.5s][gc] GC(0) Pause Full (System.gc()) 24M->4M(256M) 4.435ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dead := &probe.Target{GCLog: file}
	dead.SetBrokers([]fact.LocalBroker{{NodeID: 7}})
	if o := observed(t, GCLog, dead)["jvm.gclog.full.count"]; o.Value != 1.0 || o.Subject != fact.ProcessOf(7) {
		t.Errorf("the log of a broker that is down: %+v", o)
	}
}

// line is one pause of unified logging.
func line(n int) string {
	return fmt.Sprintf("[2026-11-23T02:26:%02d.000+0000][gc] GC(%d) Pause Young (Normal) (G1 Evacuation Pause) 24M->4M(256M) 1.000ms\n", n%60, n)
}

// TestTailSurvives: a log that is rotated, cut, begun anew or gone for a while is
// counted once, line by line.
func TestTailSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gc.log")
	add := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	f := &tail{path: path}
	want := func(what string, n int) {
		t.Helper()
		if err := f.advance(&probe.Target{}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := f.parser.Log().Pauses.Count; got != n {
			t.Fatalf("%s: %d pauses, want %d", what, got, n)
		}
	}
	add(line(1) + line(2))
	want("at first", 2)
	add(line(3)[:50])
	want("half a line", 2)
	add(line(3)[50:])
	want("the other half", 3)
	add(line(4))
	if err := os.Rename(path, path+".0"); err != nil {
		t.Fatal(err)
	}
	if err := f.advance(&probe.Target{}); !probe.Missing(err) {
		t.Fatalf("between two files: %v", err)
	}
	add(line(5))
	want("rotated", 5)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	want("cut", 5)
	add(line(6))
	want("begun anew", 6)
	add(strings.Repeat("[1.0s][gc,phases] GC(7)   Other: 0.1ms\n", lookBack/30) + line(7))
	want("much at once", 7)
}

func FuzzGCLogPath(f *testing.F) {
	f.Add("gc*:file=/opt/kafka/logs/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M")
	f.Add(`gc*=debug,safepoint:file="/a:b/gc-%p-%t.log":`)
	f.Add("all=off:stdout")
	f.Fuzz(func(t *testing.T, s string) {
		if path := unifiedLogPath(s); path != "" && !strings.Contains(s, path) {
			t.Errorf("%q out of %q", path, s)
		}
		flags := options{words: append(splitOptions(s), "-Xlog:"+s, "-Xmx"+s)}.flags()
		if flags.MaxHeap < 0 {
			t.Errorf("heap of %d bytes", flags.MaxHeap)
		}
	})
}

func TestGCLogPaths(t *testing.T) {
	for option, want := range map[string]string{
		"-Xlog:gc*:file=/l/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M": "/l/kafkaServer-gc.log",
		"-Xlog:gc:/l/gc.log":                   "/l/gc.log",
		"-Xlog:gc+heap=debug,safepoint:gc.log": "gc.log",
		`-Xlog:gc*:file="/a:b/gc.log":time`:    "/a:b/gc.log",
		"-Xloggc:/l/gc.log":                    "/l/gc.log",
		"-Xlog:all=info:file=x.log":            "x.log",
		"-Xlog:gc*:stdout:time":                "",
		"-Xlog:gc*":                            "",
		"-Xlog:gc=off:file=x.log":              "",
		"-Xlog:class+load:file=x.log":          "",
		"-Xlog:disable":                        "",
	} {
		got := gcLogPaths([]string{option})
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || got[0] != want) {
			t.Errorf("%s: %q, want %q", option, got, want)
		}
	}
}
