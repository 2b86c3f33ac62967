package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
)

var brokerHung = &Fault{
	Name:    "broker-hung",
	Doc:     "SIGSTOP of broker 2",
	Prepare: orders,
	Inject: func(_ context.Context, c *Cluster) error {
		return c.Node(2).Signal(syscall.SIGSTOP)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		state, err := processState(c.Node(2))
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(state, "T") {
			return "", fmt.Errorf("broker 2 is in state %q", state)
		}
		seen, err := left(ctx, c, 2)
		return "state " + state + "; " + seen, err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.Node(2).Signal(syscall.SIGCONT); err != nil {
			return err
		}
		return c.Restart(ctx) // nothing to start, but the wait for the rest
	},
	Expect:    []Expect{{"broker-hung", "broker 2"}},
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "planned-shutdown", "under-min-isr", "no-leader", "gc-pause"},
	Blind:     []Blind{{"host.process,kafka.reach", "broker-hung"}},
	Facts: []Sight{
		{"kafka.broker.reach", "broker 2", "step=api-versions; outcome=timed-out"},
		{"kafka.metadata", "broker 1", "no brokers 2"},
		{"host.process", "process 2", "state=T"},
	},
}

// processState is the line "State:" of /proc/PID/status, as "T (stopped)".
func processState(n *Node) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.PID()))
	if err != nil {
		return "", fmt.Errorf("read the state of node %d: %w", n.ID, err)
	}
	_, rest, _ := strings.Cut(string(text), "State:")
	state, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(state), nil
}
