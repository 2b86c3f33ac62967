package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// storm asks brokers for the metadata of all topics, without a pause, on many
// connections.
type storm struct {
	cancel  context.CancelFunc
	done    chan struct{}
	clients []*kgo.Client
}

// Stop ends it.
func (s *storm) Stop() {
	s.cancel()
	for _, c := range s.clients {
		c.Close()
	}
	<-s.done
}

// storms starts so many connections to one broker, each with a request inside
// at all times.
func (c *Cluster) storms(ctx context.Context, n *Node, connections int) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &storm{cancel: cancel, done: make(chan struct{})}
	ended := make(chan struct{}, connections)
	for range connections {
		client, err := kgo.NewClient(kgo.SeedBrokers(n.Address()), kgo.ClientID("storm"))
		if err != nil {
			s.cancel()
			return fmt.Errorf("storm node %d: %w", n.ID, err)
		}
		s.clients = append(s.clients, client)
		go func() {
			defer func() { ended <- struct{}{} }()
			for run.Err() == nil {
				req := kmsg.NewPtrMetadataRequest() // all topics
				if _, err := client.SeedBrokers()[0].Request(run, req); err != nil && run.Err() == nil {
					time.Sleep(50 * time.Millisecond)
				}
			}
		}()
	}
	go func() {
		for range connections {
			<-ended
		}
		close(s.done)
	}()
	c.keep(s)
	return nil
}

const idleNanos = `kafka_server_kafkarequesthandlerpool_count{name="RequestHandlerAvgIdlePercent"`

var requestHandlerSaturation = &Fault{
	Name:  "request-handler-saturation",
	Later: true,
	Doc:   "broker 2 has one request handler, and 24 connections ask it for metadata without a pause",
	Shape: Shape{Metrics: true, OwnController: true, Settings: map[string]string{"num.io.threads": "1"}},
	// What a broker's first minute tells of its handlers says nothing yet.
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := orders(ctx, c); err != nil {
			return err
		}
		return c.Node(2).aged(ctx, 62*time.Second)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: "catalogue", Partitions: 100, Replication: 1}); err != nil {
			return err
		}
		return c.storms(ctx, c.Node(2), 24)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		n := c.Node(2)
		before, _, err := n.Metric(ctx, idleNanos)
		if err != nil {
			return "", err
		}
		began := time.Now()
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		after, _, err := n.Metric(ctx, idleNanos)
		if err != nil {
			return "", err
		}
		waiting, _, err := n.Metric(ctx, `kafka_network_requestchannel_value{name="RequestQueueSize"`)
		if err != nil {
			return "", err
		}
		idle := (after - before) / 1e9 / time.Since(began).Seconds()
		if idle > 0.3 || waiting < 5 {
			return "", fmt.Errorf("the handler of broker 2 is idle %.2f of the time, %.0f requests wait", idle, waiting)
		}
		return fmt.Sprintf("the handler of broker 2 is idle %.2f of the time, %.0f requests wait", idle, waiting), nil
	},
	Bites: 90 * time.Second,
	Heal: func(ctx context.Context, c *Cluster) error {
		c.StopClients()
		return orders(ctx, c)
	},
	Facts: []Sight{
		{"metrics.handlers.idle", "broker 2", "value<0.7"},
		{"metrics.requests.queued", "broker 2", "value>4"},
		{"metrics.requests.queued", "broker 1", "value<4"},
	},
	Expect:    []Expect{{Cause: "request-handler-saturation"}},
	Forbidden: []string{"broker-crashed", "broker-hung"},
}
