package lab

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

var controllerQuorumLost = &Fault{
	Name:    "controller-quorum-lost",
	Doc:     "kill -9 of two of three controllers, the active one among them: brokers serve on, nothing can be changed",
	Shape:   Shape{OwnController: true, Controllers: 3},
	Prepare: orders,
	Inject: func(ctx context.Context, c *Cluster) error {
		for _, id := range []int32{controllerID, controllerID + 1} {
			if err := c.Node(id).End(ctx, syscall.SIGKILL); err != nil {
				return err
			}
		}
		return nil
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		short, cancel := context.WithTimeout(ctx, 8*time.Second)
		defer cancel()
		if out, err := c.Tool(short, "org.apache.kafka.tools.MetadataQuorumCommand", "describe", "--status"); err == nil {
			return "", fmt.Errorf("kafka-metadata-quorum answers: %s", lastLines(out, 1))
		} else if short.Err() == nil {
			return "", errors.New("kafka-metadata-quorum fails before its time")
		}
		n, err := c.acknowledged(ctx, 2*time.Second)
		if err == nil && n == 0 {
			err = errors.New("no record is acknowledged")
		}
		return fmt.Sprintf("kafka-metadata-quorum is not answered, while %d records were acknowledged in 2 s", n), err
	},
	Bites: time.Minute,
	Heal: func(ctx context.Context, c *Cluster) error {
		return c.Restart(ctx, controllerID, controllerID+1)
	},
	// On the controllers' own host their death is the root, from afar the quorum is.
	Expect:       []Expect{{"broker-crashed", "broker 100"}},
	Consequences: []string{"controller-quorum-lost"},
	Args:         patient,
	Branch:       "availability",
	Later:        true,
	Forbidden:    []string{"broker-hung", "no-leader", "under-min-isr", "planned-shutdown"},
	Facts:        []Sight{{"kafka.quorum", "cluster", "unknown=timed-out"}},
}
