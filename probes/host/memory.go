package host

import (
	"context"
	"os"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Memory reads what the host's memory holds beside what is available, and what
// goes to swap and comes back.
var Memory = &probe.Probe{
	Name:    "host.memory",
	Doc:     "page cache, swap, major faults and kills for want of memory, from /proc/meminfo and /proc/vmstat",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Yields:  keysOf(meminfo, vmstat),
	Observe: observeMemory,
}

var (
	meminfo = []figure{
		{"MemFree", fact.MemFree, 1}, {"Cached", fact.MemCached, 1}, {"Dirty", fact.MemDirty, 1}, {"Writeback", fact.MemWriteback, 1},
		{"SwapTotal", fact.SwapTotal, 1}, {"SwapFree", fact.SwapFree, 1},
	}

	page   = float64(os.Getpagesize())
	vmstat = []figure{
		{"pswpin", fact.SwapIn, page}, {"pswpout", fact.SwapOut, page},
		{"pgmajfault", fact.HostMajorFaults, 1}, {"oom_kill", fact.HostOOMKills, 1},
	}
)

func observeMemory(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	host := thisHost()
	var seen []fact.Observation
	for _, f := range []struct {
		name  string
		table []figure
	}{{"/proc/meminfo", meminfo}, {"/proc/vmstat", vmstat}} {
		seen = append(seen, figures(t, host, f.table, f.name, 1<<20, func(file []byte) (map[string]float64, error) {
			return ParseNumbers(f.name, file, f.table)
		})...)
	}
	return seen, nil
}
