package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

const (
	readingsTopic = "readings"
	reportGroup   = "report"
)

// readings writes 3000 records to three partitions, and lets a group without
// members stand at an offset in each of them.
func readings(at int64) func(context.Context, *Cluster) error {
	return func(ctx context.Context, c *Cluster) error {
		if err := c.CreateTopic(ctx, Topic{Name: readingsTopic, Partitions: 3, Replication: 3}); err != nil {
			return err
		}
		if err := orders(ctx, c); err != nil {
			return err
		}
		if err := c.fill(ctx, readingsTopic, 3000, 100); err != nil {
			return err
		}
		return c.commit(ctx, reportGroup, readingsTopic, 3, at)
	}
}

var offsetBelowLogStart = &Fault{
	Name:    "offset-below-log-start",
	Doc:     "records are deleted that a stopped group has not read yet",
	Prepare: readings(10),
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.admin("delete records", func(a *kadm.Client) error {
			var upTo kadm.Offsets
			for p := range int32(3) {
				upTo.AddOffset(readingsTopic, p, 900, -1)
			}
			answers, err := a.DeleteRecords(ctx, upTo)
			return errors.Join(err, answers.Error())
		})
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		out, err := c.Tool(ctx, "org.apache.kafka.tools.GetOffsetShell", "--topic", readingsTopic, "--time", "earliest")
		if err != nil {
			return "", err
		}
		lines, err := c.Group(ctx, reportGroup)
		if err != nil {
			return "", err
		}
		starts := parseOffsets(out)
		for _, l := range lines {
			if start := starts[l.Partition]; l.Committed < start {
				return fmt.Sprintf("%s-%d: committed %d, earliest %d", l.Topic, l.Partition, l.Committed, start), nil
			}
		}
		return "", fmt.Errorf("earliest offsets %v, group %v", starts, lines)
	},
	Heal: func(ctx context.Context, c *Cluster) error { return c.commit(ctx, reportGroup, readingsTopic, 3, 950) },
	// Nobody has stopped reading but the group itself: the loss is what follows.
	Expect:       []Expect{{"group-stopped", "group " + reportGroup}},
	Consequences: []string{"offset-below-log-start"},
	Args:         patient,
	Branch:       "data",
	Later:        true,
	Forbidden:    []string{"broker-crashed", "broker-hung", "no-leader", "under-min-isr", "slow-consumer"},
	Facts:        []Sight{{"kafka.group.offsets", "group " + reportGroup, "row=readings-0; committed=10; log_start=900"}},
}

var offsetAboveLogEnd = &Fault{
	Name:    "offset-above-log-end",
	Doc:     "a group's offsets are set beyond the end of the log, as after a topic was created anew",
	Prepare: readings(1000),
	Inject: func(ctx context.Context, c *Cluster) error {
		return c.commit(ctx, reportGroup, readingsTopic, 3, 50_000)
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		lines, err := c.Group(ctx, reportGroup)
		if err != nil {
			return "", err
		}
		for _, l := range lines {
			if l.Committed > l.End {
				return fmt.Sprintf("%s-%d: committed %d, end %d", l.Topic, l.Partition, l.Committed, l.End), nil
			}
		}
		return "", fmt.Errorf("no commit is above its log end: %v", lines)
	},
	Heal:      func(ctx context.Context, c *Cluster) error { return c.commit(ctx, reportGroup, readingsTopic, 3, 1000) },
	Expect:    []Expect{{"offset-above-log-end", "group " + reportGroup}},
	Args:      patient,
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader", "under-min-isr", "slow-consumer", "group-stopped"},
	Facts:     []Sight{{"kafka.group.offsets", "group " + reportGroup, "row=readings-0; committed=50000; log_end<2000"}},
}

var offsetRewind = &Fault{
	Name:    "offset-rewind",
	Doc:     "the offsets of a group are set back again and again, so that it reads the same records twice",
	Prepare: readings(900),
	Inject: func(ctx context.Context, c *Cluster) error {
		c.keep(c.rewind(ctx))
		return nil
	},
	Oracle: func(ctx context.Context, c *Cluster) (string, error) {
		highest := int64(0)
		for range 4 {
			lines, err := c.Group(ctx, reportGroup)
			if err != nil {
				return "", err
			}
			for _, l := range lines {
				if l.Partition == 0 && l.Committed < highest {
					return fmt.Sprintf("%s-0: committed %d, then %d", l.Topic, highest, l.Committed), nil
				} else if l.Partition == 0 {
					highest = l.Committed
				}
			}
		}
		return "", fmt.Errorf("no commit went back from %d", highest)
	},
	Bites:     time.Minute,
	Heal:      func(_ context.Context, c *Cluster) error { return c.stopConsumers() },
	Expect:    []Expect{{"offset-rewind", "group " + reportGroup}},
	Args:      patient,
	Branch:    "data",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "no-leader", "under-min-isr"},
	Facts:     []Sight{{"kafka.group.offsets", "group " + reportGroup, "row=readings-0; committed moves"}},
}

// rewinder commits lower and lower offsets, and then a high one again.
type rewinder struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (c *Cluster) rewind(ctx context.Context) *rewinder {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &rewinder{cancel: cancel}
	r.done.Go(func() {
		// Forwards between the resets, as a group that reads: one that only goes back
		// lags more and more, and is a stopped one, too.
		for at := int64(900); run.Err() == nil; at += 100 {
			if at > 900 {
				at = 500
			}
			c.commit(run, reportGroup, readingsTopic, 3, at) // a failed one is not seen, and the oracle waits for the next
			select {
			case <-time.After(1500 * time.Millisecond):
			case <-run.Done():
			}
		}
	})
	return r
}

func (r *rewinder) consumes() {}

// Stop ends it.
func (r *rewinder) Stop() {
	r.cancel()
	r.done.Wait()
}
