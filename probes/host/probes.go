// Package host reads what no Kafka client tool sees: which brokers belong to
// this host, whether they run, and the processors, memory and disks under them.
package host

import (
	"context"
	"os"

	"github.com/shirou/gopsutil/v3/common"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Probes is the probes of this package.
var Probes = []*probe.Probe{
	Brokers, Host, Load, Memory, Pressure, Settings, KernelLog, Process, ProcessIO, Threads, Maps, History, Cgroup, Sockets, Network, Dirs, Disks, Devices,
}

// NoBroker is why everything about a broker is unknown on a host without one.
var NoBroker = &fact.Unknown{Reason: fact.NotObserved, Detail: "no broker on this host", How: "run ktriage on the broker's host"}

// Nowhere observes each key as unknown on every subject, because …
func Nowhere(keys []fact.Key, because *fact.Unknown) []fact.Observation {
	seen := make([]fact.Observation, 0, len(keys))
	for _, k := range keys {
		seen = append(seen, fact.UnknownEverywhere(k, because))
	}
	return seen
}

// SubjectOf is the process of a broker, by its node id, or by its process id
// where the node id is not known.
func SubjectOf(b fact.LocalBroker) fact.Subject {
	if b.NodeID >= 0 {
		return fact.ProcessOf(b.NodeID)
	}
	return fact.Subject{Scope: fact.Process, Name: "pid " + itoa(b.PID)}
}

// thisHost is the subject of what concerns the whole host.
func thisHost() fact.Subject {
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "localhost"
	}
	return fact.Subject{Scope: fact.Host, Name: name}
}

// rooted tells gopsutil where /proc and /sys are.
func rooted(ctx context.Context, t *probe.Target) context.Context {
	if t.Root == "" {
		return ctx
	}
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: t.Root + "/proc",
		common.HostSysEnvKey:  t.Root + "/sys",
	})
}
