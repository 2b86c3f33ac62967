package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// place is one node's directory of logs that a test writes like a broker.
type place struct {
	t      *testing.T
	dir    string
	target *probe.Target
	now    time.Time
}

// newPlace has brokers 1 to n, whose logs are in dir/b1 and so on; the target
// knows them as running, combined nodes.
func newPlace(t *testing.T, n int) *place {
	p := &place{t: t, dir: t.TempDir(), target: &probe.Target{Ledger: &probe.Ledger{}}, now: time.Now().Add(-time.Hour).Truncate(time.Millisecond)}
	var brokers []fact.LocalBroker
	for id := range n {
		logs := filepath.Join(p.dir, fmt.Sprintf("b%d", id+1))
		if err := os.Mkdir(logs, 0o755); err != nil {
			t.Fatal(err)
		}
		brokers = append(brokers, fact.LocalBroker{NodeID: int32(id + 1), Running: true, Roles: "broker,controller", LogsDir: logs, LogDirs: []string{fmt.Sprintf("/data/b%d", id+1)}})
	}
	p.target.SetBrokers(brokers)
	return p
}

// write appends lines to a file, each a second later than the last; a line that
// begins with a tab or "java" gets no time.
func (p *place) write(file string, lines ...string) {
	p.t.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	for _, line := range lines {
		if !strings.HasPrefix(line, "java") && !strings.HasPrefix(line, "\t") {
			p.now = p.now.Add(time.Second)
			line = p.now.Format(timeLayout) + " " + line
		}
		if _, err := f.WriteString(line + "\n"); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *place) look() map[string]fact.Observation {
	p.t.Helper()
	by, err := p.lookErr()
	if err != nil {
		p.t.Fatal(err)
	}
	return by
}

// lookErr is look with the error.
func (p *place) lookErr() (map[string]fact.Observation, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	seen, err := Lines.Observe(ctx, p.target)
	by := map[string]fact.Observation{}
	for _, o := range seen {
		by[o.Key.Name+" on "+o.Subject.String()] = o
	}
	return by, err
}

// count is how many lines of a kind are known; the test fails where it is not.
func (p *place) count(what string) int {
	p.t.Helper()
	o, ok := p.look()[what]
	l, known := o.Value.(fact.LogLines)
	if !ok || !known {
		p.t.Fatalf("%s is not known: %v", what, o.Because)
	}
	return l.Count
}

const (
	started = "INFO [KafkaRaftServer nodeId=1] Kafka Server started (kafka.server.KafkaRaftServer)"
	begins  = "INFO Registered signal handlers for TERM, INT, HUP (org.apache.kafka.common.utils.LoggingSignalHandler)"
	term    = "INFO Terminating process due to signal SIGTERM (org.apache.kafka.common.utils.LoggingSignalHandler)"
	failing = "ERROR Error while appending records to events-0 in dir /data/b1 (org.apache.kafka.storage.internals.log.LogDirFailureChannel)"
	noSpace = "java.io.IOException: No space left on device"
)

func change(id, fenced, stopping int) string {
	return fmt.Sprintf("INFO [QuorumController id=1] Replayed BrokerRegistrationChangeRecord modifying the registration for broker %d: BrokerRegistrationChangeRecord(brokerId=%d, brokerEpoch=9, fenced=%d, inControlledShutdown=%d, logDirs=[]) (org.apache.kafka.controller.ClusterControlManager)", id, id, fenced, stopping)
}

func TestReadsWhatIsAppended(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, started)
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 0 {
		t.Fatalf("%d errors in a clean log", n)
	}
	p.write("b1/server.log", failing)
	p.look() // the exception comes with the next write
	p.write("b1/server.log", noSpace, "\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)")
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
	p.look()
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors after another look, want still 1", n)
	}
	p.write("b1/server.log", begins)
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 0 {
		t.Errorf("%d errors after a restart, want 0", n)
	}
	read := int64(0)
	for _, e := range p.target.Ledger.Entries() {
		if e.Act == "read" && strings.HasSuffix(e.Object, "server.log") {
			read += e.Bytes
		}
	}
	if info, _ := os.Stat(filepath.Join(p.dir, "b1/server.log")); read != info.Size() {
		t.Errorf("%d bytes read of a log of %d: each should be read once", read, info.Size())
	}
}

