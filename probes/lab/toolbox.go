package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// scripts is the scripts of Kafka's bin directory that playbooks name, and the
// main class that each runs.
var scripts = map[string]string{
	"kafka-acls.sh":                "org.apache.kafka.tools.AclCommand",
	"kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
	"kafka-cluster.sh":             "org.apache.kafka.tools.ClusterTool",
	"kafka-configs.sh":             "kafka.admin.ConfigCommand",
	"kafka-console-consumer.sh":    "org.apache.kafka.tools.consumer.ConsoleConsumer",
	"kafka-consumer-groups.sh":     "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
	"kafka-delete-records.sh":      "org.apache.kafka.tools.DeleteRecordsCommand",
	"kafka-dump-log.sh":            "org.apache.kafka.tools.DumpLogSegments",
	"kafka-features.sh":            "org.apache.kafka.tools.FeatureCommand",
	"kafka-leader-election.sh":     "org.apache.kafka.tools.LeaderElectionCommand",
	"kafka-log-dirs.sh":            "org.apache.kafka.tools.LogDirsCommand",
	"kafka-metadata-quorum.sh":     "org.apache.kafka.tools.MetadataQuorumCommand",
	"kafka-reassign-partitions.sh": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
	"kafka-storage.sh":             "kafka.tools.StorageTool",
	"kafka-topics.sh":              "org.apache.kafka.tools.TopicCommand",
	"kafka-transactions.sh":        "org.apache.kafka.tools.TransactionsCommand",
}

// Toolbox is a directory of commands for a shell beside those of the host:
// Kafka's scripts of the cluster's version, sudo, and a systemctl whose units are
// the nodes, "kafka-3". What playbooks say is run with it as it stands.
type Toolbox struct {
	Dir     string // where commands run: files that they name lie there
	cluster *Cluster
	bin     string
	ask     *os.File // lines of systemctl
	answer  *os.File // "0", or "1 why not"
	done    chan struct{}
	kept    []*os.File // open until Close
	aside   []string   // what lay in asideDir before
}

// asideDir is where playbooks move what is out of the way.
const asideDir = "/var/tmp"

// Toolbox makes a toolbox in the cluster's directory. Close it before the
// cluster is stopped.
func (c *Cluster) Toolbox() (*Toolbox, error) {
	t := &Toolbox{Dir: filepath.Join(c.Dir, "operator"), cluster: c, done: make(chan struct{})}
	t.bin = filepath.Join(t.Dir, "bin")
	if err := t.fill(); err != nil {
		return nil, fmt.Errorf("make a toolbox: %w", err)
	}
	t.aside = namesIn(asideDir)
	go t.serve()
	return t, nil
}

func (t *Toolbox) fill() (err error) {
	if err := os.MkdirAll(t.bin, 0o755); err != nil {
		return err
	}
	in := t.cluster.install
	files := map[string]string{"sudo": "exec \"$@\"\n", "systemctl": t.systemctl(), "mount": t.mount()}
	for name, class := range scripts {
		// Without perf data the tool is not taken for a broker.
		files[name] = fmt.Sprintf("exec %q -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xmx256m -cp %q %s \"$@\"\n", in.java, in.classes, in.tool(class))
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(t.bin, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			return err
		}
	}
	for _, pipe := range []struct {
		name string
		to   **os.File
	}{{"ask", &t.ask}, {"answer", &t.answer}} {
		path := filepath.Join(t.bin, pipe.name)
		if err := syscall.Mkfifo(path, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		// For both ends, so that the pipe outlives each caller.
		if *pipe.to, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the toolbox.
func (t *Toolbox) Close() {
	t.ask.Close()
	<-t.done
	t.answer.Close()
	for _, f := range t.kept {
		f.Close()
	}
	t.tidy()
}

// tidy removes the directories of partitions that commands have moved aside.
func (t *Toolbox) tidy() {
	for _, name := range namesIn(asideDir) {
		dir := filepath.Join(asideDir, name)
		if _, err := os.Stat(filepath.Join(dir, "partition.metadata")); err == nil && !slices.Contains(t.aside, name) {
			os.RemoveAll(dir)
		}
	}
}

// namesIn is what a directory holds; nothing when it cannot be read.
func namesIn(dir string) []string {
	all, _ := os.ReadDir(dir)
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// Run runs a command as an operator's shell does, for at most 90 s, and returns
// what it printed.
func (t *Toolbox) Run(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = t.Dir
	cmd.Env = append(os.Environ(), "PATH="+t.bin+":"+os.Getenv("PATH"))
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // it leads a group
	cmd.WaitDelay = time.Second
	out, err := run(cmd)
	if err != nil {
		return out, fmt.Errorf("run %s: %w: %s", command, err, lastLines(out, 4))
	}
	return out, t.cluster.awake()
}

// awake notes which frozen nodes somebody else has let run again.
func (c *Cluster) awake() error {
	for _, n := range c.Nodes {
		if !n.Running() || n.Serves() {
			continue
		}
		state, err := processState(n)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(state, "T") {
			n.mu.Lock()
			n.stopped = false
			n.mu.Unlock()
		}
	}
	return nil
}
