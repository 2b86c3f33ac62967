// Package jvm reads what the brokers' JVMs tell of themselves without being
// asked: perf data files, GC logs, their options, their threads in /proc; or what
// jstat printed elsewhere. No attach, no signal, no second JVM.
package jvm

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// Probes is the probes of this package.
var Probes = []*probe.Probe{Perf, Flags, GCLog, Threads}

// readings are spread over span: a heap that is sampled once shows where in its
// saw-tooth it happens to be, many times how low it comes.
const (
	readings = 18
	span     = 900 * time.Millisecond
)

// Perf reads the perf data of each broker that runs here.
var Perf = &probe.Probe{
	Name:    "jvm.perf",
	Doc:     "collections, pauses and heap of the brokers' JVMs, from /tmp/hsperfdata_USER/PID",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{host.Brokers},
	Yields:  slices.Concat(keys, moreKeys, capturedKeys),
	Observe: observe,
}

var keys = []fact.Key{
	fact.JVMVersion, fact.JVMCollector, fact.JVMStarted, fact.JVMGCCause,
	fact.GCYoungCount, fact.GCYoungSeconds, fact.GCFullCount, fact.GCFullSeconds, fact.GCConcurrentCount, fact.GCConcurrentSeconds, fact.SafepointSeconds,
	fact.HeapUsed, fact.HeapMax, fact.OldUsed, fact.OldMax, fact.HeapLow,
}

func observe(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	if len(t.Jstat) > 0 {
		return captured(t)
	}
	return eachBroker(ctx, t, slices.Concat(keys, moreKeys, capturedKeys), living(func(ctx context.Context, s fact.Subject, b fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
		return observeOne(ctx, t, s, b)
	}))
}

// observeOne is what one JVM tells, or why it tells nothing.
func observeOne(ctx context.Context, t *probe.Target, s fact.Subject, b fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
	f, err := find(t, b.PID)
	if err != nil {
		return nil, probe.Because(err)
	}
	defer f.Close()
	all, err := watch(ctx, f)
	if err != nil {
		return nil, because(err)
	}
	last, ended := all[len(all)-1], noteAll(t, b.PID, all)
	return slices.Concat(facts(s, last, lowest(all)), more(s, last), unknown(capturedKeys, s, ofJstat), ended.facts(s, string(last.Collector()))), nil
}

// unread is the error of the JVMs that told nothing though there is something to
// tell.
func unread(reasons []*fact.Unknown) error {
	silent := slices.DeleteFunc(slices.Clone(reasons), func(u *fact.Unknown) bool { return u == nil || u.Reason == fact.Absent })
	if len(silent) == 0 {
		return nil
	}
	u := *silent[0]
	u.Detail = fmt.Sprintf("%d of %d JVMs told nothing: %s", len(silent), len(reasons), u.Detail)
	return &probe.Error{Unknown: &u}
}

// watch reads the file again and again; there is at least one reading.
func watch(ctx context.Context, f *hsperf.File) ([]*hsperf.Data, error) {
	pause := span / (readings - 1)
	if end, bounded := ctx.Deadline(); bounded {
		pause = max(0, min(pause, time.Until(end)/(2*readings)))
	}
	var all []*hsperf.Data
	for i := range readings {
		if i > 0 {
			select {
			case <-ctx.Done():
				return all, nil
			case <-time.After(pause):
			}
		}
		d, err := f.Read()
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// lowest is the least heap in use of all readings, -1 where it is not told.
func lowest(all []*hsperf.Data) int64 {
	low := int64(-1)
	for _, d := range all {
		if used := d.Heap().Used; used >= 0 && (low < 0 || used < low) {
			low = used
		}
	}
	return low
}