func TestRollingAndTruncation(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, started)
	p.look()
	p.write("b1/server.log", term) // nobody looks before it is rolled
	log := filepath.Join(p.dir, "b1/server.log")
	if err := os.Rename(log, log+".2026-11-25-01"); err != nil {
		t.Fatal(err)
	}
	p.write("b1/server.log", failing, noSpace)
	if seen := p.look(); seen["log.sigterm on broker 1"].Value.(fact.LogLines).Count != 1 {
		t.Error("the end of the rolled log was not read")
	}
	if n := p.count("log.dir.no-space on logdir 1:/data/b1"); n != 1 {
		t.Errorf("%d errors in the new log, want 1", n)
	}
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	p.write("b1/server.log", term)
	if n := p.count("log.sigterm on broker 1"); n != 2 {
		t.Errorf("%d SIGTERM lines after a truncation, want 2", n)
	}
	// A session that begins now looks into the predecessor too.
	fresh := &place{t: t, dir: p.dir, target: &probe.Target{}}
	fresh.target.SetBrokers(p.target.Brokers())
	if n := fresh.count("log.started on broker 1"); n != 1 {
		t.Errorf("%d starts seen in the predecessor, want 1", n)
	}
	if since := fresh.look()["log.sigterm on broker 1"].Value.(fact.LogLines).Since; since.After(p.now.Add(-4 * time.Second)) {
		t.Errorf("looked back to %v only", since)
	}
}

// TestAnyControllerTells: broker 2 was stopped on purpose; its own log is gone,
// and the logs of the others say so.
func TestAnyControllerTells(t *testing.T) {
	p := newPlace(t, 3)
	for _, dir := range []string{"b1", "b3"} {
		p.write(dir+"/server.log", begins, started)
		p.write(dir+"/controller.log", change(2, -1, 0), change(3, -1, 0), change(2, 0, 1), change(2, 1, 0))
	}
	seen, err := p.lookErr()
	if err == nil || !strings.Contains(err.Error(), "the log of 1 of 3 nodes here was not read") {
		t.Errorf("broker 2 has no log: error %v", err)
	}
	lines := func(what string) fact.LogLines { return seen[what].Value.(fact.LogLines) }
	asked, fenced := lines("log.controlled-shutdown on broker 2"), lines("log.fenced on broker 2")
	if asked.Count != 2 || fenced.Count != 2 || lines("log.unfenced on broker 2").Count != 2 {
		t.Errorf("asked %d, fenced %d, unfenced %d, want 2 each", asked.Count, fenced.Count, lines("log.unfenced on broker 2").Count)
	}
	if !asked.Last.After(lines("log.unfenced on broker 2").First) || asked.File == "" {
		t.Errorf("asked: %+v", asked)
	}
	if n := lines("log.controlled-shutdown on broker 3").Count; n != 0 {
		t.Errorf("broker 3 asked for %d shutdowns, want 0", n)
	}
	if _, ok := seen["log.controller on cluster"].Value.(fact.LogLines); !ok {
		t.Error("a controller's log was read, and that is not said")
	}
	for _, what := range []string{"log.sigterm on broker 2", "log.dir.no-space on logdir 2:/data/b2"} {
		if o := seen[what]; o.Because == nil || o.Because.Reason != fact.Unreadable || !strings.Contains(o.Because.How, "--kafka-logs") {
			t.Errorf("%s: %+v, want unknown: there is no log", what, o)
		}
	}
	// The silence of a controller that has died means nothing.
	brokers := p.target.Brokers()
	for i := range brokers {
		brokers[i].Running = false
	}
	p.target.SetBrokers(brokers)
	seen, _ = p.lookErr()
	if o := seen["log.controller on cluster"]; o.Because == nil || o.Because.Reason != fact.Stale {
		t.Errorf("dead controllers: %+v", o)
	}
}

