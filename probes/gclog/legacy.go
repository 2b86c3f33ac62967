package gclog

import (
	"bytes"
)

// record is a collection of an older log while it is read: it may run over many
// lines, with others nested in it and those of concurrent threads thrown in
// between.
//
//	2015-05-01T11:26:29.687+0200: 160770.873: [GC pause (G1 Humongous Allocation) (young), 0.0470136 secs]
//	1.2: [GC (Allocation Failure) 1.2: [ParNew: 139776K->17471K(157248K), 0.0143520 secs] 139776K->19817K(506816K), 0.0144450 secs]
type record struct {
	depth int    // of brackets; 0: none is open
	text  []byte // of the outermost brackets alone, cut to maxText
	at    stamp
	full  bool // a nested part says that the old generation was collected
	mark  bool // CMS: one of the two short pauses

	young    [2]int64 // bytes of the young generation before and after
	hasYoung bool
	old      int64 // bytes of the old generation after its collection
	hasOld   bool
}

const maxText = 1024

func (r *record) reset() { *r = record{text: r.text[:0]} }

// old reads a line of an older log.
func (p *Parser) old(line []byte) {
	s, rest := legacyStamp(line)
	if s.known() {
		p.last = append(p.last[:0], line[:min(len(line), 64)]...)
	}
	if p.legacy.depth > 0 {
		if !startsPause(rest) {
			p.scan(line)
			return
		}
		p.legacy.reset() // its end was lost
		p.log.Broken++
	}
	switch {
	case bytes.HasPrefix(rest, gcWord), bytes.HasPrefix(rest, fullWord):
		if bytes.HasPrefix(rest, concurrentWord) {
			p.recognized("legacy")
			return
		}
		p.legacy.at = s
		p.scan(rest)
	case bytes.HasPrefix(rest, stoppedWords):
		p.recognized("legacy")
		p.stopped(s, rest[len(stoppedWords):])
	case rest[0] == ' ':
		p.detail(rest)
	case rest[0] == '[' || s.known():
		if s.known() && bytes.Contains(rest, []byte("CMS-concurrent")) {
			p.recognized("legacy")
		}
	default:
		p.banner(rest)
	}
}

var (
	gcWord         = []byte("[GC")
	fullWord       = []byte("[Full GC")
	concurrentWord = []byte("[GC concurrent")
)

// startsPause says whether a line begins a collection of its own.
func startsPause(rest []byte) bool {
	return bytes.HasPrefix(rest, []byte("[GC pause")) || bytes.HasPrefix(rest, fullWord) || bytes.HasPrefix(rest, []byte("[GC (")) ||
		bytes.HasPrefix(rest, []byte("[GC remark")) || bytes.HasPrefix(rest, []byte("[GC cleanup"))
}

// legacyStamp takes the time off the beginning of a line: a date, an uptime,
// both or neither, and the number that -XX:+PrintGCID adds.
func legacyStamp(line []byte) (s stamp, rest []byte) {
	for range 3 {
		if len(line) == 0 || (!isDigit(line[0]) && line[0] != '#') {
			break
		}
		colon := bytes.Index(line[:min(len(line), 40)], []byte(": "))
		if colon < 0 {
			break
		}
		head := line[:colon]
		if head[0] == '#' {
		} else if wall, ok := parseTime(head); ok {
			s.wall = wall
		} else if ns, ok := parseDecimal(head, 1e9); ok && bytes.ContainsAny(head, ".,") {
			s.up, s.hasUp = ns, true
		} else {
			break
		}
		line = line[colon+2:]
	}
	if len(line) == 0 {
		line = []byte{'-'}
	}
	return s, line
}

// scan follows the brackets of a line, from where a record begins or goes on.
func (p *Parser) scan(line []byte) {
	r := &p.legacy
	for len(line) > 0 {
		i := bytes.IndexAny(line, "[]")
		plain := line
		if i >= 0 {
			plain = line[:i]
		}
		if r.depth == 1 {
			r.text = append(r.text, plain[:min(len(plain), max(0, maxText-len(r.text)))]...)
		}
		if i < 0 {
			break
		}
		if line[i] == '[' {
			if r.depth++; r.depth == 2 {
				p.nested(line[i+1:])
			}
		} else if r.depth--; r.depth == 0 {
			p.recordEnd()
			return // [Times: …] tells nothing more
		}
		line = line[i+1:]
	}
	if r.depth == 1 && len(r.text) < maxText {
		r.text = append(r.text, ' ')
	}
}

