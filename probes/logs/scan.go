package logs

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// scan gathers the known lines of one log file of one node, since the node's
// last start.
type scan struct {
	patterns []pattern
	finder   *finder
	dirs     []string // the node's log dirs, as configured
	file     string   // where lines come from, for the reader
	zone     *time.Location
	layout   layout
	learnt   bool // the layout is that of a line, not the usual one
	unlearnt int  // bytes without any line whose layout is known

	node   int32 // the node's id where the log tells it, -1 before
	lines  map[subject]*fact.LogLines
	first  map[string]*fact.Def // by log dir: the class of its first exception
	named  map[int32]bool       // brokers that registrations speak of
	since  time.Time            // of the first line looked at, or of the last start
	head   []byte               // the last line with a time, for the stack trace that follows
	newest time.Time
	mtime  time.Time // of the file: for lines before the first with a time

	matched    []int16          // what a line holds, used again for the next
	awaiting   []*fact.LogLines // whose exception comes with the next piece
	shrinks    []fact.ISRShrink
	rebalances []fact.Rebalance
	starting   bool                 // the controller that writes this log reads its past
	unclean    map[string]time.Time // unclean elections that were seen, by what tells them apart
}

// subject is a kind of line and whom it is about: "" the node itself, the id of
// a broker, or the path of a log dir.
type subject struct {
	key  *fact.Def
	name string
}

// hit is a line that was found.
type hit struct {
	line []byte
	head []byte // the line with a time that it belongs to; itself, mostly
	at   time.Time
}

func newScan(patterns []pattern, dirs []string) *scan {
	s := &scan{patterns: patterns, finder: finderOf(patterns), layout: stock, zone: time.Local, node: -1, named: map[int32]bool{}, unclean: map[string]time.Time{}}
	for _, d := range dirs {
		s.dirs = append(s.dirs, path.Clean(d))
	}
	s.forget()
	return s
}

// finders is the finders of the lists of patterns, by the first of each: one
// serves every log.
var finders sync.Map

func finderOf(patterns []pattern) *finder {
	if f, ok := finders.Load(&patterns[0]); ok {
		return f.(*finder)
	}
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = p.text
	}
	f, _ := finders.LoadOrStore(&patterns[0], newFinder(texts))
	return f.(*finder)
}

func (s *scan) forget() {
	s.lines, s.first = map[subject]*fact.LogLines{}, map[string]*fact.Def{}
	s.awaiting, s.shrinks, s.rebalances = nil, nil, nil
}

// feed scans whole lines, in the order of the file.
func (s *scan) feed(b []byte) {
	if !s.learnt {
		s.layout, s.learnt = layoutOf(b)
		s.unlearnt += len(b)
	}
	if s.layout.json {
		b = plain(b)
	}
	for _, l := range s.awaiting {
		s.extend(l, b)
	}
	s.awaiting = nil
	if s.since.IsZero() {
		if i := s.layout.nextHead(b, 0); i >= 0 {
			s.since, _ = s.timeOf(b[i:])
		}
	}
	for at := 0; at < len(b); {
		found := s.finder.find(b, at)
		if found < 0 {
			break
		}
		begin := bytes.LastIndexByte(b[:found], '\n') + 1
		stop := len(b)
		if i := bytes.IndexByte(b[found:], '\n'); i >= 0 {
			stop = found + i
		}
		s.matched = s.finder.all(b[begin:stop], s.matched[:0])
		slices.Sort(s.matched)
		s.line(slices.Compact(s.matched), b, begin, stop)
		at = stop
	}
	if i := s.layout.lastHead(b, len(b)); i >= 0 {
		s.head = bytes.Clone(cut(b[i:], maxLine))
	}
}

// maxLine bounds what is kept of a line.
const maxLine = 2048

// cut is the first line of b, no longer than limit.
func cut(b []byte, limit int) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	return b[:min(len(b), limit)]
}

// line handles the line b[begin:stop], which holds the texts of some patterns.
func (s *scan) line(matched []int16, b []byte, begin, stop int) {
	h := hit{line: b[begin:stop]}
	h.head = h.line
	if !s.layout.isHead(h.line) {
		if h.head = s.head; begin > 0 {
			if i := s.layout.lastHead(b, begin); i >= 0 {
				h.head = cut(b[i:], maxLine)
			}
		}
	}
	h.at = s.order(h.head)
	for _, n := range matched {
		p := &s.patterns[n]
		if p.not != "" && bytes.Contains(h.line, []byte(p.not)) {
			continue
		}
		if p.under != "" && bytes.Contains(h.head, []byte(p.under)) {
			continue
		}
		if p.note != nil {
			p.note(s, h)
		}
		if p.key == nil {
			continue
		}
		if name, ok := s.whom(*p, h); ok {
			l := s.count(p.key, name, h)
			if p.names != nil {
				nameIn(l, p.names(h), h.at)
			}
			if p.trace {
				s.exception(l, b, stop)
			}
		}
	}
}

// exception adds the exception that follows a line to what is shown of it, now
// or, where it has not been written yet, with the next piece.
func (s *scan) exception(l *fact.LogLines, b []byte, stop int) {
	if stop+1 < len(b) {
		s.extend(l, b[stop+1:])
		return
	}
	s.awaiting = append(s.awaiting, l)
}

