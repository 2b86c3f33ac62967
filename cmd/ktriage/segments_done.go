package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/ktriage/ktriage/probes/segments"
)

const doneHead = "ktriage.segments.done/v1"

// doneList remembers in a file which segments were sound, one a line: bytes, time
// of the last write, path. A segment that has changed since is another one.
type doneList struct {
	mu   sync.Mutex
	seen map[string]bool
	file *os.File
	err  error
}

func doneLine(s segments.Segment) string {
	return fmt.Sprintf("%d %d %s", s.Bytes, s.MTime.UnixNano(), strconv.Quote(s.File))
}

// openDone opens the list that a former run left, or begins one. It must not be
// in a log dir: a broker does not start with a directory of others, and a full
// disk is none to write to.
func openDone(name string) (*doneList, error) {
	if dir := filepath.Dir(name); segments.IsLogDir(dir) {
		return nil, fmt.Errorf("%s is a broker's log dir, where nothing is written", dir)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	d := &doneList{seen: map[string]bool{}, file: f}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<10)
	n := 0
	for ; lines.Scan(); n++ {
		if n == 0 && lines.Text() != doneHead {
			f.Close()
			return nil, fmt.Errorf("%s:1: expected %s", name, doneHead)
		}
		d.seen[lines.Text()] = true
	}
	if err := lines.Err(); err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if n == 0 {
		_, err = fmt.Fprintln(f, doneHead)
	}
	return d, err
}

func (d *doneList) has(s segments.Segment) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[doneLine(s)]
}

func (d *doneList) add(s segments.Segment, sound bool) {
	if !sound {
		return // to be told again
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.file.WriteString(doneLine(s) + "\n")
	d.err = errors.Join(d.err, err)
}

func (d *doneList) Close() error { return d.file.Close() }
