package jvm

import (
	"context"
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// Flags reads the options that each broker's JVM was started with.
var Flags = &probe.Probe{
	Name:    "jvm.flags",
	Doc:     "heap, collector and log options of the brokers' JVMs, from /proc/PID/cmdline and environ",
	Cost:    probe.Free,
	Every:   30 * time.Second,
	Needs:   []*probe.Probe{host.Brokers},
	Yields:  []fact.Key{fact.JVMFlagsSet},
	Observe: observeFlags,
}

func observeFlags(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	return eachBroker(ctx, t, []fact.Key{fact.JVMFlagsSet}, living(func(_ context.Context, s fact.Subject, b fact.LocalBroker) ([]fact.Observation, *fact.Unknown) {
		o, err := optionsOf(t, b.PID)
		if probe.Missing(err) {
			return nil, gone
		}
		if err != nil {
			return nil, probe.Because(fmt.Errorf("read the options of the JVM: %w", err))
		}
		return []fact.Observation{fact.JVMFlagsSet.Is(s, o.flags())}, nil
	}))
}
