package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// starving is the quota of the starved broker: microseconds in each 100 ms.
const starving = 8000

var cpuStarved = &Fault{
	Name:    "cpu-starved",
	Doc:     "a cgroup gives broker 2 eight hundredths of a processor",
	Prepare: func(ctx context.Context, c *Cluster) error { return ordersAt(ctx, c, 400, 0) },
	Inject: func(_ context.Context, c *Cluster) error {
		cgroup, err := c.confine(c.Node(2), "cpu")
		if err != nil {
			return err
		}
		return setControl(cgroup, "cpu.cfs_quota_us", fmt.Sprint(starving))
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		cgroup := c.Node(2).cgroups[0]
		before, err := throttling(cgroup)
		if err != nil {
			return "", err
		}
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		now, err := throttling(cgroup)
		if err != nil {
			return "", err
		}
		periods, throttled := now.periods-before.periods, now.throttled-before.throttled
		if periods < 20 || throttled*10 < periods*7 {
			return "", fmt.Errorf("%d of %d periods of 100 ms were throttled within 3 s", throttled, periods)
		}
		return fmt.Sprintf("cpu.stat: %d of %d periods throttled within 3 s, for %.1f s", throttled, periods, float64(now.nanos-before.nanos)/1e9), nil
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := setControl(c.Node(2).cgroups[0], "cpu.cfs_quota_us", "-1"); err != nil {
			return err
		}
		return c.Restart(ctx) // nothing to start, but the wait for the rest
	},
	Expect:    []Expect{{"cpu-starved", "process 2"}},
	Branch:    "performance",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "heap-exhaustion", "slow-disk", "swapping"},
	Facts: []Sight{
		{"host.cgroup.cpu.limit", "process 2", "value=0.08"},
		{"host.cgroup.cpu.periods", "process 2", "value moves"},
		{"host.cgroup.cpu.throttled.periods", "process 2", "value moves"},
		{"host.cgroup.cpu.throttled.seconds", "process 2", "value moves"},
		{"host.process.runqueue", "process 2", "value moves"},
	},
}

// cpuStat is what a cpu cgroup has counted.
type cpuStat struct{ periods, throttled, nanos int64 }

func throttling(cgroup string) (t cpuStat, err error) {
	for name, to := range map[string]*int64{"nr_periods": &t.periods, "nr_throttled": &t.throttled, "throttled_time": &t.nanos} {
		if *to, err = control(cgroup, "cpu.stat", name); err != nil {
			return t, fmt.Errorf("read %s: %w", filepath.Base(cgroup), err)
		}
	}
	return t, nil
}
