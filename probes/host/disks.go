package host

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/disk"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Disks reads the I/O counters of the devices under the log dirs.
var Disks = &probe.Probe{
	Name:    "host.disks",
	Doc:     "I/O counters of the block devices under the log dirs, from /proc/diskstats",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  []fact.Key{fact.DeviceReads, fact.DeviceWrites, fact.DeviceReadBytes, fact.DeviceWriteBytes, fact.DeviceReadSeconds, fact.DeviceWriteSeconds, fact.DeviceBusySeconds, fact.DeviceQueueSeconds},
	Observe: observeDisks,
}

func observeDisks(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	dirs := logDirs(t, "host.disks")
	if len(dirs) == 0 {
		return noDirs(t, deviceKeys)
	}
	names, err := devices(ctx, t, dirs)
	if len(names) == 0 && err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return Nowhere(deviceKeys, &fact.Unknown{Reason: fact.Absent, Detail: "no block device under the log dirs (tmpfs, network or overlay)"}), nil
	}
	t.Ledger.Note("open", t.Root+"/proc/diskstats", 0, 0)
	stats, err := disk.IOCountersWithContext(rooted(ctx, t), slices.Clone(names)...)
	if err != nil {
		return nil, fmt.Errorf("read disk counters: %w", err)
	}
	var seen []fact.Observation
	for _, name := range names {
		// A device that has done nothing yet is left out of stats: its
		// counters are the zeros that this lookup gives.
		c := stats[name]
		s := fact.Subject{Scope: fact.Device, Name: name}
		seen = append(seen,
			fact.DeviceReads.Is(s, float64(c.ReadCount)),
			fact.DeviceWrites.Is(s, float64(c.WriteCount)),
			fact.DeviceReadBytes.Is(s, float64(c.ReadBytes)),
			fact.DeviceWriteBytes.Is(s, float64(c.WriteBytes)),
			fact.DeviceReadSeconds.Is(s, milli(c.ReadTime)),
			fact.DeviceWriteSeconds.Is(s, milli(c.WriteTime)),
			fact.DeviceBusySeconds.Is(s, milli(c.IoTime)),
			fact.DeviceQueueSeconds.Is(s, milli(c.WeightedIO)))
	}
	return seen, nil
}

var deviceKeys = []fact.Key{fact.DeviceReads, fact.DeviceWrites, fact.DeviceReadBytes, fact.DeviceWriteBytes, fact.DeviceReadSeconds, fact.DeviceWriteSeconds, fact.DeviceBusySeconds, fact.DeviceQueueSeconds}

func milli(ms uint64) float64 { return float64(ms) / 1000 }

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
