package diagnose

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestClockOfOnePartition: how long is left by time, by size, by neither, and where
// it is over already.
func TestClockOfOnePartition(t *testing.T) {
	at := func(committed, start, end int64) offsets {
		return offsets{fact.GroupOffsets{Topic: []string{"orders"}, Partition: []int32{0}, Committed: []int64{committed}, LogStart: []int64{start}, LogEnd: []int64{end}, LastStable: []int64{end}}}
	}
	for name, c := range map[string]struct {
		keeps   retained
		now     offsets
		rate    float64
		seconds float64
		why     string
	}{
		"a day, an hour of it unread": {retained{seconds: 86400}, at(0, 0, 36000), 10, 82800, "retention.ms=1d"},
		"longer unread than kept":     {retained{seconds: 60}, at(0, 0, 36000), 10, 0, "retention.ms=1m"},
		"by size, begun to delete":    {retained{seconds: 86400, bytes: 1 << 30}, at(1000, 400, 9000), 10, 60, "retention.bytes=1.0 GiB"},
		"by size, not begun":          {retained{bytes: 1 << 30}, at(1000, 0, 9000), 10, 0, ""},
		"time before size":            {retained{seconds: 900, bytes: 1 << 30}, at(90000, 10, 98000), 10, 100, "retention.ms=15m"},
		"nothing comes":               {retained{seconds: 60}, at(0, 0, 36000), 0, 0, ""},
		"kept for ever":               {retained{}, at(0, 0, 36000), 10, 0, ""},
	} {
		if got := c.keeps.left(c.now, 0, c.rate); got.seconds != c.seconds || got.why != c.why {
			t.Errorf("%s: %+v, want %g by %q", name, got, c.seconds, c.why)
		}
	}
}

func TestSpell(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 40: "40s", 60: "1m", 90: "1m 30s", 3600: "1h", 3900: "1h 5m", 86400: "1d", 590000: "6d 19h", 1e300: "104166d 16h"} {
		if got := spell(seconds); got != want {
			t.Errorf("%g s is %q, want %q", seconds, got, want)
		}
	}
}
