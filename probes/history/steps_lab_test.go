//go:build lab || labmore

package history

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/lab"
)

// step is a change that the test makes, and how it is to be told.
type step struct {
	do   func(ctx context.Context) error
	want []string // kind, subject, before and after, "|" between them; "*" for anything
}

// happened is when a step was done.
type happened struct {
	step
	from, to time.Time
}

func ptr(s string) *string { return &s }

// alter sets, or with an empty value removes, a setting.
func alter(a *kadm.Client, topic, key, value string) func(context.Context) error {
	one := kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: ptr(value)}
	if value == "" {
		one = kadm.AlterConfig{Op: kadm.DeleteConfig, Name: key}
	}
	return func(ctx context.Context) error {
		var answers kadm.AlterConfigsResponses
		var err error
		if topic == "" {
			answers, err = a.AlterBrokerConfigs(ctx, []kadm.AlterConfig{one})
		} else {
			answers, err = a.AlterTopicConfigs(ctx, []kadm.AlterConfig{one}, topic)
		}
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

func quota(a *kadm.Client, user, key string, value float64, remove bool) func(context.Context) error {
	return func(ctx context.Context) error {
		answers, err := a.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{Entity: kadm.ClientQuotaEntity{{Type: "user", Name: &user}}, Ops: []kadm.AlterClientQuotaOp{{Key: key, Value: value, Remove: remove}}}})
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

func create(a *kadm.Client, topic string, partitions int32, replicas int16) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := a.CreateTopic(ctx, partitions, replicas, nil, topic)
		return err
	}
}

func dropTopic(a *kadm.Client, topic string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := a.DeleteTopic(ctx, topic)
		return err
	}
}

func grow(a *kadm.Client, topic string, to int) func(context.Context) error {
	return func(ctx context.Context) error {
		answers, err := a.UpdatePartitions(ctx, to, topic)
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

func scram(a *kadm.Client, user string, remove bool) func(context.Context) error {
	return func(ctx context.Context) error {
		var answers kadm.AlteredUserSCRAMs
		var err error
		if remove {
			answers, err = a.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: user, Mechanism: kadm.ScramSha256}}, nil)
		} else {
			answers, err = a.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "hunter2"}})
		}
		for _, x := range answers {
			if err == nil {
				err = x.Err
			}
		}
		return err
	}
}

// move reassigns a partition and waits until that is done.
func move(a *kadm.Client, topic string, p int32, to ...int32) func(context.Context) error {
	return func(ctx context.Context) error {
		var req kadm.AlterPartitionAssignmentsReq
		req.Assign(topic, p, to)
		if _, err := a.AlterPartitionAssignments(ctx, req); err != nil {
			return err
		}
		return until(ctx, func() (bool, error) {
			m, err := a.Metadata(ctx, topic)
			if err != nil {
				return false, err
			}
			now := m.Topics[topic].Partitions[p]
			return slices.Equal(now.Replicas, to) && len(now.ISR) == len(to), nil
		})
	}
}

func until(ctx context.Context, is func() (bool, error)) error {
	for {
		ok, err := is()
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting: %w: %w", ctx.Err(), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// inSync waits until the ISR of a partition has so many members.
func inSync(a *kadm.Client, topic string, p int32, n int) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, func() (bool, error) {
			m, err := a.Metadata(ctx, topic)
			if err != nil {
				return false, err
			}
			return len(m.Topics[topic].Partitions[p].ISR) == n, nil
		})
	}
}

