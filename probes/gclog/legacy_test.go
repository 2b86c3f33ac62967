package gclog

import (
	"math"
	"testing"
)

// The shapes of JDK 6 to 8: with and without stamps, one collection over many
// lines, concurrent threads writing into the middle of one.
const legacyLog = `OpenJDK 64-Bit Server VM (25.252-b09) for linux-amd64 JRE (1.8.0_252-b09), built on Apr 14 2020 15:55:26 by "u" with gcc 4.8.5
Memory: 4k page, physical 16266236k(8266236k free), swap 0k(0k free)
CommandLine flags: -XX:InitialHeapSize=1073741824 -XX:MaxHeapSize=1073741824 -XX:+PrintGC -XX:+PrintGCDateStamps -XX:+PrintGCDetails -XX:+PrintGCTimeStamps -XX:+UseG1GC 
2015-05-01T11:26:29.687+0200: 100.000: [GC pause (G1 Evacuation Pause) (young), 0.0470136 secs]
   [Parallel Time: 43.5 ms, GC Workers: 8]
      [GC Worker Start (ms): Min: 100000.1, Avg: 100000.2, Max: 100000.3, Diff: 0.2]
   [Code Root Fixup: 0.1 ms]
   [Eden: 512.0M(512.0M)->0.0B(448.0M) Survivors: 0.0B->64.0M Heap: 512.0M(1024.0M)->80.0M(1024.0M)]
 [Times: user=0.26 sys=0.00, real=0.05 secs] 
2015-05-01T11:26:39.687+0200: 110.000: [GC pause (G1 Humongous Allocation) (young) (initial-mark)
Desired survivor size 33554432 bytes, new threshold 15 (max 15)
- age   1:    1048576 bytes,    1048576 total
, 0.0100000 secs]
   [Eden: 448.0M(448.0M)->0.0B(448.0M) Survivors: 64.0M->64.0M Heap: 528.0M(1024.0M)->120.0M(1024.0M)]
 [Times: user=0.06 sys=0.00, real=0.01 secs] 
2015-05-01T11:26:39.700+0200: 110.013: [GC concurrent-root-region-scan-start]
2015-05-01T11:26:39.701+0200: 110.014: [GC concurrent-root-region-scan-end, 0.0010000 secs]
2015-05-01T11:26:49.687+0200: 120.000: [GC pause (G1 Evacuation Pause) (mixed)2015-05-01T11:26:49.690+0200: 120.003: [GC concurrent-mark-end, 9.9000000 secs]
 (to-space exhausted), 0.3000000 secs]
   [Eden: 448.0M(448.0M)->0.0B(448.0M) Survivors: 64.0M->64.0M Heap: 1000.0M(1024.0M)->990.0M(1024.0M)]
2015-05-01T11:26:50.687+0200: 121.000: [GC remark 2015-05-01T11:26:50.688+0200: 121.001: [Finalize Marking, 0.0001 secs] 2015-05-01T11:26:50.689+0200: 121.002: [GC ref-proc, 0.0002 secs], 0.0050000 secs]
 [Times: user=0.01 sys=0.00, real=0.00 secs] 
2015-05-01T11:26:51.687+0200: 122.000: [GC cleanup 900M->890M(1024M), 0.0020000 secs]
2015-05-01T11:27:09.687+0200: 140.000: [Full GC (Allocation Failure)  1000M->700M(1024M), 2.5000000 secs]
   [Eden: 0.0B(448.0M)->0.0B(448.0M) Survivors: 64.0M->0.0B Heap: 1000.0M(1024.0M)->700.0M(1024.0M)], [Metaspace: 40960K->40960K(1085440K)]
 [Times: user=2.50 sys=0.00, real=2.50 secs] 
`

