package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/probe"
)

// look runs a probe and returns what it saw, by key and subject.
func look(t *testing.T, p *probe.Probe, target *probe.Target) (map[string]fact.Observation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	seen, err := p.Observe(ctx, target)
	by := map[string]fact.Observation{}
	for _, o := range seen {
		if !slices.ContainsFunc(p.Yields, func(k fact.Key) bool { return k.Def() == o.Key }) {
			t.Errorf("%s observes %s, which it does not declare", p.Name, o.Key.Name)
		}
		by[o.Key.Name+" on "+o.Subject.String()] = o
	}
	return by, err
}

// number is the value of a gauge or counter; the test fails where it is unknown.
func number(t *testing.T, seen map[string]fact.Observation, what string) float64 {
	t.Helper()
	v, ok := seen[what].Value.(float64)
	if !ok {
		t.Fatalf("%s is not known: %v", what, seen[what].Because)
	}
	return v
}

func TestNothingHere(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, "proc/1/cmdline"), "init\x00")
	mustWrite(t, filepath.Join(root, "proc/stat"), "btime 1700000000\n")
	target := &probe.Target{Root: root}
	seen, err := look(t, Brokers, target)
	if err != nil || len(seen) != 1 {
		t.Fatalf("%v, error %v, want an empty list", seen, err)
	}
	for _, p := range []*probe.Probe{Process, Dirs, Disks} {
		seen, err := look(t, p, target)
		if err != nil || len(seen) != len(p.Yields) {
			t.Errorf("%s: %d observations, error %v, want each key unknown", p.Name, len(seen), err)
		}
		for what, o := range seen {
			if o.Because == nil || o.Because.Reason != fact.NotObserved || o.Because.How == "" {
				t.Errorf("%s: %+v", what, o)
			}
		}
	}
	os.Remove(filepath.Join(root, "proc/1/cmdline"))
	if _, err := look(t, Brokers, target); err == nil || probe.Because(err).Reason != fact.NotAllowed {
		t.Errorf("processes of others are hidden: error %v, want not-allowed", err)
	}
}

func mustWrite(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLifeOfABroker follows a process that carries the name of Kafka's main
// class: found, stopped, killed, left behind.
func TestLifeOfABroker(t *testing.T) {
	jdk, classes, dir := hosttest.JDKs(t)[0], hosttest.Compile(t), t.TempDir()
	mustWrite(t, filepath.Join(dir, "server.properties"), "process.roles=broker,controller\nlisteners=A://127.0.0.1:7,C://:8\ncontroller.listener.names=C\nlog.dirs=data\n")
	mustWrite(t, filepath.Join(dir, "data/meta.properties"), "#\nversion=1\nnode.id=77\ncluster.id=x\n")
	cmd := hosttest.Start(t, jdk, classes, dir, "-Dkafka.logs.dir="+dir+"/logs", "-Xmx32m")
	pid := cmd.Process.Pid
	target := &probe.Target{PID: pid}
	want := fact.LocalBroker{NodeID: 77, PID: pid, Running: true, Config: dir + "/server.properties", Listeners: []string{"127.0.0.1:7"}, Quorum: []string{"127.0.0.1:8"},
		LogDirs: []string{dir + "/data"}, LogsDir: dir + "/logs", Roles: "broker,controller", FoundBy: "process", OffsetsRetention: 604800}
	check := func(target *probe.Target, want fact.LocalBroker) {
		t.Helper()
		if _, err := look(t, Brokers, target); err != nil {
			t.Fatal(err)
		}
		if got := target.Brokers(); len(got) != 1 || fmt.Sprintf("%+v", got[0]) != fmt.Sprintf("%+v", want) {
			t.Fatalf("found %+v, want %+v", got, want)
		}
	}
	check(target, want)
	state := func() fact.ProcessState {
		t.Helper()
		seen, err := look(t, Process, target)
		s, ok := seen["host.process on process 77"].Value.(fact.ProcessState)
		if err != nil || !ok {
			t.Fatalf("%v, error %v", seen, err)
		}
		return s
	}
	if s := state(); !s.Exists || s.State != "S" || time.Since(s.Started) > time.Minute || time.Since(s.Started) < 0 {
		t.Errorf("running: %+v", s)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return state().State == "T" })
	check(target, want)

	// What the JVM leaves when it is killed, put where no other JVM sweeps it.
	root := t.TempDir()
	perf, _ := filepath.Glob(fmt.Sprintf("/tmp/hsperfdata_*/%d", pid))
	if len(perf) != 1 {
		t.Fatalf("perf data files %v, want one", perf)
	}
	data, err := os.ReadFile(perf[0])
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, fmt.Sprintf("%s/tmp/hsperfdata_kafka/%d", root, pid), string(data))
	mustWrite(t, root+"/proc/1/cmdline", "init\x00")
	mustWrite(t, root+"/proc/stat", "btime 1700000000\n")

	cmd.Process.Kill()
	waitFor(t, func() bool { s := state(); return !s.Exists }) // a zombie already exists no more
	cmd.Wait()
	want.Running = false
	check(target, want)
	if s := state(); s.Exists || s.PID != pid {
		t.Errorf("killed: %+v", s)
	}
	notElsewhere(t, target, Process)
	want.FoundBy = "perf data"
	check(&probe.Target{Root: root}, want)
	want.FoundBy, want.PID, want.LogsDir, want.LogDirs = "--broker-config", 0, "", []string{"data"}
	os.RemoveAll(root + "/tmp")
	want.NodeID = -1 // its log dir is relative to nobody knows what
	check(&probe.Target{Root: root, BrokerConfig: dir + "/server.properties"}, want)
	if _, err := look(t, Brokers, &probe.Target{Root: root, BrokerConfig: dir + "/no.properties"}); err == nil {
		t.Error("a --broker-config that is not there passes")
	}
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited 10 s in vain")
		}
	}
}

