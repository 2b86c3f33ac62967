package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// appUser is the user that the group of these faults runs as.
const (
	appUser     = "app"
	appPassword = "app-word"
)

var authorizationDenied = &Fault{
	Name:    "authorization-denied",
	Later:   true,
	Doc:     "the user of a group loses the right to read it",
	Shape:   Secured,
	Prepare: ordersAsUser,
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.disallow(ctx, acl(appUser, kadm.OpRead, "", billingGroup))
	},
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		line, _, err := c.inLogs("kafka-authorizer.log", "Principal = User:"+appUser+" is Denied", "Group:LITERAL:"+billingGroup)
		if err == nil && line == "" {
			other, _, _ := c.inLogs("kafka-authorizer.log", "Denied")
			err = fmt.Errorf("no authorizer has denied group %s to user %s, only %q", billingGroup, appUser, other)
		}
		return line, err
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.allow(ctx, acl(appUser, kadm.OpRead, "", billingGroup)); err != nil {
			return err
		}
		return c.rejoin(ctx, c.login(appUser, appPassword)...)
	},
	Expect:    []Expect{{Cause: "authorization-denied"}},
	Branch:    "availability",
	Forbidden: []string{"broker-crashed", "broker-hung", "slow-consumer"},
	Facts: []Sight{
		{"log.denied", "", "row~User:" + appUser},
		{"kafka.acls", "cluster", "value=1"},
	},
}

// ordersAsUser is orders with a group whose member logs in.
func ordersAsUser(ctx context.Context, c *Cluster) error {
	if err := c.SetPassword(ctx, appUser, "SCRAM-SHA-256", appPassword); err != nil {
		return err
	}
	for _, right := range []*kadm.ACLBuilder{acl(appUser, kadm.OpRead, ordersTopic, ""), acl(appUser, kadm.OpRead, "", billingGroup)} {
		if err := c.allow(ctx, right); err != nil {
			return err
		}
	}
	return ordersAt(ctx, c, 100, 0, c.login(appUser, appPassword)...)
}
