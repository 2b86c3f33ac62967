package host

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// A real hierarchy of version 2, mounted for the test where the machine itself uses
// version 1: its controllers are taken then, so that limits are those of the trees in
// TestCgroupTree, and the freezer, pressure and paths are the kernel's own.
func TestCgroup2(t *testing.T) {
	top := t.TempDir()
	if err := syscall.Mount("none", top, "cgroup2", 0, ""); err != nil {
		t.Fatalf("this test mounts cgroup2 and must run as root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(top, 0); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(top, "ktriage-test")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { waitFor(t, func() bool { return os.Remove(dir) == nil }) })
	target := in(t, dir, "sh", "-c", "while :; do :; done")

	// Found by /proc: the line 0:: and the mount.
	seen, err := look(t, Cgroup, target)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"cpu", "io", "memory"} {
		o := seen["host.cgroup.pressure."+key+" on process 4"]
		_, known := o.Value.(float64)
		if _, err := os.ReadFile(filepath.Join(dir, key+".pressure")); known != (err == nil) {
			t.Errorf("pressure of %s: %v (%v), while reading its file says %v", key, o.Value, o.Because, err)
		}
	}

	c := cgroup{top, "/ktriage-test", true}
	frozen := func() bool {
		l := limits{t: &probe.Target{}, s: fact.Subject{Scope: fact.Process, Name: "4"}}
		l.frozen(c, nil)
		v, ok := l.seen[0].Value.(bool)
		if !ok {
			t.Fatal(l.seen[0].Because)
		}
		return v
	}
	if frozen() {
		t.Error("frozen before it was")
	}
	set(t, dir+"/cgroup.freeze", "1")
	waitFor(t, frozen)
	set(t, dir+"/cgroup.freeze", "0")
	waitFor(t, func() bool { return !frozen() })

	// Without a controller there is no file, and that is no limit.
	l := limits{t: &probe.Target{}, s: fact.Subject{Scope: fact.Process, Name: "4"}}
	l.cpu(c, nil)
	held, _ := os.ReadFile(top + "/cgroup.controllers")
	if limit, ok := l.seen[0].Value.(float64); !ok || limit != 0 {
		t.Errorf("limit %v (%v), want none; controllers here: %s", l.seen[0].Value, l.seen[0].Because, strings.TrimSpace(string(held)))
	}
	// cpu.stat is there all the same, as the parser reads it.
	figures := func() map[string]float64 {
		text, err := os.ReadFile(dir + "/cpu.stat")
		if err != nil {
			t.Fatal(err)
		}
		numbers, err := ParseNumbers("cpu.stat", text, []figure{{name: "usage_usec"}})
		if err != nil {
			t.Fatal(err)
		}
		return numbers
	}
	before := figures()["usage_usec"]
	waitFor(t, func() bool { time.Sleep(10 * time.Millisecond); return figures()["usage_usec"] > before })
}
