package logs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// fixture is a log of a real broker. Line breaks are as the broker wrote them.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// upTo is the lines of a log before the first that holds text, that one
// included, as it was when the broker had just written it.
func upTo(t testing.TB, log []byte, text string) []byte {
	t.Helper()
	before, after, ok := strings.Cut(string(log), text)
	if !ok {
		t.Fatalf("no line with %q", text)
	}
	rest, _, _ := strings.Cut(after, "\n")
	return []byte(before + text + rest + "\n")
}

func scanned(log []byte, dirs ...string) *scan {
	s := newScan(patterns, dirs)
	s.zone = time.UTC
	s.feed(log)
	return s
}

func (s *scan) counts(k fact.Of[fact.LogLines], name string) int {
	return s.report().of(k, name).Count
}

const dataDir = "/var/lib/kafka/b3/data"

func TestOrderedStop(t *testing.T) {
	for _, version := range []string{"4.3.1", "3.9.2"} {
		log := upTo(t, fixture(t, version+"/server.log"), "shut down completed")
		s := scanned(log, dataDir)
		for k, want := range map[*fact.Of[fact.LogLines]]int{
			&fact.LogSigterm: 1, &fact.LogControlledShutdown: 1, &fact.LogStarted: 2, &fact.LogOutOfMemory: 0, &fact.LogFatal: 0, &fact.LogAllDirsFailed: 0,
		} {
			if got := s.counts(*k, ""); got != want {
				t.Errorf("%s: %s: %d lines, want %d", version, k.Def().Name, got, want)
			}
		}
		if s.node != 3 {
			t.Errorf("%s: node %d, want 3", version, s.node)
		}
		for subject := range s.lines {
			if subject.key.Scope == fact.LogDir {
				t.Errorf("%s: %s on %s, want no trouble of a dir", version, subject.key.Name, subject.name)
			}
		}
	}
	at := scanned(upTo(t, fixture(t, "4.3.1/server.log"), "signal SIGTERM")).report().of(fact.LogSigterm, "")
	if want := time.Date(2026, 11, 23, 2, 4, 29, 684e6, time.UTC); !at.First.Equal(want) || !at.Last.Equal(want) {
		t.Errorf("SIGTERM at %v to %v, want %v", at.First, at.Last, want)
	}
	if want := time.Date(2026, 11, 23, 1, 58, 22, 134e6, time.UTC); !at.Since.Equal(want) {
		t.Errorf("looked back to %v, want the start at %v", at.Since, want)
	}
}

func TestStartBeginsAnew(t *testing.T) {
	log := fixture(t, "4.3.1/server.log")
	s := scanned(upTo(t, log, "[2026-11-23 02:05:31,261] INFO Registered signal handlers"), dataDir)
	if n := s.counts(fact.LogSigterm, ""); n != 0 {
		t.Errorf("%d SIGTERM lines after the next start, want 0", n)
	}
	s = scanned(upTo(t, log, "Shutdown broker because all log dirs"), dataDir)
	if s.counts(fact.LogAllDirsFailed, "") != 1 || s.counts(fact.LogDirFailed, dataDir) != 2 {
		t.Errorf("all dirs failed %d times, the dir %d, want 1 and 2", s.counts(fact.LogAllDirsFailed, ""), s.counts(fact.LogDirFailed, dataDir))
	}
	for _, k := range []fact.Of[fact.LogLines]{fact.LogNoSpace, fact.LogIOError, fact.LogOtherErr} {
		if n := s.counts(k, dataDir); n != 0 {
			t.Errorf("%s: %d, want 0: a malformed checkpoint was the cause", k.Def().Name, n)
		}
	}
	s = scanned(upTo(t, log, "[2026-11-23 02:07:39,593]"), dataDir)
	if s.counts(fact.LogAllDirsFailed, "")+s.counts(fact.LogDirFailed, dataDir) != 0 {
		t.Error("the failed dir is still counted after the next start")
	}
}

func TestFatalFaultAtStart(t *testing.T) {
	s := scanned(upTo(t, fixture(t, "4.3.1/server-later.log"), "Encountered fatal fault"), dataDir)
	if n := s.counts(fact.LogFatal, ""); n != 1 {
		t.Errorf("%d fatal lines, want 1", n)
	}
	if n := s.counts(fact.LogStarted, ""); n != 0 {
		t.Errorf("started %d times, want 0", n)
	}
}

