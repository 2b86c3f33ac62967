package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Pressure reads how long threads of this host waited for what.
var Pressure = &probe.Probe{
	Name:    "host.pressure",
	Doc:     "time that threads of this host waited for processors, I/O and memory, from /proc/pressure",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Yields:  keysOf(pressureCPU, pressureIO, pressureMem),
	Observe: observePressure,
}

// The kernel counts pressure in microseconds. That every thread waits for a
// processor cannot be, so there is no fact for it.
var (
	pressureCPU = []figure{{"some", fact.PressureCPU, 1e-6}}
	pressureIO  = []figure{{"some", fact.PressureIO, 1e-6}, {"full", fact.PressureIOFull, 1e-6}}
	pressureMem = []figure{{"some", fact.PressureMem, 1e-6}, {"full", fact.PressureMemFull, 1e-6}}
)

func observePressure(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	host := thisHost()
	var seen []fact.Observation
	for _, f := range []struct {
		name  string
		table []figure
	}{{"/proc/pressure/cpu", pressureCPU}, {"/proc/pressure/io", pressureIO}, {"/proc/pressure/memory", pressureMem}} {
		numbers, err := readPressure(t, t.Root+f.name)
		seen = append(seen, observe(host, f.table, f.name, numbers, err)...)
	}
	return seen, nil
}

// readPressure reads a file of pressure. Kernels before 4.20 have none, and some
// have it and do not count: the error then says how to have it counted.
func readPressure(t *probe.Target, name string) (map[string]float64, error) {
	file, err := t.ReadFile(name, 4<<10)
	if probe.Missing(err) || errors.Is(err, syscall.EOPNOTSUPP) {
		return nil, probe.Fail(fact.NotSupported, "this kernel does not count pressure", "boot with psi=1, Linux 4.20 or newer")
	}
	if err != nil {
		return nil, err
	}
	return ParsePressure(name, file)
}

// ParsePressure reads the totals, in microseconds, of a file of pressure stall
// information:
//
//	some avg10=2.99 avg60=4.13 avg300=5.01 total=153214237
//	full avg10=0.01 avg60=0.03 avg300=0.00 total=10594477
func ParsePressure(what string, file []byte) (map[string]float64, error) {
	numbers := map[string]float64{}
	n := 0
	for line := range bytes.Lines(file) {
		n++
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		total, ok := strings.CutPrefix(words[len(words)-1], "total=")
		v, err := strconv.ParseUint(total, 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s, line %d: expected total=MICROSECONDS at its end: %q", what, n, cut(words[len(words)-1], 40))
		}
		numbers[words[0]] = float64(v)
	}
	if _, ok := numbers["some"]; !ok {
		return nil, fmt.Errorf("%s: no line \"some\"", what)
	}
	return numbers, nil
}
