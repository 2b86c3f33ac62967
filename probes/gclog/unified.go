package gclog

import (
	"bytes"
)

// unified reads the message of a line of unified logging, its decorations taken
// off. What is written of a collection carries its number, GC(n); tables of
// statistics, which repeat it, do not.
func (p *Parser) unified(s stamp, msg []byte) {
	id := int64(-1)
	if len(msg) > 4 && msg[0] == 'G' && msg[1] == 'C' && msg[2] == '(' {
		end := bytes.IndexByte(msg, ')')
		n, ok := int64(0), false
		if end > 0 {
			n, ok = parseDecimal(msg[3:end], 1)
		}
		if ok {
			id, msg = n, bytes.TrimLeft(msg[end+1:], " ")
			p.recognized("unified")
		}
	}
	if id >= 0 {
		p.collection(s, id, msg)
		return
	}
	p.beside(s, msg)
}

// collection reads a message about collection id.
func (p *Parser) collection(s stamp, id int64, msg []byte) {
	if len(msg) > 3 && msg[1] == ':' && msg[2] == ' ' { // generational ZGC: y: Y: O:
		msg = msg[3:]
	}
	if len(msg) < 8 {
		return
	}
	switch msg[0] {
	case 'P':
		switch {
		case bytes.HasPrefix(msg, pauseWord):
			p.unifiedPause(s, id, msg[len(pauseWord):])
		case bytes.HasPrefix(msg, []byte("ParOldGen:")):
			p.oldSizes(id, msg[len("ParOldGen:"):])
		}
	case 'T':
		switch {
		case bytes.HasPrefix(msg, []byte("To-space exhausted")):
			p.failing = id + 1
		case bytes.HasPrefix(msg, []byte("Tenured:")):
			p.oldSizes(id, msg[len("Tenured:"):])
		}
	case 'C':
		if bytes.HasPrefix(msg, []byte("CMS: ")) {
			p.oldSizes(id, msg[len("CMS:"):])
		}
	case 'O':
		if bytes.HasPrefix(msg, []byte("Old regions: ")) {
			p.oldRegions(id, msg[len("Old regions: "):])
		}
	case 'H':
		if bytes.HasPrefix(msg, []byte("Humongous regions: ")) {
			p.humongous(msg[len("Humongous regions: "):])
		}
	case 'G', 'M':
		for _, word := range [...]string{"Garbage Collection (", "Minor Collection (", "Major Collection ("} {
			if bytes.HasPrefix(msg, []byte(word)) {
				p.cycle(s, msg)
			}
		}
	}
}

var pauseWord = []byte("Pause ")

// unifiedPause reads what follows "Pause ".
//
//	Young (Concurrent Start) (G1 Humongous Allocation) 193M->161M(512M) 8.810ms
//
// The line that announces the pause has no length at its end.
func (p *Parser) unifiedPause(s stamp, id int64, msg []byte) {
	seconds, msg, ok := cutDuration(msg)
	if !ok {
		return
	}
	p.tick(s)
	text := msg
	at := bytes.Index(msg, arrow)
	if at >= 0 {
		if space := bytes.LastIndexByte(msg[:at], ' '); space >= 0 {
			text = msg[:space]
		}
	}
	kind, cause, failed := classify(text)
	if failed || p.failing == id+1 {
		p.log.Evac++
		p.failing = 0
	}
	p.pause(s.back(seconds), seconds, kind, cause)
	if at < 0 {
		return
	}
	before, after, capacity := parseSizes(msg)
	p.heap(before, after, capacity, kind == Full)
	if p.oldOf == id+1 {
		after := float64(p.oldAfter)
		p.log.Heap.OldAfter = &after
		if (kind == Young || kind == Mixed) && p.oldAfter > p.oldBefore {
			p.log.Heap.Promoted += float64(p.oldAfter - p.oldBefore)
		}
	}
	p.oldOf = 0
}

