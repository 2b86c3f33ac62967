package lab

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var groupStopped = &Fault{
	Name:    "group-stopped",
	Doc:     "the members of a group leave while the producer goes on",
	Prepare: orders,
	Inject: func(_ context.Context, c *Cluster) error {
		return c.stopConsumers()
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		lines, err := c.Group(ctx, billingGroup)
		if err != nil {
			return "", err
		}
		var lag int64
		for _, l := range lines {
			if l.Member != "-" {
				return "", fmt.Errorf("%s-%d of group %s has member %s", l.Topic, l.Partition, billingGroup, l.Member)
			}
			lag += l.End - l.Committed
		}
		if lag < 300 {
			return "", fmt.Errorf("group %s lags %d records", billingGroup, lag)
		}
		return fmt.Sprintf("no member, lag %d", lag), nil
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if _, err := c.Consume(ctx, billingGroup, ordersTopic, 0); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return c.caughtUp(ctx, billingGroup)
	},
	Expect:    []Expect{{"group-stopped", "group " + billingGroup}},
	Branch:    "data",
	Forbidden: []string{"slow-consumer", "broker-crashed", "broker-hung", "no-leader", "under-min-isr"},
	Blind:     []Blind{{"kafka.groups", "group-stopped"}},
}

// stopConsumers lets every member of every group leave.
func (c *Cluster) stopConsumers() error {
	c.mu.Lock()
	var stopped, kept []stopper
	for _, s := range c.clients {
		if _, consumes := s.(interface{ consumes() }); consumes {
			stopped = append(stopped, s)
		} else {
			kept = append(kept, s)
		}
	}
	c.clients = kept
	c.mu.Unlock()
	for _, s := range stopped {
		s.Stop()
	}
	if len(stopped) == 0 {
		return errors.New("no consumer runs")
	}
	return nil
}

// caughtUp waits until a group's lag is below 200 records by Kafka's own tool.
func (c *Cluster) caughtUp(ctx context.Context, group string) error {
	return poll(ctx, func(ctx context.Context) error {
		lines, err := c.Group(ctx, group)
		if err != nil {
			return err
		}
		var lag int64
		for _, l := range lines {
			lag += l.End - l.Committed
		}
		if len(lines) == 0 || lag > 200 {
			return fmt.Errorf("group %s lags %d records on %d partitions", group, lag, len(lines))
		}
		return nil
	})
}
