package hsperf

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixture is the bytes of a perf data file of a real JVM.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name+".hsperf.gz"))
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

var fixtures = []string{"jdk11-g1", "jdk11-parallel", "jdk11-serial", "jdk11-cms", "jdk11-zgc", "jdk21-g1", "jdk21-parallel", "jdk21-zgc", "jdk21-zgc-generational", "jdk17-g1", "jdk17-parallel", "jdk17-serial", "jdk17-zgc", "jdk25-g1", "jdk25-parallel", "jdk25-serial", "jdk25-zgc"}

// jstatGC renders the data as jstat -gc does: KiB with one digit, seconds with
// three, - for what there is no counter.
func jstatGC(d *Data) map[string]string {
	row := map[string]string{}
	for column, counter := range map[string]string{
		"S0C": "generation.0.space.1.capacity", "S1C": "generation.0.space.2.capacity", "EC": "generation.0.space.0.capacity", "OC": "generation.1.space.0.capacity", "MC": "metaspace.capacity", "CCSC": "compressedclassspace.capacity",
		"S0U": "generation.0.space.1.used", "S1U": "generation.0.space.2.used", "EU": "generation.0.space.0.used", "OU": "generation.1.space.0.used", "MU": "metaspace.used", "CCSU": "compressedclassspace.used",
	} {
		row[column] = "-"
		if v, ok := d.Longs["sun.gc."+counter]; ok {
			row[column] = fmt.Sprintf("%.1f", float64(v)/1024)
		}
	}
	sum := 0.0
	for i, name := range []string{"YGC", "FGC", "CGC"} {
		row[name], row[name+"T"] = "-", "-"
		if v, ok := d.Longs[fmt.Sprintf("sun.gc.collector.%d.invocations", i)]; ok {
			row[name] = fmt.Sprint(v)
		}
		if s, ok := d.Seconds(fmt.Sprintf("sun.gc.collector.%d.time", i)); ok {
			row[name+"T"] = fmt.Sprintf("%.3f", s)
			sum += s
		}
	}
	row["GCT"] = fmt.Sprintf("%.3f", sum)
	return row
}

// jstatUtil is the percentages of jstat -gcutil: of what is committed.
func jstatUtil(d *Data) map[string]string {
	row := map[string]string{}
	for column, space := range map[string]string{"S0": "generation.0.space.1", "S1": "generation.0.space.2", "E": "generation.0.space.0", "O": "generation.1.space.0", "M": "metaspace", "CCS": "compressedclassspace"} {
		row[column] = "-"
		used, ok := d.Longs["sun.gc."+space+".used"]
		if all := d.Longs["sun.gc."+space+".capacity"]; ok && all > 0 {
			row[column] = fmt.Sprintf("%.2f", 100*float64(used)/float64(all))
			if column == "M" || column == "CCS" { // jstat counts what is not used
				row[column] = fmt.Sprintf("%.2f", (1-float64(all-used)/float64(all))*100)
			}
		}
	}
	return row
}

// table reads what jstat printed: one line of headings, one of values.
func table(t testing.TB, text string) map[string]string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines of jstat, want 2: %q", len(lines), text)
	}
	heads, values := strings.Fields(lines[0]), strings.Fields(lines[1])
	if len(heads) != len(values) {
		t.Fatalf("%d headings, %d values", len(heads), len(values))
	}
	row := map[string]string{}
	for i, h := range heads {
		row[h] = values[i]
	}
	return row
}

