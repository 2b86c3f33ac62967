package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Dirs asks the file system under each log dir how full it is.
var Dirs = &probe.Probe{
	Name:    "host.dirs",
	Doc:     "bytes, inodes, mount and device of the file system under each log dir",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  []fact.Key{fact.DirMount, fact.DirUsed, fact.DirAvailable, fact.DirTotal, fact.DirInodesUsed, fact.DirInodesTotal},
	Observe: observeDirs,
}

// logDir is a log dir of a broker of this host.
type logDir struct {
	subject fact.Subject
	path    string // as the broker calls it
	pid     int    // of its process while it runs
}

// logDirs is the log dirs of all brokers here, and those of --log-dir.
func logDirs(t *probe.Target, reader string) []logDir {
	var all []logDir
	for _, b := range t.Brokers() {
		pid := b.PID
		if !b.Running {
			pid = 0
		}
		for _, path := range b.LogDirs {
			all = append(all, logDir{fact.LogDirOf(b.NodeID, path), path, pid})
		}
	}
	for _, path := range t.LogDirs {
		path = filepath.Clean(path)
		if slices.ContainsFunc(all, func(d logDir) bool { return d.path == path }) {
			continue
		}
		all = append(all, logDir{fact.LogDirOf(storedID(t, reader, 0, []string{path}), path), path, 0})
	}
	return all
}

func observeDirs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	dirs := logDirs(t, "host.dirs")
	if len(dirs) == 0 {
		return noDirs(t, []fact.Key{fact.DirMount, fact.DirUsed, fact.DirAvailable, fact.DirTotal, fact.DirInodesUsed, fact.DirInodesTotal})
	}
	// One dead network file system must not keep the other dirs from being
	// told about.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answers := make([][]fact.Observation, len(dirs))
	var wait sync.WaitGroup
	for i, d := range dirs {
		wait.Go(func() { answers[i] = dirOf(ctx, t, d) })
	}
	wait.Wait()
	return slices.Concat(answers...), nil
}

// noDirs is what is observed without any log dir: no broker is here, or one is
// and its configuration could not be read.
func noDirs(t *probe.Target, keys []fact.Key) ([]fact.Observation, error) {
	if len(t.Brokers()) > 0 {
		return nil, probe.Fail(fact.Unreadable, "the log dirs of the brokers here are not known", "--log-dir DIR, or --broker-config FILE")
	}
	return Nowhere(keys, NoBroker), nil
}

// dirOf observes one log dir, within the context.
func dirOf(ctx context.Context, t *probe.Target, d logDir) []fact.Observation {
	s := d.subject
	path := t.PathOf(d.pid, d.path)
	mount, err := probe.Within(ctx, t, "mount of "+path, func() (fact.Mount, error) { return mountUnder(t, d, path) })
	var seen []fact.Observation
	if err != nil {
		seen = append(seen, fact.DirMount.Unknown(s, probe.Because(err)))
	} else {
		seen = append(seen, fact.DirMount.Is(s, mount))
	}
	fs, err := probe.Within(ctx, t, "statfs "+path, func() (unix.Statfs_t, error) { return statfs(t, path) })
	if err != nil {
		because := probe.Because(err)
		return append(seen, fact.DirUsed.Unknown(s, because), fact.DirAvailable.Unknown(s, because), fact.DirTotal.Unknown(s, because),
			fact.DirInodesUsed.Unknown(s, because), fact.DirInodesTotal.Unknown(s, because))
	}
	block := float64(fs.Frsize)
	if block <= 0 {
		block = float64(fs.Bsize)
	}
	return append(seen,
		fact.DirUsed.Is(s, block*float64(fs.Blocks-min(fs.Bfree, fs.Blocks))),
		fact.DirAvailable.Is(s, block*float64(fs.Bavail)),
		fact.DirTotal.Is(s, block*float64(fs.Blocks)),
		fact.DirInodesUsed.Is(s, float64(fs.Files-min(fs.Ffree, fs.Files))),
		fact.DirInodesTotal.Is(s, float64(fs.Files)))
}

func statfs(t *probe.Target, path string) (fs unix.Statfs_t, err error) {
	begin := time.Now()
	for {
		err = unix.Statfs(path, &fs)
		if err != unix.EINTR {
			break
		}
	}
	t.Ledger.Note("statfs", path, 0, time.Since(begin))
	if err != nil {
		return fs, fmt.Errorf("statfs %s: %w", path, err)
	}
	return fs, nil
}

// mountUnder finds the mount that holds a log dir, as its broker sees mounts:
// systemd and containers give a process mounts of its own.
func mountUnder(t *probe.Target, d logDir, path string) (fact.Mount, error) {
	file := t.Root + "/proc/self/mountinfo"
	if d.pid != 0 {
		file = t.Proc(d.pid, "mountinfo")
	}
	info, err := t.ReadFile(file, 16<<20)
	if err != nil && d.pid != 0 {
		info, err = t.ReadFile(t.Root+"/proc/self/mountinfo", 16<<20)
	}
	if err != nil {
		return fact.Mount{}, fmt.Errorf("read mounts: %w", err)
	}
	mounts, err := ParseMountInfo(info)
	if err != nil {
		return fact.Mount{}, err
	}
	name := d.path
	if path == d.path { // no container between: links can be followed
		if real, err := filepath.EvalSymlinks(name); err == nil {
			name = real
		}
	}
	m, ok := mountOf(mounts, name)
	if !ok {
		return fact.Mount{}, fmt.Errorf("no mount holds %s", name)
	}
	return fact.Mount{
		Point: m.Point, Source: m.Source, Type: m.Type, Options: m.Options, SuperOptions: m.SuperOptions,
		Device: deviceName(t, m),
	}, nil
}

// deviceName is the kernel's name of the block device under a mount; empty
// where there is none.
func deviceName(t *probe.Target, m MountEntry) string {
	number := m.Device
	if strings.HasPrefix(number, "0:") { // btrfs and the like number their own way
		var st unix.Stat_t
		if !strings.HasPrefix(m.Source, "/dev/") || unix.Stat(m.Source, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
			return ""
		}
		number = fmt.Sprintf("%d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	}
	link, err := os.Readlink(t.Root + "/sys/dev/block/" + number)
	if err != nil {
		return ""
	}
	return filepath.Base(link)
}
