package gclog

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// fixture is the log of a real JVM.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name+".log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, b []byte) fact.GCLog {
	t.Helper()
	var p Parser
	if err := p.Read(bytes.NewReader(b), "test"); err != nil {
		t.Fatal(err)
	}
	return p.Log()
}

// The lines of the format's description, looked for the slow way.
var (
	pauseLine = regexp.MustCompile(`(?m)GC\(\d+\) (?:[yYO]: )?Pause (.*?) ?(?:(\d+)M->(\d+)M\((\d+)M\) )?([\d.]+)ms$`)
	stallLine = regexp.MustCompile(`(?m)\] Allocation Stall \(.*\) ([\d.]+)ms$`)
	failLine  = regexp.MustCompile(`(?m)(\) To-space exhausted|Evacuation Failure: .*Allocation.*\) \d.*ms$)`)
)

var (
	regionSize = regexp.MustCompile(`(?mi)Heap Region Size: (\d+)M$`)
	oldRegions = regexp.MustCompile(`(?m)GC\(\d+\) Old regions: \d+->(\d+)`)
	oldSizes   = regexp.MustCompile(`(?m)GC\(\d+\) (?:ParOldGen|Tenured|CMS): \d+K(?:\(\d+K\))?->(\d+)K\(`)
)

// oldAfter is the old generation after the last collection that told it, bytes; -1
// where none did.
func oldAfter(text []byte) float64 {
	number := func(b []byte) float64 {
		v, _ := strconv.ParseFloat(string(b), 64)
		return v
	}
	region := regionSize.FindSubmatch(text)
	if all := oldRegions.FindAllSubmatch(text, -1); len(all) > 0 && region != nil {
		return number(all[len(all)-1][1]) * number(region[1]) * (1 << 20)
	}
	if all := oldSizes.FindAllSubmatch(text, -1); len(all) > 0 {
		return number(all[len(all)-1][1]) * 1024
	}
	return -1
}

func TestRealLogs(t *testing.T) {
	for name, want := range map[string]struct {
		collector, jdk string
		seconds        float64 // between the first and the last stamp
	}{
		"jdk11-g1":                 {"G1", "", 0},
		"jdk11-parallel":           {"Parallel", "", 0},
		"jdk11-cms":                {"CMS", "", 0},
		"jdk11-zgc":                {"ZGC", "11.0.13+8", 0},
		"jdk21-g1":                 {"G1", "21.0.8+9-LTS", 0},
		"jdk21-zgc-generational":   {"ZGC", "21.0.8+9-LTS", 0},
		"jdk17-g1":                 {"G1", "17.0.15+6-Debian-1deb12u1", 467.439},
		"jdk17-parallel":           {"Parallel", "17.0.15+6-Debian-1deb12u1", 30.233},
		"jdk17-serial":             {"Serial", "17.0.15+6-Debian-1deb12u1", 649.094},
		"jdk17-zgc":                {"ZGC", "17.0.15+6-Debian-1deb12u1", 41.033},
		"jdk17-shenandoah":         {"Shenandoah", "17.0.15+6-Debian-1deb12u1", 0},
		"jdk17-g1-exhausted":       {"G1", "", 0},
		"jdk25-g1":                 {"G1", "25.0.3+9-LTS", 966.1},
		"jdk25-parallel":           {"Parallel", "25.0.3+9-LTS", 1572.19},
		"jdk25-parallel-restarted": {"Parallel", "25.0.3+9-LTS", 86.93},
		"jdk25-zgc":                {"ZGC", "25.0.3+9-LTS", 8.564},
		"jdk25-shenandoah":         {"Shenandoah", "25.0.3+9-LTS", 0},
		"jdk25-g1-exhausted":       {"G1", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			text := fixture(t, name)
			l := parse(t, text)
			if l.Collector != want.collector || l.JDK != want.jdk || l.Format != "unified" || l.Runs != 1 || l.Broken != 0 {
				t.Errorf("collector %q, jdk %q, %s, %d runs, %d broken", l.Collector, l.JDK, l.Format, l.Runs, l.Broken)
			}
			if want.seconds > 0 && (l.Span == nil || math.Abs(*l.Span-want.seconds) > 0.06) {
				t.Errorf("span %v, want %v", l.Span, want.seconds)
			}
			count, full, total, longest, after := 0, 0, 0.0, 0.0, -1.0
			for _, m := range pauseLine.FindAllSubmatch(text, -1) {
				ms, err := strconv.ParseFloat(string(m[5]), 64)
				if err != nil {
					t.Fatal(err)
				}
				count, total, longest = count+1, total+ms/1000, max(longest, ms/1000)
				if strings.HasPrefix(string(m[1]), "Full") {
					full++
				}
				if len(m[3]) > 0 {
					after, _ = strconv.ParseFloat(string(m[3]), 64)
				}
			}
			if count == 0 || l.Pauses.Count != count || l.Full != full || math.Abs(l.Pauses.Total-total) > 1e-5 || math.Abs(*l.Pauses.Max-longest) > 1e-6 {
				t.Errorf("%d pauses, %d full, %f s, at most %f; want %d, %d, %f, %f", l.Pauses.Count, l.Full, l.Pauses.Total, *l.Pauses.Max, count, full, total, longest)
			}
			if after >= 0 && (l.Heap.After == nil || *l.Heap.After != after*(1<<20)) {
				t.Errorf("after the last collection %v, want %v MiB", l.Heap.After, after)
			}
			if old := oldAfter(text); (old >= 0) != (l.Heap.OldAfter != nil) || old >= 0 && *l.Heap.OldAfter != old {
				t.Errorf("old generation after the last collection %v, want %v", l.Heap.OldAfter, old)
			}
			if n := len(stallLine.FindAll(text, -1)); n != l.Stalls.Count {
				t.Errorf("%d stalls, want %d", l.Stalls.Count, n)
			}
			if n := len(failLine.FindAll(text, -1)); n != l.Evac {
				t.Errorf("%d evacuation failures, want %d", l.Evac, n)
			}
			sum, of := 0, 0
			for _, c := range l.Causes {
				sum += c.Count
			}
			for _, k := range l.Kinds {
				of += k.Count
			}
			if sum != count || of != count {
				t.Errorf("causes of %d and kinds of %d pauses, want %d", sum, of, count)
			}
		})
	}
}

