package gclog

import (
	"bytes"
)

// detail reads an indented line below a record of G1: its heap.
//
//	[Eden: 16.0M(1552.0M)->0.0B(1536.0M) Survivors: 80.0M->96.0M Heap: 29.9G(32.0G)->29.9G(32.0G)]
func (p *Parser) detail(line []byte) {
	line = bytes.TrimLeft(line, " ")
	if !bytes.HasPrefix(line, []byte("[Eden: ")) {
		return
	}
	p.recognized("legacy")
	at := bytes.Index(line, []byte("Heap: "))
	if at < 0 {
		return
	}
	before, rest, ok := parseSize(line[at+len("Heap: "):])
	if !ok {
		return
	}
	if i := bytes.Index(rest, arrow); i >= 0 {
		rest = rest[i+2:]
	} else {
		return
	}
	after, rest, ok := parseSize(rest)
	if !ok {
		return
	}
	capacity := int64(-1)
	if len(rest) > 1 && rest[0] == '(' {
		if n, _, ok := parseSize(rest[1:]); ok {
			capacity = n
		}
	}
	p.heap(before, after, capacity, p.lastKind() == Full)
}

// lastKind is the kind of the newest pause.
func (p *Parser) lastKind() string {
	if len(p.recent) == 0 {
		return ""
	}
	return p.recent[(p.newest+MaxRecent-1)%MaxRecent%len(p.recent)].Kind
}

// banner reads what the JVM writes at the beginning of each file.
//
//	OpenJDK 64-Bit Server VM (25.252-b09) for linux-amd64 JRE (1.8.0_252-b09), built on …
//	CommandLine flags: -XX:InitialHeapSize=1073741824 … -XX:+UseG1GC
func (p *Parser) banner(line []byte) {
	if rest, ok := bytes.CutPrefix(line, []byte("CommandLine flags: ")); ok {
		p.recognized("legacy")
		p.flags(rest)
		return
	}
	if !bytes.HasPrefix(line, []byte("OpenJDK")) && !bytes.HasPrefix(line, []byte("Java HotSpot(TM)")) {
		return
	}
	at := bytes.Index(line, []byte(" JRE ("))
	if at < 0 {
		return
	}
	p.recognized("legacy")
	version, _, _ := bytes.Cut(line[at+len(" JRE ("):], []byte(")"))
	p.log.JDK = words(version)
}

// flags tells the collector. A file that rotation began has them as well, so
// that they do not say that a JVM began.
func (p *Parser) flags(line []byte) {
	for _, f := range []struct{ flag, collector string }{
		{"-XX:+UseG1GC", "G1"}, {"-XX:+UseConcMarkSweepGC", "CMS"}, {"-XX:+UseParallelGC", "Parallel"}, {"-XX:+UseParallelOldGC", "Parallel"},
		{"-XX:+UseSerialGC", "Serial"}, {"-XX:+UseShenandoahGC", "Shenandoah"},
	} {
		if bytes.Contains(line, []byte(f.flag)) {
			p.log.Collector = f.collector
			return
		}
	}
}
