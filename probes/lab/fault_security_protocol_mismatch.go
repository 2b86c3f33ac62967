package lab

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
)

var securityProtocolMismatch = &Fault{
	Name:    "security-protocol-mismatch",
	Later:   true,
	Doc:     "the member of a group comes back with security.protocol=SSL to listeners without TLS",
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.stopConsumers(); err != nil {
			return err
		}
		_, err := c.Consume(ctx, billingGroup, ordersTopic, 0, kgo.DialTLSConfig(&tls.Config{}))
		return err
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		line, _, err := c.inLogs("server.log", "InvalidReceiveException", "Invalid receive (size = 3692") // 0x1603…: ClientHello
		if err == nil && line == "" {
			err = errors.New("no broker has logged an invalid receive")
		}
		return line, err
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.rejoin(ctx) },
	Expect:    []Expect{{Cause: "security-protocol-mismatch"}},
	Holds:     []string{"group-stopped"}, // its members cannot come in
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "broker-hung", "slow-consumer"},
	Facts:     []Sight{{"log.invalid-receive", "", "row~tls"}},
}
