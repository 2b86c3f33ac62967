package lab

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var authenticationFailed = &Fault{
	Name:    "authentication-failed",
	Later:   true,
	Doc:     "the password of a group's user is changed, and its member comes back with the old one",
	Shape:   Secured,
	Prepare: ordersAsUser,
	Inject: func(ctx context.Context, c *Cluster) error {
		if err := c.SetPassword(ctx, appUser, "SCRAM-SHA-256", "another-word"); err != nil {
			return err
		}
		if err := c.stopConsumers(); err != nil {
			return err
		}
		_, err := c.Consume(ctx, billingGroup, ordersTopic, 0, c.login(appUser, appPassword)...)
		return err
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		line, _, err := c.inLogs("server.log", "Failed authentication with", "invalid credentials with SASL mechanism SCRAM-SHA-256")
		if err == nil && line == "" {
			err = errors.New("no broker has logged a failed authentication")
		}
		return line, err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.SetPassword(ctx, appUser, "SCRAM-SHA-256", appPassword); err != nil {
			return err
		}
		return c.rejoin(ctx, c.login(appUser, appPassword)...)
	},
	Expect:    []Expect{{Cause: "authentication-failed"}},
	Holds:     []string{"group-stopped"}, // its members cannot come in
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "broker-hung", "slow-consumer"},
	Facts:     []Sight{{"log.authentication-failed", "", "row~127.0.0.1"}},
}

// rejoin replaces the members of all groups by one of the usual group, and waits
// until that has caught up.
func (c *Cluster) rejoin(ctx context.Context, how ...kgo.Opt) error {
	if err := c.stopConsumers(); err != nil {
		return err
	}
	if _, err := c.Consume(ctx, billingGroup, ordersTopic, 0, how...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return c.caughtUp(ctx, billingGroup)
}