func TestLegacyG1(t *testing.T) {
	l := parse(t, []byte(legacyLog))
	if l.Collector != "G1" || l.JDK != "1.8.0_252-b09" || l.Format != "legacy" || l.Runs != 1 || l.Broken != 0 {
		t.Errorf("%q %q %q, %d runs, %d broken", l.Collector, l.JDK, l.Format, l.Runs, l.Broken)
	}
	if total := 0.0470136 + 0.01 + 0.3 + 0.005 + 0.002 + 2.5; l.Pauses.Count != 6 || math.Abs(l.Pauses.Total-total) > 1e-6 || l.Full != 1 || l.Evac != 1 {
		t.Errorf("%d pauses of %v s, %d full, %d failed", l.Pauses.Count, l.Pauses.Total, l.Full, l.Evac)
	}
	if math.Abs(*l.Span-42.5) > 1e-6 || *l.Heap.After != 700<<20 || *l.Heap.AfterFull != 700<<20 || *l.Heap.Capacity != 1<<30 || *l.Heap.AfterPeak != 990<<20 {
		t.Errorf("span %v, heap %v %v %v", *l.Span, *l.Heap.After, *l.Heap.AfterFull, *l.Heap.Capacity)
	}
	causes := map[string]int{}
	for _, c := range l.Causes {
		causes[c.Name] = c.Count
	}
	for name, n := range map[string]int{"G1 Evacuation Pause": 2, "G1 Humongous Allocation": 1, "Remark": 1, "Cleanup": 1, "Allocation Failure": 1} {
		if causes[name] != n {
			t.Errorf("%s: %d, want %d of %v", name, causes[name], n, causes)
		}
	}
	if p := l.Longest[0]; p.Kind != Full || p.At.Format("15:04:05.000") != "09:27:09.687" || *p.Uptime != 140 {
		t.Errorf("longest %+v", p)
	}
}

func TestLegacyOthers(t *testing.T) {
	for text, want := range map[string]struct {
		kind, cause string
		seconds     float64
		after       float64 // KiB
	}{
		"2.167: [GC (Allocation Failure) 2.167: [ParNew: 139776K->17471K(157248K), 0.0143520 secs] 139776K->19817K(506816K), 0.0144450 secs] [Times: user=0.02 sys=0.00, real=0.01 secs] ":                                                         {Young, "Allocation Failure", 0.0144450, 19817},
		"2.2: [GC (CMS Initial Mark) [1 CMS-initial-mark: 73765K(95616K)] 85022K(138624K), 0.0002081 secs] [Times: user=0.00 sys=0.00, real=0.00 secs] ":                                                                                           {Concurrent, "CMS Initial Mark", 0.0002081, -1},
		"3.3: [GC (CMS Final Remark) [YG occupancy: 1 K (2 K)]3.3: [Rescan (parallel) , 0.0010000 secs]3.3: [weak refs processing, 0.0000100 secs] [1 CMS-remark: 73765K(95616K)] 85022K(138624K), 0.0022081 secs]":                                {Concurrent, "CMS Final Remark", 0.0022081, -1},
		"4.4: [GC (Allocation Failure) 4.4: [ParNew (promotion failed): 40K->41K(42K), 0.1000000 secs]4.5: [CMS (concurrent mode failure): 70K->60K(96K), 1.2000000 secs] 110K->60K(138K), [Metaspace: 3K->3K(100K)], 1.3000000 secs]":             {Full, "Allocation Failure", 1.3, 60},
		"[GC (Allocation Failure) [PSYoungGen: 7077888K->222570K(8257536K)] 7077888K->222586K(9306112K), 0.5400000 secs] [Times: user=0.26 sys=0.00, real=0.54 secs] ":                                                                             {Young, "Allocation Failure", 0.54, 222586},
		"1.5: [Full GC (Ergonomics) [PSYoungGen: 10K->0K(20K)] [ParOldGen: 30K->25K(40K)] 40K->25K(60K), [Metaspace: 3K->3K(100K)], 0.6500000 secs]":                                                                                               {Full, "Ergonomics", 0.65, 25},
		"0.5: [GC (Allocation Failure) 0.5: [DefNew: 40K->4K(45K), 0.0100000 secs]0.6: [Tenured: 70K->60K(96K), 0.0500000 secs] 110K->60K(141K), [Metaspace: 3K->3K(100K)], 0.0600000 secs]":                                                       {Full, "Allocation Failure", 0.06, 60},
		"2013-01-01T00:00:00.100+0000: 7,5: [GC pause (young) 24M->10M(256M), 0,0665670 secs]":                                                                                                                                                     {Young, Young, 0.066567, 10 << 10},
		"8.5: #12: [GC pause (G1 Evacuation Pause) (young) 24M->10M(256M), 0.0102000 secs]":                                                                                                                                                        {Young, "G1 Evacuation Pause", 0.0102, 10 << 10},
		"9.5: [Full GC (System) [PSYoungGen: 10K->0K(20K)] [PSOldGen: 30K->25K(40K)] 40K->25K(60K) [PSPermGen: 3K->3K(100K)], 0.6500000 secs]":                                                                                                     {Full, "System.gc()", 0.65, 25},
		"9.6: [GC-- [PSYoungGen: 10K->10K(20K)] 40K->45K(60K), 0.6500000 secs]":                                                                                                                                                                    {Young, Young, 0.65, 45},
		"9.7: [GC (Allocation Failure)  139776K->17471K(157248K), 0.0143520 secs]":                                                                                                                                                                 {Young, "Allocation Failure", 0.014352, 17471},
		"9.8: [Full GC (Allocation Failure) 9.8: [CMS9.9: [CMS-concurrent-mark: 0.1/0.2 secs] [Times: user=0.1 sys=0.0, real=0.2 secs] \n (concurrent mode failure): 70K->60K(96K), 1.2 secs] 110K->60K(138K), [Metaspace: 3K->3K(9K)], 1.3 secs]": {Full, "Allocation Failure", 1.3, 60},
	} {
		l := parse(t, []byte(text+"\n"))
		if l.Pauses.Count != 1 || l.Broken != 0 || l.Kinds[0].Name != want.kind || l.Causes[0].Name != want.cause || math.Abs(l.Pauses.Total-want.seconds) > 1e-7 {
			t.Errorf("%s:\n%d broken, %+v %+v", text, l.Broken, l.Kinds, l.Causes)
			continue
		}
		switch {
		case want.after < 0 && l.Heap.After != nil:
			t.Errorf("%s: %v bytes after", text, *l.Heap.After)
		case want.after >= 0 && (l.Heap.After == nil || *l.Heap.After != want.after*1024):
			t.Errorf("%s: %v bytes after", text, l.Heap.After)
		}
	}
}

