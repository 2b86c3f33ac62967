package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var fdExhaustion = &Fault{
	Name: "fd-exhaustion",
	Doc:  "broker 2 may open eight files more, and clients connect that ask nothing",
	// The next file of its own that a broker cannot open takes its log dir offline,
	// and a broker with one dir with it: here it opens none. What it does at times
	// it does first half a minute after its start.
	Shape: Shape{Settings: map[string]string{
		"log.segment.bytes": "67108864", "log.cleaner.backoff.ms": "3600000", "log.retention.check.interval.ms": "3600000", "replica.high.watermark.checkpoint.interval.ms": "3600000",
		"log.flush.offset.checkpoint.interval.ms": "3600000", "log.flush.start.offset.checkpoint.interval.ms": "3600000",
	}},
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := orders(ctx, c); err != nil {
			return err
		}
		return c.Node(2).aged(ctx, 33*time.Second)
	},
	Inject: func(_ context.Context, c *Cluster) error {
		n := c.Node(2)
		open, err := n.open()
		if err != nil {
			return err
		}
		if err := n.limit(unix.RLIMIT_NOFILE, uint64(open+8)); err != nil {
			return err
		}
		return c.connect(n, 24)
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		n := c.Node(2)
		line, err := n.InLog("server.log", "java.io.IOException: Too many open files")
		if err != nil {
			return "", err
		}
		open, err := n.open()
		if err != nil {
			return "", err
		}
		soft, _, err := n.limits(unix.RLIMIT_NOFILE)
		if err == nil && (line == "" || uint64(open) < soft) {
			err = fmt.Errorf("%d of %d files are open, in its log %q", open, soft, line)
		}
		return fmt.Sprintf("%d of %d files open; %s", open, soft, line), err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.Node(2).unlimit(unix.RLIMIT_NOFILE); err != nil {
			return err
		}
		return c.Restart(ctx) // nothing to start, but the wait for the rest
	},
	Expect:    []Expect{{"fd-exhaustion", "process 2"}},
	Holds:     []string{"broker-crashed"}, // at times it wants a file all the same
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"broker-hung", "planned-shutdown", "log-dir-offline", "mmap-exhaustion"},
	Facts: []Sight{
		{"host.process.fds", "process 2", "value>0"},
		{"host.process.fds.limit", "process 2", "value<1000"},
		{"log.too-many-files", "broker 2", "row=names accept; count>0"},
		{"kafka.broker.reach", "broker 2", "step=api-versions; outcome=timed-out"},
		{"kafka.registered", "cluster", "row=2; fenced=false"},
	},
}

var mmapExhaustion = &Fault{
	Name:    "mmap-exhaustion",
	Doc:     "broker 3 may map 100 MiB more, and is to hold a topic with large indexes",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		n := c.Node(3)
		size, err := n.mapped()
		if err != nil {
			return err
		}
		if err := n.limit(unix.RLIMIT_AS, size+100<<20); err != nil {
			return err
		}
		return c.askForTopic(ctx, Topic{Name: "archive", Partitions: 12, On: []int32{3, 1}, Configs: map[string]string{"segment.index.bytes": "20971520"}})
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		n := c.Node(3)
		line, err := n.InLog("server.log", "java.lang.OutOfMemoryError: Map failed")
		if err == nil && line == "" {
			err = errors.New("broker 3 has logged no failed map")
		}
		if err != nil {
			return "", err
		}
		size, err := n.mapped()
		if err != nil {
			return "", err
		}
		soft, _, err := n.limits(unix.RLIMIT_AS)
		return fmt.Sprintf("%s; VmSize %d of %d MiB", line, size>>20, soft>>20), err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.Node(3).unlimit(unix.RLIMIT_AS); err != nil {
			return err
		}
		return c.replace(ctx, 3) // what it could not create is created at a start
	},
	Expect:    []Expect{{"mmap-exhaustion", "process 3"}},
	Branch:    "availability",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "planned-shutdown", "heap-exhaustion", "fd-exhaustion", "disk-full"},
	Facts: []Sight{
		{"log.map-failed", "broker 3", "count>0"},
		{"log.metadata-fault", "broker 3", "count>0"},
		{"host.process.vm", "process 3", "value>0"},
		{"host.process.vm.limit", "process 3", "value>0"},
		{"host.process.maps", "process 3", "value>0"},
		{"kafka.registered", "cluster", "row=3; fenced=false"},
	},
}

// limits is a soft and a hard limit of a running node.
func (n *Node) limits(resource int) (soft, hard uint64, err error) {
	var l unix.Rlimit
	if err := unix.Prlimit(n.PID(), resource, nil, &l); err != nil {
		return 0, 0, fmt.Errorf("read a limit of node %d: %w", n.ID, err)
	}
	return l.Cur, l.Max, nil
}

// limit sets a soft limit of a running node.
func (n *Node) limit(resource int, soft uint64) error {
	_, hard, err := n.limits(resource)
	if err != nil {
		return err
	}
	if err := unix.Prlimit(n.PID(), resource, &unix.Rlimit{Cur: soft, Max: hard}, nil); err != nil {
		return fmt.Errorf("set a limit of node %d: %w", n.ID, err)
	}
	return nil
}

// unlimit raises a soft limit to the hard one.
func (n *Node) unlimit(resource int) error {
	_, hard, err := n.limits(resource)
	if err != nil {
		return err
	}
	return n.limit(resource, hard)
}

// open is how many files a node has open.
func (n *Node) open() (int, error) {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.PID()))
	if err != nil {
		return 0, fmt.Errorf("count the open files of node %d: %w", n.ID, err)
	}
	return len(all), nil
}

// mapped is the size of a node's address space, VmSize of /proc/PID/status, in bytes.
func (n *Node) mapped() (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.PID()))
	if err != nil {
		return 0, fmt.Errorf("read the size of node %d: %w", n.ID, err)
	}
	_, rest, _ := strings.Cut(string(text), "VmSize:")
	line, _, _ := strings.Cut(rest, "\n")
	kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the size of node %d: VmSize %q: a number of kB is expected", n.ID, line)
	}
	return kib << 10, nil
}

// aged waits until a node has run for so long.
func (n *Node) aged(ctx context.Context, least time.Duration) error {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", n.PID()))
	if err != nil {
		return fmt.Errorf("read the age of node %d: %w", n.ID, err)
	}
	select {
	case <-time.After(least - time.Since(info.ModTime())):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// silent is connections that ask nothing.
type silent []net.Conn

// Stop closes them.
func (s silent) Stop() {
	for _, c := range s {
		c.Close()
	}
}

// connect opens connections to a node and asks nothing.
func (c *Cluster) connect(n *Node, count int) error {
	var all silent
	for range count {
		conn, err := net.DialTimeout("tcp", n.Address(), 2*time.Second)
		if err != nil {
			all.Stop()
			return fmt.Errorf("connect to node %d: %w", n.ID, err)
		}
		all = append(all, conn)
	}
	c.keep(all)
	return nil
}
