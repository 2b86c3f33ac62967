package lab

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"
)

var allBrokersCrashed = &Fault{
	Name:    "all-brokers-crashed",
	Doc:     "kill -9 of every broker: only the host is left to ask",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		for _, n := range c.Brokers() {
			if err := n.End(ctx, syscall.SIGKILL); err != nil {
				return err
			}
		}
		return nil
	},
	// None of Kafka's tools has anybody to ask.
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		for _, n := range c.Brokers() {
			if n.Ending() != "signal: killed" {
				return "", fmt.Errorf("broker %d ended with %q", n.ID, n.Ending())
			}
			conn, err := net.DialTimeout("tcp", n.Address(), time.Second)
			if err == nil {
				conn.Close()
				return "", fmt.Errorf("broker %d still listens", n.ID)
			}
		}
		return "three times signal: killed, connection refused", nil
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 1, 2, 3) },
	Expect:    []Expect{{"broker-crashed", "broker 1"}, {"broker-crashed", "broker 2"}, {"broker-crashed", "broker 3"}},
	Holds:     []string{"no-leader"},
	Branch:    "availability",
	Forbidden: []string{"planned-shutdown", "broker-hung", "disk-full"},
	Deadline:  10 * time.Second,
}
