package jvm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// target looks at one process as if it were broker 7.
func target(pid int) *probe.Target {
	t := &probe.Target{PID: pid}
	t.SetBrokers([]fact.LocalBroker{{NodeID: 7, PID: pid, Running: true}})
	return t
}

// look runs the probe once and returns what it saw by the names of the keys.
func look(t *testing.T, target *probe.Target) map[string]fact.Observation {
	t.Helper()
	return lookWithin(t, target, 10*time.Second)
}

// lookWithin is look with a deadline, which brings the readings closer together.
func lookWithin(t *testing.T, target *probe.Target, most time.Duration) map[string]fact.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	seen, err := Perf.Observe(ctx, target)
	read := 0
	for _, o := range seen {
		if o.Because == nil {
			read++
		}
	}
	runs := slices.ContainsFunc(target.Brokers(), func(b fact.LocalBroker) bool { return b.Running })
	if silent := runs && read == 0; silent != (err != nil) {
		t.Fatalf("%d keys read, error %v", read, err)
	}
	by := map[string]fact.Observation{}
	for _, o := range seen {
		by[o.Key.Name] = o
	}
	for _, k := range Perf.Yields {
		if _, ok := by[k.Def().Name]; !ok {
			t.Errorf("%s was not observed", k.Def().Name)
		}
	}
	return by
}

// quick is a deadline that leaves a tenth of a second between the first and the
// last reading: enough to compare with, where nothing moves meanwhile.
const quick = 200 * time.Millisecond

// TestAgreesWithJstatLive compares with jstat on living JVMs: what it prints
// lies between what we read before and after.
func TestAgreesWithJstatLive(t *testing.T) {
	classes := hosttest.Compile(t)
	for i, jdk := range hosttest.JDKs(t) {
		collectors := []string{"G1", "Z"}
		if i == 0 {
			collectors = append(collectors, "Serial", "Parallel", "Shenandoah", "Epsilon")
		}
		for _, gc := range collectors {
			t.Run(filepath.Base(jdk.Home)+"-"+gc, func(t *testing.T) {
				t.Parallel()
				cmd := hosttest.Start(t, jdk, classes, t.TempDir(), heap(gc), "-XX:+UnlockExperimentalVMOptions", "-XX:+Use"+gc+"GC")
				target := target(cmd.Process.Pid)
				most := quick
				if gc == "G1" { // as in a check
					most = 10 * time.Second
				}
				before := lookWithin(t, target, most)
				jstat := exec.Command(jdk.Tool("jstat"), "-gc", strconv.Itoa(cmd.Process.Pid))
				jstat.Env = append(os.Environ(), "LC_ALL=C")
				out, err := jstat.Output()
				if err != nil {
					t.Fatalf("jstat: %v", err)
				}
				row := columns(t, string(out))
				if gc == "Shenandoah" { // jstat shows the pauses of its ordinary cycles as full collections
					row["CGC"], row["CGCT"] = row["FGC"], row["FGCT"]
					delete(row, "FGC")
					delete(row, "FGCT")
				}
				compare(t, row, before, lookWithin(t, target, most), gc == "Epsilon")
				want := gc
				if gc == "Z" {
					want = "ZGC"
				}
				if got := before["jvm.collector"].Value; got != want {
					t.Errorf("collector %v, want %s", got, want)
				}
			})
		}
	}
}

// heap is small, so that there are collections, but for the collector that has none.
func heap(gc string) string {
	if gc == "Epsilon" {
		return "-Xmx256m"
	}
	return "-Xmx48m"
}

