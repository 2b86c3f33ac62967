package lab

import (
	"context"
	"fmt"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
)

var underMinISR = &Fault{
	Name:    "under-min-isr",
	Doc:     "brokers 2 and 3 stopped on purpose, min ISR 2 of 3: no producer with acks=all gets through",
	Shape:   Shape{OwnController: true},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		for _, id := range []int32{3, 2} {
			if err := c.Node(id).End(ctx, syscall.SIGTERM); err != nil {
				return err
			}
		}
		return nil
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		for _, id := range []int32{2, 3} {
			if err := terminated(c.Node(id)); err != nil {
				return "", fmt.Errorf("broker %d: %w", id, err)
			}
		}
		return starved(ctx, c)
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 2, 3) },
	Expect:    []Expect{{Cause: "under-min-isr"}},
	Context:   []string{"planned-shutdown"},
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader"},
	Facts:     []Sight{{"kafka.metadata", "broker 1", "row=orders-0; isr=1; error=0"}},
}

// starved sees that Kafka's own tool lists partitions under min ISR, and that
// the leader refuses records for it.
func starved(ctx context.Context, c *Cluster) (string, error) {
	all, err := c.Partitions(ctx, "--under-min-isr-partitions")
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("kafka-topics lists no partition under min ISR")
	}
	refused := kerr.NotEnoughReplicas.Message
	line, err := c.Node(1).InLog("server.log", "NotEnoughReplicasException")
	if err == nil && line == "" {
		err = fmt.Errorf("broker 1 has refused no record with %s", refused)
	}
	return fmt.Sprintf("%d partitions under min ISR, %s", len(all), refused), err
}
