package jvm

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/gclog"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	lookBack = 4 << 20 // what is read of a log at first, and at most at a time
	headSize = 8 << 10 // where the JVM says what it is
)

// tail follows one GC log through appending, rotation and truncation. It is for
// one goroutine at a time.
type tail struct {
	path   string
	parser gclog.Parser
	head   fact.GCLog // what the beginning of the file says of the JVM
	inode  uint64
	offset int64
	skip   bool // the line at offset began before what is read
}

// advance reads what has been added since the last call; at first the last 4 MiB.
func (f *tail) advance(t *probe.Target) error {
	file, info, err := openLog(t, f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	inode := inodeOf(info)
	switch {
	case f.inode == 0:
		f.inode = inode
		f.readHead(file)
	case f.inode != inode: // rotated: the rest of what we read has a number at its end
		f.finish(t)
		f.parser.EndFile()
		f.inode, f.offset, f.skip = inode, 0, false
		f.readHead(file)
	case info.Size() < f.offset: // begun anew
		f.parser.EndFile()
		f.offset, f.skip = 0, false
		f.readHead(file)
	}
	return f.read(t, file, info.Size())
}

func openLog(t *probe.Target, path string) (*os.File, os.FileInfo, error) {
	file, err := t.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open GC log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("stat GC log: %w", err)
	}
	if !info.Mode().IsRegular() {
		file.Close()
		return nil, nil, fmt.Errorf("open GC log: %s is not a plain file", path)
	}
	return file, info, nil
}

// readHead reads which JVM and collector write the log.
func (f *tail) readHead(file *os.File) {
	b := make([]byte, headSize)
	n, err := file.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return
	}
	f.parser.Begin(b[:n])
	var p gclog.Parser
	p.Feed(b[:n])
	if p.Known() {
		f.head = p.Log()
	}
}

// finish reads the rest of the file that was rotated away. What cannot be read of
// it is as if it had been deleted.
func (f *tail) finish(t *probe.Target) {
	names, err := filepath.Glob(globEscape(f.path) + ".[0-9]*")
	if err != nil {
		return
	}
	for _, name := range names {
		info, err := os.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || inodeOf(info) != f.inode {
			continue
		}
		if file, info, err := openLog(t, name); err == nil {
			_ = f.read(t, file, info.Size())
			file.Close()
		}
		return
	}
}

// globEscape is a path as a pattern that means itself.
func globEscape(path string) string {
	var b bytes.Buffer
	for i := range len(path) {
		if c := path[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// read parses from where we are to size. Of more than lookBack bytes only the
// last are read.
func (f *tail) read(t *probe.Target, file *os.File, size int64) error {
	if size-f.offset > lookBack {
		f.offset, f.skip = size-lookBack, true
	}
	began, from := time.Now(), f.offset
	buf := make([]byte, min(256<<10, max(0, size-f.offset)))
	for f.offset < size {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), size-f.offset)], f.offset)
		f.offset += int64(n)
		b := buf[:n]
		if f.skip {
			if end := bytes.IndexByte(b, '\n'); end >= 0 {
				b, f.skip = b[end+1:], false
			} else {
				b = nil
			}
		}
		f.parser.Feed(b)
		if err == io.EOF || n == 0 && err == nil {
			break // truncated while we read: the next call notices
		}
		if err != nil {
			return fmt.Errorf("read GC log: %w", err)
		}
	}
	t.Ledger.Note("read", file.Name(), f.offset-from, time.Since(began))
	return nil
}

func inodeOf(info os.FileInfo) uint64 {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		return sys.Ino
	}
	return 0
}
