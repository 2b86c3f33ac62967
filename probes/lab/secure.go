package lab

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Listener is a further listener of every broker, "TLS" of protocol SSL, say.
type Listener struct{ Name, Protocol string }

// opened is a listener with the port that a node has for it.
type opened struct {
	Listener
	port int
}

func (o opened) url(host string) string { return fmt.Sprintf("%s://%s:%d", o.Name, host, o.port) }

// At is the address of a listener of the node by its name; "" when it has none
// of that name.
func (n *Node) At(listener string) string {
	for _, l := range n.listeners {
		if l.Name == listener {
			return fmt.Sprintf("%s:%d", n.Host, l.port)
		}
	}
	return ""
}

// BootstrapAt is the addresses of a listener of all brokers.
func (c *Cluster) BootstrapAt(listener string) []string {
	var all []string
	for _, n := range c.Brokers() {
		all = append(all, n.At(listener))
	}
	return all
}

// saslListener is where users log in, and scramSettings how.
var saslListener = Listener{"SASL", "SASL_PLAINTEXT"}

var scramSettings = map[string]string{
	"listener.name.sasl.sasl.enabled.mechanisms":        "SCRAM-SHA-256",
	"listener.name.sasl.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
}

// authorizerSettings deny what no ACL allows, but to the brokers themselves and
// to the lab, which come without a name.
var authorizerSettings = map[string]string{
	"authorizer.class.name":          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
	"super.users":                    "User:ANONYMOUS",
	"allow.everyone.if.no.acl.found": "false",
}

// Secured is a cluster with an authorizer, whose users come by SCRAM-SHA-256 to
// the listener SASL.
var Secured = Shape{Listeners: []Listener{saslListener}, Settings: merged(scramSettings, authorizerSettings)}

func merged(all ...map[string]string) map[string]string {
	m := map[string]string{}
	for _, one := range all {
		maps.Copy(m, one)
	}
	return m
}

// admin runs a change with the rights of the lab.
func (c *Cluster) admin(what string, change func(*kadm.Client) error) error {
	client, err := c.client()
	if err == nil {
		defer client.Close()
		err = change(kadm.NewClient(client))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// SetPassword makes a user of a mechanism, "SCRAM-SHA-256" or "SCRAM-SHA-512",
// or gives one a new password. Brokers know it a moment later.
func (c *Cluster) SetPassword(ctx context.Context, user, mechanism, password string) error {
	kind := kadm.ScramSha256
	if mechanism == "SCRAM-SHA-512" {
		kind = kadm.ScramSha512
	}
	return c.admin("set the password of "+user, func(a *kadm.Client) error {
		got, err := a.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user, Mechanism: kind, Iterations: 4096, Password: password}})
		if err != nil {
			return err
		}
		return got.Error()
	})
}

// acl is what a user may do with one topic or group, or with every one, "*".
func acl(user string, operation kadm.ACLOperation, topic, group string) *kadm.ACLBuilder {
	b := kadm.NewACLs().Allow("User:" + user).AllowHosts("*").Operations(operation).ResourcePatternType(kadm.ACLPatternLiteral)
	if topic != "" {
		b = b.Topics(topic)
	}
	if group != "" {
		b = b.Groups(group)
	}
	return b
}

// allow creates an ACL.
func (c *Cluster) allow(ctx context.Context, b *kadm.ACLBuilder) error {
	return c.admin("create an ACL", func(a *kadm.Client) error {
		got, err := a.CreateACLs(ctx, b)
		for _, one := range got {
			if err == nil {
				err = one.Err
			}
		}
		return err
	})
}

// disallow deletes an ACL; it is an error when there is none.
func (c *Cluster) disallow(ctx context.Context, b *kadm.ACLBuilder) error {
	return c.admin("delete an ACL", func(a *kadm.Client) error {
		got, err := a.DeleteACLs(ctx, b)
		deleted := 0
		for _, one := range got {
			deleted += len(one.Deleted)
			if err == nil {
				err = one.Err
			}
		}
		if err == nil && deleted == 0 {
			err = fmt.Errorf("there is none")
		}
		return err
	})
}

// login is how a client comes as a user of SCRAM-SHA-256 to the SASL listener.
func (c *Cluster) login(user, password string) []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(c.BootstrapAt(saslListener.Name)...), kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism())}
}

// Script writes an executable file that does what a script of Kafka's bin
// directory does: it runs a main class with its arguments.
func (c *Cluster) Script(file, class string) error {
	text := fmt.Sprintf("#!/bin/sh\nexec %q -XX:TieredStopAtLevel=1 -cp %q %s \"$@\"\n", c.install.java, c.install.classes, class)
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		return fmt.Errorf("write a script for %s: %w", class, err)
	}
	return nil
}

// inLogs is the last line with all the parts in a log of any broker, and the
// broker's id; "" when there is none.
func (c *Cluster) inLogs(file string, parts ...string) (line string, id int32, err error) {
	for _, n := range c.Brokers() {
		if line, err = n.InLog(file, parts...); line != "" || err != nil {
			return line, n.ID, err
		}
	}
	return "", 0, nil
}

// usesTLS says whether the node needs a certificate.
func (n *Node) usesTLS() bool {
	for _, l := range n.listeners {
		if strings.HasSuffix(l.Protocol, "SSL") {
			return true
		}
	}
	return false
}
