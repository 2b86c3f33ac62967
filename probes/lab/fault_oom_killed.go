package lab

import (
	"context"
	"fmt"
	"time"
)

var oomKilled = &Fault{
	Name: "oom-killed",
	Doc:  "the heap of broker 2 grows beyond what its memory cgroup allows",
	Shape: Shape{
		Memory: map[int32]int{2: 560},
		JVM:    map[int32][]string{2: {"-Xms256m", "-Xmx1g"}},
	},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.LoadAgent(ctx, c.Node(2), "leak,left=8")
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(2)
		kills, err := control(n.cgroups[0], "memory.oom_control", "oom_kill")
		if err != nil {
			return "", err
		}
		if end := n.Ending(); kills == 0 || end != "signal: killed" {
			return "", fmt.Errorf("%d kills in the cgroup of broker 2, which ended with %q", kills, end)
		}
		seen, err := left(ctx, c, 2)
		return fmt.Sprintf("memory.oom_control: oom_kill %d; %s", kills, seen), err
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := setControl(c.Node(2).cgroups[0], "memory.limit_in_bytes", "-1"); err != nil {
			return err
		}
		return c.Restart(ctx, 2)
	},
	Expect:       []Expect{{"oom-killed", "process 2"}},
	Consequences: []string{"broker-crashed"},
	Branch:       "availability",
	Later:        true,
	Forbidden:    []string{"planned-shutdown", "heap-exhaustion", "broker-hung", "disk-full"},
	Facts: []Sight{
		{"host.kernel.oom-kills", "", "name=java; cgroup=true"},
		{"host.process", "process 2", "exists=false"},
	},
}
