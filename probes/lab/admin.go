package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// alterTopic sets or, with an empty value, deletes settings of a topic.
func (c *Cluster) alterTopic(ctx context.Context, topic string, settings map[string]string) error {
	return c.admin("alter settings of "+topic, func(a *kadm.Client) error {
		answers, err := a.AlterTopicConfigs(ctx, altering(settings), topic)
		return errors.Join(err, failed(answers))
	})
}

// alterBrokers is alterTopic for dynamic settings of brokers.
func (c *Cluster) alterBrokers(ctx context.Context, settings map[string]string, ids ...int32) error {
	return c.admin("alter settings of brokers", func(a *kadm.Client) error {
		answers, err := a.AlterBrokerConfigs(ctx, altering(settings), ids...)
		return errors.Join(err, failed(answers))
	})
}

func altering(settings map[string]string) []kadm.AlterConfig {
	var all []kadm.AlterConfig
	for name, value := range settings {
		if value == "" {
			all = append(all, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name})
			continue
		}
		all = append(all, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	return all
}

func failed(answers kadm.AlterConfigsResponses) error {
	for _, a := range answers {
		if a.Err != nil {
			return fmt.Errorf("%s: %w", a.Name, a.Err)
		}
	}
	return nil
}

// commit commits an offset for partitions 0 to n-1 of a topic, for a group
// without members.
func (c *Cluster) commit(ctx context.Context, group, topic string, n int32, offset int64) error {
	return c.admin("commit for "+group, func(a *kadm.Client) error {
		var all kadm.Offsets
		for p := range n {
			all.AddOffset(topic, p, offset, -1)
		}
		return a.CommitAllOffsets(ctx, group, all)
	})
}

// fill writes records of a size to partitions in turn, acks=1, and returns when
// all of them are acknowledged.
func (c *Cluster) fill(ctx context.Context, topic string, records, size int) error {
	client, err := c.client(kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return fmt.Errorf("fill %s: %w", topic, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	value := make([]byte, size)
	var all []*kgo.Record
	for range records {
		all = append(all, &kgo.Record{Topic: topic, Value: value})
	}
	if err := client.ProduceSync(ctx, all...).FirstErr(); err != nil {
		return fmt.Errorf("fill %s: %w", topic, err)
	}
	return nil
}

// reassign runs kafka-reassign-partitions.sh with a plan of one partition.
func (c *Cluster) reassign(ctx context.Context, topic string, partition int, replicas string, args ...string) (string, error) {
	file := filepath.Join(c.Dir, "plan.json")
	plan := fmt.Sprintf(`{"version":1,"partitions":[{"topic":%q,"partition":%d,"replicas":[%s]}]}`, topic, partition, replicas)
	if err := os.WriteFile(file, []byte(plan), 0o644); err != nil {
		return "", fmt.Errorf("reassign %s-%d: %w", topic, partition, err)
	}
	return c.Tool(ctx, "org.apache.kafka.tools.reassign.ReassignPartitionsCommand", append(args, "--reassignment-json-file", file)...)
}

// deleteTopics deletes topics.
func (c *Cluster) deleteTopics(ctx context.Context, topics ...string) error {
	return c.admin("delete topics", func(a *kadm.Client) error {
		answers, err := a.DeleteTopics(ctx, topics...)
		return errors.Join(err, answers.Error())
	})
}

// electPreferred gives every partition to its first replica.
func (c *Cluster) electPreferred(ctx context.Context) error {
	return c.admin("elect preferred leaders", func(a *kadm.Client) error {
		_, err := a.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil) // nil: all; those that need none answer with an error
		return err
	})
}
