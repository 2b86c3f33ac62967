package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// State is what stands in the state file of a cluster: how other processes
// find it, and what to clear when its owner has died.
type State struct {
	Owner   Process  // the process that runs the cluster
	Command string   // what it was started for: "up", "check", …
	Version string   // of Kafka
	Dir     string   // everything the cluster wrote
	Mounts  []string // mount points of the lab, under Dir, in the order they were made
	Cgroups []string // directories of cgroups of the lab
	Nodes   []NodeState
	Ready   bool   // every broker has been in the cluster
	Socket  string // where the owner takes commands; "" when it takes none
}

// NodeState is a node in a State.
type NodeState struct {
	ID      int32
	Roles   string
	Process Process
	Address string // of the listener for clients; "" for a controller
	Dir     string
	LogDir  string
	LogsDir string
}

// Process is a process told apart from a later one with the same pid.
type Process struct {
	PID   int
	Start uint64 // clock ticks since boot, field 22 of /proc/PID/stat
}

func processOf(pid int) Process {
	start, _ := startTicks(pid)
	return Process{pid, start}
}

// Alive says whether this very process exists and is no zombie.
func (p Process) Alive() bool {
	start, zombie := startTicks(p.PID)
	return p.PID > 0 && start != 0 && start == p.Start && !zombie
}

// startTicks reads when a process began; 0 when there is none.
func startTicks(pid int) (ticks uint64, zombie bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The name in parentheses may hold blanks: count fields after the last one.
	_, rest, _ := cutLast(string(text), ")")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return 0, false
	}
	ticks, _ = strconv.ParseUint(fields[19], 10, 64)
	return ticks, fields[0] == "Z"
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// stateFile is the state file that this process keeps for a cluster of its own.
type stateFile struct {
	State
	path string
}

func runDir() string { return filepath.Join(cacheDir(), "run") }

func newState(dir, command string) (*stateFile, error) {
	if err := os.MkdirAll(runDir(), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of state files: %w", err)
	}
	base := filepath.Join(runDir(), fmt.Sprintf("%d-%s", os.Getpid(), filepath.Base(dir)))
	s := &stateFile{State{Owner: processOf(os.Getpid()), Command: command, Dir: dir}, base + ".json"}
	return s, s.write()
}

// save notes the cluster's present processes.
func (s *stateFile) save(c *Cluster) error {
	s.Version, s.Nodes = c.Version, nil
	for _, n := range c.Nodes {
		address := ""
		if n.IsBroker() {
			address = n.Address()
		}
		s.Nodes = append(s.Nodes, NodeState{n.ID, n.Roles, processOf(n.PID()), address, n.Dir, n.LogDir, n.LogsDir()})
	}
	return s.write()
}

// write replaces the file at once, so that no reader sees half of it.
func (s *stateFile) write() error {
	text, err := json.MarshalIndent(s.State, "", "  ")
	if err == nil {
		err = os.WriteFile(s.path+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(s.path+".new", s.path)
	}
	if err != nil {
		return fmt.Errorf("write the state file: %w", err)
	}
	return nil
}

// mountSource names mounts without a device, and cgroups, as the lab's.
const mountSource = "ktriage-lab"

// note writes a mount point down before something is mounted there.
func (s *stateFile) note(dir string) error {
	if !slices.Contains(s.Mounts, dir) {
		s.Mounts = append(s.Mounts, dir)
	}
	return s.write()
}

// mount mounts a file system on a directory, noted before it is made.
func (s *stateFile) mount(source, dir, kind, options string) error {
	if err := s.note(dir); err != nil {
		return err
	}
	if err := syscall.Mount(source, dir, kind, 0, options); err != nil {
		return fmt.Errorf("mount a %s on %s (root may): %w", kind, dir, err)
	}
	return nil
}

// clear undoes mounts and cgroups, and removes directories and the state file.
func (s *stateFile) clear() error {
	var errs []error
	for _, m := range slices.Backward(s.Mounts) { // one may lie on another
		// EINVAL: not mounted, as when it never came to that.
		if err := syscall.Unmount(m, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOENT) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", m, err))
		}
	}
	if len(errs) == 0 { // never remove files through a mount that stayed
		errs = append(errs, os.RemoveAll(s.Dir))
	}
	for _, g := range s.Cgroups {
		errs = append(errs, dissolve(g))
	}
	if s.Socket != "" {
		os.Remove(s.Socket)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clear cluster %s: %w", s.Dir, err)
	}
	return os.Remove(s.path)
}

// Clusters is the state of every cluster whose owner lives.
func Clusters() ([]State, error) {
	files, err := states()
	var alive []State
	for _, f := range files {
		if f.Owner.Alive() {
			alive = append(alive, f.State)
		}
	}
	return alive, err
}

func states() ([]*stateFile, error) {
	names, err := filepath.Glob(filepath.Join(runDir(), "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list state files: %w", err)
	}
	var all []*stateFile
	for _, name := range names {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // cleared between the two calls
		}
		s := &stateFile{path: name}
		if err == nil {
			err = json.Unmarshal(text, &s.State)
		}
		if err != nil {
			return all, fmt.Errorf("read state file %s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// Sweep clears what clusters of dead owners left: processes (there should be
// none: the kernel ends them with their parent), mounts, directories.
func Sweep() error {
	files, err := states()
	errs := []error{err}
	for _, f := range files {
		if f.Owner.Alive() {
			continue
		}
		for _, n := range f.Nodes {
			if n.Process.Alive() {
				syscall.Kill(n.Process.PID, syscall.SIGCONT)
				syscall.Kill(n.Process.PID, syscall.SIGKILL)
			}
		}
		errs = append(errs, f.clear())
	}
	return errors.Join(errs...)
}

// Down ends every cluster that a running `lab up` owns and sweeps; it returns
// how many it ended.
func Down() (int, error) {
	alive, err := Clusters()
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, s := range alive {
		if s.Command != "up" {
			continue
		}
		syscall.Kill(s.Owner.PID, syscall.SIGTERM)
		for deadline := time.Now().Add(20 * time.Second); s.Owner.Alive(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				syscall.Kill(s.Owner.PID, syscall.SIGKILL)
			}
		}
		ended++
	}
	return ended, Sweep()
}
