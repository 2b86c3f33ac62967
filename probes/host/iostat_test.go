package host

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// What older versions of sysstat print, after their sources: 9 and 10.0 with one
// await, 10 and 11 with r_await, w_await and svctm.
const (
	iostat9 = `Linux 2.6.32-754.el6.x86_64 (broker1) 	11/25/2026 	_x86_64_	(4 CPU)

Time: 03:12:07 AM
avg-cpu:  %user   %nice %system %iowait  %steal   %idle
           1.00    0.00    1.00   20.00    0.00   78.00

Device:         rrqm/s   wrqm/s     r/s     w/s   rsec/s   wsec/s avgrq-sz avgqu-sz   await  svctm  %util
sda               0.00    10.00    10.00   30.00   200.00  4000.00   105.00     6.00  150.00   2.00  95.00
`
	iostat11 = `Linux 3.10.0-1160.el7.x86_64 (broker1)	25.11.2026	_x86_64_	(4 CPU)

25.11.2026 03:12:07
Device:         rrqm/s   wrqm/s     r/s     w/s    rMB/s    wMB/s avgrq-sz avgqu-sz   await r_await w_await  svctm  %util
sda               0,00    10,00    10,00   30,00     1,00     2,00   153,60     6,00  115,00   10,00  150,00   2,00  95,00
dm-0              0,00     0,00     0,00   40,00     0,00     2,00   102,40     6,00  150,00    0,00  150,00   2,00  94,00

25.11.2026 03:12:08
Device:         rrqm/s   wrqm/s     r/s     w/s    rMB/s    wMB/s avgrq-sz avgqu-sz   await r_await w_await  svctm  %util
sda               0,00    10,00    20,00   10,00     1,00     2,00   153,60     6,00  115,00   10,00   50,00   2,00  85,00
^C
`
)

func TestIostat(t *testing.T) {
	for _, c := range []struct {
		name, text, device string
		samples            int
		want               map[string]float64
	}{
		{"sysstat 12, -x 1 2", string(fixture(t, "iostat-x.txt")), "vda", 2, map[string]float64{
			"reads": 6, "writes": 26, "read bytes": 68 << 10, "written bytes": 452 << 10, "read seconds": 6 * 0.0005, "write seconds": 26 * 0.00023,
			"busy seconds": 0.008, "queue seconds": 0.01, "discards": 6, "discard seconds": 6 * 0.00033, "flushes": 8, "flush seconds": 8 * 0.00038}},
		{"sysstat 12, -xdk 1 2", string(fixture(t, "iostat-xdk.txt")), "vda", 2, map[string]float64{"reads": 0, "writes": 16.83, "busy seconds": 0.004}},
		{"sysstat 9, one await", iostat9, "sda", 1, map[string]float64{
			"reads": 10, "writes": 30, "read bytes": 102400, "written bytes": 2048000, "read seconds": 1.5, "write seconds": 4.5, "busy seconds": 0.95, "queue seconds": 6}},
		{"sysstat 11, -xmt, German", iostat11, "sda", 2, map[string]float64{"reads": 20, "writes": 10, "read bytes": 1 << 20, "read seconds": 0.2, "write seconds": 0.5, "busy seconds": 0.85}},
		{"-d without -x", string(fixture(t, "iostat-dkty.txt")), "vda", 2, map[string]float64{"read bytes": -1, "written bytes": -1}},
		{"-xmt with ISO times", string(fixture(t, "iostat-xmt.txt")), "vda", 2, map[string]float64{"reads": -1, "written bytes": -1, "queue seconds": -1}},
		{"-o JSON", string(fixture(t, "iostat-x.json")), "vda", 2, map[string]float64{"reads": -1, "write seconds": -1, "busy seconds": -1, "flushes": -1}},
	} {
		samples, err := ParseIostat([]byte(c.text))
		if err != nil || len(samples) != c.samples {
			t.Errorf("%s: %d samples, error %v", c.name, len(samples), err)
			continue
		}
		got := IostatRates(samples)[c.device]
		for what, want := range c.want { // -1: any
			if v, ok := got[what]; !ok || want >= 0 && math.Abs(v-want) > 1e-9 {
				t.Errorf("%s: %s: %v (known: %v), want %v", c.name, what, v, ok, want)
			}
		}
	}
	// A device that the last sample leaves out did nothing then.
	samples, _ := ParseIostat([]byte(iostat11 + "\nDevice:  r/s  w/s\nsda  0,00 0,00\n"))
	if got := IostatRates(samples)["sda"]["reads"]; got != 10 {
		t.Errorf("mean of 20 and 0 is %v", got)
	}
}

