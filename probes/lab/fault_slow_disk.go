package lab

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

var slowDisk = &Fault{
	Name:  "slow-disk",
	Doc:   "each write to the disk under the log dir of broker 3 takes 40 ms, and a topic is flushed at each record",
	Shape: Shape{Volume: &Volume{MiB: 256, Disk: true, Slow: true}},
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := orders(ctx, c); err != nil {
			return err
		}
		// Without flushes writes go to the page cache and never wait.
		t := Topic{Name: "journal", Partitions: 6, Replication: 3, Configs: map[string]string{"flush.messages": "1"}}
		if err := c.CreateTopic(ctx, t); err != nil {
			return err
		}
		_, err := c.Produce(ctx, t.Name, 40, 500)
		return err
	},
	Inject: func(_ context.Context, c *Cluster) error {
		c.Delay(40 * time.Millisecond)
		return nil
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		before, err := writesTo(c.disk.loop)
		if err != nil {
			return "", err
		}
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		now, err := writesTo(c.disk.loop)
		if err != nil {
			return "", err
		}
		writes := now.writes - before.writes
		await := float64(now.waited-before.waited) / float64(max(1, writes))
		if busy := float64(now.busy-before.busy) / 3000; writes < 20 || await < 25 || busy < 0.6 {
			return "", fmt.Errorf("%d writes to %s within 3 s, %.0f ms each, busy %.0f %%", writes, c.disk.loop, await, 100*busy)
		}
		return fmt.Sprintf("diskstats of %s: %d writes within 3 s, %.0f ms each", c.disk.loop, writes, await), nil
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		c.Delay(0)
		return c.Restart(ctx) // nothing to start, but the wait for the rest
	},
	Expect:    []Expect{{"slow-disk", "logdir 3:$LOGDIR3"}},
	Branch:    "performance",
	Args:      patient,
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "disk-full", "cpu-starved", "cold-read", "swapping"},
	Facts: []Sight{
		{"host.device.writes", "device $DEVICE", "value moves"},
		{"host.device.write.seconds", "device $DEVICE", "value moves"},
		{"host.device.busy.seconds", "device $DEVICE", "value moves"},
		{"host.process.threads.blocked", "process 3", "value>0"},
	},
}

// diskstat is what the kernel has counted of a block device; milliseconds.
type diskstat struct{ writes, waited, busy int64 }

func writesTo(device string) (diskstat, error) {
	text, err := os.ReadFile("/sys/block/" + device + "/stat")
	if err != nil {
		return diskstat{}, fmt.Errorf("read what %s does: %w", device, err)
	}
	return parseDiskstat(string(text))
}

// parseDiskstat reads /sys/block/DEVICE/stat: reads, merges, sectors, ms, the
// same of writes, in flight, ms busy, and more.
func parseDiskstat(text string) (d diskstat, err error) {
	f := strings.Fields(text)
	for at, to := range map[int]*int64{4: &d.writes, 7: &d.waited, 9: &d.busy} {
		if at >= len(f) {
			return d, fmt.Errorf("statistics of a block device: %d fields, 10 or more are expected", len(f))
		}
		if *to, err = strconv.ParseInt(f[at], 10, 64); err != nil {
			return d, fmt.Errorf("statistics of a block device: field %d is %q, a number is expected", at+1, f[at])
		}
	}
	return d, nil
}
