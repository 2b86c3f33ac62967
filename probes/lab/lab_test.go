package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// ktriage must be able to change nothing, so it must not carry the code that
// breaks clusters.
func TestNeverLinkedIntoKtriage(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/ktriage/ktriage/cmd/ktriage").Output()
	if err != nil {
		t.Fatalf("list what ktriage is made of: %v", err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 20 || !slices.Contains(deps, "github.com/ktriage/ktriage/diagnose") {
		t.Fatalf("the list of %d packages is no list of what ktriage is made of", len(deps))
	}
	if slices.Contains(deps, "github.com/ktriage/ktriage/probes/lab") {
		t.Error("cmd/ktriage imports probes/lab")
	}
}

// make test picks the tests against a real Kafka by name: one that is called
// otherwise would never run.
func TestLabTestsAreCalledSo(t *testing.T) {
	found := 0
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), "//go:build lab") {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if name, is := strings.CutPrefix(line, "func Test"); is && !strings.HasPrefix(name, "Main(") {
				found++
				if !strings.HasPrefix(name, "Lab") {
					t.Errorf("%s: Test%s: a name that begins with TestLab is expected", path, strings.TrimSpace(name))
				}
			}
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d tests with the tag lab found, %v", found, err)
	}
}

func TestFaultsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Faults {
		if seen[f.Name] {
			t.Errorf("%s is listed twice", f.Name)
		}
		seen[f.Name] = true
		if f.Doc == "" || f.Oracle == nil {
			t.Errorf("%s lacks a doc or an oracle", f.Name)
		}
		if f.Healthy() != (len(f.Expect) == 0 && len(f.Context) == 0 && len(f.Facts) == 0) {
			t.Errorf("%s: an injection and expectations go together", f.Name)
		}
		if !f.Healthy() && f.Heal == nil {
			t.Errorf("%s cannot be healed", f.Name)
		}
		for _, sight := range f.Facts {
			if fact.Lookup(sight.Key) == nil {
				t.Errorf("%s: %s: no such fact", f.Name, sight)
			}
			for _, c := range strings.Split(sight.Want, "; ") {
				if _, _, err := test(strings.TrimPrefix(c, "no "), "", nil); err != nil && !strings.HasPrefix(c, "no ") {
					t.Errorf("%s: %s: %v", f.Name, sight, err)
				}
			}
		}
		for _, e := range f.Expect {
			if slices.Contains(f.Forbidden, e.Cause) {
				t.Errorf("%s both expects and forbids %s", f.Name, e.Cause)
			}
		}
		for _, cause := range f.Consequences {
			if slices.Contains(f.Forbidden, cause) {
				t.Errorf("%s both wants and forbids %s", f.Name, cause)
			}
		}
	}
	if _, err := FaultOf("no-such-fault"); err == nil || !strings.Contains(err.Error(), "broker-crashed") {
		t.Errorf("an unknown fault is answered with %v, the names are expected", err)
	}
}

func TestFits(t *testing.T) {
	plain := &Cluster{}
	for _, f := range []*Fault{underMinISR, diskFull, gcPause} {
		if f.Fits(plain) == nil {
			t.Errorf("%s fits a cluster of the default shape", f.Name)
		}
		if err := f.Fits(&Cluster{Shape: f.Shape}); err != nil {
			t.Errorf("%s does not fit its own shape: %v", f.Name, err)
		}
	}
	if err := brokerHung.Fits(plain); err != nil {
		t.Error(err)
	}
}

