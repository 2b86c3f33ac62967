package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// ownCgroup makes a cgroup for a controller of this machine and says of which
// version it is. It goes with the test, after its processes.
func ownCgroup(t *testing.T, controller string) (dir string, v2 bool) {
	t.Helper()
	dir = filepath.Join("/sys/fs/cgroup", controller, fmt.Sprintf("ktriage-test-%d", os.Getpid()))
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		dir, v2 = fmt.Sprintf("/sys/fs/cgroup/ktriage-test-%d", os.Getpid()), true
		os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+cpu +memory +pids +io"), 0)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatalf("this test makes cgroups and must run as root: %v", err)
	}
	t.Cleanup(func() {
		waitFor(t, func() bool { return os.Remove(dir) == nil })
	})
	return dir, v2
}

func set(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// in starts a program in a cgroup.
func in(t *testing.T, dir string, words ...string) *probe.Target {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	set(t, filepath.Join(dir, "cgroup.procs"), strconv.Itoa(cmd.Process.Pid))
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 4, PID: cmd.Process.Pid, Running: true}})
	return target
}

// A process that wants a whole processor and is allowed a twentieth of one.
func TestThrottled(t *testing.T) {
	dir, v2 := ownCgroup(t, "cpu")
	if v2 {
		set(t, dir+"/cpu.max", "5000 100000")
	} else {
		set(t, dir+"/cpu.cfs_quota_us", "5000")
	}
	target := in(t, dir, "sh", "-c", "while :; do :; done")
	var seen map[string]fact.Observation
	waitFor(t, func() bool {
		seen, _ = look(t, Cgroup, target)
		return number(t, seen, "host.cgroup.cpu.throttled.periods on process 4") >= 3
	})
	if n := number(t, seen, "host.cgroup.cpu.limit on process 4"); n != 0.05 {
		t.Errorf("%v processors allowed, want 0.05", n)
	}
	if periods := number(t, seen, "host.cgroup.cpu.periods on process 4"); periods < 3 || periods > 100 {
		t.Errorf("%v periods", periods)
	}
	// Of each period of 100 ms it stands still for most.
	if n := number(t, seen, "host.cgroup.cpu.throttled.seconds on process 4"); n < 0.1 || n > 10 {
		t.Errorf("throttled for %v s", n)
	}
}

func TestFrozen(t *testing.T) {
	dir, v2 := ownCgroup(t, "freezer")
	target := in(t, dir, "sleep", "60")
	frozen := func() bool {
		seen, err := look(t, Cgroup, target)
		v, ok := seen["host.cgroup.frozen on process 4"].Value.(bool)
		if err != nil || !ok {
			t.Fatalf("%v, error %v", seen["host.cgroup.frozen on process 4"], err)
		}
		return v
	}
	if frozen() {
		t.Error("frozen before it was")
	}
	file, on, off := dir+"/freezer.state", "FROZEN", "THAWED"
	if v2 {
		file, on, off = dir+"/cgroup.freeze", "1", "0"
	}
	set(t, file, on)
	t.Cleanup(func() { set(t, file, off) })
	waitFor(t, frozen)
}

// Page cache fills a cgroup up to its limit, and kills nobody.
func TestMemoryLimit(t *testing.T) {
	dir, v2 := ownCgroup(t, "memory")
	file, fill := dir+"/memory.limit_in_bytes", filepath.Join(t.TempDir(), "fill")
	if v2 {
		file = dir + "/memory.max"
	}
	set(t, file, strconv.Itoa(16<<20))
	target := in(t, dir, "sh", "-c", "sleep 0.2; head -c 40000000 /dev/zero > "+fill+"; sleep 60")
	var seen map[string]fact.Observation
	waitFor(t, func() bool {
		seen, _ = look(t, Cgroup, target)
		return number(t, seen, "host.cgroup.memory.limited on process 4") > 0
	})
	if n := number(t, seen, "host.cgroup.memory.limit on process 4"); n != 16<<20 {
		t.Errorf("limit %v", n)
	}
	if n := number(t, seen, "host.cgroup.memory.used on process 4"); n < 4<<20 || n > 16<<20 {
		t.Errorf("%v bytes used of 16 MiB after 40 MB were written", n)
	}
	if n := number(t, seen, "host.cgroup.oom-kills on process 4"); n != 0 {
		t.Errorf("%v killed, and page cache cannot kill", n)
	}
}

