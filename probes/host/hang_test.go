package host

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/probe"
)

// hang puts a file in place of name that never answers a read, as one on a dead
// disk, until the test ends.
func hang(t *testing.T, name string) {
	t.Helper()
	os.Remove(name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
}

// within runs a probe and fails the test when it takes longer.
func within(t *testing.T, limit time.Duration, p *probe.Probe, target *probe.Target) (map[string]fact.Observation, error) {
	t.Helper()
	type answer struct {
		seen map[string]fact.Observation
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		seen, err := look(t, p, target)
		done <- answer{seen, err}
	}()
	select {
	case a := <-done:
		return a.seen, a.err
	case <-time.After(limit):
		t.Fatalf("%s has not ended within %s", p.Name, limit)
		return nil, nil
	}
}

// A log dir on a dead disk costs its node id, and neither the probe nor the dirs
// beside it.
func TestLogDirOnADeadDisk(t *testing.T) {
	t.Parallel()
	dead, well := t.TempDir(), t.TempDir()
	hang(t, filepath.Join(dead, "meta.properties"))
	mustWrite(t, filepath.Join(well, "meta.properties"), "version=1\nnode.id=4\ncluster.id=c\n")
	target := &probe.Target{LogDirs: []string{dead, well}}
	for _, p := range []*probe.Probe{Dirs, Disks} {
		within(t, 3*time.Second, p, target)
	}
	began := time.Now()
	seen, err := within(t, 3*time.Second, Dirs, target)
	if err != nil || time.Since(began) > patience/2 {
		t.Errorf("the second look took %s, error %v", time.Since(began), err)
	}
	number(t, seen, "host.dir.used on logdir 4:"+well)
	number(t, seen, "host.dir.used on logdir -1:"+dead)
}

// A broker whose disk dies while it runs is still found, as the node that it is.
func TestBrokerOnADeadDisk(t *testing.T) {
	t.Parallel()
	jdk, classes, dir := hosttest.JDKs(t)[0], hosttest.Compile(t), t.TempDir()
	config, meta := filepath.Join(dir, "server.properties"), filepath.Join(dir, "data/meta.properties")
	mustWrite(t, config, "process.roles=broker\nlog.dirs=data\n")
	mustWrite(t, meta, "version=1\nnode.id=77\ncluster.id=c\n")
	cmd := hosttest.Start(t, jdk, classes, dir, "-Xmx32m")
	target := &probe.Target{PID: cmd.Process.Pid}
	check := func(what string) {
		t.Helper()
		within(t, 4*time.Second, Brokers, target)
		if all := target.Brokers(); len(all) != 1 || all[0].NodeID != 77 || !all[0].Running || len(all[0].LogDirs) != 1 {
			t.Errorf("%s: %+v", what, all)
		}
	}
	check("at first")
	hang(t, meta)
	check("meta.properties hangs")
	hang(t, config)
	check("server.properties hangs")
	fresh := &probe.Target{PID: cmd.Process.Pid}
	if _, err := within(t, 4*time.Second, Brokers, fresh); err == nil || probe.Because(err).Reason != fact.TimedOut || len(fresh.Brokers()) != 1 {
		t.Errorf("nothing could be read of %+v: error %v", fresh.Brokers(), err)
	}
}
