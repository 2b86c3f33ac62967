package gclog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// lookFor is how much of a file is read before it is said to be no GC log.
const lookFor = 1 << 20

// ErrNotGCLog is the kind of error of a file that is no GC log.
var ErrNotGCLog = errors.New("not a GC log")

// Read reads a whole log. A file that is no GC log is an ErrNotGCLog that names
// the line and what was expected of it; every other error is one of reading,
// and what came before it counts.
func (p *Parser) Read(r io.Reader, name string) error {
	lines, bytesBefore, knew := p.log.Lines, p.log.Bytes, p.known
	p.known, p.first = false, 0
	defer func() { p.known = p.known || knew }()
	buf := make([]byte, 256<<10)
	for {
		n, err := r.Read(buf)
		p.Feed(buf[:n])
		if !p.known && (p.log.Bytes-bytesBefore > lookFor || err == io.EOF) {
			if err == io.EOF {
				p.EndFile()
			}
			if !p.known {
				return notLog(name, p.first-lines)
			}
		}
		switch {
		case err == io.EOF:
			p.EndFile()
			return nil
		case err != nil:
			return fmt.Errorf("read GC log %s: %w", name, err)
		}
	}
}

func notLog(name string, line int64) error {
	if line < 1 {
		return fmt.Errorf("%s: %w: it is empty", name, ErrNotGCLog)
	}
	return fmt.Errorf("%s:%d: %w: expected a line of -Xlog:gc* such as \"[2026-11-23T02:26:34.413+0000][gc] GC(0) Pause Young (Normal) ... 12M->5M(256M) 76.1ms\", or of a JVM before 9 such as \"1.234: [GC (Allocation Failure) 65M->9M(245M), 0.0395 secs]\"", name, line, ErrNotGCLog)
}

// Head is the beginning of a log.
type Head struct {
	Name string
	Text []byte // some kilobytes
}

// Order sorts the names of logs by the first date in each, as the rotated files
// of one JVM want to be read. Where one of them has none the order stays.
func Order(heads []Head) []string {
	type dated struct {
		name string
		wall int64
	}
	all := make([]dated, len(heads))
	sortable := true
	for i, h := range heads {
		all[i] = dated{h.Name, firstDate(h.Text)}
		sortable = sortable && all[i].wall != 0
	}
	if sortable {
		slices.SortStableFunc(all, func(a, b dated) int { return int(min(1, max(-1, a.wall-b.wall))) })
	}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.name
	}
	return names
}

func firstDate(text []byte) int64 {
	for line := range bytes.Lines(text) {
		if s, _ := decorations(line); s.wall != 0 {
			return s.wall
		}
		if s, _ := legacyStamp(line); s.wall != 0 {
			return s.wall
		}
	}
	return 0
}