// cutDuration takes a length off the end of a message: 6.518ms, 0.005s.
func cutDuration(msg []byte) (seconds float64, rest []byte, ok bool) {
	n := len(msg)
	if n < 3 || msg[n-1] != 's' {
		return 0, msg, false
	}
	space := bytes.LastIndexByte(msg, ' ')
	if space < 0 {
		return 0, msg, false
	}
	unit, end := int64(1e9), n-1
	switch msg[n-2] {
	case 'm':
		unit, end = 1e6, n-2
	case 'u':
		unit, end = 1e3, n-2
	}
	if end <= space {
		return 0, msg, false
	}
	ns, ok := parseDecimal(msg[space+1:end], unit)
	return float64(ns) / 1e9, msg[:space], ok
}

// classify reads the name of a pause and the words in parentheses after it.
func classify(text []byte) (kind, cause string, failed bool) {
	name := text
	if i := bytes.IndexByte(text, '('); i >= 0 {
		name = bytes.TrimRight(text[:i], " ")
	}
	mixed := false
	var why []byte
	for rest := text[len(name):]; len(rest) > 0; {
		var group []byte
		if group, rest = nextGroup(rest); group == nil {
			break
		}
		switch string(group) {
		case "Mixed":
			mixed = true
		case "Normal", "Concurrent Start", "Prepare Mixed", "unload classes", "Young", "Old", "Global", "Major", "Minor":
		default:
			if bytes.HasPrefix(group, []byte("Evacuation Failure: ")) {
				// Pinned regions stay where they are, and nothing is wrong.
				failed = bytes.Contains(group, []byte("Allocation"))
			} else {
				why = group
			}
		}
	}
	switch string(name) {
	case "Young":
		kind = Young
		if mixed {
			kind = Mixed
		}
	case "Mixed": // JDK 9 and 10
		kind = Mixed
	case "Full":
		kind = Full
	case "Initial Mark": // of G1 until JDK 10, a young pause; of CMS, a short one
		kind = Concurrent
		if why != nil {
			kind = Young
		}
	case "Degenerated GC":
		return Degenerated, "Degenerated GC", failed
	case "Remark", "Cleanup", "Mark Start", "Mark End", "Relocate Start", "Init Mark", "Final Mark", "Init Update Refs", "Final Update Refs", "Final Roots", "Final Evac", "Final Verify":
		kind = Concurrent
	default:
		kind = Other
	}
	if why == nil {
		why = name
	}
	return kind, words(why), failed
}

// nextGroup is what stands in the next pair of parentheses, which may hold
// others: (System.gc()).
func nextGroup(b []byte) (group, rest []byte) {
	begin := bytes.IndexByte(b, '(')
	if begin < 0 {
		return nil, nil
	}
	depth := 0
	for i := begin; i < len(b); i++ {
		switch b[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return b[begin+1 : i], b[i+1:]
			}
		}
	}
	return nil, nil
}

// words is a name without what it could hold of a hostile file: at most 60
// characters, all of them printable.
func words(b []byte) string {
	if len(b) > 60 {
		b = b[:60]
	}
	for i, c := range b {
		if c < ' ' || c > '~' {
			return string(b[:i])
		}
	}
	return string(b)
}

// cycle reads a collection of ZGC that has ended: sizes are told here alone.
//
//	Major Collection (Allocation Rate) 448M(30%)->438M(29%) 2.122s
func (p *Parser) cycle(s stamp, msg []byte) {
	if bytes.Contains(msg, arrow) {
		p.tick(s)
		_, text, _ := cutDuration(msg)
		before, after, capacity := parseSizes(text)
		p.heap(before, after, capacity, false)
	}
}

// oldSizes notes the old generation before and after: 0K->80K(175104K).
func (p *Parser) oldSizes(id int64, b []byte) {
	before, after, _ := parseSizes(b)
	if before >= 0 && after >= 0 {
		p.oldBefore, p.oldAfter, p.oldOf = before, after, id+1
	}
}

// oldRegions notes the old generation in regions: 161->172.
func (p *Parser) oldRegions(id int64, b []byte) {
	before, after, _ := parseSizes(b)
	if before >= 0 && after >= 0 && before < 1<<32 && after < 1<<32 && p.region > 0 {
		p.oldBefore, p.oldAfter, p.oldOf = before*p.region, after*p.region, id+1
	}
}

func (p *Parser) humongous(b []byte) {
	before, after, _ := parseSizes(b)
	if most := int(max(before, after)); most >= 0 && (p.log.Humongous == nil || most > *p.log.Humongous) {
		p.log.Humongous = &most
	}
}
