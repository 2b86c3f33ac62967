package gclog

import (
	"bytes"
)

// maxRegion is more than any region of G1 has: 512 MiB.
const maxRegion = 1 << 30

// beside reads a message that belongs to no collection: what the JVM says of
// itself, stalls, safepoints.
func (p *Parser) beside(s stamp, msg []byte) {
	if len(msg) < 6 {
		return
	}
	switch msg[0] {
	case 'U':
		if rest, ok := bytes.CutPrefix(msg, using); ok {
			p.uses(s, rest)
		}
	case 'V':
		if rest, ok := bytes.CutPrefix(msg, []byte("Version: ")); ok && p.known {
			version, _, _ := bytes.Cut(rest, []byte(" "))
			p.log.JDK = words(version)
		}
	case 'I':
		if bytes.HasPrefix(msg, []byte("Initializing The Z Garbage Collector")) {
			p.begin(s, "ZGC")
		}
	case 'H':
		switch {
		case bytes.HasPrefix(msg, []byte("Heap Region Size: ")), bytes.HasPrefix(msg, []byte("Heap region size: ")): // until JDK 15
			if size, _, ok := parseSize(msg[len("Heap Region Size: "):]); ok && size <= maxRegion {
				p.region = size
			}
		case bytes.HasPrefix(msg, []byte("Heap Max Capacity: ")):
			p.maximum(msg[len("Heap Max Capacity: "):])
		}
	case 'C':
		if bytes.HasPrefix(msg, []byte("CardTable entry size: ")) { // what JDK 25 writes first
			p.tickLast()
			p.restarted = true
			p.tick(s)
		}
	case 'M':
		if bytes.HasPrefix(msg, []byte("Max Capacity: ")) {
			p.maximum(msg[len("Max Capacity: "):])
		}
	case 'A':
		if bytes.HasPrefix(msg, []byte("Allocation Stall (")) {
			p.stall(s, msg)
		}
	case 'R':
		if bytes.HasPrefix(msg, []byte("Relocation Stall (")) {
			p.stall(s, msg)
		}
	case 'S':
		if bytes.HasPrefix(msg, []byte(`Safepoint "`)) {
			p.safepoint(s, msg)
		}
	case 'T':
		if rest, ok := bytes.CutPrefix(msg, stoppedWords); ok {
			p.recognized("unified")
			p.stopped(s, rest)
		}
	}
}

// recognized notes that what is read is a GC log, and which format it has.
func (p *Parser) recognized(format string) {
	if !p.known {
		p.known, p.log.Format = true, format
	}
}

// maximum reads the largest size that the heap may have.
func (p *Parser) maximum(b []byte) {
	if n, _, ok := parseSize(b); ok {
		size := float64(n)
		p.log.Heap.Max = &size
	}
}

// uses reads "Using G1".
func (p *Parser) uses(s stamp, name []byte) {
	switch string(bytes.TrimRight(name, " ")) {
	case "G1":
		p.begin(s, "G1")
	case "Parallel":
		p.begin(s, "Parallel")
	case "Serial":
		p.begin(s, "Serial")
	case "Concurrent Mark Sweep":
		p.begin(s, "CMS")
	case "Epsilon":
		p.begin(s, "Epsilon")
	case "Shenandoah":
		p.begin(s, "Shenandoah")
	case "The Z Garbage Collector":
		if p.log.Collector != "ZGC" {
			p.begin(s, "ZGC")
		}
	}
}

// begin notes that a JVM began.
func (p *Parser) begin(s stamp, collector string) {
	p.known, p.log.Format, p.log.Collector = true, "unified", collector
	p.tickLast()
	p.run()
	p.tick(s)
}

// stall reads how long one thread waited for memory: Allocation Stall (main) 25.113ms.
func (p *Parser) stall(s stamp, msg []byte) {
	seconds, _, ok := cutDuration(msg)
	if !ok {
		return
	}
	p.tick(s)
	p.stalls.add(seconds)
}

var (
	stoppedWords = []byte("Total time for which application threads were stopped: ")
	totalWord    = []byte(" Total: ")
)

// safepoint reads the stop that -Xlog:safepoint tells of since JDK 13:
//
//	Safepoint "G1CollectForAllocation", Time since last: 48341382 ns, …, Total: 29170219 ns, …
func (p *Parser) safepoint(s stamp, msg []byte) {
	at := bytes.Index(msg, totalWord)
	if at < 0 {
		return
	}
	digits, _, _ := bytes.Cut(msg[at+len(totalWord):], []byte(" "))
	if ns, ok := parseDecimal(digits, 1); ok {
		p.recognized("unified")
		p.tick(s)
		p.stops.add(float64(ns) / 1e9)
	}
}

// stopped reads what follows the words of earlier JDKs: 0.0003502 seconds.
func (p *Parser) stopped(s stamp, rest []byte) {
	digits, _, _ := bytes.Cut(rest, []byte(" "))
	if seconds, ok := parseSeconds(digits); ok {
		p.tick(s)
		p.stops.add(seconds)
	}
}

// guess is the collector by the shapes of its pauses, where no line names it.
func (p *Parser) guess() string {
	for _, by := range []struct{ name, collector string }{
		{"G1 Evacuation Pause", "G1"}, {"G1 Humongous Allocation", "G1"}, {"G1 Compaction Pause", "G1"}, {"G1 Preventive Collection", "G1"},
		{"Mark Start", "ZGC"}, {"Final Update Refs", "Shenandoah"}, {"Ergonomics", "Parallel"},
	} {
		if _, ok := p.causes.at[by.name]; ok {
			return by.collector
		}
	}
	return ""
}
