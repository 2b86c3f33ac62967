package jvm

import (
	"context"
	"slices"
	"sync"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// eachBroker asks about every broker of this host at once. ask says why it saw
// nothing; the keys are then unknown for that reason.
func eachBroker(ctx context.Context, t *probe.Target, keys []fact.Key, ask func(context.Context, fact.Subject, fact.LocalBroker) ([]fact.Observation, *fact.Unknown)) ([]fact.Observation, error) {
	brokers := t.Brokers()
	if len(brokers) == 0 {
		return host.Nowhere(keys, host.NoBroker), nil
	}
	answers := make([][]fact.Observation, len(brokers))
	reasons := make([]*fact.Unknown, len(brokers))
	var wait sync.WaitGroup
	for i, b := range brokers {
		wait.Go(func() {
			s := host.SubjectOf(b)
			if answers[i], reasons[i] = ask(ctx, s, b); reasons[i] != nil {
				answers[i] = unknown(keys, s, reasons[i])
			}
		})
	}
	wait.Wait()
	return slices.Concat(answers...), unread(reasons)
}

// living is eachBroker for what only a running process tells.
func living(ask func(context.Context, fact.Subject, fact.LocalBroker) ([]fact.Observation, *fact.Unknown)) func(context.Context, fact.Subject, fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
	return func(ctx context.Context, s fact.Subject, b fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
		if !b.Running {
			return nil, gone
		}
		return ask(ctx, s, b)
	}
}

// unknown observes keys as unknown on one process.
func unknown(keys []fact.Key, s fact.Subject, because *fact.Unknown) []fact.Observation {
	seen := make([]fact.Observation, 0, len(keys))
	for _, k := range keys {
		seen = append(seen, fact.Observation{Key: k.Def(), Subject: s, Because: because})
	}
	return seen
}
