package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

var rebalanceStorm = &Fault{
	Name:    "rebalance-storm",
	Doc:     "two members of a group join, stay for two seconds and leave, again and again",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		c.flap(ctx, billingGroup, ordersTopic, 2*time.Second)
		c.flap(ctx, billingGroup, ordersTopic, 2700*time.Millisecond)
		return nil
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		before, err := c.rebalances(billingGroup)
		if err != nil {
			return "", err
		}
		select {
		case <-time.After(8 * time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		after, err := c.rebalances(billingGroup)
		if err == nil && after-before < 3 {
			err = fmt.Errorf("%d rebalances of %s in 8 s", after-before, billingGroup)
		}
		return fmt.Sprintf("%d rebalances in 8 s, by the coordinator's log", after-before), err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.stopConsumers(); err != nil {
			return err
		}
		return groupStopped.Heal(ctx, c)
	},
	// A classic group tells no generation, and may be Stable at every look: only
	// the coordinator's log counts.
	Expect:    []Expect{{"rebalance-storm", "group " + billingGroup}},
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"group-stopped", "broker-crashed", "broker-hung", "no-leader", "under-min-isr"},
	Facts:     []Sight{{"log.rebalances", "", "count>5"}},
}

// flapper is a member that comes and goes.
type flapper struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (c *Cluster) flap(ctx context.Context, group, topic string, stay time.Duration) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flapper{cancel: cancel}
	f.done.Go(func() {
		for run.Err() == nil {
			m, err := c.member(run, group, topic, 0)
			if err != nil {
				return // the options are wrong, and the oracle will say that nothing rebalances
			}
			select {
			case <-time.After(stay):
			case <-run.Done():
			}
			m.Stop()
		}
	})
	c.keep(f)
}

func (f *flapper) Stop() {
	f.cancel()
	f.done.Wait()
}

func (f *flapper) consumes() {}

// rebalances counts in the logs of all brokers how often a group began one.
func (c *Cluster) rebalances(group string) (n int, err error) {
	for _, b := range c.Brokers() {
		text, err := os.ReadFile(filepath.Join(b.LogsDir(), "server.log"))
		if err != nil {
			return 0, fmt.Errorf("read a log of node %d: %w", b.ID, err)
		}
		n += strings.Count(string(text), "Preparing to rebalance group "+group+" ")
	}
	return n, nil
}
