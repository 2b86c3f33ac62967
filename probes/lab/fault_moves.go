package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

const archiveTopic = "archive"

var reassignmentLoad = &Fault{
	Name: "reassignment-load",
	Doc:  "a partition of 8 MB moves from broker 1 to broker 3 at 100 kB a second",
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: archiveTopic, Partitions: 1, On: []int32{1, 2}}); err != nil {
			return err
		}
		if err := c.fill(ctx, archiveTopic, 800, 10_000); err != nil {
			return err
		}
		return orders(ctx, c)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		_, err := c.reassign(ctx, archiveTopic, 0, "3,2", "--execute", "--throttle", "100000")
		return err
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		out, err := c.Tool(ctx, "org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "--list")
		if err == nil && !strings.Contains(out, "adding: 3") {
			err = fmt.Errorf("kafka-reassign-partitions: %s", lastLines(out, 1))
		}
		return "kafka-reassign-partitions: " + lastLines(out, 1), err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if _, err := c.reassign(ctx, archiveTopic, 0, "3,2", "--cancel"); err != nil {
			return err
		}
		return c.Restart(ctx)
	},
	Context:   []string{"reassignment-load"},
	Forbidden: anything,
	Facts: []Sight{
		{"kafka.reassignments", "cluster", "row=archive-0; adding=3; removing=1"},
		{"kafka.metadata", "broker 1", "row=archive-0; replicas=3 2 1; isr!=3 2 1"},
	},
}

var replicationThrottleLeft = &Fault{
	Name: "replication-throttle-left",
	Doc:  "throttles of 20 kB a second stay behind after a move; broker 3 restarts and cannot catch up",
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: archiveTopic, Partitions: 2, Replication: 3}); err != nil {
			return err
		}
		return orders(ctx, c)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.throttle(ctx, archiveTopic, "20000", "*"); err != nil {
			return err
		}
		n := c.Node(3)
		if err := n.End(ctx, syscall.SIGTERM); err != nil {
			return err
		}
		if err := c.fill(ctx, archiveTopic, 1200, 10_000); err != nil {
			return err
		}
		if err := n.Start(); err != nil {
			return err
		}
		return c.state.save(c)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		line, err := c.Node(3).InLog("server.log", "Kafka Server started")
		if err != nil || line == "" {
			return "", errors.Join(errors.New("broker 3 has not started"), err)
		}
		all, err := c.Partitions(ctx)
		if err != nil {
			return "", err
		}
		return onlyLacks(all, archiveTopic, 3)
	},
	Bites: 90 * time.Second,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.throttle(ctx, archiveTopic, "", ""); err != nil {
			return err
		}
		return c.Restart(ctx)
	},
	Expect:    []Expect{{Cause: "replication-throttle-left"}}, // it holds replicas back, which is no advice any more
	Branch:    "performance",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader", "under-min-isr", "group-stopped"},
	Facts: []Sight{
		{"kafka.topic.configs", "cluster", "row=archive; follower.replication.throttled.replicas.value=*"},
		{"kafka.metadata", "broker 1", "row=archive-0; isr!=1 2 3"},
		{"kafka.broker.reach", "broker 3", "outcome=answered"},
	},
}

// throttle sets the rate of every broker, in bytes a second, and which replicas
// of a topic it holds for; "" deletes both.
func (c *Cluster) throttle(ctx context.Context, topic, rate, replicas string) error {
	of := func(what, value string) map[string]string {
		return map[string]string{"leader.replication.throttled." + what: value, "follower.replication.throttled." + what: value}
	}
	if err := c.alterTopic(ctx, topic, of("replicas", replicas)); err != nil {
		return err
	}
	return c.alterBrokers(ctx, of("rate", rate), 1, 2, 3)
}

// onlyLacks sees that partitions of a topic lack just one broker, which is in the
// ISRs of all other topics.
func onlyLacks(all []PartitionLine, topic string, id int) (string, error) {
	lacking := 0
	for _, p := range all {
		switch {
		case len(p.ISR) == len(p.Replicas):
		case p.Topic != topic || len(p.ISR) != len(p.Replicas)-1 || slices.Contains(p.ISR, id):
			return "", fmt.Errorf("%s-%d has ISR %v of %v", p.Topic, p.Partition, p.ISR, p.Replicas)
		default:
			lacking++
		}
	}
	if lacking == 0 {
		return "", fmt.Errorf("no partition of %s lacks broker %d", topic, id)
	}
	return fmt.Sprintf("%d partitions of %s lack broker %d, no others do", lacking, topic, id), nil
}

var leaderImbalance = &Fault{
	Name:    "leader-imbalance",
	Doc:     "broker 3 was restarted, and nothing gives it its leaderships back",
	Shape:   Shape{Settings: map[string]string{"auto.leader.rebalance.enable": "false"}},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.Node(3).End(ctx, syscall.SIGTERM); err != nil {
			return err
		}
		return c.Restart(ctx, 3)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		if _, err := whole(ctx, c); err != nil {
			return "", err
		}
		all, err := c.Partitions(ctx)
		if err != nil {
			return "", err
		}
		away := 0
		for _, p := range all {
			if p.Leader != p.Replicas[0] {
				away++
			}
		}
		if away == 0 {
			return "", errors.New("every leader is the preferred one")
		}
		return fmt.Sprintf("%d of %d partitions are not led by their first replica", away, len(all)), nil
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		return c.electPreferred(ctx)
	},
	Context:   []string{"leader-imbalance"},
	Args:      slowly,
	Later:     true,
	Forbidden: anything,
	Facts: []Sight{
		{"kafka.metadata", "broker 1", "no leader=3"},
		{"kafka.metadata", "broker 1", "row=brokers 3"},
	},
}
