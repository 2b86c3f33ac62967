package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Node is one Kafka process: a broker, a controller or both.
type Node struct {
	ID             int32
	Roles          string // as process.roles takes them, or "zookeeper"
	Dir            string // configuration, logs and working directory
	LogDir         string // its one entry of log.dirs, or the first of two
	OtherDir       string // the second one; "": there is none
	MetadataDir    string // metadata.log.dir; "" when that is LogDir
	Host           string // its address, which all its listeners are on
	Port           int    // of the PLAINTEXT listener, or ZooKeeper's
	ControllerPort int
	Front          string // what the FRONT listener advertises; "": it has none
	FrontPort      int    // where that listens

	listeners []opened // beside PLAINTEXT

	metricsPort int    // of its jmx_exporter; 0: it has none
	metricsJar  string // which agent that is
	jolokiaPort int    // of its Jolokia; 0: it has none
	jolokiaJar  string // which agent that is

	install   *Install
	jvm       []string // flags of its own, after those of every node
	namespace *os.File // network namespace it runs in; nil: this host's
	cgroups   []string // directories of cgroups v1 it runs in, beside those of this process

	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has been waited for
	stopped bool          // by SIGSTOP
	apart   bool          // see Isolate
}

// IsBroker says whether the node serves clients.
func (n *Node) IsBroker() bool { return strings.Contains(n.Roles, "broker") }

// controls says whether the node is a voter of the controller quorum.
func (n *Node) controls() bool { return strings.Contains(n.Roles, "controller") }

// LogsDir is where the node writes server.log and its fellows.
func (n *Node) LogsDir() string { return filepath.Join(n.Dir, "logs") }

// GCLog is the node's unified GC log.
func (n *Node) GCLog() string { return filepath.Join(n.LogsDir(), "kafkaServer-gc.log") }

func (n *Node) properties() string { return filepath.Join(n.Dir, "server.properties") }

// Address is host:port of the listener for clients.
func (n *Node) Address() string { return fmt.Sprintf("%s:%d", n.Host, n.Port) }

// Start starts the process, as bin/kafka-server-start.sh does; it does not wait
// until the node serves.
func (n *Node) Start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running() {
		return fmt.Errorf("start node %d: it runs as pid %d", n.ID, n.cmd.Process.Pid)
	}
	// Kafka's -daemon redirects both streams to this file, beginning anew.
	out, err := os.Create(filepath.Join(n.LogsDir(), "kafkaServer.out"))
	if err != nil {
		return fmt.Errorf("start node %d: %w", n.ID, err)
	}
	defer out.Close()
	cmd := exec.Command(n.install.java, n.arguments()...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = n.Dir, out, out
	if err := startIn(n.namespace, cmd); err != nil {
		return fmt.Errorf("start node %d: %w", n.ID, err)
	}
	// At once: what a process has before stays with the cgroup it had before.
	for _, cgroup := range n.cgroups {
		if err := enter(cgroup, cmd.Process.Pid); err != nil {
			cmd.Process.Kill()
			return fmt.Errorf("start node %d: %w", n.ID, err)
		}
	}
	exited := make(chan struct{})
	n.cmd, n.exited, n.stopped = cmd, exited, false
	go func() {
		cmd.Wait()
		close(exited)
	}()
	return nil
}

func (n *Node) arguments() []string {
	args := []string{
		"-Xms256m", "-Xmx256m", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
		"-Djava.awt.headless=true", "-XX:TieredStopAtLevel=1",
		"-Xlog:gc*:file=" + n.GCLog() + ":time,tags:filecount=10,filesize=100M",
		"-Dkafka.logs.dir=" + n.LogsDir(),
	}
	if n.install.Major >= 4 {
		args = append(args, "-Dlog4j2.configurationFile="+filepath.Join(n.Dir, "log4j2.properties"))
	} else {
		args = append(args, "-Dlog4j.configuration=file:"+filepath.Join(n.Dir, "log4j.properties"))
	}
	if len(n.jvm) > 0 {
		args = without(args, n.jvm)
	}
	args = append(args, n.agents()...)
	if n.install.archive != "" {
		args = append(args, "-XX:SharedArchiveFile="+n.install.archive)
	}
	class := "kafka.Kafka"
	if n.Roles == "zookeeper" {
		class = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
	}
	return append(args, "-cp", n.install.classes, class, n.properties())
}

