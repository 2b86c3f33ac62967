package host

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/probe"
)

// Without rights much is seen all the same, and of the rest it is said why not.
func TestWithoutRights(t *testing.T) {
	cmd, _ := child(t, "listen", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
	seen := asNobody(t, cmd.Process.Pid)
	for _, what := range []string{
		"host.process.cpu", "host.process.fds.limit", "host.process.threads.blocked", "host.process.swap", "host.tcp.timeouts", "host.cgroup.frozen", "host.cgroup.memory.limit",
	} {
		number := seen[what+" on process 1"]
		if number.Value == nil {
			t.Errorf("%s: %s", what, number.Because)
		}
	}
	for _, what := range []string{"host.process.io.read.bytes", "host.process.maps", "host.sockets.accept-queue.limit"} {
		if o := seen[what+" on process 1"]; o.Because == nil || o.Because.Reason != fact.NotAllowed || o.Because.How == "" {
			t.Errorf("%s: %v, %s, want not-allowed and what would help", what, o.Value, o.Because)
		}
	}
	if o := seen["host.kernel.oom-kills on "+thisHost().String()]; o.Because == nil || o.Because.Reason != fact.NotAllowed {
		t.Errorf("the kernel's log: %v, %s", o.Value, o.Because)
	}
	// Its sockets are known by its port alone, and only those that it accepted.
	table, ok := seen["host.sockets on process 1"].Value.(fact.SocketTable)
	if !ok || table.Owned || table.Detailed || len(table.Listeners) != 1 || table.Listeners[0].Queue != 3 || len(table.Peers) != 1 || table.Peers[0].Connections != 3 {
		t.Errorf("%+v", table)
	}
}

// Without rights a broker is found by its command line, and what stands in its
// properties is known as far as they can be read.
func TestDiscoveryWithoutRights(t *testing.T) {
	jdk, classes, dir := hosttest.JDKs(t)[0], hosttest.Compile(t), t.TempDir()
	mustWrite(t, filepath.Join(dir, "server.properties"), "process.roles=broker\nnode.id=78\nlog.dirs=data\n")
	cmd := hosttest.Start(t, jdk, classes, dir, "-Xmx32m")
	seen := asNobody(t, cmd.Process.Pid, "KTRIAGE_TEST_DISCOVER=1")
	brokers, ok := seen["host.brokers on "+thisHost().String()].Value.([]fact.LocalBroker)
	if !ok || len(brokers) != 1 || brokers[0].NodeID != -1 || !brokers[0].Running || brokers[0].PID != cmd.Process.Pid {
		t.Fatalf("%+v", brokers)
	}
	process := " on process pid " + strconv.Itoa(cmd.Process.Pid)
	if n := number(t, seen, "host.process.threads"+process); n < 5 {
		t.Errorf("%v threads of a JVM", n)
	}
	for _, what := range []string{"host.dir.used on logdir *", "host.device.reads on device *"} {
		if o := seen[what]; o.Because == nil || o.Because.How == "" {
			t.Errorf("%s: %v, %s, want a reason and what would help", what, o.Value, o.Because)
		}
	}
}

// A broker in a mount namespace of its own, as in a container, has its log dir there.
func TestAnotherMountNamespace(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "fill"), "not this one")
	cmd := exec.Command("sh", "-c", `mount -t tmpfs -o size=8m,nr_inodes=50 inside "$0" && head -c 2097152 /dev/zero > "$0/fill" && echo ready && read end`, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test makes namespaces and must run as root: %v", err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, error %v", line, err)
	}
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, PID: cmd.Process.Pid, Running: true, LogDirs: []string{dir}}})
	seen, err := look(t, Dirs, target)
	if err != nil {
		t.Fatal(err)
	}
	on := " on logdir 3:" + dir
	if m, _ := seen["host.dir.mount"+on].Value.(fact.Mount); m.Source != "inside" || m.Type != "tmpfs" {
		t.Errorf("mount %+v", seen["host.dir.mount"+on])
	}
	if used, total := number(t, seen, "host.dir.used"+on), number(t, seen, "host.dir.total"+on); used != 2<<20 || total != 8<<20 {
		t.Errorf("%v of %v bytes used, want 2 of 8 MiB", used, total)
	}
}

// A broker in a network namespace of its own is looked at there.
func TestAnotherNetworkNamespace(t *testing.T) {
	cmd, _ := child(t, "listen", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
	target := &probe.Target{}
	t.Cleanup(func() { target.Close() })
	target.SetBrokers([]fact.LocalBroker{{NodeID: 7, PID: cmd.Process.Pid, Running: true}})
	seen, err := look(t, Sockets, target)
	if err != nil {
		t.Fatal(err)
	}
	table := seen["host.sockets on process 7"].Value.(fact.SocketTable)
	if !table.Owned || !table.Detailed || len(table.Listeners) != 1 || table.Listeners[0].Address != "127.0.0.1:9092" || table.Listeners[0].Queue != 3 {
		t.Errorf("%+v", table)
	}
	if n := number(t, seen, "host.sockets.established on process 7"); n != 6 {
		t.Errorf("%v established, want both ends of 3", n)
	}
	seen, err = look(t, Network, target)
	if err != nil {
		t.Fatal(err)
	}
	if n := number(t, seen, "host.net.rx.packets on device 7:lo"); n < 6 || n > 100 {
		t.Errorf("%v packets in a namespace with three connections", n)
	}
	if n := number(t, seen, "host.tcp.segments.out on process 7"); n < 6 || n > 100 {
		t.Errorf("%v segments in a namespace with three connections", n)
	}
	// The namespace goes with its process: nothing of ours holds it.
	n := namespacesOf(target)
	target.SetBrokers([]fact.LocalBroker{{NodeID: 7, PID: cmd.Process.Pid}})
	if _, err := look(t, Sockets, target); err != nil || len(n.fds) != 0 {
		t.Errorf("%d sockets left in a namespace whose broker is gone, error %v", len(n.fds), err)
	}
}

// A link that is shaped shows it in the queue of its interface, not in its speed.
func TestShapedLink(t *testing.T) {
	cmd, _ := child(t, "listen", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
	inside := func(words ...string) *exec.Cmd {
		return exec.Command("nsenter", append([]string{"-t", strconv.Itoa(cmd.Process.Pid), "-n"}, words...)...)
	}
	if out, err := inside("tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "64kbit", "burst", "100k", "limit", "400k").CombinedOutput(); err != nil {
		t.Fatalf("this test needs tc of iproute2: %v: %s", err, out)
	}
	send := inside("bash", "-c", "head -c 400000 /dev/zero > /dev/tcp/127.0.0.1/9092")
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { send.Process.Kill(); send.Wait() }()
	target := &probe.Target{}
	t.Cleanup(func() { target.Close() })
	target.SetBrokers([]fact.LocalBroker{{NodeID: 7, PID: cmd.Process.Pid, Running: true}})
	waitFor(t, func() bool {
		seen, err := look(t, Network, target)
		return err == nil && number(t, seen, "host.net.backlog on device 7:lo") > 1000 && number(t, seen, "host.net.overlimits on device 7:lo") > 0
	})
}