// extend adds the line at the start of b to what is shown of the newest line,
// unless it is one of its own.
func (s *scan) extend(l *fact.LogLines, b []byte) {
	if s.layout.isHead(b) || len(b) == 0 {
		return
	}
	more := shown(cut(b, 1200))
	if more == "" {
		return
	}
	l.Latest = shorten(l.Latest + ": " + more)
	if l.Count == 1 {
		l.Text = l.Latest
	}
}

// whom is the name of the subject that a line speaks of.
func (s *scan) whom(p pattern, h hit) (string, bool) {
	switch p.about {
	case other:
		id, ok := numberAfter(h.line, "roker ")
		return fmt.Sprint(id), ok
	case dir:
		return s.dirIn(h.line)
	case failed:
		name, ok := s.dirIn(h.line)
		if !ok {
			name, ok = s.dirIn(h.head)
		}
		if !ok || missing(p.text) && !bytes.Contains(h.head, []byte("LogDirFailureChannel")) {
			// A file that is not there is ordinary where a topic is just
			// being deleted.
			return "", false
		}
		if s.first[name] == nil {
			s.first[name] = p.key
		}
		return name, s.first[name] == p.key // what follows the first is its consequence
	}
	return "", true
}

func missing(text string) bool {
	return strings.HasPrefix(text, "NoSuchFile") || strings.HasPrefix(text, "(No such file")
}

// dirIn is the log dir that a line names: a configured one, the longest, or
// else what stands after the usual words.
func (s *scan) dirIn(line []byte) (string, bool) {
	best := ""
	for _, d := range s.dirs {
		for rest := line; len(d) > len(best); {
			_, after, ok := bytes.Cut(rest, []byte(d))
			if !ok {
				break
			}
			if len(after) == 0 || bytes.IndexByte([]byte("/ ,)]:;'\""), after[0]) >= 0 {
				best = d
			}
			rest = after
		}
	}
	if best != "" {
		return best, true
	}
	for _, word := range []string{" in dir ", " in directory ", "dir="} {
		if d, ok := pathAfter(line, word); ok {
			return path.Clean(d), true
		}
	}
	return "", false
}

// count adds a line to its kind.
func (s *scan) count(key *fact.Def, name string, h hit) *fact.LogLines {
	k := subject{key, name}
	l := s.lines[k]
	text := shown(h.line)
	if l == nil {
		l = &fact.LogLines{First: h.at, Text: text, File: s.file}
		s.lines[k] = l
	}
	l.Count++
	l.Last, l.Latest = h.at, text
	minuteOf(l, h.at)
	return l
}

// Bounds of what is kept of one kind of line.
const (
	maxMinutes = 60
	maxNames   = 32
	maxShown   = 300
)

// minuteOf counts a line in its minute. Lines come in the order of time but for
// clocks that were set back: such a line counts in the newest minute.
func minuteOf(l *fact.LogLines, at time.Time) {
	minute := at.Truncate(time.Minute)
	if n := len(l.Minutes); n > 0 && !minute.After(l.Minutes[n-1].At) {
		l.Minutes[n-1].Count++
		return
	}
	if len(l.Minutes) == maxMinutes {
		l.Minutes = append(l.Minutes[:0], l.Minutes[1:]...)
	}
	l.Minutes = append(l.Minutes, fact.MinuteCount{At: minute, Count: 1})
}

// nameIn counts what a line speaks of.
func nameIn(l *fact.LogLines, names []string, at time.Time) {
	for _, name := range names {
		name = shorten(strings.ToValidUTF8(name, "\uFFFD"))
		i := slices.IndexFunc(l.Names, func(n fact.NameCount) bool { return n.Name == name })
		switch {
		case i >= 0:
			l.Names[i].Count++
			l.Names[i].Last = at
		case len(l.Names) < maxNames:
			l.Names = append(l.Names, fact.NameCount{Name: name, Count: 1, Last: at})
		default:
			l.Others++
		}
	}
}

// shown is what is kept of a line: 300 characters of it.
func shown(line []byte) string {
	return shorten(strings.ToValidUTF8(strings.TrimSpace(string(cut(line, 1200))), "\uFFFD"))
}

// shorten is at most maxShown characters of a text.
func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	n, cut := 0, 0
	for i := range text {
		switch n++; n {
		case maxShown:
			cut = i
		case maxShown + 1:
			return text[:cut] + "…"
		}
	}
	return text
}

// start begins anew: the node that writes this log has just been started.
func (s *scan) start(h hit) {
	s.forget()
	s.since, s.starting = h.at, true
}

// started learns the id of the node.
func (s *scan) started(h hit) {
	for _, word := range []string{"nodeId=", "id="} {
		if id, ok := numberAfter(h.line, word); ok && id >= 0 {
			s.node = id
			return
		}
	}
}

// registered learns that there is a broker.
func (s *scan) registered(h hit) {
	if id, ok := numberAfter(h.line, "brokerId="); ok {
		s.named[id] = true
	}
}

// registration reads a change of a broker's registration. Every controller
// writes it, also the inactive ones.
func (s *scan) registration(h hit) {
	id, ok := numberAfter(h.line, "brokerId=")
	if !ok {
		return
	}
	s.named[id] = true
	name := fmt.Sprint(id)
	if n, _ := numberAfter(h.line, "inControlledShutdown="); n == 1 {
		s.count(fact.LogControlledShutdown.Def(), name, h)
	}
	switch n, _ := numberAfter(h.line, " fenced="); n {
	case 1:
		s.count(fact.LogFenced.Def(), name, h)
	case -1:
		s.count(fact.LogUnfenced.Def(), name, h)
	}
}
