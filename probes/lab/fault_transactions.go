package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	paymentsTopic = "payments"
	settlement    = "settlement-7" // transactional id
)

var hangingTransaction = &Fault{
	Name:  "hanging-transaction",
	Doc:   "a producer dies within a transaction, and the coordinator does not abort it",
	Shape: Shape{Settings: map[string]string{"transaction.abort.timed.out.transaction.cleanup.interval.ms": "3600000"}},
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: paymentsTopic, Partitions: 1, Replication: 3}); err != nil {
			return err
		}
		if _, err := c.Produce(ctx, paymentsTopic, 30, 100); err != nil {
			return err
		}
		if _, err := c.Consume(ctx, "auditors", paymentsTopic, 0, kgo.FetchIsolationLevel(kgo.ReadCommitted())); err != nil {
			return err
		}
		return orders(ctx, c)
	},
	Inject: abandonTransaction,
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		out, err := c.Tool(ctx, "org.apache.kafka.tools.TransactionsCommand", "list")
		if err != nil {
			return "", err
		}
		if !strings.Contains(out, settlement) || !strings.Contains(out, "Ongoing") {
			return "", errors.New("kafka-transactions lists no open transaction")
		}
		lines, err := c.Group(ctx, "auditors")
		if err != nil {
			return "", err
		}
		for _, l := range lines {
			if l.End-l.Committed > 200 {
				return fmt.Sprintf("%s is Ongoing; auditors stand at %d of %d", settlement, l.Committed, l.End), nil
			}
		}
		return "", errors.New("the group does not lag yet")
	},
	Bites: 45 * time.Second,
	// A producer with the same id fences the dead one and aborts its transaction.
	Heal: func(ctx context.Context, c *Cluster) error {
		client, err := c.client(kgo.TransactionalID(settlement))
		if err != nil {
			return err
		}
		defer client.Close()
		if _, _, err := client.ProducerID(ctx); err != nil {
			return fmt.Errorf("fence %s: %w", settlement, err)
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return c.caughtUp(ctx, "auditors")
	},
	Expect:    []Expect{{Cause: "hanging-transaction"}},
	Args:      patient,
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"group-stopped", "broker-crashed", "broker-hung", "no-leader"},
	Facts: []Sight{
		{"kafka.transactions", "cluster", "row=" + settlement + "; state=Ongoing; timeout=5"},
		{"kafka.group.offsets", "group auditors", "last_stable stays; log_end moves"},
		{"kafka.producers", "cluster", "row=payments-0; started>0"},
	},
}

// abandonTransaction writes within a transaction whose timeout is 5 s, and goes
// away without ending it.
func abandonTransaction(ctx context.Context, c *Cluster) error {
	client, err := c.client(kgo.TransactionalID(settlement), kgo.TransactionTimeout(5*time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	return client.ProduceSync(ctx, &kgo.Record{Topic: paymentsTopic, Value: []byte("half")}).FirstErr()
}
