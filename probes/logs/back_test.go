package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// fill writes so many lines that tell nothing, 116 bytes and a second each.
func (p *place) fill(file string, n int) {
	p.t.Helper()
	filler := make([]string, n)
	for i := range filler {
		filler[i] = "INFO [UnifiedLog partition=events-0, dir=/data/b1] Rolled new log segment at offset 1 in 2 ms. (kafka.log)"
	}
	p.write(file, filler...)
}

// touch gives a file the time of its last line.
func (p *place) touch(file string) {
	p.t.Helper()
	if err := os.Chtimes(filepath.Join(p.dir, file), p.now, p.now); err != nil {
		p.t.Fatal(err)
	}
}

// read is how many bytes of server.log and its predecessors were read.
func (p *place) read() (n int64) {
	for _, e := range p.target.Ledger.Entries() {
		if e.Act == "read" && strings.Contains(e.Object, "server.log") {
			n += e.Bytes
		}
	}
	return n
}

// Of what is older than six hours only four mebibytes are read.
func TestLooksBackFourMebibytes(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, term)
	p.fill("b1/server.log", 50000)
	p.now = p.now.Add(7 * time.Hour)
	p.write("b1/server.log", failing, noSpace)
	p.touch("b1/server.log")
	seen := p.look()
	if l := seen["log.sigterm on broker 1"].Value.(fact.LogLines); l.Count != 0 || !l.Since.After(p.now.Add(-50000*time.Second-7*time.Hour)) {
		t.Errorf("%d lines, looked back to %v", l.Count, l.Since)
	}
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors at the end, want 1", n)
	}
	if n := p.read(); n > lookBack {
		t.Errorf("%d bytes read, want at most %d", n, lookBack)
	}
}

// The first exception lies behind ten mebibytes of what followed it, in two rolled
// files before the log: it is found. What lies before the six hours is not read.
func TestLooksBackToTheBeginning(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins)
	p.fill("b1/server.log", 50000)
	p.now = p.now.Add(24 * time.Hour)
	p.write("b1/server.log", failing, noSpace)
	for i := range 2 {
		p.fill("b1/server.log", 5000)
		p.touch("b1/server.log")
		log := filepath.Join(p.dir, "b1/server.log")
		if err := os.Rename(log, fmt.Sprintf("%s.%d", log, 2-i)); err != nil {
			t.Fatal(err)
		}
	}
	p.fill("b1/server.log", 5000)
	p.touch("b1/server.log")
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors, want the one at the beginning", n)
	}
	since := p.look()["log.dir.no-space on logdir 1:/data/b1"].Value.(fact.LogLines).Since
	if back := p.now.Sub(since); back < 15000*time.Second {
		t.Errorf("looked back %v only", back)
	}
	if n := p.read(); n > lookBack+256<<10 {
		t.Errorf("%d bytes read: the day before was not asked for", n)
	}
}

// A flood of an hour is read to its beginning, whatever its size, within bounds.
func TestLooksBackThroughAFlood(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, failing, noSpace)
	f, err := os.OpenFile(filepath.Join(p.dir, "b1/server.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	line := p.now.Format(timeLayout) + " WARN [ReplicaFetcher replicaId=1, leaderId=2, fetcherId=0] Connection to node 2 could not be established. (x)\n"
	if _, err := f.WriteString(strings.Repeat(line, 20<<20/len(line))); err != nil {
		t.Fatal(err)
	}
	f.Close()
	p.touch("b1/server.log")
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors, want the one before the flood", n)
	}
}
