package lab

import (
	"context"
	"syscall"
	"time"
)

var twoBrokersCrashed = &Fault{
	Name:    "two-brokers-crashed",
	Doc:     "kill -9 of brokers 2 and 3: the cause is their death, under-min-isr what follows",
	Shape:   Shape{OwnController: true},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		for _, id := range []int32{3, 2} {
			if err := c.Node(id).End(ctx, syscall.SIGKILL); err != nil {
				return err
			}
		}
		return nil
	},
	Oracle:       starved,
	Bites:        45 * time.Second,
	Heal:         func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 2, 3) },
	Expect:       []Expect{{Cause: "broker-crashed", Subject: "broker 2"}, {Cause: "broker-crashed", Subject: "broker 3"}},
	Consequences: []string{"under-min-isr"},
	Branch:       "availability",
	Later:        true, // all-brokers-crashed and under-min-isr are near
	Forbidden:    []string{"planned-shutdown", "broker-hung", "no-leader"},
}
