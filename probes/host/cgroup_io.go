package host

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

func (l *limits) io(c cgroup, err error) {
	byDevice := map[string]*fact.IOLimit{}
	if err == nil {
		for _, dir := range c.chain() {
			err = errors.Join(err, l.ioOf(dir, c.v2, byDevice))
		}
	}
	if err != nil {
		l.unknown(err, fact.CgroupIOLimits)
		return
	}
	limits := []fact.IOLimit{}
	for number, limit := range byDevice {
		limit.Device = number
		if link, err := os.Readlink(l.t.Root + "/sys/dev/block/" + number); err == nil {
			limit.Device = filepath.Base(link)
		}
		limits = append(limits, *limit)
	}
	slices.SortFunc(limits, func(a, b fact.IOLimit) int { return strings.Compare(a.Device, b.Device) })
	l.add(fact.CgroupIOLimits.Is(l.s, limits))
}

// ioOf adds what one directory limits.
func (l *limits) ioOf(dir string, v2 bool, byDevice map[string]*fact.IOLimit) error {
	files := map[string]string{"io.max": ""}
	if !v2 {
		files = map[string]string{"blkio.throttle.read_bps_device": "rbps", "blkio.throttle.write_bps_device": "wbps",
			"blkio.throttle.read_iops_device": "riops", "blkio.throttle.write_iops_device": "wiops"}
	}
	for name, what := range files {
		file, err := l.t.ReadFile(path.Join(dir, name), 64<<10)
		if probe.Missing(err) {
			continue
		}
		if err == nil {
			err = ParseIOLimits(path.Join(dir, name), what, file, byDevice)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ParseIOLimits reads io.max of cgroup v2, or a throttle file of v1, whose numbers
// are all of the kind what. A limit already there stays if it is lower.
//
//	8:16 rbps=2097152 wbps=max riops=max wiops=120
//	7:0 1048576
func ParseIOLimits(file, what string, text []byte, byDevice map[string]*fact.IOLimit) error {
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		for _, word := range words[1:] {
			kind, value, named := strings.Cut(word, "=")
			if !named {
				kind, value = what, word
			}
			if value == "max" {
				continue
			}
			v, err := strconv.ParseUint(value, 10, 64)
			if err != nil || kind == "" {
				return fmt.Errorf("%s, line %d: expected a limit: %q", file, n, cut(word, 40))
			}
			lower(byDevice, words[0], kind, float64(v))
		}
	}
	return nil
}

func lower(byDevice map[string]*fact.IOLimit, device, kind string, v float64) {
	l := byDevice[device]
	if l == nil {
		l = &fact.IOLimit{}
	}
	at := map[string]*float64{"rbps": &l.ReadBytes, "wbps": &l.WriteBytes, "riops": &l.Reads, "wiops": &l.Writes}[kind]
	if at == nil {
		return // a kind that later kernels have
	}
	if *at == 0 || v < *at {
		*at = v
	}
	byDevice[device] = l
}
