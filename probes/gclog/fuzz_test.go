package gclog

import (
	"math"
	"strings"
	"testing"
)

// FuzzParse: whatever comes, memory is bounded and the numbers are those of
// something.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"jdk17-g1", "jdk25-zgc", "jdk17-shenandoah", "jdk25-parallel", "jdk11-cms", "jdk21-zgc-generational"} {
		b := fixture(f, name)
		f.Add(b[:min(len(b), 6000)], uint16(100))
		f.Add(b[len(b)-3000:], uint16(7))
	}
	f.Add([]byte(legacyLog), uint16(33))
	f.Add([]byte("[1.0s][gc,init] Heap Region Size: 8000000T\n[1.0s][gc] GC(0) Old regions: 1->4294967295\n[1.0s][gc] GC(0) Pause Young (Normal) (x) 1M->1M(9M) 1.0ms\n"), uint16(9))
	f.Add([]byte("1.0: [GC pause (young)2.0: [GC concurrent-mark-end, 1.0 secs]\n, 99999999999999999999 secs]"), uint16(1))
	f.Add([]byte("[9999999999999999ms][gc] GC(99999999999999999999) Pause Full (System.gc()) 9999999999T->9T(9T) 9999999999999s\n"), uint16(50))
	f.Fuzz(func(t *testing.T, b []byte, size uint16) {
		var p Parser
		for rest := b; len(rest) > 0; {
			n := min(int(size)+1, len(rest))
			p.Feed(rest[:n])
			rest = rest[n:]
		}
		p.EndFile()
		l := p.Log()
		lines := strings.Count(string(b), "\n") + 1
		if l.Pauses.Count > len(b) || l.Lines > int64(lines) || len(l.Causes) > maxNames+1 || len(p.Recent()) > MaxRecent {
			t.Fatalf("%d pauses out of %d bytes, %d lines of %d, %d causes", l.Pauses.Count, len(b), l.Lines, lines, len(l.Causes))
		}
		for _, v := range []float64{l.Pauses.Total, l.Stalls.Total, l.Heap.Allocated, l.Heap.Promoted} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("%v in %+v", v, l)
			}
		}
		if old := l.Heap.OldAfter; old != nil && *old < 0 {
			t.Fatalf("old generation of %v bytes", *old)
		}
		if l.Span != nil && *l.Span < 0 {
			t.Fatalf("span %v", *l.Span)
		}
		if m := l.Pauses.Max; m != nil && (*l.Pauses.P50 > *m || *l.Pauses.P99 > *m+1e-6) {
			t.Fatalf("%v beyond the longest %v", *l.Pauses.P99, *m)
		}
	})
}