// A cluster whose owner is gone leaves processes, a mount and a directory: all
// of it must go, and what belongs to somebody alive must stay.
func TestSweep(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("root is needed to mount a tmpfs")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	base := t.TempDir()
	dead, alive := filepath.Join(base, "dead"), filepath.Join(base, "alive")
	data := filepath.Join(dead, "data")
	for _, d := range []string{data, alive} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	left := exec.Command("sleep", "600")
	if err := start(left); err != nil {
		t.Fatal(err)
	}
	s, err := newState(dead, "up")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.mount(mountSource, data, "tmpfs", "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(data, syscall.MNT_DETACH) // when the test fails
	s.Owner = Process{PID: os.Getpid(), Start: 1}   // our pid, of an earlier process
	s.Nodes = []NodeState{{ID: 1, Process: processOf(left.Process.Pid)}}
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	if _, err := newState(alive, "up"); err != nil {
		t.Fatal(err)
	}

	if err := Sweep(); err != nil {
		t.Fatal(err)
	}
	if err := left.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process that was left ended with %v", err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the directory of the dead cluster is still there: %v", err)
	}
	if mounts, _ := os.ReadFile("/proc/self/mounts"); strings.Contains(string(mounts), data) {
		t.Error("the mount of the dead cluster is still there")
	}
	if _, err := os.Stat(alive); err != nil {
		t.Errorf("the directory of a living cluster: %v", err)
	}
	if still, err := Clusters(); err != nil || len(still) != 1 || still[0].Dir != alive {
		t.Errorf("clusters after the sweep: %v, %v", still, err)
	}
}

func TestProcessIsNotMistakenForALaterOne(t *testing.T) {
	me := processOf(os.Getpid())
	if !me.Alive() {
		t.Error("this process is not alive")
	}
	if (Process{me.PID, me.Start + 1}).Alive() || (Process{}).Alive() {
		t.Error("a process that never was is alive")
	}
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := processOf(cmd.Process.Pid)
	time.Sleep(50 * time.Millisecond) // a zombie until it is waited for
	if gone.Alive() {
		t.Error("a zombie is alive")
	}
	cmd.Wait()
}

func TestDirIsNeverSomebodyElses(t *testing.T) {
	dir := t.TempDir()
	if got, err := emptyDir(dir); err != nil || got != dir {
		t.Errorf("an empty directory: %q, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := emptyDir(dir); err == nil {
		t.Error("a directory with files in it was taken; it would be removed later")
	}
}

func TestFindRefusesVersions(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, version := range []string{"", "4.3", "4.3.1-rc1", "../../etc", "2.7.2", "1.1.1"} {
		if _, err := Find(context.Background(), version); err == nil {
			t.Errorf("version %q was taken", version)
		}
	}
}

func TestServerProperties(t *testing.T) {
	broker := &Node{ID: 3, Roles: "broker", Host: "127.0.0.1", LogDir: "/l", MetadataDir: "/m", Port: 1, ControllerPort: 2}
	controller := &Node{ID: 100, Roles: "controller", Host: "127.0.0.1", LogDir: "/c", Port: 3, ControllerPort: 4}
	got := serverProperties(broker, []*Node{broker, controller}, map[string]string{"num.io.threads": "1"})
	for _, line := range []string{
		"controller.quorum.voters=100@127.0.0.1:4", "listeners=PLAINTEXT://127.0.0.1:1", "log.dirs=/l", "metadata.log.dir=/m",
		"node.id=3", "process.roles=broker", "num.io.threads=1",
	} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("line %q is missing in\n%s", line, got)
		}
	}
	if got := serverProperties(controller, []*Node{broker, controller}, nil); strings.Contains(got, "advertised.listeners") {
		t.Error("a controller advertises a listener for clients")
	}
}

func TestWithoutASecondCollector(t *testing.T) {
	got := strings.Join(without([]string{"-Xmx256m", "-XX:+UseG1GC"}, []string{"-XX:+UseSerialGC"}), " ")
	if got != "-Xmx256m -XX:+UseSerialGC" {
		t.Error(got)
	}
	got = strings.Join(without([]string{"-XX:+UseG1GC"}, []string{"-Xmx1g"}), " ")
	if got != "-XX:+UseG1GC -Xmx1g" {
		t.Error(got)
	}
}
