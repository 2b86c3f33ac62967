package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

var startRefused = &Fault{
	Name:    "start-refused",
	Doc:     "broker 2 is stopped in order, another node's id comes into its meta.properties, and it is started",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		n := c.Node(2)
		if err := n.End(ctx, syscall.SIGTERM); err != nil {
			return err
		}
		if err := n.editMeta("node.id=2", "node.id=7"); err != nil {
			return err
		}
		return n.Start()
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(2)
		end := n.Ending()
		if end == "" || end == "exit status 0" || strings.HasPrefix(end, "signal") {
			return "", fmt.Errorf("broker 2 ended with %q", end)
		}
		line, err := n.InLog("server.log", "doesn't match")
		if err == nil && line == "" {
			line, err = n.InLog("server.log", "ERROR")
		}
		if err == nil && line == "" {
			err = fmt.Errorf("broker 2 ended with %q, and its log does not say why", end)
		}
		if err != nil {
			return "", err
		}
		seen, err := left(ctx, c, 2)
		return end + "; " + line + "; " + seen, err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.Node(2).editMeta("node.id=7", "node.id=2"); err != nil {
			return err
		}
		return c.Restart(ctx, 2)
	},
	Expect:    []Expect{{"start-refused", "broker 2"}},
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"broker-hung", "disk-full", "log-dir-offline", "oom-killed"},
	Args:      []string{"--broker-config", "$CONFIG2", "--kafka-logs", "$LOGSDIR2"},
	Facts:     []Sight{{"log.start-refused", "broker 2", "count>0"}},
}

// editMeta replaces a line of the node's meta.properties.
func (n *Node) editMeta(from, to string) error {
	name := filepath.Join(n.LogDir, "meta.properties")
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("edit the storage of node %d: %w", n.ID, err)
	}
	if !strings.Contains(string(text), from+"\n") {
		return fmt.Errorf("edit the storage of node %d: no line %s in %s", n.ID, from, name)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), from+"\n", to+"\n", 1)), 0o644); err != nil {
		return fmt.Errorf("edit the storage of node %d: %w", n.ID, err)
	}
	return nil
}
