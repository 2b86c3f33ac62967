package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Host reads processors and memory of the whole host.
var Host = &probe.Probe{
	Name:    "host.usage",
	Doc:     "CPU times and memory of this host, from /proc/stat and /proc/meminfo",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Yields:  []fact.Key{fact.CPUs, fact.CPUUser, fact.CPUSystem, fact.CPUIdle, fact.CPUIOWait, fact.CPUSteal, fact.MemTotal, fact.MemAvailable},
	Observe: observeHost,
}

func observeHost(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	ctx = rooted(ctx, t)
	host := thisHost()
	var seen []fact.Observation
	t.Ledger.Note("open", t.Root+"/proc/stat", 0, 0)
	times, cpuErr := cpu.TimesWithContext(ctx, false)
	if cpuErr == nil && len(times) == 0 {
		cpuErr = errors.New("no line for all processors together")
	}
	if cpuErr != nil {
		cpuErr = fmt.Errorf("read CPU times: %w", cpuErr)
	} else {
		// The kernel counts the time of guests in user and nice already.
		c := times[0]
		seen = append(seen,
			fact.CPUUser.Is(host, c.User+c.Nice),
			fact.CPUSystem.Is(host, c.System+c.Irq+c.Softirq),
			fact.CPUIdle.Is(host, c.Idle),
			fact.CPUIOWait.Is(host, c.Iowait),
			fact.CPUSteal.Is(host, c.Steal))
	}
	count, countErr := cpu.CountsWithContext(ctx, true)
	if countErr != nil {
		countErr = fmt.Errorf("count the processors: %w", countErr)
	} else {
		seen = append(seen, fact.CPUs.Is(host, float64(count)))
	}
	t.Ledger.Note("open", t.Root+"/proc/meminfo", 0, 0)
	memory, memErr := mem.VirtualMemoryWithContext(ctx)
	if memErr != nil {
		memErr = fmt.Errorf("read the memory's use: %w", memErr)
	} else {
		seen = append(seen, fact.MemTotal.Is(host, float64(memory.Total)), fact.MemAvailable.Is(host, float64(memory.Available)))
	}
	return seen, errors.Join(cpuErr, countErr, memErr)
}
