package lab

import (
	"context"
	"fmt"
	"time"
)

var slowConsumer = &Fault{
	Name:    "slow-consumer",
	Doc:     "a stable group reads 60 of 300 records a second, from all partitions",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.stopConsumers(); err != nil {
			return err
		}
		if _, err := c.Produce(ctx, ordersTopic, 200, 200); err != nil { // 300 with the first
			return err
		}
		_, err := c.Consume(ctx, billingGroup, ordersTopic, 60)
		return err
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		before, err := c.Group(ctx, billingGroup)
		if err != nil {
			return "", err
		}
		select {
		case <-time.After(4 * time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		after, err := c.Group(ctx, billingGroup)
		if err != nil {
			return "", err
		}
		return behind(before, after)
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.stopConsumers(); err != nil {
			return err
		}
		return groupStopped.Heal(ctx, c)
	},
	Expect:    []Expect{{"slow-consumer", "group " + billingGroup}},
	Branch:    "data",
	Forbidden: []string{"group-stopped", "broker-crashed", "broker-hung"},
}

// behind sees between two looks that every partition of a group with members
// advances, slower than its log end.
func behind(before, after []GroupLine) (string, error) {
	was := map[int]GroupLine{}
	for _, l := range before {
		was[l.Partition] = l
	}
	var committed, end, lag int64
	for _, l := range after {
		w, known := was[l.Partition]
		switch {
		case !known || l.Member == "-":
			return "", fmt.Errorf("partition %d has no member", l.Partition)
		case l.Committed <= w.Committed:
			return "", fmt.Errorf("partition %d does not advance", l.Partition)
		}
		committed += l.Committed - w.Committed
		end += l.End - w.End
		lag += l.End - l.Committed
	}
	// More than ten seconds of what orders writes: less is no lag to speak of.
	if lag < 3300 || 2*committed > end {
		return "", fmt.Errorf("lag %d, %d commits while the log grew by %d", lag, committed, end)
	}
	return fmt.Sprintf("lag %d, %d committed while %d were written", lag, committed, end), nil
}