// TestCutAnywhere: the log is written while it is read, so that it reaches the
// parser in pieces; what it tells does not depend on where they end.
func TestCutAnywhere(t *testing.T) {
	text := append(fixture(t, "jdk25-parallel"), legacyLog...)
	var whole Parser
	whole.Feed(text)
	whole.EndFile()
	want := whole.Log()
	for _, size := range []int{1, 7, 100, 4096} {
		var p Parser
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			p.Feed(rest[:n])
			rest = rest[n:]
		}
		p.EndFile()
		got := p.Log()
		if got.Pauses.Count != want.Pauses.Count || got.Pauses.Total != want.Pauses.Total || *got.Span != *want.Span || got.Lines != want.Lines || got.Full != want.Full {
			t.Errorf("in pieces of %d: %+v, want %+v", size, got.Pauses, want.Pauses)
		}
	}
}

// A line that is being written is no pause of a shorter length.
func TestLastLineIncomplete(t *testing.T) {
	const line = "[2026-11-23T02:26:34.337+0000][gc] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 240M->225M(256M) 101.353ms\n"
	for cut := range len(line) - 1 {
		var p Parser
		p.Feed([]byte(line[:cut]))
		if n := p.Log().Pauses.Count; n != 0 {
			t.Fatalf("%d pauses out of %q", n, line[:cut])
		}
		p.Feed([]byte(line[cut:]))
		l := p.Log()
		if l.Pauses.Count != 1 || *l.Pauses.Max != 0.101353 {
			t.Fatalf("cut at %d: %+v", cut, l.Pauses)
		}
	}
}

