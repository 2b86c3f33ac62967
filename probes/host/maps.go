package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Maps counts the memory maps of each broker. The kernel writes a line for each
// and holds a lock of the process meanwhile, so this is not asked often.
var Maps = &probe.Probe{
	Name:    "host.process.maps",
	Doc:     "memory maps of the brokers' processes, counted in /proc/PID/maps, and their limit",
	Cost:    probe.Free,
	Every:   15 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  []fact.Key{fact.ProcessMaps, fact.MapsLimit},
	Observe: observeMaps,
}

func observeMaps(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	seen, err := eachProcess(t, []fact.Key{fact.ProcessMaps}, func(s fact.Subject, b fact.LocalBroker) []fact.Observation {
		name := t.Proc(b.PID, "maps")
		n, err := probe.Within(ctx, t, "read "+name, func() (int, error) { return countMaps(ctx, t, name) })
		if err != nil {
			return all(s, []fact.Key{fact.ProcessMaps}, probe.Because(fmt.Errorf("count the maps: %w", err)))
		}
		return []fact.Observation{fact.ProcessMaps.Is(s, float64(n))}
	})
	limit, bad := read(t, "/proc/sys/vm/max_map_count", 4<<10, func(file []byte) (float64, error) {
		return parseNumber("vm.max_map_count", file)
	})
	if bad != nil {
		return append(seen, fact.MapsLimit.Unknown(thisHost(), probe.Because(bad))), err
	}
	return append(seen, fact.MapsLimit.Is(thisHost(), limit)), err
}

// countMaps counts the lines of a file that may have a million of them.
func countMaps(ctx context.Context, t *probe.Target, name string) (int, error) {
	begin := time.Now()
	f, err := t.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var total int64
	lines := 0
	buf := make([]byte, 64<<10)
	for ctx.Err() == nil {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte("\n"))
		total += int64(n)
		if err == io.EOF {
			t.Ledger.Note("read", name, total, time.Since(begin))
			if lines == 0 { // no process is without any
				return 0, fmt.Errorf("read %s: %w: it is empty", name, fs.ErrPermission)
			}
			return lines, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, ctx.Err()
}
