package logs

import (
	"bytes"
	"time"
)

// timeLayout is the %d of Kafka's stock pattern: local time, no zone.
const timeLayout = "[2006-01-02 15:04:05,000]"

// order is the time of a line. Lines of one millisecond are told apart by a
// microsecond each: which came later matters, as when a controller replays old
// registrations at its start.
func (s *scan) order(head []byte) time.Time {
	at, ok := s.timeOf(head)
	if !ok {
		if s.newest.IsZero() {
			return s.mtime.UTC()
		}
		return s.newest
	}
	if same := at.Equal(s.newest.Truncate(time.Millisecond)); same && s.newest.Sub(at) < 999*time.Microsecond {
		at = s.newest.Add(time.Microsecond)
	}
	s.newest = at
	return at
}

// timeOf is the time at the start of a line.
func (s *scan) timeOf(line []byte) (time.Time, bool) { return s.layout.time(line, s.zone) }

// isHead says whether a line begins with a time; lines of a stack trace do not.
func (l layout) isHead(line []byte) bool { return l.date(line) != nil }

// nextHead is where the first line with a time begins, -1 without one.
func (l layout) nextHead(b []byte, from int) int {
	for from < len(b) {
		if l.isHead(b[from:]) {
			return from
		}
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			break
		}
		from += i + 1
	}
	return -1
}

// lastHead is where the last line with a time before end begins, -1 where none
// is near: stack traces are long, but not longer than this.
func (l layout) lastHead(b []byte, end int) int {
	for stop := end - 128<<10; end > max(0, stop); {
		begin := bytes.LastIndexByte(b[:end-1], '\n') + 1
		if l.isHead(b[begin:]) {
			return begin
		}
		end = begin
	}
	return -1
}