func TestDecorationsInAnyCombination(t *testing.T) {
	const msg = "GC(12) Pause Young (Concurrent Start) (G1 Humongous Allocation) 193M->161M(512M) 8.810ms"
	for prefix, want := range map[string]stamp{
		"":                                    {},
		"[gc          ] ":                     {},
		"[0.035s][info][gc] ":                 {up: 35e6, hasUp: true},
		"[123ms] ":                            {up: 123e6, hasUp: true},
		"[456789ns][gc] ":                     {up: 456789, hasUp: true},
		"[1763886398061ms][gc] ":              {wall: 1763886398061e6},
		"[2026-11-23T00:55:38.061+0000][gc] ": {wall: 1795395338061e6},
		"[2026-11-23T02:55:38.061+0200][gc] ": {wall: 1795395338061e6},
		"[2026-11-23T00:55:38.061+0000][2026-11-23T00:55:38.061+0000][3.5s][4711] ":   {wall: 1795395338061e6, up: 35e8, hasUp: true},
		"[2026-11-23T00:55:38,061+0000][12,5s][broker-1][4711][4712][info][gc,heap] ": {wall: 1795395338061e6, up: 125e8, hasUp: true},
	} {
		s, rest := decorations([]byte(prefix + msg))
		if s.up != want.up || s.hasUp != want.hasUp || (s.wall-want.wall)%int64(3600e9) != 0 || (s.wall == 0) != (want.wall == 0) || string(rest) != msg {
			t.Errorf("%q: %+v, %q", prefix, s, rest)
		}
		l := parse(t, []byte(prefix+msg+"\n"))
		if l.Pauses.Count != 1 || l.Causes[0].Name != "G1 Humongous Allocation" || l.Kinds[0].Name != Young || *l.Heap.After != 161<<20 || *l.Heap.Capacity != 512<<20 {
			t.Errorf("%q: %+v", prefix, l)
		}
	}
}

func TestShapesOfPauses(t *testing.T) {
	for msg, want := range map[string][2]string{
		"Pause Young (Mixed) (G1 Evacuation Pause) 1G->1G(2G) 1.000ms":                                          {Mixed, "G1 Evacuation Pause"},
		"Pause Young (Normal) (G1 Evacuation Pause) (Evacuation Failure: Allocation/Pinned) 1G->1G(2G) 1.000ms": {Young, "G1 Evacuation Pause"},
		"Pause Young (G1 Evacuation Pause) 24M->4M(256M) (0.431s, 0.435s) 4.435ms":                              {Young, "G1 Evacuation Pause"},
		"Pause Initial Mark (G1 Humongous Allocation) 24M->4M(256M) 4.435ms":                                    {Young, "G1 Humongous Allocation"},
		"Pause Initial Mark 24M->24M(256M) 0.435ms":                                                             {Concurrent, "Initial Mark"},
		"Pause Full (System.gc()) 24M->4M(256M) 4.435ms":                                                        {Full, "System.gc()"},
		"Pause Full (Ergonomics) 24M->4M(256M) 4,435ms":                                                         {Full, "Ergonomics"},
		"Pause Remark 24M->24M(256M) 0.435ms":                                                                   {Concurrent, "Remark"},
		"y: Pause Mark Start (Major) 0.018ms":                                                                   {Concurrent, "Mark Start"},
		"Pause Init Mark (unload classes) 0.435ms":                                                              {Concurrent, "Init Mark"},
		"Pause Degenerated GC (Outside of Cycle) 24M->24M(256M) 40.435ms":                                       {Degenerated, "Degenerated GC"},
		"Pause Something New (Why) 24M->24M(256M) 40.435ms":                                                     {Other, "Why"},
	} {
		l := parse(t, []byte("[1.000s][gc] GC(3) "+msg+"\n"))
		if len(l.Kinds) != 1 || l.Kinds[0].Name != want[0] || l.Causes[0].Name != want[1] {
			t.Errorf("%s: %+v %+v", msg, l.Kinds, l.Causes)
		}
		if failed := strings.Contains(msg, "Failure: Alloc"); (l.Evac == 1) != failed {
			t.Errorf("%s: %d failures", msg, l.Evac)
		}
	}
	for _, msg := range []string{
		"[1.000s][gc,start] GC(3) Pause Young (Normal) (G1 Evacuation Pause)",
		"[1.000s][gc,stats] Young Pause: Pause Mark End   0.010 / 0.029   0.010 / 0.029   0.010 / 0.029   0.010 / 0.029  ms",
		"[1.000s][gc,stats] Pause Full GC (G)  =  0.303 s (a =    50435 us) (n =     6)",
		"[1.000s][gc,alloc] GC(3) y: Allocation Stalls:  0  0  0  0",
		"[1.000s][gc,stats] Critical: Allocation Stall   0.000 / 0.000  ms",
	} {
		if l := parse(t, []byte("[0.1s][gc] Using G1\n"+msg+"\n")); l.Pauses.Count+l.Stalls.Count != 0 {
			t.Errorf("%s is a pause or a stall", msg)
		}
	}
}