func TestDescriptorsAndFigures(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	pid := cmd.Process.Pid
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 123, Max: 456}, nil); err != nil {
		t.Fatal(err)
	}
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 5, PID: pid, Running: true}, {NodeID: 6, PID: os.Getpid(), Running: true}})
	seen, err := look(t, Process, target)
	if err != nil {
		t.Fatal(err)
	}
	if n := number(t, seen, "host.process.fds.limit on process 5"); n != 123 {
		t.Errorf("soft limit %v, want 123", n)
	}
	if n := number(t, seen, "host.process.fds on process 5"); n < 3 || n > 10 {
		t.Errorf("sleep has %v descriptors", n)
	}
	if n := number(t, seen, "host.process.threads on process 5"); n != 1 {
		t.Errorf("sleep has %v threads, want 1", n)
	}
	before := number(t, seen, "host.process.fds on process 6")
	for range 20 {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	// The kernel counts in ticks of 10 ms, and a crowded one has other work.
	waitFor(t, func() bool {
		seen, _ = look(t, Process, target)
		return number(t, seen, "host.process.cpu on process 6") >= 0.04
	})
	if n := number(t, seen, "host.process.fds on process 6"); n < before+20 {
		t.Errorf("%v descriptors with 20 files more than the %v before", n, before)
	}
	if rss := number(t, seen, "host.process.rss on process 6"); rss < 1<<20 {
		t.Errorf("%v bytes resident", rss)
	}
	// Another process has taken the number of a dead broker.
	target.SetBrokers([]fact.LocalBroker{{NodeID: 5, PID: pid, FoundBy: "perf data"}})
	seen, _ = look(t, Process, target)
	if s := seen["host.process on process 5"].Value.(fact.ProcessState); s.Exists {
		t.Errorf("a reused process id passes for the broker: %+v", s)
	}
}

func TestUsageGrows(t *testing.T) {
	target := &probe.Target{}
	first, err := look(t, Host, target)
	if err != nil || len(first) != len(Host.Yields) {
		t.Fatalf("%d observations, error %v", len(first), err)
	}
	for begin := time.Now(); time.Since(begin) < 60*time.Millisecond; {
	}
	second, _ := look(t, Host, target)
	host := " on " + thisHost().String()
	if a, b := number(t, first, "host.cpu.user"+host), number(t, second, "host.cpu.user"+host); b <= a {
		t.Errorf("CPU time %v, then %v after 60 ms of work", a, b)
	}
	if total, free := number(t, first, "host.memory.total"+host), number(t, first, "host.memory.available"+host); free <= 0 || free >= total {
		t.Errorf("%v of %v bytes available", free, total)
	}
}

