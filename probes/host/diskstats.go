package host

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// deviceFigures is what is known of a device, whether the kernel counted it or a
// captured iostat tells of it: in the units of the keys.
var deviceFigures = []figure{
	{"reads", fact.DeviceReads, 1}, {"writes", fact.DeviceWrites, 1},
	{"read bytes", fact.DeviceReadBytes, 1}, {"written bytes", fact.DeviceWriteBytes, 1},
	{"read seconds", fact.DeviceReadSeconds, 1}, {"write seconds", fact.DeviceWriteSeconds, 1},
	{"busy seconds", fact.DeviceBusySeconds, 1}, {"queue seconds", fact.DeviceQueueSeconds, 1},
	{"I/Os in flight", fact.DeviceInFlight, 1},
	{"discards", fact.DeviceDiscards, 1}, {"discard seconds", fact.DeviceDiscardSeconds, 1},
	{"flushes", fact.DeviceFlushes, 1}, {"flush seconds", fact.DeviceFlushSeconds, 1},
}

// diskColumns is the numbers of a line of /proc/diskstats after the device's name,
// and what makes units of the keys of them. The last two pairs came with Linux
// 4.18 and 5.5.
var diskColumns = []struct {
	name      string
	times, by float64
}{
	{"reads", 1, 1}, {}, {"read bytes", 512, 1}, {"read seconds", 1, 1000},
	{"writes", 1, 1}, {}, {"written bytes", 512, 1}, {"write seconds", 1, 1000},
	{"I/Os in flight", 1, 1}, {"busy seconds", 1, 1000}, {"queue seconds", 1, 1000},
	{"discards", 1, 1}, {}, {}, {"discard seconds", 1, 1000},
	{"flushes", 1, 1}, {"flush seconds", 1, 1000},
}

// ParseDiskstats reads /proc/diskstats, device by device:
//
//	254 0 vda 112793 12590 6175190 320982 376894 40909 11608768 438048 0 171316 838013 21653 44 3510104 16079 159277 62902
func ParseDiskstats(file []byte) (map[string]map[string]float64, error) {
	all := map[string]map[string]float64{}
	n := 0
	for line := range bytes.Lines(file) {
		n++
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		const least = 11
		if len(words) < 3+least {
			if len(words) == 7 { // a partition, before Linux 2.6.25
				continue
			}
			return nil, fmt.Errorf("/proc/diskstats, line %d: expected %d numbers after a device's name, there are %d", n, least, max(len(words)-3, 0))
		}
		numbers := map[string]float64{}
		for i, c := range diskColumns[:min(len(diskColumns), len(words)-3)] {
			if c.name == "" {
				continue
			}
			v, err := strconv.ParseUint(words[3+i], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("/proc/diskstats, line %d: %s: expected a number: %q", n, c.name, words[3+i])
			}
			numbers[c.name] = float64(v) * c.times / c.by
		}
		all[words[2]] = numbers
	}
	return all, nil
}
