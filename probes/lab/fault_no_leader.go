package lab

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

var noLeader = &Fault{
	Name: "no-leader",
	Doc:  "the only broker of a topic without replication is stopped on purpose",
	Prepare: func(ctx context.Context, c *Cluster) error {
		err := c.CreateTopic(ctx, Topic{Name: "ledger", Partitions: 2, On: []int32{2}, Configs: map[string]string{"min.insync.replicas": "1"}})
		if err != nil {
			return err
		}
		if _, err := c.Produce(ctx, "ledger", 20, 200); err != nil {
			return err
		}
		return orders(ctx, c)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.Node(2).End(ctx, syscall.SIGTERM)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		all, err := c.Partitions(ctx, "--unavailable-partitions")
		if err != nil {
			return "", err
		}
		for _, p := range all {
			if p.Topic == "ledger" && p.Leader < 0 {
				return fmt.Sprintf("%s-%d has leader none", p.Topic, p.Partition), terminated(c.Node(2))
			}
		}
		return "", errors.New("kafka-topics lists no unavailable partition")
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 2) },
	Expect:    []Expect{{Cause: "no-leader"}},
	Context:   []string{"planned-shutdown"},
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "broker-hung", "under-min-isr"},
	Facts:     []Sight{{"kafka.metadata", "broker 1", "row=ledger-0; leader=-1; error=5; offline=2"}},
}