// TestNoLogAtAll: a run that reads nothing of the brokers here is no success, and
// nothing is as if their host were another one.
func TestNoLogAtAll(t *testing.T) {
	for _, roles := range []string{"", "broker", "broker,controller"} {
		for _, what := range []string{"no file", "no dir known", "an empty controller.log"} {
			p := newPlace(t, 2)
			brokers := p.target.Brokers()
			brokers[1].Running = false
			for i := range brokers {
				brokers[i].Roles = roles
				if what == "no dir known" {
					brokers[i].LogsDir = ""
				}
			}
			p.target.SetBrokers(brokers)
			if what == "an empty controller.log" {
				p.write("b1/controller.log")
				p.write("b2/controller.log")
			}
			seen, err := p.lookErr()
			if err == nil || probe.Because(err).Reason != fact.Unreadable || !strings.Contains(probe.Because(err).How, "--kafka-logs") {
				t.Errorf("%q, %s: error %v", roles, what, err)
			}
			for _, k := range Lines.Yields {
				for id := range int32(2) {
					s := fact.BrokerOf(id + 1)
					switch k.Def().Scope {
					case fact.Cluster:
						continue
					case fact.LogDir:
						s = fact.LogDirOf(id+1, fmt.Sprintf("/data/b%d", id+1))
					}
					name := k.Def().Name + " on " + s.String()
					if o, ok := seen[name]; !ok || o.Because == nil || o.Because.Reason == fact.NotObserved || o.Because.How == "" {
						t.Errorf("%q, %s: %s: %+v", roles, what, name, o.Because)
					}
				}
			}
		}
	}
}

func TestBrokerWithoutController(t *testing.T) {
	p := newPlace(t, 1)
	brokers := p.target.Brokers()
	brokers[0].Roles = "broker"
	p.target.SetBrokers(brokers)
	p.write("b1/server.log", begins, started, term, "INFO [BrokerLifecycleManager id=1] Beginning controlled shutdown. (x)")
	p.write("b1/controller.log") // stock logging makes the file, empty
	seen := p.look()
	if o := seen["log.fenced on broker 1"]; o.Because == nil || o.Because.How == "" {
		t.Errorf("fenced: %+v, want unknown", o)
	}
	if o := seen["log.controller on cluster"]; o.Because == nil {
		t.Errorf("controller: %+v, want unknown", o)
	}
	if l := seen["log.controlled-shutdown on broker 1"].Value.(fact.LogLines); l.Count != 1 {
		t.Errorf("its own log: %+v", l)
	}
}

func TestLogsOfOneDirectoryOnly(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, started, term)
	lone := &place{t: t, dir: p.dir, target: &probe.Target{LogsDir: filepath.Join(p.dir, "b1")}}
	if n := lone.count("log.sigterm on broker 1"); n != 1 { // the id is the log's
		t.Errorf("%d SIGTERM lines, want 1", n)
	}
	none := &place{t: t, target: &probe.Target{}}
	seen := none.look()
	if len(seen) != len(Lines.Yields) {
		t.Errorf("%d observations without a broker, want %d", len(seen), len(Lines.Yields))
	}
	for what, o := range seen {
		if o.Because == nil || o.Because.How != "run ktriage on the broker's host" {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

func TestStandardOutputOfTheJVM(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, started, "ERROR Uncaught exception in scheduled task (x)", "java.lang.OutOfMemoryError: Java heap space")
	p.write("b1/kafkaServer.out", begins, started, "ERROR Uncaught exception in scheduled task (x)", "java.lang.OutOfMemoryError: Java heap space")
	if n := p.count("log.out-of-memory on broker 1"); n != 1 {
		t.Errorf("%d OutOfMemoryErrors, want 1: standard output repeats server.log", n)
	}
	f, err := os.OpenFile(filepath.Join(p.dir, "b1/kafkaServer.out"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("Terminating due to java.lang.OutOfMemoryError: Java heap space\n")
	f.Close()
	if n := p.count("log.out-of-memory on broker 1"); n != 2 {
		t.Errorf("%d, want 2: the JVM's own word counts", n)
	}
}

// TestZoneOfAContainer: a broker that logs in another zone than this host's.
func TestZoneOfAContainer(t *testing.T) {
	p := newPlace(t, 1)
	for hours, shift := range map[string]time.Duration{"same": 0, "behind": -5*time.Hour - 30*time.Minute, "ahead": 9 * time.Hour} {
		name := filepath.Join(p.dir, "b1", hours+".log")
		at := time.Now().Truncate(time.Second)
		text := at.Add(shift).Format(timeLayout) + " " + term + "\n"
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at.Add(300*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		f := &tail{scan: newScan(patterns, nil)}
		if err := f.advance(p.target, name); err != nil {
			t.Fatal(err)
		}
		if got := f.scan.report().of(fact.LogSigterm, "").First; !got.Equal(at) {
			t.Errorf("%s: %v, want %v", hours, got, at)
		}
	}
}
