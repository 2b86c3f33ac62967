package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// IostatSample is one table of iostat: of each device what the columns say.
type IostatSample map[string]map[string]float64

// ParseIostat reads what iostat of sysstat 9 to 12 printed, with or without -x, -k,
// -m, -t, -y, -z, -N and -p, with points or commas in its numbers, or with -o JSON:
// a sample for each of its tables. A line that does not fit is an error that
// names it.
func ParseIostat(text []byte) ([]IostatSample, error) {
	if trimmed := strings.TrimSpace(string(text)); strings.HasPrefix(trimmed, "{") {
		return parseIostatJSON(text)
	}
	var p iostatText
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if err := p.line(strings.TrimRight(line, " \t\r\n")); err != nil {
			return nil, fmt.Errorf("iostat, line %d: %w", n, err)
		}
	}
	if len(p.samples) == 0 {
		return nil, errors.New("iostat: no line begins with Device: expected the output of iostat -x")
	}
	return p.samples, nil
}

// iostatText is where in the text of iostat a line stands.
type iostatText struct {
	samples []IostatSample
	columns []string // of the table that the line is in; nil: of none
	cpu     bool     // the next line is that of the processors
}

func (p *iostatText) line(line string) error {
	words := strings.Fields(line)
	switch {
	case len(words) == 0, strings.HasPrefix(words[0], "^C"):
		p.columns = nil
		return nil
	case strings.TrimSuffix(words[0], ":") == "Device" && len(words) > 1:
		p.columns, p.cpu = words[1:], false
		p.samples = append(p.samples, IostatSample{})
		return nil
	case words[0] == "avg-cpu:":
		p.columns, p.cpu = nil, true
		return nil
	case p.columns != nil:
		return p.device(words)
	case p.cpu:
		p.cpu = false
		return nil
	case len(p.samples) == 0 || words[0] == "Linux" || isTime(words):
		return nil // what stands before the first table is a banner, or how it was called
	}
	return fmt.Errorf("expected a time, avg-cpu or Device: %q", cut(line, 60))
}

// device reads a line of a table.
func (p *iostatText) device(words []string) error {
	if len(words) != len(p.columns)+1 {
		return fmt.Errorf("expected a device and %d numbers for the columns of its table, there are %d", len(p.columns), len(words)-1)
	}
	row := map[string]float64{}
	for i, column := range p.columns {
		v, err := strconv.ParseFloat(strings.Replace(words[i+1], ",", ".", 1), 64)
		if err != nil || v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("column %s of %s: expected a number: %q", column, cut(words[0], 40), cut(words[i+1], 40))
		}
		row[strings.TrimPrefix(column, "%")] = v
	}
	p.samples[len(p.samples)-1][words[0]] = row
	return nil
}

// isTime says whether a line is that of iostat -t: "11/25/26 04:00:12",
// "2026-11-25T04:00:12+0000", "Time: 04:00:12 AM".
func isTime(words []string) bool {
	digits := 0
	for _, c := range strings.Join(words, "") {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	return digits >= 6 && len(words) <= 4 && strings.Contains(strings.Join(words, " "), ":")
}

// parseIostatJSON reads what iostat -o JSON printed.
func parseIostatJSON(text []byte) ([]IostatSample, error) {
	var all struct {
		Sysstat struct {
			Hosts []struct {
				Statistics []struct {
					Disk []map[string]any `json:"disk"`
				} `json:"statistics"`
			} `json:"hosts"`
		} `json:"sysstat"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		var at *json.SyntaxError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("iostat, line %d: %w", 1+strings.Count(string(text[:min(at.Offset, int64(len(text)))]), "\n"), err)
		}
		return nil, fmt.Errorf("iostat: %w", err)
	}
	var samples []IostatSample
	for _, h := range all.Sysstat.Hosts {
		for i, s := range h.Statistics {
			sample := IostatSample{}
			for j, d := range s.Disk {
				name, ok := d["disk_device"].(string)
				if !ok {
					return nil, fmt.Errorf("iostat: statistics %d, disk %d: expected a disk_device", i+1, j+1)
				}
				row := map[string]float64{}
				for column, v := range d {
					if number, ok := v.(float64); ok && number >= 0 {
						row[column] = number
					}
				}
				sample[name] = row
			}
			samples = append(samples, sample)
		}
	}
	if len(samples) == 0 {
		return nil, errors.New("iostat: no statistics in it: expected the output of iostat -x -o JSON")
	}
	return samples, nil
}

// IostatRates is what each device did in a second, under the names of
// deviceFigures. The first sample speaks of the time since the host started, so
// with several it is left out (with -y it does not, and one of several is lost).
func IostatRates(samples []IostatSample) map[string]map[string]float64 {
	if len(samples) > 1 {
		samples = samples[1:]
	}
	all := map[string]map[string]float64{}
	for _, sample := range samples {
		for device, row := range sample {
			sum := all[device]
			if sum == nil {
				sum = map[string]float64{}
				all[device] = sum
			}
			for name, v := range perSecond(row) {
				// A device that a sample does not name (-z) did nothing then.
				sum[name] += v / float64(len(samples))
			}
		}
	}
	return all
}

// perSecond translates the columns of a row.
func perSecond(row map[string]float64) map[string]float64 {
	out := map[string]float64{}
	first := func(name string, scale map[string]float64, columns ...string) {
		for _, c := range columns {
			if v, ok := row[c]; ok {
				out[name] = v * scale[c]
				return
			}
		}
	}
	one := func(name, column string, scale float64) { first(name, map[string]float64{column: scale}, column) }
	one("reads", "r/s", 1)
	one("writes", "w/s", 1)
	one("discards", "d/s", 1)
	one("flushes", "f/s", 1)
	one("busy seconds", "util", 0.01)
	first("queue seconds", map[string]float64{"aqu-sz": 1, "avgqu-sz": 1}, "aqu-sz", "avgqu-sz")
	const kib, mib, sector = 1 << 10, 1 << 20, 512
	first("read bytes", map[string]float64{"rkB/s": kib, "rMB/s": mib, "rsec/s": sector, "kB_read/s": kib, "MB_read/s": mib, "Blk_read/s": sector},
		"rkB/s", "rMB/s", "rsec/s", "kB_read/s", "MB_read/s", "Blk_read/s")
	first("written bytes", map[string]float64{"wkB/s": kib, "wMB/s": mib, "wsec/s": sector, "kB_wrtn/s": kib, "MB_wrtn/s": mib, "Blk_wrtn/s": sector},
		"wkB/s", "wMB/s", "wsec/s", "kB_wrtn/s", "MB_wrtn/s", "Blk_wrtn/s")
	for _, kind := range []struct{ ios, seconds, column string }{
		{"reads", "read seconds", "r_await"}, {"writes", "write seconds", "w_await"}, {"discards", "discard seconds", "d_await"}, {"flushes", "flush seconds", "f_await"},
	} {
		wait, ok := row[kind.column]
		if !ok && (kind.ios == "reads" || kind.ios == "writes") {
			wait, ok = row["await"] // of both kinds together, before sysstat 10.0.2
		}
		if n, counted := out[kind.ios]; ok && counted {
			out[kind.seconds] = n * wait / 1000
		}
	}
	return out
}
