package host

import (
	"context"
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// ProcessIO reads what each broker's process read and wrote, how much of it came
// from disks, and what of the process is in swap.
var ProcessIO = &probe.Probe{
	Name:    "host.process.io",
	Doc:     "bytes read and written by the brokers' processes, from page cache and from disks, and their swap, from /proc/PID/io and status",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  keysOf(processIO, processStatus),
	Observe: observeProcessIO,
}

var (
	processIO = []figure{
		{"rchar", fact.ProcessReadChars, 1}, {"wchar", fact.ProcessWriteChars, 1},
		{"read_bytes", fact.ProcessReadBytes, 1}, {"write_bytes", fact.ProcessWriteBytes, 1},
	}
	processStatus = []figure{{"VmSwap", fact.ProcessSwap, 1}}
)

func observeProcessIO(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	return eachProcess(t, keysOf(processIO, processStatus), func(s fact.Subject, b fact.LocalBroker) []fact.Observation {
		var seen []fact.Observation
		for _, f := range []struct {
			name  string
			table []figure
		}{{"io", processIO}, {"status", processStatus}} {
			var numbers map[string]float64
			name := t.Proc(b.PID, f.name)
			file, err := t.ReadFile(name, 64<<10)
			if err == nil {
				numbers, err = ParseNumbers(f.name, file, f.table)
			}
			if err != nil {
				err = fmt.Errorf("process %d: %w", b.PID, err)
			}
			seen = append(seen, observe(s, f.table, f.name, numbers, err)...)
		}
		return seen
	})
}
