package kafka

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// stopwatch times the steps of one connection. A nil one times nothing.
type stopwatch struct {
	mu    sync.Mutex
	lap   time.Time // when the last step ended
	times []fact.StepTime
}

func watch() *stopwatch { return &stopwatch{lap: time.Now()} }

// done ends a step.
func (w *stopwatch) done(step fact.Step) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.times = append(w.times, fact.StepTime{Step: step, Seconds: now.Sub(w.lap).Seconds()})
	w.lap = now
}

// steps is the steps that have ended.
func (w *stopwatch) steps() []fact.StepTime {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.times
}

// resolved is what a dialer calls before each connect: the first time, the name
// is resolved. An address without a name has no such step.
func (w *stopwatch) resolved(address string) func(context.Context, string, string, syscall.RawConn) error {
	host, _, _ := net.SplitHostPort(address)
	if _, err := netip.ParseAddr(host); err == nil || w == nil {
		return nil
	}
	var once sync.Once
	return func(context.Context, string, string, syscall.RawConn) error {
		once.Do(func() { w.done(fact.Resolve) })
		return nil
	}
}