func TestAgreesWithJstat(t *testing.T) {
	for _, name := range fixtures {
		d, err := Parse(fixture(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for kind, got := range map[string]map[string]string{"gc": jstatGC(d), "gcutil": jstatUtil(d)} {
			printed, err := os.ReadFile(filepath.Join("testdata", name+"."+kind+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			want := table(t, string(printed))
			compared := 0
			for column, v := range got {
				if want[column] == v {
					compared++
					continue
				}
				t.Errorf("%s: jstat -%s says %s %s, we %s", name, kind, column, want[column], v)
			}
			if compared < 4 { // ZGC of JDK 11: old generation, metaspace, classes
				t.Errorf("%s -%s: only %d columns agree", name, kind, compared)
			}
		}
	}
}

func TestHeapOfEachCollector(t *testing.T) {
	const mib = 1 << 20
	for name, want := range map[string]struct {
		collector Collector
		max       int64
		hasOld    bool
	}{
		"jdk17-g1": {G1, 256 * mib, true}, "jdk25-g1": {G1, 256 * mib, true},
		"jdk17-parallel": {Parallel, 256 * mib, true}, "jdk25-parallel": {Parallel, 256 * mib, true},
		"jdk17-serial": {Serial, 256 * mib, true}, "jdk25-serial": {Serial, 64 * mib, true},
		"jdk17-zgc": {ZGC, 256 * mib, false}, "jdk25-zgc": {ZGC, 256 * mib, true},
		"jdk11-g1": {G1, 64 * mib, true}, "jdk21-g1": {G1, 64 * mib, true},
		"jdk11-parallel": {Parallel, 64 * mib, true}, "jdk21-parallel": {Parallel, 64 * mib, true},
		"jdk11-serial": {Serial, 64 * mib, true}, "jdk11-cms": {CMS, 64 * mib, true},
		"jdk11-zgc": {ZGC, 256 * mib, false}, "jdk21-zgc": {ZGC, 128 * mib, false}, "jdk21-zgc-generational": {ZGC, 64 * mib, true},
	} {
		d, err := Parse(fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Collector(); got != want.collector {
			t.Errorf("%s: collector %q, want %q", name, got, want.collector)
		}
		h := d.Heap()
		// G1 of JDK 17 adds 8 bytes to each capacity.
		if h.Max-want.max > 8 || h.Max < want.max || h.Used <= 0 || h.Used > h.Max {
			t.Errorf("%s: %d of %d bytes, want a part of %d", name, h.Used, h.Max, want.max)
		}
		if (h.OldMax > 0) != want.hasOld {
			t.Errorf("%s: old generation %d of %d, want one: %v", name, h.OldUsed, h.OldMax, want.hasOld)
		}
		// The rules of FACTS B.3, with the numbers that jstat prints.
		row := jstatGC(d)
		kib := func(columns ...string) (sum float64) {
			for _, c := range columns {
				var x float64
				if _, err := fmt.Sscan(row[c], &x); err == nil {
					sum += x
				}
			}
			return sum
		}
		if all := kib("S0U", "S1U", "EU", "OU") * 1024; math.Abs(all-float64(h.Used)) > 512 {
			t.Errorf("%s: %d bytes used, the columns give %.0f", name, h.Used, all)
		}
	}
}

// TestCollections: which counters are full collections, and which the pauses of
// ordinary cycles, differs by collector and version.
func TestCollections(t *testing.T) {
	for name, want := range map[string][3]int{
		"jdk11-g1": {0, 1, 2}, "jdk17-parallel": {0, 1, -1}, "jdk25-serial": {0, 1, -1}, "jdk11-cms": {0, 1, 2}, "jdk25-zgc": {0, -1, 2},
	} {
		d, err := Parse(fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		young, full, concurrent := d.Collections()
		if got := [3]int{young, full, concurrent}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if name != "jdk11-cms" {
			continue
		}
		// One collection was asked for, and one cycle had begun.
		if d.Longs["sun.gc.collector.1.invocations"] != 1 || d.Longs["sun.gc.collector.2.invocations"] != 1 {
			t.Errorf("CMS: %d full, %d pauses of cycles", d.Longs["sun.gc.collector.1.invocations"], d.Longs["sun.gc.collector.2.invocations"])
		}
		delete(d.Longs, "sun.gc.collector.2.invocations") // JDK 8 has no such counter
		if _, full, concurrent := d.Collections(); full != -1 || concurrent != 1 {
			t.Errorf("CMS of JDK 8: full collections in counter %d, cycles in %d", full, concurrent)
		}
	}
}

// TestBigEndian turns a real file into what a machine of the other byte order
// writes.
func TestBigEndian(t *testing.T) {
	file := fixture(t, "jdk17-g1")
	want, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(swapped(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Longs) != len(want.Longs) || len(got.Longs) < 100 {
		t.Fatalf("%d counters, want %d", len(got.Longs), len(want.Longs))
	}
	for name, v := range want.Longs {
		if got.Longs[name] != v {
			t.Errorf("%s: %d, want %d", name, got.Longs[name], v)
		}
	}
}

func swapped(file []byte) []byte {
	out := bytes.Clone(file)
	out[4] = 0
	flip := func(at, n int) {
		for i := range n {
			out[at+i] = file[at+n-1-i]
		}
	}
	for _, at := range []int{8, 12, 24, 28} {
		flip(at, 4)
	}
	le := binary.LittleEndian
	at := int(le.Uint32(file[24:]))
	for range le.Uint32(file[28:]) {
		for _, field := range []int{0, 4, 8, 16} {
			flip(at+field, 4)
		}
		if file[at+12] == typeLong {
			flip(at+int(le.Uint32(file[at+16:])), 8)
		}
		at += int(le.Uint32(file[at:]))
	}
	return out
}

func TestErrorsNameTheField(t *testing.T) {
	good := fixture(t, "jdk25-g1")
	entry := int(binary.LittleEndian.Uint32(good[24:]))
	for want, breakIt := range map[string]func(b []byte) []byte{
		"file size":         func(b []byte) []byte { return b[:31] },
		"magic":             func(b []byte) []byte { b[0] = 1; return b },
		"byte order":        func(b []byte) []byte { b[4] = 9; return b },
		"major version":     func(b []byte) []byte { b[5] = 3; return b },
		"used":              func(b []byte) []byte { return b[:2000] },
		"number of entries": func(b []byte) []byte { b[30] = 0x7f; return b },
		"entry length":      func(b []byte) []byte { clear(b[entry : entry+4]); return b },
		"name offset":       func(b []byte) []byte { b[entry+7] = 0x80; return b },
		"data offset":       func(b []byte) []byte { b[entry+19] = 0x7f; return b },
	} {
		_, err := Parse(breakIt(bytes.Clone(good)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("broken %s: error %v", want, err)
		}
		if Starting(err) {
			t.Errorf("broken %s passes for a JVM that starts", want)
		}
	}
	b := bytes.Clone(good)
	b[7] = 0
	if _, err := Parse(b); !Starting(err) {
		t.Errorf("file that is not accessible yet: %v", err)
	}
	if _, err := Parse(nil); !Starting(err) {
		t.Errorf("empty file: %v", err)
	}
}

func TestInnerPID(t *testing.T) {
	for status, want := range map[string]int{
		"Name:\tjava\nNSpid:\t4711\t12\t1\nVmSize:\t1 kB\n": 1,
		"NSpid:\t4711\n":      4711,
		"Name:\tjava\n":       99,
		"NSpid:\n":            99,
		"NSpid:\tx\t-4\n":     99,
		"NSpid:\t1\t77777777": 77777777,
	} {
		if got := innerPID([]byte(status), 99); got != want {
			t.Errorf("%q: %d, want %d", status, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range fixtures {
		b := fixture(f, name)
		f.Add(b)
		f.Add(b[:len(b)/3])
	}
	f.Add(swapped(fixture(f, "jdk25-zgc")))
	f.Add([]byte{0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		if len(d.Longs)+len(d.Strings) > len(b)/entrySize {
			t.Fatalf("%d counters out of %d bytes", len(d.Longs)+len(d.Strings), len(b))
		}
		d.Heap()
		d.Created()
	})
}

func BenchmarkParse(b *testing.B) {
	file := fixture(b, "jdk17-g1")
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := Parse(file); err != nil {
			b.Fatal(err)
		}
	}
}
