package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var inodeExhaustion = &Fault{
	Name:    "inode-exhaustion",
	Doc:     "topics take the last inodes of the file system under the log dir of broker 3",
	Shape:   Shape{Volume: &Volume{MiB: 256, Inodes: 160}},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		const last = 3 // which may end the broker that is asked for it
		for i := range last + 1 {
			t := Topic{Name: fmt.Sprintf("tenant-%d", i), Partitions: 12, Replication: 3}
			if err := c.askForTopic(ctx, t); err != nil && i != last {
				return err
			}
		}
		return nil
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(3)
		line, err := n.InLog("server.log", "No space left on device")
		if err == nil && line == "" {
			err = errors.New("broker 3 has met no full file system")
		}
		if err != nil {
			return "", err
		}
		var s syscall.Statfs_t
		if err := syscall.Statfs(n.LogDir, &s); err != nil {
			return "", fmt.Errorf("ask for the inodes of %s: %w", n.LogDir, err)
		}
		if s.Ffree > 3 || s.Bavail*2 < s.Blocks {
			return "", fmt.Errorf("%d of %d inodes are free, and %d of %d blocks", s.Ffree, s.Files, s.Bavail, s.Blocks)
		}
		return fmt.Sprintf("%s; %d of %d inodes free, %d of %d blocks; broker 3: %s", line, s.Ffree, s.Files, s.Bavail, s.Blocks, n.Ending()), nil
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := syscall.Mount(mountSource, c.Node(3).LogDir, "tmpfs", syscall.MS_REMOUNT, "nr_inodes=100000"); err != nil {
			return fmt.Errorf("add inodes: %w", err)
		}
		return c.replace(ctx, 3)
	},
	Expect:    []Expect{{"inode-exhaustion", "logdir 3:$LOGDIR3"}},
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"disk-full", "planned-shutdown", "broker-hung", "fd-exhaustion", "read-only-filesystem"},
	Args:      []string{"--broker-config", "$CONFIG3", "--kafka-logs", "$LOGSDIR3"},
	Facts: []Sight{
		{"host.dir.inodes.used", "logdir 3:$LOGDIR3", "value>156"},
		{"log.dir.no-space", "logdir 3:$LOGDIR3", "count>0"},
	},
}

var readOnlyFilesystem = &Fault{
	Name:    "read-only-filesystem",
	Doc:     "the kernel gives up the ext4 file system under the log dir of broker 3",
	Shape:   Shape{Volume: &Volume{MiB: 128, Disk: true}},
	Prepare: orders,
	Inject:  func(_ context.Context, c *Cluster) error { return c.disk.abort() },
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(3)
		line, err := n.InLog("server.log", "Read-only file system")
		if err == nil && line == "" {
			err = errors.New("broker 3 has met no read-only file system")
		}
		if err != nil {
			return "", err
		}
		options, err := superOptions(n.LogDir)
		if err == nil && !strings.Contains(options, "emergency_ro") && !strings.HasPrefix(options, "ro") {
			err = fmt.Errorf("the options of %s are %s", n.LogDir, options)
		}
		if err != nil {
			return "", err
		}
		_, err = left(ctx, c, 3)
		return fmt.Sprintf("%s; options %s; broker 3: %s", line, options, n.Ending()), err
	},
	Heal: func(ctx context.Context, c *Cluster) error { return c.remount(ctx, 3) },
	Expect: []Expect{
		{"read-only-filesystem", "logdir 3:$LOGDIR3"},
	},
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"disk-full", "planned-shutdown", "broker-hung", "inode-exhaustion"},
	Args:      []string{"--broker-config", "$CONFIG3", "--kafka-logs", "$LOGSDIR3"},
	Facts:     []Sight{{"log.read-only", "broker 3", "count>0"}},
}

var logDirOffline = &Fault{
	Name:    "log-dir-offline",
	Doc:     "every access to the second log dir of broker 3 ends in an I/O error",
	Shape:   Shape{TwoDirs: true, Volume: &Volume{MiB: 128, Disk: true, Other: true}},
	Prepare: orders,
	Inject:  func(_ context.Context, c *Cluster) error { return c.disk.shutDown() },
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(3)
		if end := n.Ending(); end != "" {
			return "", fmt.Errorf("broker 3 ended with %q", end)
		}
		line, err := n.InLog("server.log", "java.io.IOException: Input/output error")
		if err != nil {
			return "", err
		}
		stopped, err := n.InLog("server.log", "Stopping serving logs in dir "+n.OtherDir)
		if err == nil && (line == "" || stopped == "") {
			err = fmt.Errorf("broker 3 has logged %q and %q", line, stopped)
		}
		return line + "; " + stopped, err
	},
	Heal: func(ctx context.Context, c *Cluster) error { return c.remount(ctx, 3) },
	Expect: []Expect{
		{"log-dir-offline", "logdir 3:$OTHERDIR3"},
	},
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"disk-full", "broker-crashed", "planned-shutdown", "broker-hung", "read-only-filesystem", "replica-fetcher-dead"},
	Facts: []Sight{
		{"log.dir.io-error", "logdir 3:$OTHERDIR3", "count>0"},
		{"log.dir.failed", "logdir 3:$OTHERDIR3", "count>0"},
		{"kafka.registered", "cluster", "row=3; fenced=false"},
	},
}

// remount ends a broker if it still runs, mounts its disk anew and starts it.
func (c *Cluster) remount(ctx context.Context, id int32) error {
	n := c.Node(id)
	wait, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if n.Running() && n.End(wait, unix.SIGTERM) != nil {
		n.kill()
	}
	if err := c.disk.again(c.state); err != nil {
		return err
	}
	return c.Restart(ctx, id)
}
