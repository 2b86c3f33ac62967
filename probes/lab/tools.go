package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// toolConfig makes Kafka's tools turn to another broker when one is silent:
// their own default is to wait half a minute for a hung one.
const toolConfig = "request.timeout.ms=2000\ndefault.api.timeout.ms=12000\n"

// Tool runs one of Kafka's own command line tools (a main class) against the
// brokers that serve, and returns what it printed.
func (c *Cluster) Tool(ctx context.Context, class string, args ...string) (string, error) {
	var alive []string
	for _, n := range c.Brokers() {
		if n.Serves() {
			alive = append(alive, n.Address())
		}
	}
	config := filepath.Join(c.Dir, "tool.properties")
	if err := os.WriteFile(config, []byte(toolConfig), 0o644); err != nil {
		return "", fmt.Errorf("run %s: %w", class, err)
	}
	line := []string{"--bootstrap-server", strings.Join(alive, ","), "--command-config", config}
	out, err := c.install.Java(ctx, c.install.tool(class), append(line, args...)...)
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, lastLines(out, 3))
	}
	return out, nil
}

// PartitionLine is a partition as kafka-topics.sh --describe prints it.
type PartitionLine struct {
	Topic         string
	Partition     int
	Leader        int // -1: none
	Replicas, ISR []int
}

// Partitions asks kafka-topics.sh --describe; args may narrow it down.
func (c *Cluster) Partitions(ctx context.Context, args ...string) ([]PartitionLine, error) {
	out, err := c.Tool(ctx, "org.apache.kafka.tools.TopicCommand", append([]string{"--describe"}, args...)...)
	if err != nil {
		return nil, err
	}
	return parsePartitions(out), nil
}

// Topic: orders	Partition: 0	Leader: 1	Replicas: 1,2,3	Isr: 1,3	Elr: 	LastKnownElr:
var partitionLine = regexp.MustCompile(`Topic: (\S+)\s+Partition: (\d+)\s+Leader: (\S+)\s+Replicas: ([\d,]*)\s+Isr: ([\d,]*)`)

func parsePartitions(out string) []PartitionLine {
	var all []PartitionLine
	for _, m := range partitionLine.FindAllStringSubmatch(out, -1) {
		p := PartitionLine{Topic: m[1], Leader: -1, Replicas: ids(m[4]), ISR: ids(m[5])}
		p.Partition, _ = strconv.Atoi(m[2])
		if leader, err := strconv.Atoi(m[3]); err == nil { // "none" otherwise
			p.Leader = leader
		}
		all = append(all, p)
	}
	return all
}

func ids(list string) []int {
	var all []int
	for _, s := range strings.Split(list, ",") {
		if id, err := strconv.Atoi(s); err == nil {
			all = append(all, id)
		}
	}
	return all
}

// GroupLine is a partition of a group as kafka-consumer-groups.sh prints it.
type GroupLine struct {
	Topic     string
	Partition int
	Committed int64
	End       int64
	Member    string // "-": none
}

// Group asks kafka-consumer-groups.sh --describe.
func (c *Cluster) Group(ctx context.Context, group string) ([]GroupLine, error) {
	out, err := c.Tool(ctx, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--describe", "--group", group)
	if err != nil {
		return nil, err
	}
	return parseGroup(out, group), nil
}

// GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID
func parseGroup(out, group string) []GroupLine {
	var all []GroupLine
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 7 || f[0] != group {
			continue
		}
		partition, err1 := strconv.Atoi(f[2])
		committed, err2 := strconv.ParseInt(f[3], 10, 64)
		end, err3 := strconv.ParseInt(f[4], 10, 64)
		if err1 == nil && err2 == nil && err3 == nil { // "-" where nothing was committed
			all = append(all, GroupLine{f[1], partition, committed, end, f[6]})
		}
	}
	return all
}

// parseOffsets reads what GetOffsetShell prints of one topic, as readings:0:900,
// by partition.
func parseOffsets(out string) map[int]int64 {
	all := map[int]int64{}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 3 {
			continue
		}
		partition, err1 := strconv.Atoi(f[1])
		offset, err2 := strconv.ParseInt(f[2], 10, 64)
		if err1 == nil && err2 == nil {
			all[partition] = offset
		}
	}
	return all
}

// Restart starts a node that is down and waits until the cluster is whole.
func (c *Cluster) Restart(ctx context.Context, ids ...int32) error {
	for _, id := range ids {
		if n := c.Node(id); !n.Running() {
			if err := n.Start(); err != nil {
				return err
			}
		}
	}
	if err := c.state.save(c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	return c.Ready(ctx)
}

// dirUse is the file system of a directory as df shows it, in bytes.
func dirUse(dir string) (used, available uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("ask for the space of %s: %w", dir, err)
	}
	return (s.Blocks - s.Bfree) * uint64(s.Bsize), s.Bavail * uint64(s.Bsize), nil
}
