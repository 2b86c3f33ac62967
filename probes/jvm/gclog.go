package jvm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/gclog"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// GCLog follows the GC log of each broker of this host, of those that died too.
var GCLog = &probe.Probe{
	Name:    "jvm.gclog",
	Doc:     "pauses with time, length and cause, and the heap after collections, from the GC logs that the JVMs' options name",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{host.Brokers},
	Yields:  gclogKeys,
	Observe: observeGCLog,
}

var gclogKeys = []fact.Key{
	fact.GCLogged, fact.GCRecent, fact.GCPauseCount, fact.GCPauseSeconds, fact.GCLoggedFull, fact.GCHumongousCount, fact.GCHumongousSeconds, fact.GCYoungLogged, fact.GCExplicitCount, fact.GCMetadataCount,
	fact.GCEvacuationFailures, fact.GCStallCount, fact.GCStallSeconds, fact.GCAllocated, fact.GCPromoted, fact.GCHeapAfter, fact.GCOldAfter, fact.GCHeapAfterFull,
}

// followed is the logs that are followed, by node id.
type followed struct {
	mu sync.Mutex
	of map[int32]*tail
}

type followedKey struct{}

// tail is where a broker's log has been read to: the beginning, when it is another
// one than before.
func (l *followed) tail(id int32, path string) *tail {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.of[id]
	if f == nil || f.path != path {
		f = &tail{path: path}
		l.of[id] = f
	}
	return f
}

func observeGCLog(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	logs := probe.Shared(t, followedKey{}, func() *followed { return &followed{of: map[int32]*tail{}} })
	return eachBroker(ctx, t, gclogKeys, func(ctx context.Context, s fact.Subject, b fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
		// A log on a dead network file system must not hold up the others.
		seen, err := probe.Within(ctx, t, "GC log of "+s.String(), func() ([]fact.Observation, error) {
			path, err := gcLogOf(t, b)
			if err != nil {
				return nil, err
			}
			f := logs.tail(b.NodeID, path)
			if err := f.advance(t); err != nil {
				return nil, err
			}
			return gclogFacts(s, f, startOf(t, b)), nil
		})
		if err != nil {
			return nil, probe.Because(err)
		}
		return seen, nil
	})
}

// gcLogOf is the GC log of a broker: what the operator names, what the options
// of its JVM name, or what Kafka's scripts would name.
func gcLogOf(t *probe.Target, b fact.LocalBroker) (string, error) {
	if t.GCLog != "" {
		return t.GCLog, nil
	}
	const how = "start the broker with Kafka's own -Xlog:gc*:file=… (kafka-run-class.sh -loggc), or name the file with --gc-log"
	var named []string
	hidden := "" // a path from the working directory of a process of another user
	if b.Running {
		o, err := optionsOf(t, b.PID)
		if err != nil && !probe.Missing(err) {
			return "", fmt.Errorf("find the GC log: %w", err)
		}
		cwd, err := os.Readlink(t.Proc(b.PID, "cwd"))
		inner := hsperf.InnerPID(t, b.PID)
		for _, path := range gcLogPaths(o.words) {
			if err != nil && !filepath.IsAbs(path) { // nor is it in ours
				hidden = cmp.Or(hidden, path)
				continue
			}
			named = append(named, t.PathOf(b.PID, gcLogFiles(path, cwd, inner)))
		}
	}
	candidates := slices.Clone(named)
	if b.LogsDir != "" {
		candidates = append(candidates, t.PathOf(b.PID, filepath.Join(b.LogsDir, "kafkaServer-gc.log")))
	}
	for _, path := range candidates {
		if found := newest(path); found != "" {
			return found, nil
		}
	}
	if hidden != "" {
		return "", probe.Fail(fact.NotAllowed, fmt.Sprintf("the GC log %s lies below the working directory of process %d, which this user may not see", hidden, b.PID), "run as the broker's user, or root; or name the file with --gc-log")
	}
	if len(named) > 0 {
		return "", probe.Fail(fact.Unreadable, fmt.Sprintf("no GC log %s, which the JVM's options name", named[0]), "look whether it was moved, or whether this user may list its directory")
	}
	return "", probe.Fail(fact.Absent, "the JVM writes no GC log", how)
}