// TestDirOnTmpfs fills a small file system of its own.
func TestDirOnTmpfs(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("ktriage-test", dir, "tmpfs", 0, "size=8m,nr_inodes=50"); err != nil {
		t.Fatalf("this test mounts a tmpfs and must run as root: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	mustWrite(t, filepath.Join(dir, "fill"), strings.Repeat("x", 6<<20))
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, PID: os.Getpid(), Running: true, LogDirs: []string{dir, dir + "/gone"}}})
	seen, err := look(t, Dirs, target)
	if err != nil {
		t.Fatal(err)
	}
	on := " on logdir 3:" + dir
	for what, want := range map[string]float64{"host.dir.used": 6 << 20, "host.dir.available": 2 << 20, "host.dir.total": 8 << 20, "host.dir.inodes.total": 50, "host.dir.inodes.used": 2} {
		if got := number(t, seen, what+on); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	m := seen["host.dir.mount"+on].Value.(fact.Mount)
	if m.Point != dir || m.Type != "tmpfs" || m.Source != "ktriage-test" || m.Device != "" || !strings.Contains(m.SuperOptions, "nr_inodes=50") {
		t.Errorf("mount %+v", m)
	}
	if o := seen["host.dir.used on logdir 3:"+dir+"/gone"]; o.Because == nil || o.Because.Reason != fact.Unreadable {
		t.Errorf("a dir that is gone: %+v", o)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	seen, _ = look(t, Dirs, target)
	if m := seen["host.dir.mount"+on].Value.(fact.Mount); !slices.Contains(strings.Split(m.Options+","+m.SuperOptions, ","), "ro") {
		t.Errorf("read-only mount %+v", m)
	}
	seen, err = look(t, Disks, target)
	if o := seen["host.device.reads on device *"]; err != nil || o.Because == nil || o.Because.Reason != fact.Absent {
		t.Errorf("no device under a tmpfs: %+v, error %v", o, err)
	}
}

// notElsewhere runs a probe and says that nothing of a broker of this host is as
// if its host were another one.
func notElsewhere(t *testing.T, target *probe.Target, p *probe.Probe) {
	t.Helper()
	seen, err := look(t, p, target)
	if err != nil && probe.Because(err).Reason == fact.NotObserved {
		t.Errorf("%s: %v", p.Name, err)
	}
	for what, o := range seen {
		if o.Because != nil && o.Because.Reason == fact.NotObserved {
			t.Errorf("%s: %s", what, o.Because)
		}
	}
}

// A broker whose configuration could not be read has log dirs all the same.
func TestDirsNotKnown(t *testing.T) {
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, PID: os.Getpid(), Running: true}})
	for _, p := range []*probe.Probe{Dirs, Disks} {
		if seen, err := look(t, p, target); err == nil || probe.Because(err).Reason != fact.Unreadable || !strings.Contains(probe.Because(err).How, "--log-dir") {
			t.Errorf("%s: %v, error %v", p.Name, seen, err)
		}
	}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, LogDirs: []string{"/data"}}, {NodeID: 4, PID: 1 << 22, LogDirs: []string{"/gone"}}})
	for _, p := range []*probe.Probe{Process, Dirs, Disks} {
		notElsewhere(t, target, p)
	}
	target.Root = t.TempDir() // no mounts can be read
	if seen, err := look(t, Disks, target); err == nil {
		t.Errorf("no mount was read, and that passes for no device: %v", seen)
	}
}

// TestDisks reads the counters of a captured /proc/diskstats.
func TestDisks(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, root+"/proc/diskstats", string(fixture(t, "proc-diskstats.txt")))
	mustWrite(t, root+"/proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 7:2 / /quiet rw - ext4 /dev/loop2 rw\n")
	for number, name := range map[string]string{"254:0": "vda", "7:2": "loop2"} {
		if err := os.MkdirAll(root+"/sys/dev/block", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../devices/virtual/block/"+name, root+"/sys/dev/block/"+number); err != nil {
			t.Fatal(err)
		}
	}
	target := &probe.Target{Root: root}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 1, LogDirs: []string{"/var/lib/kafka", "/quiet/kafka", "/var/lib/kafka2"}}})
	seen, err := look(t, Disks, target)
	if err != nil || len(seen) != 2*len(Disks.Yields) {
		t.Fatalf("%d observations, error %v, want each key of two devices", len(seen), err)
	}
	for what, want := range map[string]float64{
		"reads": 112793, "writes": 376894, "read.bytes": 6175190 * 512, "write.bytes": 11608768 * 512,
		"read.seconds": 320.982, "write.seconds": 438.048, "busy.seconds": 171.316, "queue.seconds": 838.013,
		"discards": 21715, "discard.seconds": 16.144, "flushes": 159702, "flush.seconds": 62.838, "in-flight": 0,
	} {
		if got := number(t, seen, "host.device."+what+" on device vda"); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if got := number(t, seen, "host.device."+what+" on device loop2"); got != 0 {
			t.Errorf("%s of a device that did nothing: %v", what, got)
		}
	}
}