func TestLegacyOldGeneration(t *testing.T) {
	for text, want := range map[string]float64{ // KiB
		"2.1: [GC (Allocation Failure) 2.1: [ParNew: 139776K->17471K(157248K), 0.0143520 secs] 139776K->19817K(506816K), 0.0144450 secs]":                                                    19817 - 17471,
		"[GC (Allocation Failure) [PSYoungGen: 7077888K->222570K(8257536K)] 7077888K->222586K(9306112K), 0.5400000 secs]":                                                                    16,
		"1.5: [Full GC (Ergonomics) [PSYoungGen: 10K->0K(20K)] [ParOldGen: 30K->25K(40K)] 40K->25K(60K), [Metaspace: 3K->3K(100K)], 0.6500000 secs]":                                         25,
		"0.5: [GC (Allocation Failure) 0.5: [DefNew: 40K->4K(45K), 0.0100000 secs]0.6: [Tenured: 70K->60K(96K), 0.0500000 secs] 110K->60K(141K), [Metaspace: 3K->3K(100K)], 0.0600000 secs]": 60,
		"8.5: [GC pause (G1 Evacuation Pause) (young) 24M->10M(256M), 0.0102000 secs]":                                                                                                       -1,
		"2.2: [GC (CMS Initial Mark) [1 CMS-initial-mark: 73765K(95616K)] 85022K(138624K), 0.0002081 secs]":                                                                                  -1,
	} {
		old := parse(t, []byte(text+"\n")).Heap.OldAfter
		if (old == nil) != (want < 0) || old != nil && *old != want*1024 {
			t.Errorf("%s: %v, want %v KiB", text, old, want)
		}
	}
}

func TestLegacyStops(t *testing.T) {
	l := parse(t, []byte("1.5: Total time for which application threads were stopped: 0.0003502 seconds, Stopping threads took: 0.0000201 seconds\nTotal time for which application threads were stopped: 0.1 seconds\n"))
	if l.Stops == nil || l.Stops.Count != 2 || math.Abs(l.Stops.Total-0.1003502) > 1e-9 {
		t.Errorf("%+v", l.Stops)
	}
}

// A record whose end was lost does not swallow those that follow.
func TestBrokenRecord(t *testing.T) {
	l := parse(t, []byte("1.0: [GC pause (young)\n2.0: [GC pause (G1 Evacuation Pause) (young) 24M->10M(256M), 0.01 secs]\n3.0: [GC pause (young)"))
	if l.Pauses.Count != 1 || l.Broken != 2 {
		t.Errorf("%d pauses, %d broken", l.Pauses.Count, l.Broken)
	}
}
