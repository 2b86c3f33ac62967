package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Load reads how much is to do on the host, and how often the processors turn
// from one thing to another.
var Load = &probe.Probe{
	Name:    "host.load",
	Doc:     "load, context switches, interrupts and run-queue delay of this host, from /proc/loadavg, /proc/stat and /proc/schedstat",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Yields:  append(keysOf(loads, activity), fact.RunQueueSeconds),
	Observe: observeLoad,
}

var (
	loads = []figure{{"1m", fact.Load1, 1}, {"5m", fact.Load5, 1}, {"15m", fact.Load15, 1}}

	activity = []figure{
		{"ctxt", fact.ContextSwitches, 1}, {"intr", fact.Interrupts, 1},
		{"procs_running", fact.ThreadsRunnable, 1}, {"procs_blocked", fact.ThreadsBlocked, 1},
	}
)

func observeLoad(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	host := thisHost()
	seen := figures(t, host, loads, "/proc/loadavg", 4<<10, ParseLoad)
	seen = append(seen, figures(t, host, activity, "/proc/stat", 16<<20, func(file []byte) (map[string]float64, error) {
		return ParseNumbers("/proc/stat", file, activity)
	})...)
	delay, err := read(t, "/proc/schedstat", 4<<20, ParseSchedstat)
	switch {
	case probe.Missing(err):
		seen = append(seen, fact.RunQueueSeconds.Unknown(host, &fact.Unknown{Reason: fact.NotSupported, Detail: "this kernel has no /proc/schedstat"}))
	case err != nil:
		seen = append(seen, fact.RunQueueSeconds.Unknown(host, probe.Because(err)))
	default:
		seen = append(seen, fact.RunQueueSeconds.Is(host, delay))
	}
	return seen, nil
}

// read reads a file of /proc or /sys of at most limit bytes and parses it.
func read[T any](t *probe.Target, name string, limit int64, parse func([]byte) (T, error)) (T, error) {
	file, err := t.ReadFile(t.Root+name, limit)
	if err != nil {
		var none T
		return none, err
	}
	return parse(file)
}

// figures reads a file and observes its figures on a subject.
func figures(t *probe.Target, s fact.Subject, table []figure, name string, limit int64, parse func([]byte) (map[string]float64, error)) []fact.Observation {
	numbers, err := read(t, name, limit, parse)
	return observe(s, table, name, numbers, err)
}

// ParseLoad reads /proc/loadavg:
//
//	0.23 0.94 1.79 2/94 30079
func ParseLoad(file []byte) (map[string]float64, error) {
	words := strings.Fields(string(file))
	if len(words) < 3 {
		return nil, fmt.Errorf("/proc/loadavg: expected three numbers: %q", cut(string(file), 40))
	}
	numbers := map[string]float64{}
	for i, f := range loads {
		v, err := strconv.ParseFloat(words[i], 64)
		if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, fmt.Errorf("/proc/loadavg, field %d: expected a number: %q", i+1, words[i])
		}
		numbers[f.name] = v
	}
	return numbers, nil
}

// ParseSchedstat reads the run-queue delay of all processors, in seconds, out of
// /proc/schedstat, in which the eighth number of each processor is nanoseconds:
//
//	version 17
//	cpu0 0 0 0 0 0 0 2202151452 154321457 41562
func ParseSchedstat(file []byte) (float64, error) {
	var total float64
	n, processors := 0, 0
	for line := range bytes.Lines(file) {
		n++
		if !bytes.HasPrefix(line, []byte("cpu")) {
			continue
		}
		words := strings.Fields(string(line))
		if len(words) < 10 {
			return 0, fmt.Errorf("/proc/schedstat, line %d: expected 9 numbers, there are %d", n, len(words)-1)
		}
		v, err := strconv.ParseUint(words[8], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/schedstat, line %d: field 9: expected a number: %q", n, words[8])
		}
		total += float64(v) / 1e9
		processors++
	}
	if processors == 0 {
		return 0, errors.New("/proc/schedstat: no line for any processor")
	}
	return total, nil
}
