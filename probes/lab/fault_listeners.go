package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

var (
	advertisedRefused = advertised("advertised-listener-unreachable", "localhost:1", "a port that nobody listens on", "own.step=tcp; own.outcome=refused")
	advertisedUnknown = advertised("advertised-name-unresolvable", "broker-2.invalid:9092", "a name that nobody knows", "own.step=dns; own.outcome=unresolvable")
)

// advertised is a broker that answers, and sends everybody elsewhere.
func advertised(name, address, what, reach string) *Fault {
	host, _, _ := net.SplitHostPort(address)
	return &Fault{
		Name:    name,
		Doc:     "broker 2 advertises " + what + ", " + address,
		Prepare: orders,
		Inject: func(ctx context.Context, c *Cluster) error {
			if err := c.Node(2).End(ctx, syscall.SIGTERM); err != nil {
				return err
			}
			if err := c.Node(2).Set(map[string]string{"advertised.listeners": "PLAINTEXT://" + address}); err != nil {
				return err
			}
			if err := c.Node(2).Start(); err != nil {
				return err
			}
			return c.state.save(c)
		},
		// Its peers, which want to follow it, say so.
		Oracle: func(_ context.Context, c *Cluster) (string, error) {
			conn, err := net.DialTimeout("tcp", c.Node(2).Address(), time.Second)
			if err != nil {
				return "", fmt.Errorf("its real port: %w", err)
			}
			conn.Close()
			for _, id := range []int32{1, 3} {
				for _, words := range []string{"Connection to node 2 (" + host, "Couldn't resolve server " + address, "Error connecting to node " + address} {
					if line, err := c.Node(id).InLog("server.log", words); err != nil || line != "" {
						return fmt.Sprintf("broker %d: %s", id, line), err
					}
				}
			}
			return "", errors.New("no peer complains of the address")
		},
		Bites: time.Minute,
		Heal: func(ctx context.Context, c *Cluster) error {
			if err := c.Node(2).Set(nil); err != nil {
				return err
			}
			return c.replace(ctx, 2)
		},
		Expect:    []Expect{{Cause: "advertised-listener-unreachable"}},
		Holds:     []string{"under-min-isr"}, // nobody can follow what it leads
		Args:      slowly,
		Branch:    "availability",
		Later:     true,
		Forbidden: []string{"broker-crashed", "broker-hung", "no-leader"},
		Facts: []Sight{
			{"kafka.broker.reach", "broker 2", "own.address=" + address + "; " + reach},
			{"kafka.metadata", "broker 1", "row=brokers 2; host=" + host},
		},
	}
}
