package hsperf

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// maxSize bounds what is read: the file has 32 KiB unless -XX:PerfDataMemorySize
// says otherwise.
const maxSize = 4 << 20

// Stale is a perf data file, named after a process.
type Stale struct {
	Path string
	PID  int
}

// All is the files of this host's /tmp, whether their processes live or not.
// After a JVM was killed its file stays until the same user starts another JVM.
func All(t *probe.Target) []Stale {
	dirs, _ := filepath.Glob(t.Root + "/tmp/hsperfdata_*")
	var all []Stale
	for _, dir := range dirs {
		if !trusted(dir) {
			continue
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if pid, err := strconv.Atoi(e.Name()); err == nil && pid > 0 {
				all = append(all, Stale{filepath.Join(dir, e.Name()), pid})
			}
		}
	}
	return all
}

// trusted follows HotSpot: a link, or a directory that others may write into,
// is not looked at.
func trusted(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm()&0o022 == 0
}

// Candidates is where the file of a process can be, most likely first: /tmp of
// the process's own root under its own number, then under its number here, then
// this host's /tmp.
func Candidates(t *probe.Target, pid int) []string {
	root := t.Proc(pid, "root")
	var paths []string
	if inner := InnerPID(t, pid); inner != pid {
		paths = append(paths, glob(root+"/tmp", inner)...)
	}
	own := glob(t.Root+"/tmp", pid)
	if same(root+"/tmp", t.Root+"/tmp") {
		return append(paths, own...)
	}
	paths = append(paths, glob(root+"/tmp", pid)...)
	return append(paths, own...)
}

func glob(tmp string, pid int) []string {
	paths, _ := filepath.Glob(fmt.Sprintf("%s/hsperfdata_*/%d", tmp, pid))
	return paths
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// InnerPID is the number of a process in its innermost namespace: the last of
// NSpid in /proc/PID/status, pid itself where there is no such line.
func InnerPID(t *probe.Target, pid int) int {
	status, err := t.ReadFile(t.Proc(pid, "status"), 64<<10)
	if err != nil {
		return pid
	}
	return innerPID(status, pid)
}

func innerPID(status []byte, pid int) int {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("NSpid:")); ok {
			numbers := bytes.Fields(rest)
			if len(numbers) == 0 {
				return pid
			}
			if n, err := strconv.Atoi(string(numbers[len(numbers)-1])); err == nil && n > 0 {
				return n
			}
		}
	}
	return pid
}

// File is a perf data file that stays open between readings.
type File struct {
	Path  string
	owner uint32
	f     *os.File
	buf   []byte
}

// Open opens a perf data file, if it is what HotSpot makes: a plain file, of
// one name, in a directory that only its owner writes to.
func Open(t *probe.Target, path string) (*File, error) {
	if !trusted(filepath.Dir(path)) {
		return nil, fmt.Errorf("perf data %s: %w: its directory is a link or others may write into it", path, fs.ErrPermission)
	}
	f, err := t.OpenNoFollow(path)
	if err != nil {
		return nil, fmt.Errorf("open perf data: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("stat perf data: %w", err)
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() || sys.Nlink > 1 {
		f.Close()
		return nil, fmt.Errorf("perf data %s: %w: not a plain file of one name", path, fs.ErrPermission)
	}
	return &File{Path: path, owner: sys.Uid, f: f}, nil
}

// Close closes the file.
func (p *File) Close() error { return p.f.Close() }

// Owner is the user id of the file's owner.
func (p *File) Owner() uint32 { return p.owner }

// Read reads and parses the file. While the JVM fills it, Read tries again for
// a moment; see Starting for what the error then is.
func (p *File) Read() (*Data, error) {
	var err error
	for range 5 {
		var d *Data
		if d, err = p.read(); err == nil {
			return d, nil
		}
		// A counter added while we read can leave the count ahead of the
		// bytes we have: the next reading is whole.
		time.Sleep(2 * time.Millisecond)
	}
	return nil, fmt.Errorf("%s: %w", p.Path, err)
}

func (p *File) read() (*Data, error) {
	if p.buf == nil {
		p.buf = make([]byte, 33<<10)
	}
	for {
		n, err := p.f.ReadAt(p.buf, 0)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("read perf data: %w", err)
		}
		if n < len(p.buf) {
			return Parse(p.buf[:n])
		}
		if len(p.buf) >= maxSize {
			return nil, fmt.Errorf("perf data: more than %d bytes", maxSize)
		}
		p.buf = make([]byte, 2*len(p.buf))
	}
}