func TestPercentilesByNearestRank(t *testing.T) {
	var l lengths
	for i := 1; i <= 200; i++ {
		l.add(float64(i) / 1000)
	}
	s := l.summary()
	for _, of := range []struct {
		got  *float64
		want float64
	}{{s.P50, 0.1}, {s.P95, 0.19}, {s.P99, 0.198}, {s.Max, 0.2}} {
		if of.got == nil || math.Abs(*of.got-of.want) > 1e-6 {
			t.Errorf("%v, want %v", of.got, of.want)
		}
	}
}

// Beyond a million pauses memory stays as it is, and percentiles are at most 1 %
// too long.
func TestPercentilesOfMany(t *testing.T) {
	var l lengths
	const n = exactly + 200_000
	for i := range n {
		l.add(0.001 + float64((i*7919)%n)/n) // every length once, shuffled
	}
	s := l.summary()
	if s.Exact || s.Count != n || l.each != nil {
		t.Errorf("exact %v of %d", s.Exact, s.Count)
	}
	for _, of := range []struct {
		got  *float64
		want float64
	}{{s.P50, 0.501}, {s.P95, 0.951}, {s.P99, 0.991}} {
		if of.got == nil || *of.got < of.want*0.999 || *of.got > of.want*1.01 {
			t.Errorf("%v, want %v", *of.got, of.want)
		}
	}
}

func TestNoGCLog(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "test: not a GC log: it is empty",
		"\n\nroot:x:0:0:root:/root:/bin/bash\n": "test:3: not a GC log: expected",
		strings.Repeat("[info][class] loaded\n", 1<<17): "test:1: not a GC log: expected",
	} {
		var p Parser
		if err := p.Read(strings.NewReader(text), "test"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

func TestRotatedFilesInOrder(t *testing.T) {
	text := fixture(t, "jdk25-g1")
	third := bytes.LastIndexByte(text[:len(text)/3], '\n') + 1
	two := bytes.LastIndexByte(text[:2*len(text)/3], '\n') + 1
	files := map[string][]byte{"gc.log": text[two:], "gc.log.0": text[:third], "gc.log.1": text[third:two]}
	order := Order([]Head{{"gc.log", files["gc.log"]}, {"gc.log.0", files["gc.log.0"]}, {"gc.log.1", files["gc.log.1"]}})
	if strings.Join(order, " ") != "gc.log.0 gc.log.1 gc.log" {
		t.Fatalf("order %v", order)
	}
	var p Parser
	for _, name := range order {
		if err := p.Read(bytes.NewReader(files[name]), name); err != nil {
			t.Fatal(err)
		}
	}
	want, got := parse(t, text), p.Log()
	if got.Pauses.Total != want.Pauses.Total || math.Abs(*got.Span-*want.Span) > 1e-6 || got.Heap.Allocated != want.Heap.Allocated {
		t.Errorf("%v s of %v, want %v of %v", got.Pauses.Total, *got.Span, want.Pauses.Total, *want.Span)
	}
}

// The time between the end of one JVM and the start of the next is not counted
// as time without pauses.
func TestRestartInTheLog(t *testing.T) {
	text := append(fixture(t, "jdk25-parallel"), fixture(t, "jdk25-parallel-restarted")...)
	l := parse(t, text)
	if want := 1572.19 + 86.93; l.Runs != 2 || math.Abs(*l.Span-want) > 0.06 {
		t.Errorf("%d runs, %v s, want 2 and %v", l.Runs, *l.Span, want)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"jdk25-g1", "jdk25-zgc", "jdk25-parallel", "jdk17-shenandoah"} {
		text := fixture(b, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				var p Parser
				p.Feed(text)
			}
		})
	}
	b.Run("legacy", func(b *testing.B) {
		text := bytes.Repeat([]byte(legacyLog), 100)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var p Parser
			p.Feed(text)
		}
	})
}
