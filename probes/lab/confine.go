package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cgroups is where the hierarchies of cgroup v1 are.
const cgroups = "/sys/fs/cgroup"

// confine puts a node into a cgroup of its own under a controller of cgroup v1,
// "cpu" or "memory", now if it runs and at each start; it returns its directory.
func (c *Cluster) confine(n *Node, controller string) (string, error) {
	dir := filepath.Join(cgroups, controller, fmt.Sprintf("%s-%d-%d", mountSource, os.Getpid(), n.ID))
	c.state.Cgroups = append(c.state.Cgroups, dir)
	if err := c.state.write(); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(cgroups, controller, "cgroup.procs")); err != nil {
		return "", fmt.Errorf("make a cgroup for node %d: the %s controller of cgroup v1 is expected: %w", n.ID, controller, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make a cgroup for node %d (root may): %w", n.ID, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cgroups = append(n.cgroups, dir)
	if n.running() {
		return dir, enter(dir, n.cmd.Process.Pid)
	}
	return dir, nil
}

func enter(cgroup string, pid int) error {
	return setControl(cgroup, "cgroup.procs", strconv.Itoa(pid))
}

func setControl(cgroup, file, value string) error {
	if err := os.WriteFile(filepath.Join(cgroup, file), []byte(value), 0o644); err != nil {
		return fmt.Errorf("set %s of a cgroup to %s: %w", file, value, err)
	}
	return nil
}

// control reads one number out of a file of a cgroup with lines of "name number".
func control(cgroup, file, name string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(cgroup, file))
	if err != nil {
		return 0, fmt.Errorf("read a cgroup: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s in %s of cgroup %s", name, file, cgroup)
}

// dissolve removes a cgroup; what still runs in it goes to the one above.
func dissolve(cgroup string) error {
	procs, err := os.ReadFile(filepath.Join(cgroup, "cgroup.procs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, pid := range strings.Fields(string(procs)) {
		if n, err := strconv.Atoi(pid); err == nil {
			enter(filepath.Dir(cgroup), n) // it may be gone meanwhile
		}
	}
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := os.Remove(cgroup) // busy while a killed process is on its way out
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("remove cgroup %s: %w", cgroup, err)
		}
	}
}