// without drops the choice of a collector when more carries another one (two
// of them stop the JVM), then appends more, whose later flags win.
func without(args, more []string) []string {
	var kept []string
	for _, a := range args {
		own := strings.HasPrefix(a, "-XX:+Use") && strings.Contains(strings.Join(more, " "), "-XX:+Use")
		if !own {
			kept = append(kept, a)
		}
	}
	return append(kept, more...)
}

// Set changes settings in the node's properties file, for its next start. What
// an earlier Set changed is as it was; nil settings only undo that.
func (n *Node) Set(settings map[string]string) error {
	text, err := os.ReadFile(n.properties())
	if err != nil {
		return fmt.Errorf("set properties of node %d: %w", n.ID, err)
	}
	own, _, _ := strings.Cut(string(text), setMark)
	own += setMark
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		own += key + "=" + settings[key] + "\n" // the later of two lines holds
	}
	if err := os.WriteFile(n.properties(), []byte(own), 0o644); err != nil {
		return fmt.Errorf("set properties of node %d: %w", n.ID, err)
	}
	return nil
}

const setMark = "# changed since:\n"

// PID of the process that was started last; 0 before the first start.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return 0
	}
	return n.cmd.Process.Pid
}

// Running says whether the process exists; a frozen one does.
func (n *Node) Running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running()
}

func (n *Node) running() bool {
	if n.cmd == nil {
		return false
	}
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// Serves says whether the process exists and has neither been frozen nor isolated.
func (n *Node) Serves() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running() && !n.stopped && !n.apart
}

// Signal sends a signal to the process and remembers whether it is frozen.
func (n *Node) Signal(sig syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running() {
		return fmt.Errorf("send %v to node %d: it does not run", sig, n.ID)
	}
	switch sig {
	case syscall.SIGSTOP:
		n.stopped = true
	case syscall.SIGCONT:
		n.stopped = false
	}
	if err := n.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %v to node %d: %w", sig, n.ID, err)
	}
	return nil
}

// End sends a signal and waits until the process is gone.
func (n *Node) End(ctx context.Context, sig syscall.Signal) error {
	if err := n.Signal(sig); err != nil {
		return err
	}
	return n.Gone(ctx)
}

// Gone waits until the process has ended.
func (n *Node) Gone(ctx context.Context) error {
	n.mu.Lock()
	exited := n.exited
	n.mu.Unlock()
	if exited == nil {
		return nil
	}
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of node %d: %w", n.ID, ctx.Err())
	}
}

// Ending says how the process ended, as "signal: killed" or "exit status 1";
// "" while it runs.
func (n *Node) Ending() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil || n.running() {
		return ""
	}
	return n.cmd.ProcessState.String()
}

// kill ends the process whatever state it is in. A frozen one is woken first,
// so that nothing depends on the kernel's handling of the two together.
func (n *Node) kill() {
	for _, sig := range []syscall.Signal{syscall.SIGCONT, syscall.SIGKILL} {
		n.Signal(sig) // not running: nothing to end
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n.Gone(ctx)
}

// InLog returns the last line of one of the node's logs that holds all parts,
// "" when there is none. file is a name in LogsDir.
func (n *Node) InLog(file string, parts ...string) (string, error) {
	text, err := os.ReadFile(filepath.Join(n.LogsDir(), file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read a log of node %d: %w", n.ID, err)
	}
	found := ""
lines:
	for line := range strings.Lines(string(text)) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		found = strings.TrimSpace(line)
	}
	return found, nil
}
