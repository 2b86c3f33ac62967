// Package gclog reads the garbage collection logs of HotSpot JVMs: the unified
// ones of JDK 9 and later with any decorations, and the older ones of
// -XX:+PrintGCDetails and its kin. Parsing is a function of bytes; memory does
// not grow with the log.
package gclog

import (
	"bytes"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Kinds of pauses.
const (
	Young       = "young"
	Mixed       = "mixed" // G1: young regions and some old ones
	Full        = "full"
	Concurrent  = "concurrent"  // the short pauses of a cycle that runs beside the application
	Degenerated = "degenerated" // Shenandoah: a cycle that was finished with the application stopped
	Other       = "other"
)

const (
	maxLine    = 64 << 10 // a longer line is cut
	maxNames   = 64       // causes told apart; later ones are "other"
	maxLongest = 10
	// MaxRecent is how many pauses Recent keeps.
	MaxRecent = fact.MaxRecentGC
)

// Parser reads one log, or several one after another: the rotated files of one
// JVM, oldest first. The zero value is ready. It is for one goroutine.
type Parser struct {
	log    fact.GCLog
	pauses lengths
	stops  lengths
	stalls lengths
	kinds  shares
	causes shares
	recent []fact.GCPause // a ring
	newest int            // where the next one goes

	part  []byte // a line without its end yet
	cut   bool   // that line is too long: the rest is dropped
	first int64  // number of the first line that is not empty, from 1
	known bool   // some line was one of a GC log
	last  []byte // the beginning of the last line

	began, ended stamp // of what has been read
	restarted    bool  // a JVM began since the last stamp
	span         int64 // ns

	failing      int64 // the collection of which a To-space exhausted was told, +1
	region       int64 // bytes of a G1 region; 0 not told
	oldBefore    int64 // old generation in the collection of that number, +1
	oldAfter     int64
	oldOf        int64
	lastAfter    int64 // bytes in use after the last collection; -1 not told
	hasAfter     bool
	legacy       record
	longestFloor float64
}

// Feed parses bytes of a log, cut anywhere.
func (p *Parser) Feed(b []byte) {
	p.log.Bytes += int64(len(b))
	if len(p.part) > 0 || p.cut {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			p.keep(b)
			return
		}
		p.keep(b[:end])
		p.line(p.part)
		p.part, p.cut = p.part[:0], false
		b = b[end+1:]
	}
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		line := b[:end]
		if len(line) > maxLine {
			line = line[:maxLine]
		}
		p.line(line)
		b = b[end+1:]
	}
	p.keep(b)
}

// keep adds to the line that has not ended.
func (p *Parser) keep(b []byte) {
	if room := maxLine - len(p.part); len(b) > room {
		b, p.cut = b[:room], true
	}
	p.part = append(p.part, b...)
}

// Begin reads the beginning of a log that is then fed from somewhere in its middle:
// what is told there alone, and needed to understand the rest.
func (p *Parser) Begin(b []byte) {
	var q Parser
	q.Feed(b)
	if q.region > 0 {
		p.region = q.region
	}
}

// EndFile says that a file has ended: what its last line lacks will not come.
// A line without its newline counts when it is whole all the same.
func (p *Parser) EndFile() {
	if len(p.part) > 0 {
		p.line(p.part)
		p.part, p.cut = p.part[:0], false
	}
	if p.legacy.depth > 0 {
		p.legacy.reset()
		p.log.Broken++
	}
	p.tickLast()
}

// tickLast reads the time of the last line, for the span.
func (p *Parser) tickLast() {
	s, _ := decorations(p.last)
	if !s.known() {
		s, _ = legacyStamp(p.last)
	}
	if !s.hasUp || !p.ended.hasUp || s.up >= p.ended.up { // a pause may have begun there and ended later
		p.tick(s)
	}
	p.last = p.last[:0]
}

// Known says whether anything that was read looks like a GC log.
func (p *Parser) Known() bool { return p.known }

func (p *Parser) line(line []byte) {
	p.log.Lines++
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 {
		return
	}
	if p.first == 0 {
		p.first = p.log.Lines
	}
	if p.legacy.depth == 0 && unifiedLine(line) {
		s, msg := decorations(line)
		p.unified(s, msg)
		if s.known() {
			p.last = append(p.last[:0], line[:len(line)-len(msg)]...)
		}
		return
	}
	p.old(line)
}

