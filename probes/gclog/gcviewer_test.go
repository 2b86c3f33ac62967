//go:build labmore

package gclog

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const gcviewerPOM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>lab</groupId><artifactId>lab</artifactId><version>1</version><dependencies>
<dependency><groupId>com.github.chewiebug</groupId><artifactId>gcviewer</artifactId><version>1.36</version></dependency>
</dependencies></project>`

// gcviewer fetches the jar of another parser.
func gcviewer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(gcviewerPOM), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mvn: %v\n%s", err, out)
	}
	return filepath.Join(dir, "lib", "*")
}

// summary is what GCViewer says of a log, by name.
func summary(t *testing.T, classPath, log string) map[string]float64 {
	t.Helper()
	out := log + ".summary"
	cmd := exec.Command("java", "-Djava.awt.headless=true", "-Duser.language=en", "-cp", classPath, "com.tagtraum.perf.gcviewer.GCViewer", log, out, "-t", "SUMMARY")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("GCViewer: %v\n%s", err, text)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ";"); len(f) == 3 {
			if v, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(f[1]), ",", ""), 64); err == nil {
				by[strings.TrimSpace(f[0])] = v
			}
		}
	}
	return by
}

// legacyParallel is shapes of JDK 8 that GCViewer reads; of G1's it overlooks the
// record that another thread wrote into.
const legacyParallel = `2015-05-01T11:26:29.687+0200: 1.500: [GC (Allocation Failure) [PSYoungGen: 65536K->9239K(76288K)] 65536K->9319K(251392K), 0.1901510 secs] [Times: user=0.02 sys=0.01, real=0.18 secs] 
2015-05-01T11:26:31.687+0200: 3.500: [Full GC (Metadata GC Threshold) [PSYoungGen: 9239K->0K(76288K)] [ParOldGen: 80K->8800K(175104K)] 9319K->8800K(251392K), [Metaspace: 21290K->21290K(1067008K)], 0.0675530 secs] [Times: user=0.10 sys=0.01, real=0.07 secs] 
2015-05-01T11:26:41.687+0200: 13.500: [GC (Allocation Failure) [PSYoungGen: 65536K->9000K(76288K)] 74336K->17800K(251392K), 0.0400000 secs] [Times: user=0.02 sys=0.01, real=0.04 secs] 
2015-05-01T11:26:51.687+0200: 23.500: [Full GC (Ergonomics) [PSYoungGen: 9000K->0K(76288K)] [ParOldGen: 8800K->12000K(175104K)] 17800K->12000K(251392K), [Metaspace: 21290K->21290K(1067008K)], 0.6500000 secs] [Times: user=0.10 sys=0.01, real=0.65 secs] 
`

// TestLabGCViewer compares counts and lengths with those of another parser on the
// same files, and the time that each takes. ZGC is left out: GCViewer takes a
// collection's pauses together.
func TestLabGCViewer(t *testing.T) {
	classPath, dir := gcviewer(t), t.TempDir()
	for _, name := range []string{"jdk17-g1", "jdk17-parallel", "jdk17-serial", "jdk25-g1", "jdk25-parallel", "jdk25-parallel-restarted", "legacy"} {
		text := []byte(legacyParallel)
		if name != "legacy" {
			text = fixture(t, name)
		}
		log := filepath.Join(dir, name+".log")
		if err := os.WriteFile(log, text, 0o600); err != nil {
			t.Fatal(err)
		}
		want, got := summary(t, classPath, log), parse(t, text)
		t.Logf("%-26s GCViewer: %3.0f pauses, %3.0f of them full, %6.2f s, longest %.5f s; ktriage: %d, %d, %.2f, %.5f", name,
			want["pauseCount"], want["pauseCount"]-want["gcPauseCount"], want["accumPause"], want["maxPause"], got.Pauses.Count, got.Full, got.Pauses.Total, *got.Pauses.Max)
		if float64(got.Pauses.Count) != want["pauseCount"] || float64(got.Full) != want["pauseCount"]-want["gcPauseCount"] ||
			math.Abs(got.Pauses.Total-want["accumPause"]) > 0.0051 || math.Abs(*got.Pauses.Max-want["maxPause"]) > 0.00001 {
			t.Errorf("%s differs", name)
		}
	}
	big := bytes.Repeat(fixture(t, "jdk25-g1"), 32<<20/len(fixture(t, "jdk25-g1")))
	log := filepath.Join(dir, "big.log")
	if err := os.WriteFile(log, big, 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	summary(t, classPath, log)
	theirs := time.Since(began)
	began = time.Now()
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var p Parser
	if err := p.Read(file, log); err != nil {
		t.Fatal(err)
	}
	ours := time.Since(began)
	t.Logf("%d MB: GCViewer %.2f s, ktriage %.3f s: %.0f times", len(big)/1e6, theirs.Seconds(), ours.Seconds(), theirs.Seconds()/ours.Seconds())
	if theirs < 10*ours {
		t.Errorf("less than ten times as fast")
	}
}
