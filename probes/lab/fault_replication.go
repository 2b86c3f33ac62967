package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

const walletTopic = "wallet"

var minISRExceedsReplication = &Fault{
	Name:    "min-isr-exceeds-replication",
	Doc:     "a topic with one replica wants two in sync: up to 3.6 nothing with acks=all gets in",
	Shape:   Shape{Version: "3.6.2"},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: walletTopic, Partitions: 3, Replication: 1, Configs: map[string]string{"min.insync.replicas": "2"}}); err != nil {
			return err
		}
		_, err := c.Produce(ctx, walletTopic, 20, 100)
		return err
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		if _, err := whole(ctx, c); err != nil {
			return "", err
		}
		for _, n := range c.Brokers() {
			line, err := n.InLog("server.log", "NotEnoughReplicasException", walletTopic)
			if err != nil || line != "" {
				return "all in sync, and " + line, err
			}
		}
		return "", errors.New("no broker refuses records of " + walletTopic)
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		return c.alterTopic(ctx, walletTopic, map[string]string{"min.insync.replicas": "1"})
	},
	Expect:    []Expect{{Cause: "min-isr-exceeds-replication"}},
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader", "planned-shutdown"},
	Facts:     []Sight{{"kafka.topic.configs", "cluster", "row=wallet; min_isr=2"}},
}

var uncleanLeaderElection = &Fault{
	Name:  "unclean-leader-election",
	Doc:   "the only replica in sync is gone, and one that lacks records was let in its place",
	Shape: Shape{OwnController: true},
	Prepare: func(ctx context.Context, c *Cluster) error {
		err := c.CreateTopic(ctx, Topic{Name: walletTopic, Partitions: 1, On: []int32{2, 3},
			Configs: map[string]string{"min.insync.replicas": "1", "unclean.leader.election.enable": "true"}})
		if err != nil {
			return err
		}
		if err := c.fill(ctx, walletTopic, 100, 100); err != nil {
			return err
		}
		return orders(ctx, c)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.Node(3).End(ctx, syscall.SIGKILL); err != nil {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if err := poll(wait, func(ctx context.Context) error { _, err := left(ctx, c, 3); return err }); err != nil {
			return err
		}
		if err := c.fill(ctx, walletTopic, 400, 100); err != nil { // which broker 3 will never see
			return err
		}
		if err := c.Node(2).End(ctx, syscall.SIGKILL); err != nil {
			return err
		}
		if err := c.Node(3).Start(); err != nil {
			return err
		}
		return c.state.save(c)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		line, err := c.Node(controllerID).InLog("controller.log", "UNCLEAN partition change for "+walletTopic+"-0")
		if err != nil || line == "" {
			return "", errors.Join(errors.New("the controller has made no unclean election"), err)
		}
		out, err := c.Tool(ctx, "org.apache.kafka.tools.GetOffsetShell", "--topic", walletTopic, "--time", "latest")
		if err != nil {
			return "", err
		}
		end, known := parseOffsets(out)[0]
		if !known || end > 200 {
			return "", fmt.Errorf("%s-0 ends at %s", walletTopic, strings.TrimSpace(out))
		}
		return fmt.Sprintf("UNCLEAN in controller.log, %s-0 ends at %d of 500", walletTopic, end), nil
	},
	Bites: time.Minute,
	Heal:  func(ctx context.Context, c *Cluster) error { return c.Restart(ctx, 2) },
	// The election was before anybody looked: the controller's log alone tells of it.
	Expect:    []Expect{{"broker-crashed", "broker 2"}, {Cause: "unclean-leader-election"}},
	Later:     true,
	Forbidden: []string{"broker-hung", "planned-shutdown", "no-leader"},
	Facts: []Sight{
		{"kafka.metadata", "broker 1", "row=wallet-0; leader=3"},
		{"log.unclean-election", "", "count>0"},
	},
}

var riskyReplication = &Fault{
	Name:    "risky-replication",
	Doc:     "advice: a topic with one replica, and one that takes leaders that lack records",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: walletTopic, Partitions: 1, Replication: 1}); err != nil {
			return err
		}
		return c.CreateTopic(ctx, Topic{Name: readingsTopic, Partitions: 1, Replication: 2, Configs: map[string]string{"unclean.leader.election.enable": "true"}})
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		if _, err := whole(ctx, c); err != nil {
			return "", err
		}
		all, err := c.Partitions(ctx, "--topic", walletTopic)
		if err == nil && (len(all) != 1 || len(all[0].Replicas) != 1) {
			err = fmt.Errorf("partitions of %s: %v", walletTopic, all)
		}
		return "one replica, all in sync", err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		return c.deleteTopics(ctx, walletTopic, readingsTopic)
	},
	Context:   []string{"risky-replication"},
	Later:     true,
	Forbidden: anything,
	Facts: []Sight{
		{"kafka.topic.configs", "cluster", "row=readings; unclean=true"},
		{"kafka.metadata", "broker 1", "row=wallet-0; error=0"},
	},
}
