package lab

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// madeUp is a few rows as an exam keeps them: right ones, wrong ones, one that was not
// injected, one of older rules, and a false alarm.
func madeUp() []*Grade {
	at := func(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }
	row := func(f *Fault, minute int, first, on, band string) *Grade {
		g := newGrade(f)
		g.Binary, g.Commit, g.At, g.Kafka, g.Machine = "0123456789ab", "abcdef0", at(minute), "4.3.1", "2 cores, 8 GiB, Linux 6.1"
		g.Saw, g.First, g.On, g.Band, g.Rounds, g.Seconds = "seen", first, on, band, 1, float64(minute)
		return g
	}
	right := func(g *Grade, less ...Without) *Grade {
		g.Right, g.Subject, g.Status, g.Without = true, true, "fault", less
		return g
	}
	crashed := right(row(brokerCrashed, 1, "broker-crashed", "broker 2", "confirmed"),
		Without{What: "decisive", Skip: "host.process", Cause: "broker-crashed", Band: "likely", Status: "fault", Answer: StillTold, Missing: []string{"process-gone"}},
		Without{What: "host", Skip: "host.process,host.dirs", Cause: "broker-crashed", Band: "", Status: "clear", Answer: Silent})
	full := right(row(diskFull, 2, "disk-full", "logdir 3:$LOGDIR3", "confirmed"),
		Without{What: "decisive", Skip: "host.dirs,host.disks", Cause: "disk-full", Band: "cannot-tell", Status: "incomplete", Answer: CannotTell, Missing: []string{"dir-full", "dir-nearly-full", "inodes-short", "a-fourth"}, Next: "dir-full"})
	other := right(row(packetLoss, 3, "packet-loss", "broker 3", "likely"),
		Without{What: "decisive", Skip: "host.sockets", Cause: "packet-loss", Status: "fault", Answer: WrongNow, Wrong: []string{"gc-pause"}})
	other.Subject, other.Rounds, other.Failed, other.Kafka = false, 4, "it took 4 checks, 2 are allowed", "3.9.2"
	group := right(row(stalledPartition, 4, "stalled-partition", "partition orders-0", "confirmed"),
		Without{What: "decisive", Skip: "kafka.offsets", Cause: "stalled-partition", Status: "fault", Answer: Consequence, Follows: []string{"slow-consumer"}})
	mistaken := row(gcPause, 5, "heap-exhaustion", "broker 3", "confirmed")
	mistaken.Wrong, mistaken.Failed = []string{"heap-exhaustion"}, "root 1 is heap-exhaustion on broker 3 (root, confirmed), want gc-pause"
	unsure := row(cpuStarved, 6, "cpu-starved", "broker 3", "possible")
	refused := newGrade(oomKilled)
	refused.At, refused.Failed = at(7), "inject oom-killed: no controller of memory | here"
	old := right(row(brokerHung, 8, "broker-hung", "broker 2", "confirmed"), Without{What: "decisive", Answer: CannotTell})
	old.Rules, old.Machine, old.Kafka = 1, "", ""
	planned := row(plannedShutdown, 9, "nothing", "", "")
	planned.Right, planned.Subject = true, true
	risky := row(riskyReplication, 10, "nothing", "", "")
	mixed := right(row(crashAndStoppedGroup, 11, "broker-crashed", "broker 2", "confirmed"),
		Without{What: "decisive", Skip: "host.process", Cause: "broker-crashed", Status: "fault", Answer: NoStep, Missing: []string{"process-gone"}, Next: "other-sign"})
	quiet := row(idle, 12, "nothing", "", "")
	quiet.Right, quiet.Subject = true, true
	alarm := row(steadyLoad, 13, "slow-disk", "logdir 1:$LOGDIR1", "likely")
	alarm.Wrong = []string{"slow-disk"}
	return []*Grade{alarm, crashed, full, other, group, mistaken, unsure, refused, old, planned, risky, mixed, quiet}
}

func TestAccuracy(t *testing.T) {
	var got bytes.Buffer
	some := []*Fault{brokerCrashed, brokerHung, cpuStarved, diskFull, gcPause, oomKilled, packetLoss, plannedShutdown, riskyReplication, slowDisk, stalledPartition, crashAndStoppedGroup, idle, steadyLoad}
	if err := Accuracy(&got, some, madeUp()); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/accuracy.md"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("not as %s, go test -update writes it anew:\n%s", golden, got.Bytes())
	}
}

// The numbers that the exam is sat for, each from rows that differ in that alone.
func TestShares(t *testing.T) {
	var got bytes.Buffer
	if err := Accuracy(&got, Faults, madeUp()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| rows | 12 of ", // the one that was not injected is none
		"| right cause first, and sure | 6 of 8 |",
		"| and on the right subject | 5 of 8 |",
		"| of faults: sure of a grave cause that is not there | 1 of 8 |",
		"| of controls, planned work and advice: a false alarm | 1 of 4 |",
		"| without the decisive probes: honest | 2 of 5 |", // not the one of older rules
		"| without the decisive probes: its consequence taken for the root | 1 of 5 |",
		"| without the decisive probes: sure of what is not there | 1 of 5 |",
		"- oom-killed: inject oom-killed",
		"advertised-listener-unreachable, advertised-name-unresolvable", // not run
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("%q is missing in\n%s", want, got.String())
		}
	}
}

func TestAccuracyOfNothing(t *testing.T) {
	var got bytes.Buffer
	if err := Accuracy(&got, Faults, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| rows | 0 of ", "| right cause first, and sure | – | not run |", "## Not run"} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("%q is missing in\n%s", want, got.String())
		}
	}
}
