package lab

import (
	"context"
	"fmt"
	"syscall"
)

var brokerCrashed = &Fault{
	Name:    "broker-crashed",
	Doc:     "kill -9 of broker 2",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.Node(2).End(ctx, syscall.SIGKILL)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		seen, err := left(ctx, c, 2)
		if end := c.Node(2).Ending(); err == nil && end != "signal: killed" {
			err = fmt.Errorf("broker 2 ended with %q", end)
		}
		return "signal: killed; " + seen, err
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 2) },
	Expect:    []Expect{{"broker-crashed", "broker 2"}},
	Branch:    "availability",
	Forbidden: []string{"planned-shutdown", "broker-hung", "disk-full", "under-min-isr", "no-leader"},
	Blind:     []Blind{{"host.process,host.brokers", "broker-crashed"}},
	Facts: []Sight{
		{"kafka.broker.reach", "broker 2", "step=tcp; outcome=refused"},
		{"kafka.metadata", "broker 1", "no brokers 2"},
		{"kafka.registered", "cluster", "row=2; fenced=true"},
	},
}
