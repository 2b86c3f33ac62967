package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// damagedAt is the byte of a segment that is flipped: among the records of its
// first batch, which the checksum covers from its byte 21 on.
const damagedAt = 300

var segmentCorruption = &Fault{
	Name: "segment-corruption",
	Doc:  "one byte of a closed segment is flipped in the log dir of broker 3",
	Prepare: func(ctx context.Context, c *Cluster) error {
		if err := orders(ctx, c); err != nil {
			return err
		}
		if err := c.CreateTopic(ctx, Topic{Name: "ledger", Partitions: 1, Replication: 3}); err != nil {
			return err
		}
		flood, err := c.Produce(ctx, "ledger", 400, 2000)
		if err != nil {
			return err
		}
		defer flood.Stop()
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		return poll(ctx, func(context.Context) error {
			_, err := closedSegment(c.Node(3), "ledger-0")
			return err
		})
	},
	Inject: func(_ context.Context, c *Cluster) error { return flip(c.Node(3)) },
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		file, err := closedSegment(c.Node(3), "ledger-0")
		if err != nil {
			return "", err
		}
		// The tool says isvalid: false, or fails at the batch.
		out, err := c.install.Java(ctx, "org.apache.kafka.tools.DumpLogSegments", "--files", file)
		for line := range strings.Lines(out) {
			if strings.Contains(line, "isvalid: false") || strings.Contains(line, "CorruptRecordException") {
				return strings.TrimSpace(line), nil
			}
		}
		return "", errors.Join(errors.New("DumpLogSegments finds every batch valid"), err)
	},
	Heal:      func(_ context.Context, c *Cluster) error { return flip(c.Node(3)) },
	Expect:    []Expect{{"segment-corruption", "logdir 3:$LOGDIR3"}},
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"log-dir-offline", "broker-crashed", "disk-full", "replica-fetcher-dead", "slow-consumer"},
	Facts: []Sight{
		{"segments.damage", "logdir 3:$LOGDIR3", "partition=ledger-0"},
	},
}

// closedSegment is the first segment of a partition, once there is a later one.
func closedSegment(n *Node, partition string) (string, error) {
	all, err := filepath.Glob(filepath.Join(n.LogDir, partition, "*.log"))
	if err != nil || len(all) < 2 {
		return "", fmt.Errorf("%s of broker %d has %d segments, two or more are expected", partition, n.ID, len(all))
	}
	return slices.Min(all), nil
}

// flip inverts the byte, or inverts it back.
func flip(n *Node) error {
	name, err := closedSegment(n, "ledger-0")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("damage a segment: %w", err)
	}
	defer file.Close()
	var b [1]byte
	if _, err := file.ReadAt(b[:], damagedAt); err != nil {
		return fmt.Errorf("damage %s: %w", name, err)
	}
	b[0] ^= 0xff
	if _, err := file.WriteAt(b[:], damagedAt); err != nil {
		return fmt.Errorf("damage %s: %w", name, err)
	}
	return nil
}
