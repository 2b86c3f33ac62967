package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Names that every workload uses.
const (
	ordersTopic  = "orders"
	billingGroup = "billing"
)

// orders makes the cluster busy the way most are: a topic on all brokers, a
// producer, and a group that keeps up. It returns when the group has committed.
func orders(ctx context.Context, c *Cluster) error { return ordersAt(ctx, c, 100, 0) }

// ordersAt is orders with a rate of the producer and a limit of the group's one
// member, both in records a second; no limit is 0. More options are the member's.
func ordersAt(ctx context.Context, c *Cluster, rate, limit int, more ...kgo.Opt) error {
	if err := c.CreateTopic(ctx, Topic{Name: ordersTopic, Partitions: 6, Replication: 3}); err != nil {
		return err
	}
	if _, err := c.Produce(ctx, ordersTopic, rate, 200); err != nil {
		return err
	}
	member, err := c.Consume(ctx, billingGroup, ordersTopic, limit, more...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	err = poll(ctx, func(ctx context.Context) error {
		if read := member.Read.Load(); read < 100 {
			return fmt.Errorf("group %s has read %d of 100 records", billingGroup, read)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.Ready(ctx) // the offsets topic has been made meanwhile
}

// left sees with kafka-topics.sh that none of the brokers is in any ISR.
func left(ctx context.Context, c *Cluster, ids ...int) (string, error) {
	all, err := c.Partitions(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", errors.New("kafka-topics --describe lists no partition")
	}
	for _, p := range all {
		for _, id := range ids {
			if slices.Contains(p.ISR, id) {
				return "", fmt.Errorf("broker %d is in the ISR of %s-%d: %v", id, p.Topic, p.Partition, p.ISR)
			}
		}
	}
	return fmt.Sprintf("no ISR has %v", ids), nil
}
