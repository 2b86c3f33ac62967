package lab

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// loader is the client that a quota holds back.
const loader = "loader"

// quota sets or removes the byte rate that a client id may produce with.
func (c *Cluster) quota(ctx context.Context, client string, bytes float64, remove bool) error {
	admin, err := c.client()
	if err != nil {
		return fmt.Errorf("set a quota: %w", err)
	}
	defer admin.Close()
	req := kmsg.NewPtrAlterClientQuotasRequest()
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
	entity.Type, entity.Name = "client-id", &client
	op := kmsg.NewAlterClientQuotasRequestEntryOp()
	op.Key, op.Value, op.Remove = "producer_byte_rate", bytes, remove
	entry.Entity, entry.Ops = append(entry.Entity, entity), append(entry.Ops, op)
	req.Entries = append(req.Entries, entry)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resp, err := req.RequestWith(ctx, admin)
	if err != nil {
		return fmt.Errorf("set a quota: %w", err)
	}
	for _, e := range resp.Entries {
		if err := kerr.ErrorForCode(e.ErrorCode); err != nil {
			return fmt.Errorf("set a quota: %w", err)
		}
	}
	return nil
}

// throttled is a producer that counts for how long brokers tell it to wait.
type throttled struct {
	*Producer
	waits atomic.Int64 // milliseconds
}

// OnBrokerThrottle is told what a broker's answer says of waiting.
func (t *throttled) OnBrokerThrottle(_ kgo.BrokerMetadata, wait time.Duration, _ bool) {
	t.waits.Add(wait.Milliseconds())
}

// held is the producer that the fault has started, as its oracle finds it.
func (c *Cluster) held() (*throttled, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.clients {
		if t, ok := s.(*throttled); ok {
			return t, nil
		}
	}
	return nil, errors.New("no producer " + loader)
}

var quotaThrottle = &Fault{
	Name:    "quota-throttle",
	Later:   true,
	Doc:     "client " + loader + " may produce 20 kB a second to each broker, and wants to produce 300",
	Shape:   Shape{Metrics: true},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.quota(ctx, loader, 20_000, false); err != nil {
			return err
		}
		t := &throttled{}
		client, err := c.client(kgo.ClientID(loader), kgo.WithHooks(t), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()),
			kgo.RecordDeliveryTimeout(30*time.Second), kgo.MaxBufferedRecords(2000), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
		if err != nil {
			return fmt.Errorf("produce as %s: %w", loader, err)
		}
		run, cancel := context.WithCancel(context.WithoutCancel(ctx))
		t.Producer = &Producer{client: client, cancel: cancel}
		t.done.Go(func() { t.run(run, ordersTopic, 300, 1000) })
		c.keep(t)
		return nil
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		t, err := c.held()
		if err != nil {
			return "", err
		}
		if ms := t.waits.Load(); ms < 500 {
			return "", fmt.Errorf("brokers told %s to wait for %d ms in all", loader, ms)
		}
		return fmt.Sprintf("brokers told %s to wait for %d ms in all", loader, t.waits.Load()), nil
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if t, err := c.held(); err == nil {
			t.Stop()
		}
		return c.quota(ctx, loader, 0, true)
	},
	Facts:     []Sight{{"metrics.throttled", "", "client=" + loader + "; seconds>0"}},
	Expect:    []Expect{{Cause: "quota-throttle"}},
	Forbidden: []string{"broker-crashed", "broker-hung", "slow-consumer"},
}
