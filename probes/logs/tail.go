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

// chunk is the size of one read.
const chunk = 256 << 10

// tail follows one log file through appending, rolling and truncation. Its
// methods are for one goroutine at a time.
type tail struct {
	scan   *scan
	inode  uint64
	offset int64  // what has been read of the file, partial included
	part   []byte // the line that has not ended yet
	last   []byte // the end of what has been read: by it a copy is known
	skip   bool   // the line that has not ended yet began before what we read
}

// advance reads what has been added to the file since the last call: at first
// its end, with that of its rolled predecessors where it is short, see back.
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
	inode, first := inodeOf(info), f.inode == 0
	switch {
	case first:
		f.scan.zone = zoneOf(file, info)
		older, from := f.back(t, path, file, info)
		for _, p := range older {
			f.old(t, p)
		}
		f.begin(from)
		f.inode = inode
	case f.inode != inode:
		// Rolled: the rest of the file that we know has a longer name now.
		f.before(t, path, func(old os.FileInfo) bool { return inodeOf(old) == f.inode })
	case info.Size() < f.offset:
		// Truncated, and written anew. Who truncates has copied it first, mostly:
		// what was added before that stands in the copy.
		f.before(t, path, func(old os.FileInfo) bool {
			return f.copied(t, filepath.Join(filepath.Dir(path), old.Name()), old.Size())
		})
		f.restart()
	}
	if f.inode != inode {
		f.restart()
		f.inode = inode
	}
	f.scan.file, f.scan.mtime = path, info.ModTime()
	if !first {
		f.gap(info.Size())
	}
	return f.read(t, file, info.Size())
}

// restart forgets the position in the file, not what was found in it.
func (f *tail) restart() { f.offset, f.part, f.skip, f.last = 0, nil, false, nil }

// before reads on in the newest rolled file that suits, from where we stopped.
func (f *tail) before(t *probe.Target, path string, suits func(os.FileInfo) bool) {
	for _, p := range predecessors(path) {
		if suits(p.info) {
			p.from = -1
			f.old(t, p)
			return
		}
	}
}

// old reads a rolled file to its end: from where a part begins, or with -1 from
// where we stopped reading it.
func (f *tail) old(t *probe.Target, p part) {
	file, err := t.Open(p.name)
	if err != nil {
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return
	}
	f.scan.file, f.scan.mtime = p.name, info.ModTime()
	if p.from >= 0 {
		f.restart()
		f.begin(p.from)
	} else {
		f.gap(info.Size())
	}
	// What cannot be read of a predecessor is as if it had been deleted.
	_ = f.read(t, file, info.Size())
	f.flush()
}

// copied says whether a file is a copy of the one that was read so far.
func (f *tail) copied(t *probe.Target, name string, size int64) bool {
	if size < f.offset || len(f.last) == 0 {
		return false
	}
	file, err := t.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	same := make([]byte, len(f.last))
	_, err = file.ReadAt(same, f.offset-int64(len(f.last)))
	return err == nil && bytes.Equal(same, f.last)
}

// rolledFrom says whether a name is that of an older part of a log: with a date or
// a number behind it, as log4j, logrotate and their like write, uncompressed.
func rolledFrom(log, name string) bool {
	rest, ok := strings.CutPrefix(name, log)
	if !ok || len(rest) < 2 || rest[0] != '.' && rest[0] != '-' {
		return false
	}
	return strings.Trim(rest[1:], "0123456789-_T") == ""
}

// gap leaves out what lies further back than lookBack: a log that grows like that
// between two looks repeats itself.
func (f *tail) gap(size int64) {
	if size-f.offset > lookBack {
		f.begin(size - lookBack)
	}
}

// begin starts reading at an offset, most likely within a line.
func (f *tail) begin(offset int64) {
	f.offset, f.part, f.skip = offset, nil, offset > 0
}

// read scans the file from where we are to size.
func (f *tail) read(t *probe.Target, file *os.File, size int64) error {
	began, from := time.Now(), f.offset
	buf := make([]byte, min(chunk, max(0, size-f.offset)))
	for f.offset < size {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), size-f.offset)], f.offset)
		f.offset += int64(n)
		if n > 0 {
			f.last = append(f.last[:0], buf[max(0, n-64):n]...)
		}
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
	l, ok := layoutOf(end)
	if !ok || l.json {
		return time.Local
	}
	i := l.lastHead(end, len(end))
	if i < 0 || l.zoned(end[i:]) {
		return time.Local
	}
	at, ok := l.time(end[i:], time.Local)
	if !ok {
		return time.Local
	}
	off := info.ModTime().Sub(at)
	whole := off.Round(15 * time.Minute)
	if rest := (off - whole).Abs(); whole == 0 || rest > 2*time.Second || whole.Abs() > 26*time.Hour {
		return time.Local
	}
	_, local := at.In(time.Local).Zone()
	return time.FixedZone("", local-int(whole.Seconds()))
}
