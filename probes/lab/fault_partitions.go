package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var stalledPartition = &Fault{
	Name:    "stalled-partition",
	Doc:     "the one member of a group no longer fetches partitions 1 and 4 of six",
	Prepare: orders,
	Inject: func(_ context.Context, c *Cluster) error {
		return c.pause(ordersTopic, 1, 4)
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
		return stalled(before, after, 1, 4)
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.stopConsumers(); err != nil {
			return err
		}
		return groupStopped.Heal(ctx, c)
	},
	Expect:    []Expect{{"stalled-partition", "group " + billingGroup}},
	Args:      slowly,
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"group-stopped", "broker-crashed", "broker-hung", "slow-consumer"},
	Facts: []Sight{
		{"kafka.group.offsets", "group " + billingGroup, "row=orders-1; committed stays; log_end moves"},
		{"kafka.group.offsets", "group " + billingGroup, "row=orders-0; committed moves; log_end moves"},
	},
}

// pause lets the consumers fetch some partitions no longer.
func (c *Cluster) pause(topic string, partitions ...int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	paused := 0
	for _, s := range c.clients {
		if m, is := s.(*Consumer); is {
			m.client.PauseFetchPartitions(map[string][]int32{topic: partitions})
			paused++
		}
	}
	if paused == 0 {
		return errors.New("no consumer runs")
	}
	return nil
}

// stalled sees between two looks that just these partitions do not advance.
func stalled(before, after []GroupLine, partitions ...int) (string, error) {
	was := map[int]GroupLine{}
	for _, l := range before {
		was[l.Partition] = l
	}
	for _, l := range after {
		stands, grew := l.Committed == was[l.Partition].Committed, l.End > was[l.Partition].End
		if !grew || stands != slices.Contains(partitions, l.Partition) {
			return "", fmt.Errorf("%s-%d: committed %d, then %d; end %d", l.Topic, l.Partition, was[l.Partition].Committed, l.Committed, l.End)
		}
	}
	return fmt.Sprintf("commits of partitions %v stand still, those of the others do not", partitions), nil
}

var hotPartition = &Fault{
	Name: "hot-partition",
	Doc:  "nine of ten records go to one of four partitions, more than its one reader can take",
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: ordersTopic, Partitions: 4, Replication: 3}); err != nil {
			return err
		}
		if _, err := c.Produce(ctx, ordersTopic, 40, 200); err != nil {
			return err
		}
		for range 4 {
			if _, err := c.Consume(ctx, billingGroup, ordersTopic, 100); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return c.caughtUp(ctx, billingGroup)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		always := kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
			return func(*kgo.Record, int) int { return 2 }
		})
		_, err := c.produce(ctx, ordersTopic, 360, 200, always)
		return err
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		lines, err := c.Group(ctx, billingGroup)
		if err != nil {
			return "", err
		}
		lags := map[int]int64{}
		for _, l := range lines {
			lags[l.Partition] = l.End - l.Committed
			if l.Partition != 2 && lags[l.Partition] > 200 {
				return "", fmt.Errorf("partition %d lags %d", l.Partition, lags[l.Partition])
			}
		}
		if lags[2] < 2000 {
			return "", fmt.Errorf("partition 2 lags %d", lags[2])
		}
		return fmt.Sprintf("lag by partition: %v", lags), nil
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		c.StopClients()
		if _, err := c.Produce(ctx, ordersTopic, 40, 200); err != nil {
			return err
		}
		return groupStopped.Heal(ctx, c)
	},
	Expect:    []Expect{{"hot-partition", "group " + billingGroup}},
	Args:      slowly,
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"group-stopped", "broker-crashed", "broker-hung"},
	Facts:     []Sight{{"kafka.group.offsets", "group " + billingGroup, "row=orders-2; committed moves; log_end moves"}},
}
