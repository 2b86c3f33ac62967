// Package polite reads large files of a running broker so that it does not
// notice: at a limited rate, with the page cache left as it was found.
package polite

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

const (
	pressureHigh  = 40.0            // percent of the last 10 s in which something waited for I/O: pause
	pressureLow   = 20.0            // go on
	longestPause  = 5 * time.Second // then some is read all the same: the pressure may be our own
	betweenLooks  = time.Second
	burst         = 100 * time.Millisecond // what may be read at once after a wait
	pressureBytes = 4 << 10
)

// Pace holds reading to a rate, for all files that share it. The zero value, and
// nil, do not limit anything.
type Pace struct {
	target *probe.Target
	rate   float64 // bytes a second
	mu     sync.Mutex
	free   time.Time // when what was granted will have been paid for
	looked time.Time
	held   time.Time // until when I/O pressure holds reading back
	since  time.Time // from when on it has, without a break
	read   atomic.Int64
}

// NewPace is a pace of so many bytes a second that pauses while the host waits
// for I/O much; with 0 neither.
func NewPace(t *probe.Target, bytesPerSecond int64) *Pace {
	return &Pace{target: t, rate: float64(bytesPerSecond)}
}

// Read is how many bytes have been granted so far.
func (p *Pace) Read() int64 {
	if p == nil {
		return 0
	}
	return p.read.Load()
}

// Paused says whether I/O pressure holds reading back now.
func (p *Pace) Paused(now time.Time) bool {
	if p == nil || p.rate == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.held)
}

// Wait grants n bytes when it is time, and fails at once when the context ends.
func (p *Pace) Wait(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil || p == nil {
		return err
	}
	p.read.Add(int64(n))
	if p.rate <= 0 {
		return nil
	}
	wait := p.reserve(time.Now(), n)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve is how long the reader of n bytes has to wait first.
func (p *Pace) reserve(now time.Time, n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.looked) >= betweenLooks {
		p.looked = now
		p.press(now)
	}
	if early := now.Add(-burst); p.free.Before(early) {
		p.free = early
	}
	if p.free.Before(p.held) {
		p.free = p.held
	}
	wait := p.free.Sub(now)
	p.free = p.free.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	return wait
}

// press looks at the pressure, and holds reading back for a second when it is high.
func (p *Pace) press(now time.Time) {
	raw, err := p.target.ReadFile(p.target.Root+"/proc/pressure/io", pressureBytes)
	if err != nil {
		return // no such file before Linux 4.20, or in some containers
	}
	limit := pressureHigh
	holding := !p.since.IsZero()
	if holding {
		limit = pressureLow
	}
	switch share, ok := someAvg10(string(raw)); {
	case !ok || share <= limit:
		p.since = time.Time{}
	case !holding:
		p.since = now
		p.held = now.Add(betweenLooks)
	case now.Sub(p.since) < longestPause:
		p.held = now.Add(betweenLooks)
	default:
		p.since = now.Add(betweenLooks) // read for a second, then hold again
	}
}

// someAvg10 is, from the text of /proc/pressure/io, the percentage of the last
// 10 s in which at least one task waited:
//
//	some avg10=0.00 avg60=0.22 avg300=0.10 total=55124312
func someAvg10(text string) (float64, bool) {
	line, _, _ := strings.Cut(text, "\n")
	_, rest, ok := strings.Cut(line, "some avg10=")
	if !ok {
		return 0, false
	}
	word, _, _ := strings.Cut(rest, " ")
	share, err := strconv.ParseFloat(word, 64)
	return share, err == nil
}
