package jvm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/probe"
)

// lookedAt names the process that this program looks at in place of testing: a
// test runs it again as another user.
const lookedAt = "KTRIAGE_TEST_LOOKS_AT"

func TestMain(m *testing.M) {
	if pid, err := strconv.Atoi(os.Getenv(lookedAt)); err == nil {
		for _, p := range []*probe.Probe{Perf, GCLog} {
			seen, _ := p.Observe(context.Background(), target(pid)) // what failed is unknown in what was seen
			if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
				panic(err)
			}
		}
		return
	}
	os.Exit(m.Run())
}

// asNobody is what the user nobody sees of a process, by the names of the keys.
func asNobody(t *testing.T, pid int) map[string]fact.Observation {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("root is needed to look as another user")
	}
	// The program lies where nobody may not go.
	open, err := os.MkdirTemp("", "jvm-nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(open)
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(open, "look"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(open, "look"))
	cmd.Dir, cmd.Env, cmd.Stderr = open, []string{fmt.Sprintf("%s=%d", lookedAt, pid)}, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]fact.Observation{}
	for answers := json.NewDecoder(strings.NewReader(string(out))); ; {
		var seen []fact.Observation
		if err := answers.Decode(&seen); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, o := range seen {
			by[o.Key.Name] = o
		}
	}
	if len(by) != len(Perf.Yields)+len(GCLog.Yields) {
		t.Errorf("%d keys, want %d", len(by), len(Perf.Yields)+len(GCLog.Yields))
	}
	return by
}

// openDir is a directory that everybody may read, as Kafka's logs usually are.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "jvm-open")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// told checks that the GC log tells of pauses and of the heap after them.
func told(t *testing.T, by map[string]fact.Observation) {
	t.Helper()
	for _, key := range []string{"jvm.gclog.pause.count", "jvm.gclog.pause.seconds", "jvm.gclog.heap.after", "jvm.gclog.old.after", "jvm.gclog.full.count", "jvm.gclog.heap.after-full"} {
		if v, ok := by[key].Value.(float64); !ok || v <= 0 {
			t.Errorf("%s: %v, unknown because %v", key, by[key].Value, by[key].Because)
		}
	}
	pauses := by["jvm.gclog.recent"].Value.(fact.RecentGC).Pauses
	if len(pauses) == 0 || pauses[0].At.IsZero() || pauses[0].Cause == "" {
		t.Errorf("pauses %+v", pauses)
	}
}

var offered = regexp.MustCompile(`; or sudo -u root sh -c '(jstat -gc -t \d+ 1000 5; jstat -gccapacity \d+)' \| ktriage check --jstat-file -$`)

// TestOtherUsersJVM: the perf data of another user's JVM may not be read; its GC
// log tells instead, and jstat as that user, which is what the operator is told.
func TestOtherUsersJVM(t *testing.T) {
	jdk, classes, dir := hosttest.JDKs(t)[0], hosttest.Compile(t), openDir(t)
	cmd := hosttest.Start(t, jdk, classes, dir, "-Xmx48m", "-XX:+UseG1GC", "-Xlog:gc*:file="+dir+"/gc.log:time,tags")
	fullCollection(t, jdk, cmd)
	by := asNobody(t, cmd.Process.Pid)
	for _, k := range Perf.Yields {
		if o := by[k.Def().Name]; o.Because == nil || o.Because.Reason != fact.NotAllowed {
			t.Errorf("%s: %v, unknown because %v", o.Key.Name, o.Value, o.Because)
		}
	}
	told(t, by)

	how := by["jvm.heap.used"].Because.How
	m := offered.FindStringSubmatch(how)
	if m == nil {
		t.Fatalf("what the operator is told: %s", how)
	}
	run := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(m[1], " 1000 5;", " 100 5;", 1)) // as sudo would, for we are root
	run.Env = append(os.Environ(), "LC_ALL=C", "PATH="+filepath.Dir(jdk.Tool("jstat"))+":"+os.Getenv("PATH"))
	printed, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{"jvm.gc.full.count": 1, "jvm.heap.max": 48 << 20} {
		if got, _ := values(capture(t, string(printed)), key); len(got) == 0 || got[len(got)-1] != want {
			t.Errorf("of jstat's output %s is %v, want %v", key, got, want)
		}
	}
}

// A log that is named from a working directory that we may not see is not looked
// for in ours.
func TestOtherUsersRelativeLog(t *testing.T) {
	dir := openDir(t)
	cmd := hosttest.Start(t, hosttest.JDKs(t)[0], hosttest.Compile(t), dir, "-Xlog:gc*:file=gc.log")
	o := asNobody(t, cmd.Process.Pid)["jvm.gclog"]
	if o.Because == nil || o.Because.Reason != fact.NotAllowed || !strings.Contains(o.Because.How, "--gc-log") || !strings.Contains(o.Because.Detail, "gc.log") {
		t.Errorf("%v, unknown because %+v", o.Value, o.Because)
	}
}

// TestWithoutPerfData: what the GC log tells of a JVM that writes no perf data,
// on every JDK.
func TestWithoutPerfData(t *testing.T) {
	classes := hosttest.Compile(t)
	for _, jdk := range hosttest.JDKs(t) {
		t.Run(filepath.Base(jdk.Home), func(t *testing.T) {
			dir := t.TempDir()
			cmd := hosttest.Start(t, jdk, classes, dir, "-Xmx48m", "-XX:+UseG1GC", "-XX:-UsePerfData", "-Xlog:gc*:file=gc.log:time,tags")
			fullCollection(t, jdk, cmd)
			target := target(cmd.Process.Pid)
			if o := observed(t, Perf, target)["jvm.gc.full.count"]; o.Because == nil || o.Because.Reason != fact.NotSupported || !strings.Contains(o.Because.How, "GC log") {
				t.Errorf("%v, unknown because %v", o.Value, o.Because)
			}
			by := observed(t, GCLog, target)
			told(t, by)
			if by["jvm.gclog.full.count"].Value != 1.0 {
				t.Errorf("%v full collections", by["jvm.gclog.full.count"].Value)
			}
		})
	}
}

// fullCollection asks for one, which works without perf data too.
func fullCollection(t *testing.T, jdk hosttest.JDK, cmd *exec.Cmd) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), jdk.Tool("jcmd"), strconv.Itoa(cmd.Process.Pid), "GC.run").CombinedOutput(); err != nil {
		t.Fatalf("jcmd: %v: %s", err, out)
	}
}
