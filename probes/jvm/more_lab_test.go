//go:build labmore

package jvm_test

import (
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/lab"
)

// TestLabCollectors: the other collectors of JDK 25 under a real broker.
func TestLabCollectors(t *testing.T) {
	home := lab.JDK(25)
	if home == "" {
		t.Fatal("no JDK 25 or later in /usr/lib/jvm")
	}
	for flag, collector := range map[string]string{"-XX:+UseZGC": "ZGC", "-XX:+UseParallelGC": "Parallel"} {
		t.Run(collector, func(t *testing.T) { start(t, home, flag).judge(collector, 25) })
	}
}

// TestLabWithoutPerfData: of a broker that writes no perf data the GC log tells.
func TestLabWithoutPerfData(t *testing.T) {
	b := start(t, "", "-XX:-UsePerfData")
	before := b.look()
	if o := before["jvm.heap.used"]; o.Because == nil || o.Because.Reason != fact.NotSupported || !strings.Contains(o.Because.How, "GC log") {
		t.Errorf("%v, unknown because %v", o.Value, o.Because)
	}
	b.tool("jcmd", b.pid(), "GC.run")
	logged, paused := b.pauses()
	after := b.look()
	loggedThen, pausedThen := b.pauses()
	if got := b.number(after, "jvm.gclog.pause.count"); got < logged || got > loggedThen || logged == 0 {
		t.Errorf("%v pauses; the log has %v before, %v after", got, logged, loggedThen)
	}
	if got := b.number(after, "jvm.gclog.pause.seconds"); got < paused-1e-3 || got > pausedThen+1e-3 {
		t.Errorf("%v s of pauses; the log has %v before, %v after", got, paused, pausedThen)
	}
	if n := b.number(after, "jvm.gclog.full.count") - b.number(before, "jvm.gclog.full.count"); n != 1 {
		t.Errorf("%v more full collections", n)
	}
	old, heap := b.number(after, "jvm.gclog.old.after"), b.number(after, "jvm.gclog.heap.after-full")
	if old <= 0 || heap <= 0 || old > 256<<20 {
		t.Errorf("after it %v bytes of old generation, %v in all", old, heap)
	}
	if all, _ := after["jvm.threads.roles"].Value.([]fact.ThreadRole); len(all) < 8 {
		t.Errorf("threads %+v", all)
	}
}