// TestDeletedTopic: "No such file" is ordinary where a topic was just deleted.
func TestDeletedTopic(t *testing.T) {
	log := fixture(t, "4.3.1/server-later.log")
	if !strings.Contains(string(log), "leader-epoch-checkpoint.tmp (No such file or directory)") {
		t.Fatal("the fixture does not hold the line that this test is about")
	}
	if n := scanned(log, dataDir).counts(fact.LogIOError, dataDir); n != 0 {
		t.Errorf("%d I/O errors, want 0", n)
	}
}

func TestControllersView(t *testing.T) {
	log := fixture(t, "4.3.1/controller.log")
	// Broker 3 was stopped on purpose at 02:04:29.
	s := scanned(upTo(t, log, "[2026-11-23 02:04:30,511]"))
	asked := s.report().of(fact.LogControlledShutdown, "3")
	if asked.Count != 1 || s.counts(fact.LogFenced, "3") != 1 {
		t.Errorf("asked for %d shutdowns, fenced %d times, want 1 and 1", asked.Count, s.counts(fact.LogFenced, "3"))
	}
	if back := s.report().of(fact.LogUnfenced, "3"); !back.Last.Before(asked.Last) {
		t.Errorf("unfenced at %v, want before the shutdown at %v", back.Last, asked.Last)
	}
	// It was back at 02:07:38.
	s = scanned(upTo(t, log, "[2026-11-23 02:07:38,653]"))
	r := s.report()
	if back, asked := r.of(fact.LogUnfenced, "3"), r.of(fact.LogControlledShutdown, "3"); !back.Last.After(asked.Last) {
		t.Errorf("unfenced at %v, want after the shutdown at %v", back.Last, asked.Last)
	}
	// Broker 2 lost its session at 02:25:29.
	r = scanned(log).report()
	if fenced, asked := r.of(fact.LogFenced, "2"), r.of(fact.LogControlledShutdown, "2"); fenced.Count == 0 || asked.Count != 0 {
		t.Errorf("broker 2 fenced %d times and asked for %d shutdowns, want some and 0", fenced.Count, asked.Count)
	}
	if fmt.Sprint(r.named) != "[1 2 3]" {
		t.Errorf("brokers %v, want 1, 2 and 3", r.named)
	}
	// 3.9.2: a broker that led nothing leaves at once, without the change of
	// state in between.
	r = scanned(fixture(t, "3.9.2/controller.log")).report()
	if asked := r.of(fact.LogControlledShutdown, "3"); asked.Count != 1 || !strings.Contains(asked.Text, "immediate shutdown") {
		t.Errorf("3.9.2: asked %d times: %s", asked.Count, asked.Text)
	}
}

func TestSameMillisecondKeepsOrder(t *testing.T) {
	line := func(fenced, stopping int) string {
		return fmt.Sprintf("[2026-11-25 01:00:00,000] INFO [QuorumController id=1] Replayed BrokerRegistrationChangeRecord modifying the registration for broker 2: BrokerRegistrationChangeRecord(brokerId=2, brokerEpoch=12, fenced=%d, inControlledShutdown=%d, logDirs=[]) (org.apache.kafka.controller.ClusterControlManager)\n", fenced, stopping)
	}
	r := scanned([]byte(line(0, 1) + line(1, 0) + line(-1, 0))).report()
	asked, fenced, back := r.of(fact.LogControlledShutdown, "2"), r.of(fact.LogFenced, "2"), r.of(fact.LogUnfenced, "2")
	if !asked.Last.Before(fenced.Last) || !fenced.Last.Before(back.Last) {
		t.Errorf("order lost: asked %v, fenced %v, back %v", asked.Last, fenced.Last, back.Last)
	}
}

// The lines of these three are those of EVIDENCE, as Kafka 4.3.1 wrote them.
const fullDisk = `[2026-11-25 00:10:00,000] INFO Registered signal handlers for TERM, INT, HUP (org.apache.kafka.common.utils.LoggingSignalHandler)
[2026-11-25 00:20:00,100] ERROR Error while appending records to events-0 in dir /data/disk2 (org.apache.kafka.storage.internals.log.LogDirFailureChannel)
java.io.IOException: No space left on device
	at java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)
[2026-11-25 00:20:00,200] ERROR Error while writing to checkpoint file /data/disk2/replication-offset-checkpoint (org.apache.kafka.storage.internals.log.LogDirFailureChannel)
java.io.FileNotFoundException: /data/disk2/replication-offset-checkpoint.tmp (No such file or directory)
	at java.base/java.io.FileOutputStream.open0(Native Method)
[2026-11-25 00:20:01,000] WARN Stopping serving logs in dir /data/disk2 (kafka.log.LogManager)
`