// columns is what jstat printed, by heading; a dash is left out.
func columns(t *testing.T, text string) map[string]float64 {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	heads, values := strings.Fields(lines[0]), strings.Fields(lines[len(lines)-1])
	if len(lines) != 2 || len(heads) != len(values) {
		t.Fatalf("jstat printed %q", text)
	}
	row := map[string]float64{}
	for i, h := range heads {
		if values[i] == "-" {
			continue
		}
		v, err := strconv.ParseFloat(values[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		row[h] = v
	}
	return row
}

func compare(t *testing.T, jstat map[string]float64, before, after map[string]fact.Observation, heapAlone bool) {
	t.Helper()
	heap := (jstat["S0U"] + jstat["S1U"] + jstat["EU"] + jstat["OU"]) * 1024
	compared := 0
	for _, c := range []struct {
		key    string
		column string
		value  float64
		slack  float64 // what jstat rounds away
	}{
		{"jvm.gc.young.count", "YGC", jstat["YGC"], 0},
		{"jvm.gc.young.seconds", "YGCT", jstat["YGCT"], 0.0006},
		{"jvm.gc.full.count", "FGC", jstat["FGC"], 0},
		{"jvm.gc.full.seconds", "FGCT", jstat["FGCT"], 0.0006},
		{"jvm.gc.concurrent.count", "CGC", jstat["CGC"], 0},
		{"jvm.gc.concurrent.seconds", "CGCT", jstat["CGCT"], 0.0006},
		{"jvm.heap.used", "OU", heap, 256},
	} {
		_, printed := jstat[c.column]
		low, ok := before[c.key].Value.(float64)
		high, _ := after[c.key].Value.(float64)
		low, high = min(low, high), max(low, high) // a collection between frees heap
		switch {
		case printed != ok:
			t.Errorf("%s: observed %v, but jstat has column %s: %v", c.key, ok, c.column, printed)
		case ok && (c.value < low-c.slack || c.value > high+c.slack):
			t.Errorf("%s: %v before, %v after, jstat says %v", c.key, low, high, c.value)
		case ok:
			compared++
		}
	}
	if compared < 3 && !(heapAlone && compared == 1) {
		t.Errorf("only %d columns compared", compared)
	}
}

func TestReasonsOfNoPerfData(t *testing.T) {
	jdk, classes := hosttest.JDKs(t)[0], hosttest.Compile(t)
	disabled := hosttest.Start(t, jdk, classes, t.TempDir(), "-XX:-UsePerfData")
	o := look(t, target(disabled.Process.Pid))["jvm.heap.used"]
	if o.Because == nil || o.Because.Reason != fact.NotSupported || !strings.Contains(o.Because.How, "-XX:-UsePerfData") {
		t.Errorf("disabled: %+v", o.Because)
	}
	o = look(t, target(os.Getpid()))["jvm.heap.used"]
	if o.Because == nil || o.Because.Reason != fact.Unreadable || o.Because.How == "" {
		t.Errorf("no JVM: %+v", o.Because)
	}
	nobody := &probe.Target{}
	o = look(t, nobody)["jvm.heap.used"]
	if o.Because == nil || o.Because.How != host.NoBroker.How || o.Subject.Name != fact.Any {
		t.Errorf("no broker: %+v", o)
	}
	dead := &probe.Target{}
	dead.SetBrokers([]fact.LocalBroker{{NodeID: 7, PID: disabled.Process.Pid}})
	o = look(t, dead)["jvm.heap.used"]
	if o.Because == nil || o.Because.Reason != fact.Absent || o.Subject != fact.ProcessOf(7) {
		t.Errorf("dead broker: %+v", o)
	}
	disabled.Process.Kill()
	disabled.Wait()
	ended := target(disabled.Process.Pid) // discovery has not noticed yet
	seen, err := Perf.Observe(t.Context(), ended)
	if err != nil || len(seen) != len(Perf.Yields) || seen[0].Because == nil || seen[0].Because.Reason != fact.Absent {
		t.Errorf("a broker that has just ended: %v, error %v", seen, err)
	}
	mixed := &probe.Target{}
	mixed.SetBrokers([]fact.LocalBroker{{NodeID: 7}, {NodeID: 8, PID: os.Getpid(), Running: true}})
	if _, err = Perf.Observe(t.Context(), mixed); err == nil || !strings.Contains(err.Error(), "1 of 2 JVMs told nothing") || probe.Because(err).How == "" {
		t.Errorf("one of two runs and tells nothing: error %v", err)
	}
}

// TestForgedFiles: what HotSpot would not trust, we do not either.
func TestForgedFiles(t *testing.T) {
	root := t.TempDir()
	target := &probe.Target{Root: root}
	dir := filepath.Join(root, "tmp", "hsperfdata_kafka")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "77")
	write := func() {
		os.RemoveAll(file)
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if f, err := hsperf.Open(target, file); err != nil {
		t.Fatalf("a plain file is refused: %v", err)
	} else {
		f.Close()
	}
	for name, forge := range map[string]func() error{
		"symbolic link":  func() error { os.Remove(file); return os.Symlink("/etc/hostname", file) },
		"hard link":      func() error { return os.Link(file, file+"0") },
		"open directory": func() error { return os.Chmod(dir, 0o777) },
	} {
		write()
		if err := forge(); err != nil {
			t.Fatal(err)
		}
		if f, err := hsperf.Open(target, file); err == nil {
			f.Close()
			t.Errorf("%s: opened", name)
		}
		os.Chmod(dir, 0o755)
		os.Remove(file + "0")
	}
}

// TestTruncated: a JVM's file may be cut or replaced while we hold it open.
func TestTruncated(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hsperfdata_x")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "1")
	if err := os.WriteFile(file, make([]byte, 32768), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := hsperf.Open(&probe.Target{}, file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int64{32768, 40, 8, 0} {
		if err := os.Truncate(file, size); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(); err == nil {
			t.Errorf("%d zero bytes were read as perf data", size)
		}
	}
	if _, err := f.Read(); because(err).Reason != fact.NotYet {
		t.Errorf("an empty file is that of a JVM that starts: %v", err)
	}
}

func BenchmarkSample(b *testing.B) {
	jdk, classes := hosttest.JDKs(b)[0], hosttest.Compile(b)
	cmd := hosttest.Start(b, jdk, classes, b.TempDir(), "-XX:+UseG1GC")
	target := target(cmd.Process.Pid)
	f, err := find(target, cmd.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.Run("ktriage", func(b *testing.B) {
		for b.Loop() {
			d, err := f.Read()
			if err != nil {
				b.Fatal(err)
			}
			facts(fact.ProcessOf(1), d, d.Heap().Used)
		}
	})
	b.Run("jstat", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command(jdk.Tool("jstat"), "-gc", fmt.Sprint(cmd.Process.Pid)).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