// nested looks at a part of a record: which generation it collected.
func (p *Parser) nested(b []byte) {
	r := &p.legacy
	switch {
	case bytes.HasPrefix(b, []byte("Tenured")), bytes.HasPrefix(b, []byte("PSOldGen")), bytes.HasPrefix(b, []byte("ParOldGen")),
		bytes.HasPrefix(b, []byte("CMS")) && !bytes.HasPrefix(b, []byte("CMS-")) && !bytes.HasPrefix(b, []byte("CMS Perm")):
		r.full = true
		if _, after, _ := parseSizes(untilBracket(b)); after >= 0 {
			r.old, r.hasOld = after, true
		}
	case bytes.HasPrefix(b, []byte("1 CMS-")):
		r.mark = true
	case bytes.HasPrefix(b, []byte("ParNew (promotion failed")):
		p.log.Evac++
	}
	if before, after, _ := parseSizes(untilBracket(b)); before >= 0 && !r.hasYoung && (bytes.HasPrefix(b, []byte("ParNew")) || bytes.HasPrefix(b, []byte("PSYoungGen")) || bytes.HasPrefix(b, []byte("DefNew"))) {
		r.young, r.hasYoung = [2]int64{before, after}, true
	}
}

func untilBracket(b []byte) []byte {
	if i := bytes.IndexAny(b, "[]"); i >= 0 {
		return b[:i]
	}
	return b
}

// recordEnd reads a record whose last bracket has closed.
//
//	GC pause (G1 Humongous Allocation) (young) (to-space exhausted), 0.0470136 secs
func (p *Parser) recordEnd() {
	r := &p.legacy
	defer r.reset()
	text := r.text
	if bytes.HasPrefix(text, concurrentWord[1:]) {
		return // it began in the middle of a line
	}
	seconds, ok := lastSeconds(text)
	if !ok {
		if !bytes.Contains(text, []byte("concurrent")) {
			p.log.Broken++
		}
		return
	}
	p.recognized("legacy")
	kind, cause, failed := classifyLegacy(text, r.full, r.mark)
	p.collectorOf(text, r)
	if failed {
		p.log.Evac++
	}
	p.tick(r.at)
	p.tick(r.at.back(-seconds))
	p.pause(r.at, seconds, kind, cause)
	before, after, capacity := parseSizes(text)
	if before < 0 && r.mark {
		return
	}
	p.heap(before, after, capacity, kind == Full)
	if r.hasYoung && !r.hasOld && kind == Young && after >= r.young[1] { // what is not young
		r.old, r.hasOld = after-r.young[1], true
	}
	if r.hasOld {
		old := float64(r.old)
		p.log.Heap.OldAfter = &old
	}
	if young := r.young; r.hasYoung && kind == Young && before >= 0 && after-young[1] > before-young[0] {
		p.log.Heap.Promoted += float64((after - young[1]) - (before - young[0]))
	}
}

// lastSeconds reads the length before " secs" at the end of a record. The
// brackets inside are gone, so that a length of theirs is not taken for it.
func lastSeconds(text []byte) (float64, bool) {
	at := bytes.LastIndex(text, []byte(" secs"))
	if at < 0 {
		return 0, false
	}
	begin := at
	for begin > 0 && (isDigit(text[begin-1]) || text[begin-1] == '.' || text[begin-1] == ',') {
		begin--
	}
	return parseSeconds(bytes.TrimLeft(text[begin:at], ","))
}

// classifyLegacy reads the kind and the cause of a record.
func classifyLegacy(text []byte, full, mark bool) (kind, cause string, failed bool) {
	var why []byte
	young, mixed := false, false
	failed = bytes.HasPrefix(text, []byte("GC--")) // of the parallel collector
	rest := text
	if i := bytes.Index(text, arrow); i >= 0 {
		rest = text[:i] // the size of the heap stands in parentheses, too
	}
	for len(rest) > 0 {
		var group []byte
		if group, rest = nextGroup(rest); group == nil {
			break
		}
		switch string(group) {
		case "young":
			young = true
		case "mixed", "partial":
			mixed = true
		case "initial-mark":
		case "System": // JDK 6
			why = []byte("System.gc()")
		case "to-space exhausted", "to-space overflow", "promotion failed":
			failed = true
		case "concurrent mode failure":
			full = true
		default:
			if len(group) > 0 && !isDigit(group[0]) && why == nil {
				why = group
			}
		}
	}
	switch {
	case bytes.HasPrefix(text, fullWord[1:]):
		kind = Full
	case mark, bytes.HasPrefix(text, []byte("GC remark")), bytes.HasPrefix(text, []byte("GC cleanup")):
		kind, why = Concurrent, markName(text, why)
	case full:
		kind = Full
	case mixed:
		kind = Mixed
	case young, bytes.HasPrefix(text, []byte("GC")):
		kind = Young
	default:
		kind = Other
	}
	return kind, words(why), failed
}

func markName(text, why []byte) []byte {
	switch {
	case bytes.HasPrefix(text, []byte("GC remark")):
		return []byte("Remark")
	case bytes.HasPrefix(text, []byte("GC cleanup")):
		return []byte("Cleanup")
	case why != nil:
		return why
	}
	return []byte("CMS mark")
}

// collectorOf is the collector by the shape of a record, where no flag told it.
func (p *Parser) collectorOf(text []byte, r *record) {
	switch {
	case p.log.Collector != "":
	case bytes.HasPrefix(text, []byte("GC pause")), bytes.HasPrefix(text, []byte("GC remark")), bytes.HasPrefix(text, []byte("GC cleanup")):
		p.log.Collector = "G1"
	case r.mark:
		p.log.Collector = "CMS"
	}
}