func TestFirstExceptionOfADir(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string
		want     fact.Of[fact.LogLines]
	}{
		"full":        {"", "", fact.LogNoSpace},
		"quota":       {"No space left on device", "Disk quota exceeded", fact.LogNoSpace},
		"broken":      {"No space left on device", "Input/output error", fact.LogIOError},
		"read-only":   {"No space left on device", "Read-only file system", fact.LogOtherErr},
		"descriptors": {"java.io.IOException: No space left on device", "java.nio.file.FileSystemException: /data/disk2/pixels-1/00.log: Too many open files", fact.LogOtherErr},
		"maps":        {"No space left on device\n", "Map failed\nCaused by: java.lang.OutOfMemoryError: Map failed\n", fact.LogOtherErr},
		"removed":     {"java.io.IOException: No space left on device", "java.nio.file.NoSuchFileException: /data/disk2/events-0/00.log", fact.LogIOError},
		"inodes":      {"java.io.IOException: No space left on device", "java.io.FileNotFoundException: /data/disk2/tenant-2-0/partition.metadata.tmp (No space left on device)", fact.LogNoSpace},
	} {
		text := strings.Replace(fullDisk, test.old, test.new, 1)
		for _, dirs := range [][]string{{"/data/disk1", "/data/disk2/"}, nil} {
			s := scanned([]byte(text), dirs...)
			if s.counts(test.want, "/data/disk2") == 0 {
				t.Errorf("%s, dirs %v: no %s on /data/disk2: %v", name, dirs, test.want.Def().Name, s.lines)
			}
			total := 0
			for _, k := range []fact.Of[fact.LogLines]{fact.LogNoSpace, fact.LogIOError, fact.LogOtherErr} {
				for _, d := range []string{"/data/disk1", "/data/disk2"} {
					if s.counts(k, d) > 0 {
						total++
					}
				}
			}
			if total != 1 || s.counts(fact.LogOutOfMemory, "") != 0 {
				t.Errorf("%s, dirs %v: %d classes of exceptions, %d OutOfMemoryErrors, want 1 and 0", name, dirs, total, s.counts(fact.LogOutOfMemory, ""))
			}
		}
	}
}

// TestWrittenInPieces: wherever a log is cut while it is written, the same
// lines come out.
func TestWrittenInPieces(t *testing.T) {
	log := fixture(t, "4.3.1/server.log")
	log = append(log, fullDisk...)
	want := fmt.Sprint(scanned(log, dataDir).report())
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := &tail{scan: newScan(patterns, []string{dataDir})}
		f.scan.zone = time.UTC
		for rest := log; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(40000))
			f.take(rest[:n])
			rest = rest[n:]
		}
		if got := fmt.Sprint(f.scan.report()); got != want {
			t.Fatalf("seed %d:\n%s\nwant\n%s", seed, got, want)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(fullDisk))
	f.Add(fixture(f, "4.3.1/controller.log")[:20000])
	f.Add(fixture(f, "3.9.2/server.log")[:20000])
	f.Add([]byte("[2026-11-25 00:00:00,00x] No space left on device in dir /\x00\nFencing broker -"))
	f.Add([]byte("No space left on device dir=/a\nNo space left on device dir=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newScan(patterns, []string{dataDir, "/"})
		half := len(b) / 2
		s.feed(b[:half])
		s.feed(b[half:])
		for k, l := range s.report().lines {
			if l.Count < 1 || l.Last.Before(l.First) && l.Count == 1 || len([]rune(l.Text)) > 300 {
				t.Fatalf("%v: %+v", k, l)
			}
		}
		newScan(outPatterns, nil).feed(b)
	})
}

func BenchmarkScan(b *testing.B) {
	var log []byte
	for len(log) < 4<<20 {
		log = append(log, fixture(b, "4.3.1/server-broker1.log")...)
	}
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		newScan(patterns, []string{dataDir}).feed(log)
	}
}
