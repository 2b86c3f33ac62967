package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// stopper is a client of the cluster that runs until it is stopped.
type stopper interface{ Stop() }

func (c *Cluster) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.Bootstrap()...), kgo.ClientID("lab"), kgo.DialTimeout(time.Second),
		kgo.MetadataMaxAge(2 * time.Second), kgo.MetadataMinAge(250 * time.Millisecond), // a new leader is found soon
	}, opts...)...)
}

// Topic is a topic to create. Replicas of each partition are Kafka's choice,
// or On, the same brokers for every one.
type Topic struct {
	Name        string
	Partitions  int
	Replication int
	On          []int32
	Configs     map[string]string
}

// CreateTopic creates a topic and waits until all its replicas are in sync.
func (c *Cluster) CreateTopic(ctx context.Context, t Topic) error {
	if err := c.askForTopic(ctx, t); err != nil {
		return err
	}
	return c.Ready(ctx)
}

// askForTopic creates a topic and does not wait for replicas.
func (c *Cluster) askForTopic(ctx context.Context, t Topic) error {
	client, err := c.client()
	if err != nil {
		return fmt.Errorf("create topic %s: %w", t.Name, err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = t.Name, int32(t.Partitions), int16(t.Replication)
	if len(t.On) > 0 {
		topic.NumPartitions, topic.ReplicationFactor = -1, -1
		for p := range t.Partitions {
			topic.ReplicaAssignment = append(topic.ReplicaAssignment, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(p), Replicas: t.On})
		}
	}
	for name, value := range t.Configs {
		topic.Configs = append(topic.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: name, Value: &value})
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 10000
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", t.Name, err)
	}
	for _, answer := range resp.Topics {
		if err := kerr.ErrorForCode(answer.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// Producer writes records to a topic at a steady rate, acks=all, and never
// blocks: what the cluster does not take is dropped and counted.
type Producer struct {
	Acked, Failed atomic.Int64
	client        *kgo.Client
	cancel        context.CancelFunc
	done          sync.WaitGroup
	lastError     atomic.Pointer[error]
}

// Produce starts a producer of rate records a second, size bytes each, to all
// partitions in turn.
func (c *Cluster) Produce(ctx context.Context, topic string, rate, size int) (*Producer, error) {
	return c.produce(ctx, topic, rate, size, kgo.RoundRobinPartitioner())
}

func (c *Cluster) produce(ctx context.Context, topic string, rate, size int, partitions kgo.Partitioner) (*Producer, error) {
	client, err := c.client(
		kgo.DisableIdempotentWrite(), // else records of an outage could not be given up
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(4*time.Second), kgo.ProduceRequestTimeout(3*time.Second),
		kgo.MaxBufferedRecords(max(1000, 2*rate)), kgo.RecordPartitioner(partitions),
		kgo.ProducerBatchCompression(kgo.NoCompression()), // sizes are what they say
	)
	if err != nil {
		return nil, fmt.Errorf("produce to %s: %w", topic, err)
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &Producer{client: client, cancel: cancel}
	p.done.Go(func() { p.run(run, topic, rate, size) })
	c.keep(p)
	return p, nil
}

func (p *Producer) run(ctx context.Context, topic string, rate, size int) {
	const beat = 50 * time.Millisecond
	value := make([]byte, size)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	owed := 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for owed += float64(rate) * beat.Seconds(); owed >= 1; owed-- {
			p.client.TryProduce(ctx, &kgo.Record{Topic: topic, Value: value}, p.count)
		}
	}
}

func (p *Producer) count(_ *kgo.Record, err error) {
	if err == nil {
		p.Acked.Add(1)
		return
	}
	p.Failed.Add(1)
	p.lastError.Store(&err)
}

// Err is why the record that failed last did; nil when none has.
func (p *Producer) Err() error {
	if e := p.lastError.Load(); e != nil {
		return *e
	}
	return nil
}

// Stop ends the producer; what is not yet acknowledged is given up.
func (p *Producer) Stop() {
	p.cancel()
	p.done.Wait()
	p.client.Close()
}

// acknowledged is how many records all producers got acknowledged in a time.
func (c *Cluster) acknowledged(ctx context.Context, during time.Duration) (int64, error) {
	count := func() (n int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.clients {
			if p, is := s.(*Producer); is {
				n += p.Acked.Load()
			}
		}
		return n
	}
	before := count()
	select {
	case <-time.After(during):
		return count() - before, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Consumer is one member of a group that commits what it has read.
type Consumer struct {
	Read   atomic.Int64
	client *kgo.Client
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Consume starts a member of a group that reads at most rate records a second;
// 0: as fast as it can. More options say how it connects.
func (c *Cluster) Consume(ctx context.Context, group, topic string, rate int, more ...kgo.Opt) (*Consumer, error) {
	m, err := c.member(ctx, group, topic, rate, more...)
	if err == nil {
		c.keep(m)
	}
	return m, err
}

// member is a consumer that somebody else stops.
func (c *Cluster) member(ctx context.Context, group, topic string, rate int, more ...kgo.Opt) (*Consumer, error) {
	opts := []kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.AutoCommitInterval(500 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200 * time.Millisecond),
	}
	if rate > 0 { // whole big batches of one partition would look like a stall of the others
		opts = append(opts, kgo.FetchMaxPartitionBytes(4096))
	}
	client, err := c.client(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("consume %s as %s: %w", topic, group, err)
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m := &Consumer{client: client, cancel: cancel}
	m.done.Go(func() { m.run(run, rate) })
	return m, nil
}

func (m *Consumer) consumes() {}

func (m *Consumer) run(ctx context.Context, rate int) {
	const beat = 100 * time.Millisecond
	most := 10000
	if rate > 0 {
		most = max(1, rate/10)
	}
	for ctx.Err() == nil {
		m.Read.Add(int64(m.client.PollRecords(ctx, most).NumRecords()))
		if rate > 0 {
			select {
			case <-time.After(beat):
			case <-ctx.Done():
			}
		}
	}
}

// Stop commits, leaves the group and ends the member. It waits 3 s at most: the
// cluster may be dead.
func (m *Consumer) Stop() {
	m.cancel()
	m.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	m.client.CommitUncommittedOffsets(ctx)
	m.client.LeaveGroupContext(ctx)
	m.client.Close()
}

func (c *Cluster) keep(s stopper) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients = append(c.clients, s)
}

// StopClients stops producers and consumers, newest first.
func (c *Cluster) StopClients() {
	c.mu.Lock()
	clients := c.clients
	c.clients = nil
	c.mu.Unlock()
	for i := len(clients) - 1; i >= 0; i-- {
		clients[i].Stop()
	}
}
