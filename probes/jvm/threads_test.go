package jvm

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
)

func TestThreadsOfRealJVMs(t *testing.T) {
	classes := hosttest.Compile(t)
	for _, jdk := range hosttest.JDKs(t) {
		t.Run(filepath.Base(jdk.Home), func(t *testing.T) {
			cmd := hosttest.Start(t, jdk, classes, t.TempDir(), "-Xmx48m", "-XX:+UseG1GC")
			target := target(cmd.Process.Pid)
			first := observed(t, Threads, target)["jvm.threads.roles"]
			time.Sleep(300 * time.Millisecond)
			second := observed(t, Threads, target)["jvm.threads.roles"]
			if first.Because != nil || second.Because != nil {
				t.Fatalf("%v, %v", first.Because, second.Because)
			}
			before, after := first.Value.([]fact.ThreadRole), second.Value.([]fact.ThreadRole)
			for _, role := range []string{"gc", "vm", "jit", noRole} {
				i := slices.IndexFunc(after, func(r fact.ThreadRole) bool { return r.Role == role })
				if i < 0 || after[i].Count == 0 {
					t.Errorf("no thread of role %s in %+v", role, after)
				}
			}
			cpu := 0.0
			for _, r := range before {
				if r.CPU != 0 || r.Wait != 0 || r.Busiest != 0 {
					t.Errorf("at the first look %+v", r)
				}
			}
			for _, r := range after {
				cpu += r.CPU
				if r.Busiest > r.CPU+1e-9 || r.CPU < 0 {
					t.Errorf("one thread ran longer than all: %+v", r)
				}
			}
			if cpu <= 0 || cpu > 10 { // the class allocates without end
				t.Errorf("%v s of CPU time in a third of a second", cpu)
			}
		})
	}
}

func TestRoles(t *testing.T) {
	for comm, want := range map[string]string{
		"data-plane-kafk": dataPlane, "kafka-request-h": handler, "kafka-network-t": network, "ReplicaFetcherT": "replica-fetcher", "kafka-log-clean": "log-cleaner",
		"kafka-1-raft-io": "raft", "kafka-scheduler": "scheduler", "GC Thread#0": "gc", "G1 Conc#0": "gc", "ZWorkerYoung#0": "gc", "C2 CompilerThre": "jit", "VM Thread": "vm", "java": noRole, "": noRole,
		"quorum-controll": "controller", "group-coordinat": "coordinator", "broker-1-to-con": "broker-lifecycle", "RMI TCP Connect": "jmx",
	} {
		if got := roleOf(comm); got != want {
			t.Errorf("%q: %s, want %s", comm, got, want)
		}
	}
	for syscall, want := range map[string]string{"232 0x5a 0x7f": network, "281 0x5a": network, "202 0x7f": handler, "running\n": "", "": "", "0 0x3": ""} {
		if got := planeRole([]byte(syscall)); got != want && polls[0] == 232 {
			t.Errorf("%q: %q, want %q", syscall, got, want)
		}
	}
}

// Counts of a thread that ends stay, and a thread that takes its number begins
// anew.
func TestSumsAreCounters(t *testing.T) {
	c := &census{plane: map[int]string{}, sums: map[string]*fact.ThreadRole{}}
	c.add([]thread{{1, "GC Thread#0", "S", 10, 1}, {2, "GC Thread#1", "S", 20, 1}})
	got := c.add([]thread{{1, "GC Thread#0", "R", 13, 1.5}, {2, "GC Thread#1", "D", 21, 1}})
	want := fact.ThreadRole{Role: "gc", Count: 2, Running: 1, Blocked: 1, CPU: 4, Wait: 0.5, Busiest: 3}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	got = c.add([]thread{{1, "C1 CompilerThre", "S", 2, 0}})
	if len(got) != 2 || got[0].CPU != 4 || got[0].Count != 0 || got[1] != (fact.ThreadRole{Role: "jit", Count: 1, CPU: 2, Busiest: 2}) {
		t.Errorf("after one ended and one took its number: %+v", got)
	}
}

func FuzzThread(f *testing.F) {
	f.Add([]byte("12773 (data-plane) x) S 14980 12773 12773 0 -1 4194304 1 0 0 0 762 87 0 0 20 0 102 0 395187 2992177152 94822 1"), []byte("4793210 331942 2"), []byte("232 0x5a"))
	f.Add([]byte("1 (java"), []byte("0 0 0"), []byte("running"))
	f.Fuzz(func(t *testing.T, stat, schedstat, syscall []byte) {
		if th, err := parseThread(stat); err == nil && !strings.Contains(string(stat), th.comm) {
			t.Errorf("name %q out of %q", th.comm, stat)
		}
		if ran, waited, ok := parseSchedstat(schedstat); ok && (ran < 0 || waited < 0) {
			t.Errorf("%v %v out of %q", ran, waited, schedstat)
		}
		planeRole(syscall)
	})
}
