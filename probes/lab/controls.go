package lab

import (
	"context"
	"fmt"
	"time"
)

var idle = &Fault{
	Name: "idle",
	Doc:  "control: a cluster without clients",
	Prepare: func(ctx context.Context, c *Cluster) error {
		return c.CreateTopic(ctx, Topic{Name: ordersTopic, Partitions: 6, Replication: 3})
	},
	Oracle:    whole,
	Forbidden: anything,
}

var steadyLoad = &Fault{
	Name:    "steady-load",
	Doc:     "control: 300 records a second and a group that keeps up",
	Prepare: func(ctx context.Context, c *Cluster) error { return ordersAt(ctx, c, 300, 0) },
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		look, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := c.caughtUp(look, billingGroup); err != nil {
			return "", err
		}
		seen, err := whole(ctx, c)
		return seen + ", the group keeps up", err
	},
	Forbidden: anything,
}

// anything is every cause that a control may be mistaken for.
var anything = []string{
	"broker-crashed", "broker-hung", "planned-shutdown", "no-leader", "under-min-isr", "disk-full",
	"log-dir-offline", "group-stopped", "slow-consumer", "heap-exhaustion", "gc-pause",
}

// whole sees with Kafka's own tool that every replica is in sync.
func whole(ctx context.Context, c *Cluster) (string, error) {
	all, err := c.Partitions(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
			return "", fmt.Errorf("%s-%d has leader %d, ISR %v", p.Topic, p.Partition, p.Leader, p.ISR)
		}
	}
	return fmt.Sprintf("%d partitions, all in sync", len(all)), nil
}
