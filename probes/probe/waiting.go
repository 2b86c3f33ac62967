package probe

import (
	"context"
	"sync/atomic"
	"time"
)

type waitingKey struct{}

// Metered is a context for one run of a probe, and the time that was spent waiting
// in it, as Waited was told.
func Metered(ctx context.Context) (metered context.Context, waited func() time.Duration) {
	sum := new(atomic.Int64)
	return context.WithValue(ctx, waitingKey{}, sum), func() time.Duration { return time.Duration(sum.Load()) }
}

// Waited notes that some of a run's time was spent waiting for something that does
// not answer. That is no cost to anyone, so that looking less often would only
// hide it. Time that is waited for two things at once is told once.
func Waited(ctx context.Context, d time.Duration) {
	if sum, ok := ctx.Value(waitingKey{}).(*atomic.Int64); ok {
		sum.Add(int64(d))
	}
}
