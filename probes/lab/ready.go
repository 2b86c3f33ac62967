package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// poll calls f every 200 ms until it returns nil or the context ends; then the
// error holds what was missing last.
func poll(ctx context.Context, f func(context.Context) error) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(last, ctx.Err())
		case <-tick.C:
		}
	}
}

// Ready waits until every broker lists every broker, and no partition lacks a
// replica.
func (c *Cluster) Ready(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.ClientID("lab"), kgo.RequestRetries(0), kgo.DialTimeout(time.Second))
	if err != nil {
		return fmt.Errorf("wait for the cluster: %w", err)
	}
	defer client.Close()
	return poll(ctx, func(ctx context.Context) error {
		for i, seed := range client.SeedBrokers() {
			if n := c.Brokers()[i]; !n.Running() {
				return fmt.Errorf("node %d has ended: %s, see %s", n.ID, n.Ending(), n.LogsDir())
			}
			ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
			err := c.complete(ctx, seed)
			cancel()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// complete asks one broker, and fails while it misses brokers or replicas.
func (c *Cluster) complete(ctx context.Context, b *kgo.Broker) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all of them
	resp, err := b.Request(ctx, req)
	if err != nil {
		return fmt.Errorf("wait for the cluster: %w", err)
	}
	meta := resp.(*kmsg.MetadataResponse)
	if all := c.Shape.brokers(); len(meta.Brokers) < all {
		return fmt.Errorf("wait for the cluster: %d of %d brokers are in it", len(meta.Brokers), all)
	}
	for _, t := range meta.Topics {
		for _, p := range t.Partitions {
			if p.Leader < 0 || slices.ContainsFunc(p.Replicas, func(id int32) bool { return !slices.Contains(p.ISR, id) }) {
				return fmt.Errorf("wait for the cluster: partition %s-%d has leader %d, ISR %v of %v", *t.Topic, p.Partition, p.Leader, p.ISR, p.Replicas)
			}
		}
	}
	return nil
}
