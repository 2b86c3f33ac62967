package lab

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

var diskFull = &Fault{
	Name:    "disk-full",
	Doc:     "producers fill the 48 MiB file system under the log dir of broker 3",
	Shape:   Shape{SmallDisk: 48},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: "events", Partitions: 3, Replication: 3}); err != nil {
			return err
		}
		flood, err := c.Produce(ctx, "events", 800, 10_000)
		if err != nil {
			return err
		}
		defer flood.Stop()
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return poll(ctx, func(context.Context) error { return noSpace(c.Node(3)) })
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(3)
		if err := noSpace(n); err != nil {
			return "", err
		}
		used, available, err := dirUse(n.LogDir)
		if err != nil {
			return "", err
		}
		if share := float64(used) / float64(used+available); share < 0.95 {
			return "", fmt.Errorf("%s is %.0f %% full", n.LogDir, 100*share)
		}
		if _, err := left(ctx, c, 3); err != nil {
			return "", err
		}
		return fmt.Sprintf("ENOSPC in its log, %d bytes free; broker 3: %s", available, n.Ending()), nil
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := syscall.Mount("ktriage-lab", c.Node(3).LogDir, "tmpfs", syscall.MS_REMOUNT, "size=1g"); err != nil {
			return fmt.Errorf("enlarge the file system: %w", err)
		}
		n := c.Node(3)
		if n.Running() { // it ends by itself, but may take its time
			wait, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			if n.Gone(wait) != nil {
				n.kill()
			}
		}
		return c.Restart(ctx, 3)
	},
	Expect:       []Expect{{"disk-full", "logdir 3:$LOGDIR3"}},
	Consequences: []string{"broker-crashed"},
	Branch:       "availability",
	Forbidden:    []string{"planned-shutdown", "broker-hung", "under-min-isr", "no-leader"},
	// A JVM that halts takes its perf data file with it: nothing on the host says
	// where the broker was, so the operator does.
	Args:  []string{"--broker-config", "$CONFIG3"},
	Blind: []Blind{{"host.dirs,logs.lines", "disk-full"}},
}

// noSpace sees the errno in a broker's own log.
func noSpace(n *Node) error {
	line, err := n.InLog("server.log", "java.io.IOException: No space left on device")
	if err == nil && line == "" {
		err = fmt.Errorf("no %v in the log of broker %d", os.NewSyscallError("write", syscall.ENOSPC), n.ID)
	}
	return err
}
