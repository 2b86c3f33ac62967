package host

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Disks reads the I/O counters of the devices under the log dirs, or takes what a
// captured iostat says of all devices in it.
var Disks = &probe.Probe{
	Name:    "host.disks",
	Doc:     "I/O counters of the block devices under the log dirs, from /proc/diskstats, or from --iostat-file",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  deviceKeys,
	Observe: observeDisks,
}

var deviceKeys = keysOf(deviceFigures)

var noDevice = &fact.Unknown{Reason: fact.Absent, Detail: "no block device under the log dirs (tmpfs, network or overlay)"}

func observeDisks(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	if t.Iostat != nil {
		return captured(t)
	}
	dirs := logDirs(t, "host.disks")
	if len(dirs) == 0 {
		return noDirs(t, deviceKeys)
	}
	names, err := devices(ctx, t, dirs)
	if len(names) == 0 && err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return Nowhere(deviceKeys, noDevice), nil
	}
	stats, err := read(t, "/proc/diskstats", 4<<20, ParseDiskstats)
	if err != nil {
		return nil, fmt.Errorf("read disk counters: %w", err)
	}
	var seen []fact.Observation
	for _, name := range names {
		s := fact.Subject{Scope: fact.Device, Name: name}
		numbers, ok := stats[name]
		if !ok {
			seen = append(seen, all(s, deviceKeys, &fact.Unknown{Reason: fact.Absent, Detail: "no line for " + name + " in /proc/diskstats"})...)
			continue
		}
		seen = append(seen, observe(s, deviceFigures, "/proc/diskstats", numbers, nil)...)
	}
	return seen, nil
}

// replay is a captured iostat and when it was first looked at.
type replay struct {
	rates map[string]map[string]float64
	err   error
	since time.Time
}

type replayKey struct{}

// captured makes counters of what iostat printed. It prints what happened in a
// second, so each counter is that times the seconds since the first look: over any
// window they grow as they grew when iostat ran.
func captured(t *probe.Target) ([]fact.Observation, error) {
	now := time.Now
	if t.Now != nil {
		now = t.Now
	}
	r := probe.Shared(t, replayKey{}, func() *replay {
		samples, err := ParseIostat(t.Iostat)
		return &replay{IostatRates(samples), err, now()}
	})
	if r.err != nil {
		return nil, r.err
	}
	seconds := now().Sub(r.since).Seconds()
	var seen []fact.Observation
	for _, name := range slices.Sorted(maps.Keys(r.rates)) {
		s := fact.Subject{Scope: fact.Device, Name: name}
		for _, f := range deviceFigures {
			perSecond, ok := r.rates[name][f.name]
			if !ok {
				seen = append(seen, f.key.Unknown(s, &fact.Unknown{Reason: fact.NotObserved, Detail: "the captured iostat does not tell " + f.name, How: "iostat -x"}))
				continue
			}
			seen = append(seen, f.key.Is(s, perSecond*seconds))
		}
	}
	return seen, nil
}

// devices is the names of the devices under the log dirs, sorted. A dir whose
// file system does not answer is left out: probe host.dirs says so. The error is
// that of the first such dir.
func devices(ctx context.Context, t *probe.Target, dirs []logDir) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	names, errs := make([]string, len(dirs)), make([]error, len(dirs))
	var wait sync.WaitGroup
	for i, d := range dirs {
		wait.Go(func() {
			path := t.PathOf(d.pid, d.path)
			m, err := probe.Within(ctx, t, "device of "+path, func() (fact.Mount, error) { return mountUnder(t, d, path) })
			names[i], errs[i] = m.Device, err
		})
	}
	wait.Wait()
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == "" }), cmp.Or(errs...)
}