// tick moves the clock of the log on.
func (p *Parser) tick(s stamp) {
	if !s.known() {
		return
	}
	if !p.began.known() {
		p.began, p.ended, p.restarted = s, s, false
		return
	}
	d := int64(0)
	switch {
	case s.hasUp && p.ended.hasUp:
		d = s.up - p.ended.up
		if d < 0 && !p.restarted && -d > int64(time.Second) {
			p.run()
		}
	case s.wall != 0 && p.ended.wall != 0:
		d = s.wall - p.ended.wall
	}
	if d > 0 && !p.restarted {
		p.span += d
	}
	if p.restarted || d >= 0 || !p.ended.known() {
		p.ended = s
	}
	p.restarted = false
}

// began a JVM, as a line says that is written once by each.
func (p *Parser) run() {
	if p.pauses.count > 0 && p.log.Runs == 0 {
		p.log.Runs = 1 // one that began before the log
	}
	p.restarted = true
	p.log.Runs++
	p.hasAfter = false
}

// pause counts one. begun is when it began.
func (p *Parser) pause(begun stamp, seconds float64, kind, cause string) {
	p.pauses.add(seconds)
	p.kinds.add(kind, seconds)
	if cause == "" {
		cause = kind
	}
	p.causes.add(cause, seconds)
	if kind == Full {
		p.log.Full++
	}
	g := fact.GCPause{Seconds: seconds, Kind: kind, Cause: cause}
	if begun.wall != 0 {
		g.At = time.Unix(0, begun.wall).UTC()
	}
	if begun.hasUp {
		up := float64(begun.up) / 1e9
		g.Uptime = &up
	}
	if len(p.recent) < MaxRecent {
		p.recent = append(p.recent, g)
	} else {
		p.recent[p.newest] = g
	}
	p.newest = (p.newest + 1) % MaxRecent
	if len(p.log.Longest) < maxLongest || seconds > p.longestFloor {
		p.longest(g)
	}
}

func (p *Parser) longest(g fact.GCPause) {
	i := len(p.log.Longest)
	for i > 0 && p.log.Longest[i-1].Seconds < g.Seconds {
		i--
	}
	p.log.Longest = append(p.log.Longest, fact.GCPause{})
	copy(p.log.Longest[i+1:], p.log.Longest[i:])
	p.log.Longest[i] = g
	if len(p.log.Longest) > maxLongest {
		p.log.Longest = p.log.Longest[:maxLongest]
	}
	p.longestFloor = p.log.Longest[len(p.log.Longest)-1].Seconds
}

// heap notes sizes before and after a collection, in bytes; -1 not told.
func (p *Parser) heap(before, after, capacity int64, full bool) {
	h := &p.log.Heap
	if before >= 0 && p.hasAfter && before > p.lastAfter {
		h.Allocated += float64(before - p.lastAfter)
	}
	if after < 0 {
		return
	}
	p.lastAfter, p.hasAfter = after, true
	a := float64(after)
	h.After = &a
	if h.AfterPeak == nil || a > *h.AfterPeak {
		h.AfterPeak = &a
	}
	if full {
		h.AfterFull = &a
	}
	if capacity > 0 {
		c := float64(capacity)
		h.Capacity = &c
	}
}

// Recent is the newest pauses, oldest first.
func (p *Parser) Recent() []fact.GCPause {
	all := make([]fact.GCPause, 0, len(p.recent))
	if len(p.recent) == MaxRecent {
		all = append(all, p.recent[p.newest:]...)
		return append(all, p.recent[:p.newest]...)
	}
	return append(all, p.recent...)
}

// Log is what was read so far.
func (p *Parser) Log() fact.GCLog {
	l := p.log
	if l.Collector == "" {
		l.Collector = p.guess()
	}
	if p.began.known() {
		span := float64(p.span) / 1e9
		l.Span = &span
		if p.began.wall != 0 {
			l.From = time.Unix(0, p.began.wall).UTC()
		}
		if p.ended.wall != 0 {
			l.To = time.Unix(0, p.ended.wall).UTC()
		}
	}
	if p.known {
		l.Runs = max(1, l.Runs)
	}
	l.Pauses, l.Stalls = p.pauses.summary(), p.stalls.summary()
	if p.stops.count > 0 {
		s := p.stops.summary()
		l.Stops = &s
	}
	l.Kinds, l.Causes = p.kinds.sorted(), p.causes.sorted()
	l.Longest = append([]fact.GCPause{}, l.Longest...)
	return l
}