func TestIostatLinesThatDoNotFit(t *testing.T) {
	for text, want := range map[string]string{
		"": "no line begins with Device", "free -m\n": "no line begins with Device",
		"\nDevice r/s w/s\nsda 1.0\n":                                 "line 3: expected a device and 2 numbers for the columns of its table, there are 1",
		"Device r/s\nsda much\n":                                      `line 2: column r/s of sda: expected a number: "much"`,
		"Device r/s\nsda -1\n":                                        "line 2",
		"Device r/s\nsda 1\n\nsegfault at 0\n":                        "line 4: expected a time, avg-cpu or Device",
		"{\"sysstat\":\n{\"hosts\": [}}":                              "line 2",
		`{"sysstat":{"hosts":[]}}`:                                    "no statistics",
		`{"sysstat":{"hosts":[{"statistics":[{"disk":[{"a":1}]}]}]}}`: "disk 1: expected a disk_device",
	} {
		if _, err := ParseIostat([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

// Whatever time passes between two looks, the counters grow as iostat said.
func TestCapturedIostatBecomesCounters(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	target := &probe.Target{Iostat: []byte(iostat9), Now: func() time.Time { return now }}
	if _, err := look(t, Disks, target); err != nil {
		t.Fatal(err)
	}
	now = now.Add(7 * time.Second)
	seen, err := look(t, Disks, target)
	if err != nil || len(seen) != len(Disks.Yields) {
		t.Fatalf("%d observations, error %v", len(seen), err)
	}
	ios := number(t, seen, "host.device.reads on device sda") + number(t, seen, "host.device.writes on device sda")
	waited := number(t, seen, "host.device.read.seconds on device sda") + number(t, seen, "host.device.write.seconds on device sda")
	if ios != 7*40 || math.Abs(waited/ios-0.15) > 1e-9 {
		t.Errorf("%v I/Os in 7 s took %v s each, want 280 and 0.15", ios, waited/ios)
	}
	if o := seen["host.device.flushes on device sda"]; o.Because == nil || o.Because.Reason != fact.NotObserved {
		t.Errorf("flushes, of which it says nothing: %+v", o)
	}
}

func FuzzIostat(f *testing.F) {
	for _, name := range []string{"iostat-x.txt", "iostat-dkty.txt", "iostat-x.json"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte(iostat9))
	f.Add([]byte(iostat11))
	f.Fuzz(func(t *testing.T, text []byte) {
		samples, err := ParseIostat(text)
		if err != nil {
			return
		}
		for _, row := range IostatRates(samples) {
			for what, v := range row {
				if v < 0 || math.IsNaN(v) {
					t.Fatalf("%s: %v", what, v)
				}
			}
		}
	})
}

func TestParseDiskstats(t *testing.T) {
	all, err := ParseDiskstats([]byte("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n254 0 vda " + strings.Repeat("1000 ", 17) + "\n\n"))
	if err != nil || len(all) != 2 || all["sda"]["reads"] != 1 || all["sda"]["I/Os in flight"] != 9 || all["vda"]["flush seconds"] != 1 {
		t.Errorf("%v, error %v", all, err)
	}
	if _, ok := all["sda"]["discards"]; ok {
		t.Error("an old kernel counts discards")
	}
	for text, want := range map[string]string{"8 0 sda 1 2\n": "line 1: expected 11 numbers", "\n8 0 sda x 2 3 4 5 6 7 8 9 10 11": "line 2: reads: expected a number"} {
		if _, err := ParseDiskstats([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func FuzzParseDiskstats(f *testing.F) {
	f.Add(fixture(f, "proc-diskstats.txt"))
	f.Fuzz(func(t *testing.T, file []byte) { ParseDiskstats(file) })
}
