package host

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/probe"
)

// kafka puts a running Kafka under root, started as number start.
func kafka(t *testing.T, root string, pid, start int, config string) {
	t.Helper()
	dir := filepath.Join(root, "proc", strconv.Itoa(pid))
	mustWrite(t, filepath.Join(dir, "cmdline"), strings.Join([]string{"java", "-Xmx1g", "kafka.Kafka", config, ""}, "\x00"))
	mustWrite(t, filepath.Join(dir, "stat"), strconv.Itoa(pid)+" (java) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 30 0 "+strconv.Itoa(start)+strings.Repeat(" 0", 30)+"\n")
	if err := os.Symlink("/", filepath.Join(dir, "cwd")); err != nil {
		t.Fatal(err)
	}
}

func TestRivals(t *testing.T) {
	root := t.TempDir()
	config := func(name, id, dir string) string {
		mustWrite(t, filepath.Join(root, name), "process.roles=broker\nnode.id="+id+"\nlisteners=PLAINTEXT://:9092\nlog.dirs="+root+dir+"\n")
		return filepath.Join(root, name)
	}
	kafka(t, root, 11, 100, config("/a/one.properties", "1", "/data/a1"))
	kafka(t, root, 12, 101, config("/a/two.properties", "2", "/data/a2"))
	kafka(t, root, 13, 102, filepath.Join(root, "/a/one.properties"))      // started again; fails on the lock
	kafka(t, root, 14, 103, config("/a/copy.properties", "1", "/data/a1")) // likewise
	check := func(target *probe.Target, brokers int, want ...int) {
		t.Helper()
		if _, err := look(t, Brokers, target); err != nil {
			t.Fatal(err)
		}
		var pids []int
		for _, b := range target.Rivals() {
			pids = append(pids, b.PID)
		}
		if !slices.Equal(pids, want) || len(target.Brokers()) != brokers {
			t.Errorf("rivals %v, want %v; brokers %+v", pids, want, target.Brokers())
		}
	}
	check(&probe.Target{Root: root}, 2)
	kafka(t, root, 21, 104, config("/b/one.properties", "1", "/data/b1"))
	check(&probe.Target{Root: root}, 2, 11, 21)
	check(&probe.Target{Root: root, PID: 21}, 1)
}