func both(all ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, f := range all {
			if err := f(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// steps are the changes, in order. Broker 3 leaves as planned, broker 2 crashes.
func steps(c *lab.Cluster, a *kadm.Client, cl *kgo.Client) []step {
	end := func(id int32, sig syscall.Signal) func(context.Context) error {
		return func(ctx context.Context) error { return c.Node(id).End(ctx, sig) }
	}
	again := func(id int32) func(context.Context) error {
		return func(ctx context.Context) error { return c.Restart(ctx, id) }
	}
	at := func(id int32) string { return "PLAINTEXT://" + c.Node(id).Address() }
	acl := kadm.NewACLs().Topics("orders").ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:bob").AllowHosts("*").Operations(kadm.OpRead)
	const aclText = "allow User:bob to read on topic orders from *"
	feature := func(level int16, type_ int8) func(context.Context) error {
		return func(ctx context.Context) error {
			req := kmsg.NewPtrUpdateFeaturesRequest()
			req.TimeoutMillis = 10000
			f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
			f.Feature, f.MaxVersionLevel, f.UpgradeType = "transaction.version", level, type_
			req.FeatureUpdates = append(req.FeatureUpdates, f)
			resp, err := req.RequestWith(ctx, cl)
			if err == nil && resp.ErrorCode != 0 {
				err = fmt.Errorf("update features: code %d", resp.ErrorCode)
			}
			return err
		}
	}
	all := []step{
		{create(a, "orders", 3, 3), []string{"topic-created|topic orders||3 partitions, replication factor 3"}},
		{create(a, "single", 1, 1), []string{"topic-created|topic single||1 partition, replication factor 1"}},
		{alter(a, "orders", "retention.ms", "60000"), []string{"config-changed|topic orders||retention.ms=60000"}},
		{alter(a, "orders", "retention.ms", "90000"), []string{"config-changed|topic orders|retention.ms=60000|retention.ms=90000"}},
		{alter(a, "orders", "retention.ms", ""), []string{"config-changed|topic orders|retention.ms=90000|"}},
		{alter(a, "orders", "min.insync.replicas", "2"), []string{"config-changed|topic orders||min.insync.replicas=2"}},
		{alter(a, "", "log.cleaner.threads", "2"), []string{"config-changed|cluster||log.cleaner.threads=2"}},
		{alter(a, "", "log.cleaner.threads", ""), []string{"config-changed|cluster|log.cleaner.threads=2|"}},
		{quota(a, "alice", "producer_byte_rate", 1048576, false), []string{"quota-changed|client user=alice||producer_byte_rate=1048576"}},
		{quota(a, "alice", "producer_byte_rate", 2097152, false), []string{"quota-changed|client user=alice|producer_byte_rate=1048576|producer_byte_rate=2097152"}},
		{quota(a, "alice", "request_percentage", 12.5, false), []string{"quota-changed|client user=alice||request_percentage=12.5"}},
		{quota(a, "alice", "producer_byte_rate", 0, true), []string{"quota-changed|client user=alice|producer_byte_rate=2097152|"}},
		{func(ctx context.Context) error { _, err := a.CreateACLs(ctx, acl); return err }, []string{"acl-added|cluster||" + aclText}},
		{func(ctx context.Context) error { _, err := a.DeleteACLs(ctx, acl); return err }, []string{"acl-removed|cluster|" + aclText + "|"}},
		{scram(a, "carol", false), []string{"user-changed|user carol||SCRAM-SHA-256"}},
		{scram(a, "carol", false), []string{"user-changed|user carol|SCRAM-SHA-256|SCRAM-SHA-256"}},
		{scram(a, "carol", true), []string{"user-changed|user carol|SCRAM-SHA-256|"}},
		{grow(a, "orders", 5), []string{"partitions-added|topic orders|3 partitions|5 partitions"}},
		{create(a, "moved", 1, 1), []string{"topic-created|topic moved||1 partition, replication factor 1"}},
		{move(a, "moved", 0, 1, 2), []string{"reassignment-started|partition moved-0|*|1,2", "isr-expanded|partition moved-0|*|*", "reassignment-finished|partition moved-0|*|1,2"}},
		{move(a, "moved", 0, 3), []string{"reassignment-started|partition moved-0|1,2|3", "leader-changed|partition moved-0|*|3", "reassignment-finished|partition moved-0|*|3"}},
		{dropTopic(a, "moved"), []string{"topic-deleted|topic moved|1 partition|"}},
		{create(a, "moved", 2, 3), []string{"topic-created|topic moved||2 partitions, replication factor 3"}},
		{both(inSync(a, "moved", 0, 3), end(3, syscall.SIGTERM)), []string{"controlled-shutdown|broker 3|serving|shutting down", "isr-shrunk|broker 3|*|*", "broker-fenced|broker 3|unfenced|fenced"}},
		{again(3), []string{"broker-registered|broker 3|" + at(3) + "|" + at(3), "broker-unfenced|broker 3|fenced|unfenced", "isr-expanded|broker 3|*|*"}},
		{both(inSync(a, "orders", 0, 3), inSync(a, "moved", 0, 3), end(2, syscall.SIGKILL), inSync(a, "moved", 0, 2)), []string{"broker-fenced|broker 2|unfenced|fenced"}},
		{again(2), []string{"broker-registered|broker 2|" + at(2) + "|" + at(2), "broker-unfenced|broker 2|fenced|unfenced", "isr-expanded|broker 2|*|*"}},
		{both(inSync(a, "moved", 0, 3), inSync(a, "orders", 0, 3), dropTopic(a, "single")), []string{"topic-deleted|topic single|1 partition|"}},
	}
	if c.Version >= "4" {
		all = append(all, step{feature(1, 2), []string{"feature-changed|cluster|transaction.version=2|transaction.version=1"}}, step{feature(2, 1), []string{"feature-changed|cluster|transaction.version=1|transaction.version=2"}})
	} else {
		all = append(all, step{create(a, "late", 1, 3), []string{"topic-created|topic late||1 partition, replication factor 3"}}, step{dropTopic(a, "late"), []string{"topic-deleted|topic late|1 partition|"}})
	}
	return all
}
