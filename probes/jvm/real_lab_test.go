//go:build lab || labmore

package jvm_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/jvm"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// broker is one real broker and how we look at it.
type broker struct {
	t      *testing.T
	c      *lab.Cluster
	home   string // of the JDK; "": that of the PATH
	target *probe.Target
}

// start starts a broker alone on the JDK at home, with flags of its JVM.
func start(t *testing.T, home string, flags ...string) *broker {
	t.Helper()
	c, err := lab.Start(t.Context(), lab.Options{Owner: "test", Shape: lab.Shape{Single: true, JDK: home, JVM: map[int32][]string{1: flags}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &broker{t, c, home, &probe.Target{PID: c.Node(1).PID()}}
}

// look finds the broker as ktriage does and runs every probe of the JVM.
func (b *broker) look() map[string]fact.Observation {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	if _, err := host.Brokers.Observe(ctx, b.target); err != nil {
		b.t.Fatal(err)
	}
	by := map[string]fact.Observation{}
	for _, p := range jvm.Probes {
		seen, err := p.Observe(ctx, b.target)
		if err != nil {
			b.t.Logf("%s: %v", p.Name, err) // what it says nothing of is unknown
		}
		for _, o := range seen {
			if o.Subject != fact.ProcessOf(1) {
				b.t.Errorf("%s: of %s", o.Key.Name, o.Subject)
			}
			by[o.Key.Name] = o
		}
	}
	return by
}

// tool runs a program of the JDK, or of that of the PATH where it has none.
func (b *broker) tool(name string, args ...string) string {
	b.t.Helper()
	path := filepath.Join(b.home, "bin", name)
	if _, err := os.Stat(path); err != nil {
		path = name
	}
	cmd := exec.CommandContext(b.t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

func (b *broker) pid() string { return strconv.Itoa(b.c.Node(1).PID()) }

// jstat is what jstat -gc prints, by column; a dash is left out.
func (b *broker) jstat() map[string]float64 {
	b.t.Helper()
	out := b.tool("jstat", "-gc", b.pid())
	lines := strings.Split(strings.TrimSpace(out), "\n")
	heads, values := strings.Fields(lines[0]), strings.Fields(lines[len(lines)-1])
	row := map[string]float64{}
	for i, h := range heads {
		if v, err := strconv.ParseFloat(values[i], 64); err == nil {
			row[h] = v
		}
	}
	if len(lines) != 2 || len(row) < 4 {
		b.t.Fatalf("jstat printed %q", out)
	}
	return row
}

// number is a value that must be known.
func (b *broker) number(by map[string]fact.Observation, key string) float64 {
	b.t.Helper()
	v, ok := by[key].Value.(float64)
	if !ok {
		b.t.Errorf("%s is unknown: %v", key, by[key].Because)
	}
	return v
}

var pauseLine = regexp.MustCompile(`(?m)GC\(\d+\) (?:[yYO]: )?Pause .* ([\d.]+)ms$`)

// pauses counts the pauses of the GC log, and their seconds.
func (b *broker) pauses() (count, seconds float64) {
	b.t.Helper()
	text, err := os.ReadFile(b.c.Node(1).GCLog())
	if err != nil {
		b.t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	for _, m := range pauseLine.FindAllSubmatch(text, -1) {
		ms, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			b.t.Fatal(err)
		}
		count, seconds = count+1, seconds+ms/1e3
	}
	return count, seconds
}

// agrees looks at the broker between two looks of jstat and of the GC log: what we
// see lies between what they say.
func (b *broker) agrees(collector string) map[string]fact.Observation {
	b.t.Helper()
	logged, paused := b.pauses()
	before := b.jstat()
	by := b.look()
	after := b.jstat()
	loggedThen, pausedThen := b.pauses()
	compared := 0
	for _, c := range []struct {
		key, column string
		slack       float64 // what jstat rounds away
	}{
		{"jvm.gc.young.count", "YGC", 0}, {"jvm.gc.young.seconds", "YGCT", 0.0006},
		{"jvm.gc.full.count", "FGC", 0}, {"jvm.gc.full.seconds", "FGCT", 0.0006},
		{"jvm.gc.concurrent.count", "CGC", 0}, {"jvm.gc.concurrent.seconds", "CGCT", 0.0006},
		{"jvm.old.used", "OU", 64}, {"jvm.metaspace.used", "MU", 64},
	} {
		low, printed := before[c.column]
		got, known := by[c.key].Value.(float64)
		high := after[c.column]
		if strings.HasSuffix(c.key, ".used") {
			low, high = 1024*min(low, high), 1024*max(low, high) // a collection between frees some
		}
		switch {
		case printed != known:
			b.t.Errorf("%s is known: %v; jstat has column %s: %v", c.key, known, c.column, printed)
		case known && (got < low-c.slack || got > high+c.slack):
			b.t.Errorf("%s: %v; jstat says %v before, %v after", c.key, got, low, high)
		case known:
			compared++
		}
	}
	if compared < 6 {
		b.t.Errorf("only %d columns of jstat were compared", compared)
	}
	if got := b.number(by, "jvm.gclog.pause.count"); got < logged || got > loggedThen || loggedThen == 0 {
		b.t.Errorf("%v pauses logged; the log has %v before, %v after", got, logged, loggedThen)
	}
	if got := b.number(by, "jvm.gclog.pause.seconds"); got < paused-1e-3 || got > pausedThen+1e-3 {
		b.t.Errorf("%v s of pauses logged; the log has %v before, %v after", got, paused, pausedThen)
	}
	if got := by["jvm.collector"].Value; got != collector {
		b.t.Errorf("collector %v, want %s", got, collector)
	}
	return by
}

// judge checks what a broker with a heap of 256 MiB says, makes it collect in full,
// and sees that.
func (b *broker) judge(collector string, major int) {
	b.t.Helper()
	ctx := b.t.Context()
	if err := b.c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 2, Replication: 1}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.c.Produce(ctx, "orders", 200, 300); err != nil {
		b.t.Fatal(err)
	}
	before := b.agrees(collector)
	version, _ := before["jvm.version"].Value.(string)
	if n, _ := strconv.Atoi(strings.SplitN(version, ".", 2)[0]); n < major {
		b.t.Errorf("version %q, want %d or later", version, major)
	}
	log, _ := before["jvm.gclog"].Value.(fact.GCLog)
	if log.Collector != collector || !strings.HasPrefix(log.JDK, version) || log.Broken != 0 {
		b.t.Errorf("the log is of %s on %s, %d broken records", log.Collector, log.JDK, log.Broken)
	}
	if got := b.number(before, "jvm.heap.max"); got < 256<<20 || got > 256<<20+8 {
		b.t.Errorf("the heap may have %v bytes", got)
	}
	if f, _ := before["jvm.flags"].Value.(fact.JVMFlags); f.MaxHeap != 256<<20 {
		b.t.Errorf("flags %+v", f)
	}
	b.roles()
	before = b.agrees(collector)

	b.tool("jcmd", b.pid(), "GC.run")
	after := b.agrees(collector)
	grown := func(key string) float64 { return b.number(after, key) - b.number(before, key) }
	if collector == "ZGC" { // which has no full collections
		if grown("jvm.gc.concurrent.count") < 1 || grown("jvm.gclog.pause.count") < 3 {
			b.t.Errorf("%v more cycles, %v more pauses", grown("jvm.gc.concurrent.count"), grown("jvm.gclog.pause.count"))
		}
		return
	}
	if grown("jvm.gc.full.count") != 1 || grown("jvm.gclog.full.count") != 1 || grown("jvm.gc.full.seconds") <= 0 {
		b.t.Errorf("%v more full collections, %v more in the log", grown("jvm.gc.full.count"), grown("jvm.gclog.full.count"))
	}
	if cause := after["jvm.gc.last-cause"].Value; cause != "Diagnostic Command" {
		b.t.Errorf("the last collection was because of %v", cause)
	}
	// The old generation after it is told by perf data; the log rounds to megabytes.
	perf, logged := b.number(after, "jvm.heap.after-gc"), b.number(after, "jvm.gclog.heap.after-full")
	if perf <= 0 || logged <= 0 || logged > perf+1<<20 {
		b.t.Errorf("after it %v bytes in use by perf data, %v by the log", perf, logged)
	}
}

// roles checks the threads that every broker has. Handlers are told from the
// network's threads by what they wait in, which a busy one does not do.
func (b *broker) roles() {
	b.t.Helper()
	var all []fact.ThreadRole
	count := func(role string) int {
		if i := slices.IndexFunc(all, func(r fact.ThreadRole) bool { return r.Role == role }); i >= 0 {
			return all[i].Count
		}
		return 0
	}
	for range 10 {
		all, _ = b.look()["jvm.threads.roles"].Value.([]fact.ThreadRole)
		if count("request-handler-or-network") == 0 {
			break
		}
	}
	// The JVM itself knows their whole names.
	dump := b.tool("jcmd", b.pid(), "Thread.print")
	named := func(re string) int { return len(regexp.MustCompile(`(?m)^"`+re).FindAllString(dump, -1)) }
	wantHandlers, wantNetwork := named(`[^"]*kafka-request-handler-`), named(`[^"]*kafka-(network-thread|socket-acceptor)-`)
	handlers, network, either := count("request-handler"), count("network"), count("request-handler-or-network")
	if handlers != wantHandlers || network != wantNetwork || either != 0 || handlers < 4 || network < 3 {
		b.t.Errorf("%d request handlers, %d of the network, %d of either; the JVM names %d and %d", handlers, network, either, wantHandlers, wantNetwork)
	}
	for _, role := range []string{"gc", "vm", "jit", "raft", "controller", "purgatory", "log-cleaner"} {
		if count(role) == 0 {
			b.t.Errorf("no thread of role %s in %+v", role, all)
		}
	}
}
