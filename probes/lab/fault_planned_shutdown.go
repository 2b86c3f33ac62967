package lab

import (
	"context"
	"errors"
	"syscall"
)

var plannedShutdown = &Fault{
	Name:    "planned-shutdown",
	Doc:     "SIGTERM of broker 2: an operator's act, no fault",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.Node(2).End(ctx, syscall.SIGTERM)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		if err := terminated(c.Node(2)); err != nil {
			return "", err
		}
		seen, err := left(ctx, c, 2)
		return "SIGTERM in its log; " + seen, err
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 2) },
	Context:   []string{"planned-shutdown"},
	Forbidden: []string{"broker-crashed", "broker-hung", "under-min-isr", "no-leader"},
}

// terminated sees in a node's own log that it was told to stop.
func terminated(n *Node) error {
	line, err := n.InLog("server.log", "Terminating process due to signal SIGTERM")
	if err == nil && line == "" {
		err = errors.New("no SIGTERM in its server.log")
	}
	return err
}
