package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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

// systemctl is a script that hands its arguments to this process, one caller at
// a time.
func (t *Toolbox) systemctl() string {
	return fmt.Sprintf(`exec 9>>%[1]s/lock && flock 9 || exit 1
echo "$*" >%[1]s/ask
read -r status said <%[1]s/answer
[ -z "$said" ] || echo "systemctl: $said" >&2
exit "$status"
`, t.bin)
}

// mount is a script that mounts the disk of the lab, which no /etc/fstab has,
// and leaves all else to the host's own.
func (t *Toolbox) mount() string {
	own, err := exec.LookPath("mount")
	if err != nil {
		own = "mount"
	}
	return fmt.Sprintf("case \"$#:$1\" in 1:%s/*) exec %s/systemctl mount \"$1\";; esac\nexec %s \"$@\"\n", t.cluster.Dir, t.bin, own)
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

func (t *Toolbox) serve() {
	defer close(t.done)
	lines := bufio.NewScanner(t.ask)
	for lines.Scan() {
		answer := "0"
		if err := t.unit(strings.Fields(lines.Text())); err != nil {
			answer = "1 " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Fprintln(t.answer, answer)
	}
}

// obeys is how long a node may take to stop before it is killed: what
// TimeoutStopSec of a unit is, in the lab's haste.
const obeys = 15 * time.Second

// unit does what systemctl would.
func (t *Toolbox) unit(args []string) error {
	if len(args) == 1 && args[0] == "daemon-reload" {
		return nil
	}
	if len(args) < 2 {
		return fmt.Errorf("%q: a verb and a unit are expected", strings.Join(args, " "))
	}
	if d := t.cluster.disk; args[0] == "mount" && d != nil && args[1] == d.dir {
		return d.mount(t.cluster.state)
	}
	n, err := t.nodeOf(args[1])
	if err != nil {
		return err
	}
	verb, more := args[0], args[2:]
	switch {
	case verb == "start" && len(more) == 0:
		return t.start(n)
	case verb == "stop" && len(more) == 0:
		return n.obey()
	case verb == "restart" && len(more) == 0:
		if err := n.obey(); err != nil {
			return err
		}
		return t.start(n)
	case verb == "set-property" && slices.Equal(more, []string{"CPUQuota="}):
		return n.loosen("cpu.cfs_quota_us")
	case verb == "set-property" && slices.Equal(more, []string{"MemoryMax=infinity"}):
		return n.loosen("memory.limit_in_bytes")
	}
	return fmt.Errorf("%q: the lab has no such command", strings.Join(args, " "))
}

func (t *Toolbox) nodeOf(unit string) (*Node, error) {
	id, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(unit, "kafka-"), ".service"), 10, 32)
	i := slices.IndexFunc(t.cluster.Nodes, func(n *Node) bool { return int64(n.ID) == id })
	if err != nil || i < 0 {
		return nil, fmt.Errorf("unit %s not found", unit)
	}
	return t.cluster.Nodes[i], nil
}

func (t *Toolbox) start(n *Node) error {
	if n.Running() {
		return nil // as systemctl does
	}
	if err := n.Start(); err != nil {
		return err
	}
	return t.cluster.state.save(t.cluster)
}

// obey stops a node by SIGTERM, and by SIGKILL where that leads to nothing.
func (n *Node) obey() error {
	if !n.Running() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), obeys)
	defer cancel()
	if n.End(ctx, syscall.SIGTERM) != nil {
		n.kill()
	}
	return nil
}

// loosen takes a limit off the control group that a node is confined to.
func (n *Node) loosen(limit string) error {
	if len(n.cgroups) != 1 {
		return fmt.Errorf("node %d is in %d control groups of its own, 1 is expected", n.ID, len(n.cgroups))
	}
	return setControl(n.cgroups[0], limit, "-1")
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