// A tree of cgroup v2 as systemd makes it: the slice is limited, the service less.
func TestCgroupTree(t *testing.T) {
	root, pid := t.TempDir(), 4711
	files := map[string]string{
		"proc/self/mountinfo":  "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"proc/4711/cgroup":     "0::/kafka.slice/kafka.service\n",
		"proc/4711/stat":       string(fixture(t, "proc-pid-stat.txt")),
		"kafka.slice/cpu.max":  "150000 100000\n",
		"kafka.slice/cpu.stat": "usage_usec 9\nnr_periods 7\nnr_throttled 5\nthrottled_usec 2500000\n",
		"kafka.slice/io.max":   "8:16 rbps=max wbps=1048576 riops=max wiops=max\n", "kafka.slice/kafka.service/io.max": "8:16 rbps=max wbps=2097152 riops=max wiops=120\n",
		"kafka.slice/kafka.service/cpu.max":         "max 100000\n",
		"kafka.slice/kafka.service/cgroup.events":   "populated 1\nfrozen 1\n",
		"kafka.slice/kafka.service/memory.max":      "max\n",
		"kafka.slice/kafka.service/memory.events":   "low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 0\n",
		"kafka.slice/kafka.service/pids.max":        "100\n",
		"kafka.slice/kafka.service/pids.current":    "98\n",
		"kafka.slice/kafka.service/cpu.pressure":    "some avg10=0 avg60=0 avg300=0 total=5000000\nfull avg10=0 avg60=0 avg300=0 total=1\n",
		"kafka.slice/kafka.service/io.pressure":     string(fixture(t, "proc-pressure-io.txt")),
		"kafka.slice/kafka.service/memory.pressure": "some avg10=0 avg60=0 avg300=0 total=0\n",
	}
	for name, text := range files {
		if !strings.HasPrefix(name, "proc") {
			name = "sys/fs/cgroup/" + name
		}
		mustWrite(t, filepath.Join(root, name), text)
	}
	target := &probe.Target{Root: root}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 4, PID: pid, Running: true}})
	seen, err := look(t, Cgroup, target)
	if err != nil || len(seen) != len(Cgroup.Yields) {
		t.Fatalf("%d observations, error %v", len(seen), err)
	}
	for what, want := range map[string]float64{
		"cpu.limit": 1.5, "cpu.periods": 7, "cpu.throttled.periods": 5, "cpu.throttled.seconds": 2.5, "memory.limit": 0, "oom-kills": 2,
		"threads": 98, "threads.limit": 100, "pressure.cpu": 5, "pressure.io": 153.214237, "pressure.memory": 0,
	} {
		if got := number(t, seen, "host.cgroup."+what+" on process 4"); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	if seen["host.cgroup.frozen on process 4"].Value != true {
		t.Error("not frozen")
	}
	if got := fmt.Sprint(seen["host.cgroup.io.limits on process 4"].Value); got != "[{8:16 0 1.048576e+06 0 120}]" {
		t.Errorf("limits of I/O: %s", got)
	}
	if o := seen["host.cgroup.memory.used on process 4"]; o.Because == nil || o.Because.Reason != fact.Absent {
		t.Errorf("memory used without a limit: %+v", o)
	}
	// In a container only a part of the tree is to be seen.
	mustWrite(t, filepath.Join(root, "proc/4711/cgroup"), "0::/../other.slice\n")
	seen, _ = look(t, Cgroup, target)
	if o := seen["host.cgroup.cpu.limit on process 4"]; o.Because == nil || o.Because.Reason != fact.NotAllowed {
		t.Errorf("a cgroup outside: %+v", o)
	}
}

func TestParseCgroup(t *testing.T) {
	in, err := ParseCgroup(fixture(t, "proc-pid-cgroup.txt"))
	if err != nil || len(in) != 10 {
		t.Fatalf("%+v, error %v", in, err)
	}
	mounts := []MountEntry{{Root: "/", Point: "/c/memory", Type: "cgroup", SuperOptions: "rw,memory"}, {Root: "/", Point: "/c/unified", Type: "cgroup2"}}
	if c, err := locate("memory", in, mounts); err != nil || c.v2 || strings.Join(c.chain(), " ") != "/c/memory/kafka/broker1 /c/memory/kafka /c/memory" {
		t.Errorf("%+v, error %v", c, err)
	}
	if c, err := locate("", in, mounts); err != nil || !c.v2 || !c.isRoot() {
		t.Errorf("%+v, error %v", c, err)
	}
	mounts[0].Root = "/kafka" // as a container sees it
	if c, err := locate("memory", in, mounts); err != nil || strings.Join(c.chain(), " ") != "/c/memory/broker1 /c/memory" {
		t.Errorf("%+v, error %v", c, err)
	}
	mounts[0].Root = "/kaf"
	if _, err := locate("memory", in, mounts); err == nil || probe.Because(err).Reason != fact.NotAllowed {
		t.Error(err)
	}
	if _, err := ParseCgroup([]byte("1:a:/\n2:b\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
}

// Threads that end do not make the sum smaller.
func TestRunQueueOnlyGrows(t *testing.T) {
	w := waits{of: map[int]*waited{}}
	for i, step := range []struct {
		now  map[int]float64
		want float64
	}{
		{map[int]float64{1: 5, 2: 3}, 0}, {map[int]float64{1: 6, 2: 3.5}, 1.5}, {map[int]float64{1: 6.5}, 2}, {map[int]float64{1: 6.5, 3: 1}, 3},
	} {
		if got := w.add(9, 1, step.now); got != step.want {
			t.Errorf("look %d: %v, want %v", i, got, step.want)
		}
	}
	if got := w.add(9, 2, map[int]float64{9: 100}); got != 0 {
		t.Errorf("another process of that number: %v", got)
	}
	// A real one, that shares one processor with another: both wait.
	cpu := exec.Command("taskset", "-c", "0", "sh", "-c", "(while :; do :; done) & while :; do :; done")
	cpu.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cpu.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { syscall.Kill(-cpu.Process.Pid, syscall.SIGKILL); cpu.Wait() }()
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 4, PID: cpu.Process.Pid, Running: true}})
	begin := time.Now()
	waitFor(t, func() bool {
		seen, _ := look(t, Threads, target)
		v, _ := seen["host.process.runqueue on process 4"].Value.(float64)
		return v > 0.05
	})
	t.Logf("0.05 s of waiting after %s", time.Since(begin))
}
