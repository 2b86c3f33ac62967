package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

var tlsListener = Listener{"TLS", "SSL"}

// overdue is when the expired certificate expired.
var overdue = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

var certificateExpired = &Fault{
	Name:  "certificate-expired",
	Later: true,
	Doc:   "broker 2 loads a key store whose certificate has expired; members of a group come anew",
	Shape: Shape{Listeners: []Listener{tlsListener}},
	Prepare: func(ctx context.Context, c *Cluster) error {
		return ordersAt(ctx, c, 100, 0, c.overTLS(tlsListener.Name)...)
	},
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.renew(ctx, c.Node(2), overdue); err != nil {
			return err
		}
		if err := c.stopConsumers(); err != nil { // connections that stand live on
			return err
		}
		_, err := c.Consume(ctx, billingGroup, ordersTopic, 0, c.overTLS(tlsListener.Name)...)
		return err
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		err := c.shakeHands(ctx, c.Node(2).At(tlsListener.Name))
		var invalid x509.CertificateInvalidError
		if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
			return "", fmt.Errorf("a handshake with broker 2 gives %v", err)
		}
		line, logErr := c.Node(2).InLog("server.log", "Failed authentication with", "SSL handshake failed")
		if logErr == nil && line == "" {
			logErr = errors.New("broker 2 has logged no failed handshake")
		}
		return err.Error(), logErr
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.renew(ctx, c.Node(2), time.Now().AddDate(0, 6, 0)); err != nil {
			return err
		}
		return c.rejoin(ctx, c.overTLS(tlsListener.Name)...)
	},
	Expect:    []Expect{{Cause: "certificate-expired"}},
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "broker-hung", "slow-consumer"},
	Facts: []Sight{
		{"kafka.listener.certificates", "broker 2", "subject=CN=broker 2; not_after=" + overdue.Format(time.RFC3339)},
		{"log.tls-failed", "broker 2", "row~127.0.0.1"},
	},
}

// renew gives a broker a certificate that is valid until a time, and lets it load
// its key store again.
func (c *Cluster) renew(ctx context.Context, n *Node, until time.Time) error {
	if err := c.writeStore(n, until); err != nil {
		return err
	}
	store := n.keyStore()
	return c.admin(fmt.Sprintf("load the key store of broker %d", n.ID), func(a *kadm.Client) error {
		got, err := a.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "listener.name.tls.ssl.keystore.location", Value: &store}}, n.ID)
		for _, one := range got {
			if err == nil {
				err = one.Err
			}
		}
		return err
	})
}

// shakeHands is the error of a TLS handshake as a client that trusts the
// cluster's authority has it.
func (c *Cluster) shakeHands(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: c.trust()}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
	}
	return err
}
