//go:build lab || labmore

package lab

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv makes the test binary a process that owns a cluster until killed.
const childEnv = "LAB_TEST_OWNS_A_CLUSTER"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		c, err := Start(context.Background(), Options{Shape: orphaned, Owner: "test"})
		if err == nil && later {
			c.Delay(20 * time.Millisecond)
		}
		if err == nil {
			err = c.Node(2).Signal(syscall.SIGSTOP) // the kernel's signal must reach a frozen one too
		}
		fmt.Println("ready", err)
		select {}
	}
	os.Exit(m.Run())
}

// The owner of a cluster is killed without a chance to clean up: the kernel
// must take the brokers down, and the next sweep the rest.
func TestLabNothingSurvivesItsOwner(t *testing.T) {
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), childEnv+"=1")
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(owner); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	s := stateOf(t, owner.Process.Pid)
	if _, err := os.Stat(fmt.Sprintf("/sys/class/net/lab%d", owner.Process.Pid)); err != nil {
		t.Error(err)
	}
	owner.Process.Kill()
	owner.Wait()
	if line != "ready <nil>\n" {
		t.Fatalf("the owner said %q", line)
	}
	mounts := 1
	if orphaned.Volume != nil && orphaned.Volume.Slow {
		mounts = 2 // the slow file, and the disk that is on it
	}
	if len(s.Nodes) != 3 || len(s.Mounts) != mounts || len(s.Cgroups) != len(orphaned.Memory) {
		t.Fatalf("state of the cluster: %+v", s)
	}
	gone(t, s)
	vanished(t, fmt.Sprintf("lab%d", owner.Process.Pid))
	if mounts, _ := os.ReadFile("/proc/self/mounts"); !strings.Contains(string(mounts), s.Mounts[0]) {
		t.Error("the mount went by itself: nothing is left to sweep")
	}
	if err := Sweep(); err != nil {
		t.Error(err)
	}
	cleared(t, s)
	for _, g := range s.Cgroups {
		if _, err := os.Stat(g); !os.IsNotExist(err) {
			t.Errorf("cgroup %s is still there: %v", g, err)
		}
	}
	detached(t, s.Dir)
}

// detached waits until no loop device is on a file of a directory.
func detached(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		held := ""
		files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if text, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(text), dir) {
				held = f
			}
		}
		if held == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s is still on a file of %s", held, dir)
			return
		}
	}
}

// vanished waits until a network interface of this host is gone.
func vanished(t *testing.T, name string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for ; ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat("/sys/class/net/" + name); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("interface %s is still there", name)
			return
		}
	}
}

// An up is broken, and ended with Ctrl-C while a broker is frozen.
func TestLabUpBreakAndInterrupt(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "lab")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/ktriage/ktriage/cmd/lab").CombinedOutput(); err != nil {
		t.Fatalf("compile cmd/lab: %v: %s", err, out)
	}
	up := exec.Command(bin, "up")
	out, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(up); err != nil {
		t.Fatal(err)
	}
	defer up.Process.Kill()
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "node 3") {
	}
	s := stateOf(t, up.Process.Pid)
	if said, err := exec.Command(bin, "break", "disk-full").CombinedOutput(); err == nil || !strings.Contains(string(said), "--small-disk") {
		t.Errorf("a fault that does not fit: %v, %s", err, said)
	}
	if said, err := exec.Command(bin, "break", "broker-hung").CombinedOutput(); err != nil || !strings.Contains(string(said), "state T (stopped)") {
		t.Errorf("break broker-hung: %v, %s", err, said)
	}
	if said, err := exec.Command(bin, "heal").CombinedOutput(); err != nil || !strings.Contains(string(said), "broker-hung healed") {
		t.Errorf("heal: %v, %s", err, said)
	}
	if said, err := exec.Command(bin, "break", "broker-hung").CombinedOutput(); err != nil {
		t.Errorf("break broker-hung again: %v, %s", err, said)
	}
	up.Process.Signal(os.Interrupt)
	if err := up.Wait(); err != nil {
		t.Errorf("up ended with %v", err)
	}
	gone(t, s)
	cleared(t, s)
}

func stateOf(t *testing.T, owner int) State {
	t.Helper()
	all, err := Clusters()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Owner.PID == owner {
			return s
		}
	}
	t.Fatalf("no state file of owner %d in %+v", owner, all)
	return State{}
}

// gone waits until no broker of a cluster runs.
func gone(t *testing.T, s State) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, n := range s.Nodes {
		for n.Process.Alive() {
			if time.Now().After(deadline) {
				t.Errorf("node %d still runs as pid %d", n.ID, n.Process.PID)
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func cleared(t *testing.T, s State) {
	t.Helper()
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("directory %s is still there: %v", s.Dir, err)
	}
	if mounts, _ := os.ReadFile("/proc/self/mounts"); strings.Contains(string(mounts), s.Dir) {
		t.Errorf("a mount in %s is still there", s.Dir)
	}
	all, err := Clusters()
	if err != nil {
		t.Error(err)
	}
	for _, other := range all {
		if other.Dir == s.Dir {
			t.Errorf("the state file of %s is still there", s.Dir)
		}
	}
}