// newest is the newest file that a path can mean: itself, a pattern of %t, or what
// JDK 8 adds to the name of the file that it writes when it rotates.
func newest(pattern string) string {
	var best string
	var at time.Time
	for _, p := range []string{pattern, pattern + ".[0-9].current", pattern + ".[0-9][0-9].current"} {
		names, err := filepath.Glob(p)
		if err != nil {
			continue
		}
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && (best == "" || info.ModTime().After(at)) {
				best, at = name, info.ModTime()
			} else if err != nil && errors.Is(err, os.ErrPermission) && best == "" {
				best = name // reading it will say so
			}
		}
	}
	return best
}

// startOf is when the process of a broker began; zero when it is not known.
func startOf(t *probe.Target, b fact.LocalBroker) time.Time {
	if !b.Running {
		return time.Time{}
	}
	stat, err := host.ReadStat(t, b.PID)
	if err != nil {
		return time.Time{}
	}
	return stat.Started(host.BootTime(t))
}

// gclogFacts is what a log tells so far. started dates pauses of logs that have
// uptimes alone.
func gclogFacts(s fact.Subject, f *tail, started time.Time) []fact.Observation {
	l := f.parser.Log()
	if l.Collector == "" {
		l.Collector = f.head.Collector
	}
	if l.JDK == "" {
		l.JDK = f.head.JDK
	}
	recent := fact.RecentGC{File: f.path, Since: l.From, Pauses: f.parser.Recent()}
	for i := range recent.Pauses {
		if p := &recent.Pauses[i]; p.At.IsZero() && p.Uptime != nil && !started.IsZero() {
			p.At = started.Add(time.Duration(*p.Uptime * float64(time.Second))).UTC()
		}
	}
	humongous, explicit, metadata := named(l.Causes, "G1 Humongous Allocation"), named(l.Causes, "System.gc()"), named(l.Causes, "Metadata GC Threshold")
	seen := []fact.Observation{
		fact.GCLogged.Is(s, l), fact.GCRecent.Is(s, recent),
		fact.GCPauseCount.Is(s, float64(l.Pauses.Count)), fact.GCPauseSeconds.Is(s, l.Pauses.Total), fact.GCLoggedFull.Is(s, float64(l.Full)),
		fact.GCHumongousCount.Is(s, float64(humongous.Count)), fact.GCHumongousSeconds.Is(s, humongous.Total),
		fact.GCYoungLogged.Is(s, float64(named(l.Kinds, gclog.Young).Count+named(l.Kinds, gclog.Mixed).Count)),
		fact.GCExplicitCount.Is(s, float64(explicit.Count)), fact.GCMetadataCount.Is(s, float64(metadata.Count)),
		fact.GCEvacuationFailures.Is(s, float64(l.Evac)), fact.GCStallCount.Is(s, float64(l.Stalls.Count)), fact.GCStallSeconds.Is(s, l.Stalls.Total),
		fact.GCAllocated.Is(s, l.Heap.Allocated), fact.GCPromoted.Is(s, l.Heap.Promoted),
	}
	return append(seen, logged(fact.GCHeapAfter, s, l.Heap.After, "no collection has been logged"),
		logged(fact.GCOldAfter, s, l.Heap.OldAfter, "no collection has been logged that tells the old generation (-Xlog:gc* does)"),
		logged(fact.GCHeapAfterFull, s, l.Heap.AfterFull, "no full collection has been logged"))
}

func logged(k fact.Of[float64], s fact.Subject, v *float64, otherwise string) fact.Observation {
	if v == nil {
		return k.Unknown(s, &fact.Unknown{Reason: fact.NotYet, Detail: otherwise})
	}
	return k.Is(s, *v)
}

func named(all []fact.GCShare, name string) fact.GCShare {
	if i := slices.IndexFunc(all, func(g fact.GCShare) bool { return g.Name == name }); i >= 0 {
		return all[i]
	}
	return fact.GCShare{}
}
