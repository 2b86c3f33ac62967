package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What fixes leave to a human, what humans read off the looks of playbooks, and
// how Kafka's own tools say that a fault is over.

func nothing(context.Context, *Cluster, *Toolbox) error { return nil }

// write makes a file in the directory where commands run.
func (t *Toolbox) write(name, text string) error {
	if err := os.WriteFile(filepath.Join(t.Dir, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write a file for a command: %w", err)
	}
	return nil
}

// started starts a sound member of the usual group.
func started(ctx context.Context, c *Cluster, _ *Toolbox) error {
	_, err := c.Consume(ctx, billingGroup, ordersTopic, 0)
	return err
}

// reportStarted starts a member of the group that had none.
func reportStarted(ctx context.Context, c *Cluster, _ *Toolbox) error {
	_, err := c.Consume(ctx, reportGroup, readingsTopic, 0)
	return err
}

// again restarts the usual group with one sound member.
func again(ctx context.Context, c *Cluster, t *Toolbox) error {
	if err := c.stopConsumers(); err != nil {
		return err
	}
	return started(ctx, c, t)
}

// stopOnly stops the clients of a type, and leaves the others.
func stopOnly[T stopper](c *Cluster) error {
	c.mu.Lock()
	var them []stopper
	c.clients = slices.DeleteFunc(c.clients, func(s stopper) bool {
		_, one := s.(T)
		if one {
			them = append(them, s)
		}
		return one
	})
	c.mu.Unlock()
	for _, s := range them {
		s.Stop()
	}
	if len(them) == 0 {
		return errors.New("there is no client to stop")
	}
	return nil
}

// theDisk reads the device under the log dir of broker 3, as findmnt shows it,
// and keeps it: a loop device is gone when nobody has it.
func theDisk(_ context.Context, c *Cluster, t *Toolbox) (map[string]string, error) {
	device := c.disk.loop
	f, err := os.Open("/dev/" + device)
	if err != nil {
		return nil, err
	}
	t.kept = append(t.kept, f)
	return map[string]string{"<device>": device}, nil
}

// theStore reads where broker 2 has its key store.
func theStore(_ context.Context, c *Cluster, _ *Toolbox) (map[string]string, error) {
	return map[string]string{"<keystore>": c.Node(2).keyStore()}, nil
}

// theCluster reads the cluster's id, in the last word of what kafka-cluster.sh
// prints:
//
//	Cluster ID: 4Dk0XxVXQzGzQj5ZZ5Ue6A
func theCluster(ctx context.Context, c *Cluster, t *Toolbox) (map[string]string, error) {
	out, err := t.Run(ctx, "kafka-cluster.sh cluster-id --bootstrap-server "+c.Bootstrap()[0])
	if err != nil {
		return nil, err
	}
	_, id, found := strings.Cut(out, "Cluster ID: ")
	if !found {
		return nil, fmt.Errorf("no id of the cluster in %q", out)
	}
	id, _, _ = strings.Cut(id, "\n")
	return map[string]string{"<cluster-id>": id}, nil
}

// emptied deletes what a directory holds.
func emptied(dir string) error {
	for _, name := range namesIn(dir) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("empty a log dir: %w", err)
		}
	}
	return nil
}

// startOffset reads where the open transaction begins, in the last column of
// what kafka-transactions.sh describe-producers prints:
//
//	ProducerId ProducerEpoch LatestCoordinatorEpoch LastSequence LastTimestamp CurrentTransactionStartOffset
func startOffset(ctx context.Context, c *Cluster, t *Toolbox) (map[string]string, error) {
	out, err := t.Run(ctx, "kafka-transactions.sh --bootstrap-server "+c.Bootstrap()[0]+" describe-producers --topic "+paymentsTopic+" --partition 0")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		if n, err := strconv.ParseInt(f[len(f)-1], 10, 64); err == nil && n >= 0 {
			return map[string]string{"<start-offset>": fmt.Sprint(n)}, nil
		}
	}
	return nil, fmt.Errorf("no open transaction in %q", out)
}

func billingKeepsUp(ctx context.Context, c *Cluster) (string, error) {
	return billingGroup + " has caught up", c.caughtUp(ctx, billingGroup)
}

func auditorsKeepUp(ctx context.Context, c *Cluster) (string, error) {
	return "auditors have caught up", c.caughtUp(ctx, "auditors")
}

func reportKeepsUp(ctx context.Context, c *Cluster) (string, error) {
	return reportGroup + " has caught up", c.caughtUp(ctx, reportGroup)
}

// unheld sees that brokers no longer tell the loader to wait.
func unheld(ctx context.Context, c *Cluster) (string, error) {
	t, err := c.held()
	if err != nil {
		return "", err
	}
	before := t.waits.Load()
	select {
	case <-time.After(3 * time.Second):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if more := t.waits.Load() - before; more > 0 {
		return "", fmt.Errorf("brokers told %s to wait for %d ms within 3 s", loader, more)
	}
	return "brokers let " + loader + " go on", nil
}
