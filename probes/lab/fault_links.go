package lab

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"
)

var brokerLinkCut = &Fault{
	Name:    "broker-link-cut",
	Doc:     "brokers 1 and 2 no longer reach each other; everybody else reaches both",
	Shape:   Shape{OwnController: true, Namespaces: true},
	Prepare: orders,
	Inject:  func(_ context.Context, c *Cluster) error { return c.Cut(1, 2) },
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		all, err := c.Partitions(ctx)
		if err != nil {
			return "", err
		}
		return pairOut(all, 1, 2)
	},
	Bites: 45 * time.Second,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.Mend(1, 2); err != nil {
			return err
		}
		return c.Restart(ctx) // nothing to start, but the wait for the rest
	},
	Expect:    []Expect{{Cause: "broker-link-cut"}},
	Holds:     []string{"under-min-isr"},
	Args:      patient,
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader", "planned-shutdown"},
	Facts: []Sight{
		{"kafka.broker.reach", "broker 1", "outcome=answered"},
		{"kafka.broker.reach", "broker 2", "outcome=answered"},
		{"kafka.registered", "cluster", "row=1; fenced=false"},
		{"kafka.registered", "cluster", "row=2; fenced=false"},
		{"kafka.metadata", "broker 3", "leader=1; isr!=1 2 3; isr!=1 3 2; isr!=3 1 2; isr!=2 3 1; isr!=2 1 3; isr!=3 2 1"},
	},
}

// pairOut sees that partitions led by each of a pair lack the other, and no
// partition lacks anybody else. One that nobody writes to lacks nobody: its
// follower has all there is.
func pairOut(all []PartitionLine, a, b int) (string, error) {
	out := map[int]int{}
	for _, p := range all {
		for _, id := range p.Replicas {
			missing := !slices.Contains(p.ISR, id)
			pair := p.Leader == a && id == b || p.Leader == b && id == a
			if missing && !pair {
				return "", fmt.Errorf("%s-%d is led by %d, ISR %v of %v", p.Topic, p.Partition, p.Leader, p.ISR, p.Replicas)
			}
			if missing {
				out[p.Leader]++
			}
		}
	}
	if out[a] == 0 || out[b] == 0 {
		return "", fmt.Errorf("%d partitions of %d and %d of %d lack the other", out[a], a, out[b], b)
	}
	return fmt.Sprintf("%d and %d ISRs lack just the other of %d and %d", out[a], out[b], a, b), nil
}

var brokerIsolated = &Fault{
	Name:    "broker-isolated",
	Doc:     "broker 3 no longer reaches brokers 1 and 2 nor their controllers, yet answers everybody else",
	Shape:   Shape{Namespaces: true},
	Prepare: orders,
	Inject:  func(_ context.Context, c *Cluster) error { return c.Isolate(3) },
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		seen, err := left(ctx, c, 3)
		if err != nil {
			return "", err
		}
		conn, err := net.DialTimeout("tcp", c.Node(3).Address(), time.Second)
		if err != nil {
			return "", fmt.Errorf("broker 3 must still answer: %w", err)
		}
		conn.Close()
		return seen + "; its port is open", nil
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.Rejoin(3); err != nil {
			return err
		}
		return c.Restart(ctx)
	},
	Expect:    []Expect{{"broker-isolated", "broker 3"}},
	Args:      patient,
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader", "planned-shutdown", "under-min-isr"},
	Facts: []Sight{
		{"kafka.broker.reach", "broker 3", "outcome=answered"},
		{"kafka.registered", "cluster", "row=3; fenced=true"},
		{"kafka.metadata", "broker 1", "no brokers 3"},
		{"kafka.metadata", "broker 3", "row=brokers 3"}, // of itself
	},
}
