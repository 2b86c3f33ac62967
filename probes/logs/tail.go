package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

const (
	// lookBack is how much of a log is read at first, and at most at a time.
	lookBack = 4 << 20
	// chunk is the size of one read.
	chunk = 256 << 10
)

// tail follows one log file through appending, rolling and truncation. Its
// methods are for one goroutine at a time.
type tail struct {
	scan   *scan
	inode  uint64
	offset int64  // what has been read of the file, partial included
	part   []byte // the line that has not ended yet
	skip   bool   // the line that has not ended yet began before what we read
}

// advance reads what has been added to the file since the last call: at first
// its last 4 MiB, with the end of its rolled predecessor where it is shorter.
func (f *tail) advance(t *probe.Target, path string) error {
	file, err := t.Open(path)
	if err != nil {
		return fmt.Errorf("open broker log: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("stat broker log: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("open broker log: %s is not a plain file", path)
	}
	inode := inodeOf(info)
	switch {
	case f.inode == 0:
		f.scan.zone = zoneOf(file, info)
		if missing := lookBack - info.Size(); missing > 0 {
			f.before(t, path, func(os.FileInfo) bool { return true }, missing)
		}
	case f.inode != inode:
		// Rolled: the rest of the file that we know has a longer name now.
		f.before(t, path, func(old os.FileInfo) bool { return inodeOf(old) == f.inode }, -1)
	case info.Size() < f.offset: // truncated, and written anew
		f.restart()
	}
	if f.inode != inode {
		f.restart()
		f.inode = inode
	}
	f.scan.file, f.scan.mtime = path, info.ModTime()
	return f.read(t, file, info.Size())
}

// restart forgets the position in the file, not what was found in it.
func (f *tail) restart() { f.offset, f.part, f.skip = 0, nil, false }

// before reads the newest rolled file that suits: its last bytes, or with -1
// from where we stopped reading it.
func (f *tail) before(t *probe.Target, path string, suits func(os.FileInfo) bool, last int64) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	newest := ""
	for _, e := range entries {
		// server.log.2026-11-25-01; the names sort by time.
		rest, rolled := strings.CutPrefix(e.Name(), filepath.Base(path)+".2")
		if !rolled || strings.Contains(rest, ".") || e.Name() <= newest {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && suits(info) {
			newest = e.Name()
		}
	}
	if newest == "" {
		return
	}
	name := filepath.Join(filepath.Dir(path), newest)
	file, err := t.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return
	}
	f.scan.file, f.scan.mtime = name, info.ModTime()
	if last >= 0 {
		f.restart()
		f.begin(max(0, info.Size()-last))
	}
	// What cannot be read of a predecessor is as if it had been deleted.
	_ = f.read(t, file, info.Size())
	f.flush()
}

// begin starts reading at an offset, most likely within a line.
func (f *tail) begin(offset int64) {
	f.offset, f.part, f.skip = offset, nil, offset > 0
}

// read scans the file from where we are to size. Of more than lookBack bytes
// only the last are read: a log that grows like that repeats itself.
func (f *tail) read(t *probe.Target, file *os.File, size int64) error {
	if size-f.offset > lookBack {
		f.begin(size - lookBack)
	}
	began, from := time.Now(), f.offset
	buf := make([]byte, min(chunk, max(0, size-f.offset)))
	for f.offset < size {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), size-f.offset)], f.offset)
		f.offset += int64(n)
		f.take(buf[:n])
		if err == io.EOF || n == 0 && err == nil {
			break // truncated while we read: the next call notices
		}
		if err != nil {
			return fmt.Errorf("read broker log: %w", err)
		}
	}
	t.Ledger.Note("read", file.Name(), f.offset-from, time.Since(began))
	return nil
}

// take scans the whole lines of what was read, together with the line that the
// last call left unfinished. A line without end is cut.
func (f *tail) take(b []byte) {
	end := bytes.LastIndexByte(b, '\n')
	if end < 0 {
		if !f.skip && len(f.part) < chunk {
			f.part = append(f.part, b...)
		}
		return
	}
	if f.skip {
		f.skip = false
		first := bytes.IndexByte(b, '\n') + 1
		f.scan.feed(b[first : end+1])
	} else {
		if len(f.part) > 0 {
			first := bytes.IndexByte(b, '\n') + 1
			f.scan.feed(append(f.part, b[:first]...))
			f.scan.feed(b[first : end+1])
		} else {
			f.scan.feed(b[:end+1])
		}
	}
	f.part = append([]byte(nil), b[end+1:]...)
}

// flush scans a last line that has no end.
func (f *tail) flush() {
	if len(f.part) > 0 && !f.skip {
		f.scan.feed(f.part)
	}
	f.part = nil
}

func inodeOf(info os.FileInfo) uint64 {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		return sys.Ino
	}
	return 0
}

// zoneOf is the time zone that a log is written in: this host's, unless the
// last line is off the file's own time by whole quarters of an hour, as when
// the broker lives in a container that keeps UTC.
func zoneOf(file *os.File, info os.FileInfo) *time.Location {
	end := make([]byte, min(64<<10, info.Size()))
	n, _ := file.ReadAt(end, info.Size()-int64(len(end)))
	end = end[:n]
	i := lastHead(end, len(end))
	if i < 0 {
		return time.Local
	}
	at, err := time.ParseInLocation(timeLayout, string(end[i:i+len(timeLayout)]), time.Local)
	if err != nil {
		return time.Local
	}
	off := info.ModTime().Sub(at)
	whole := off.Round(15 * time.Minute)
	if rest := (off - whole).Abs(); whole == 0 || rest > 2*time.Second || whole.Abs() > 26*time.Hour {
		return time.Local
	}
	_, local := at.Zone()
	return time.FixedZone("", local-int(whole.Seconds()))
}
