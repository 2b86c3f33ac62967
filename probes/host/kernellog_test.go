package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// A process that is really killed, in a memory cgroup of its own.
func TestKilledForWantOfMemory(t *testing.T) {
	dir, v2 := ownCgroup(t, "memory")
	file := dir + "/memory.limit_in_bytes"
	if v2 {
		file = dir + "/memory.max"
	}
	set(t, file, strconv.Itoa(24<<20))
	target := &probe.Target{}
	t.Cleanup(func() { target.Close() })
	before, err := look(t, Memory, target)
	if err != nil {
		t.Fatal(err)
	}
	// It waits in the cgroup until it may grow.
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	// It grows by itself: with children, the kernel may choose one of them.
	cmd := exec.Command("sh", "-c", "read go; x=0123456789; while :; do x=$x$x; done")
	cmd.Stdin = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	set(t, filepath.Join(dir, "cgroup.procs"), strconv.Itoa(cmd.Process.Pid))
	target.SetBrokers([]fact.LocalBroker{{NodeID: 4, PID: os.Getpid(), Running: true}})
	out.Write([]byte("go\n"))
	out.Close()
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Fatalf("it ended with %v, not killed", cmd.ProcessState)
	}
	seen, err := look(t, KernelLog, target)
	if err != nil {
		t.Fatal(err)
	}
	kills, _ := seen["host.kernel.oom-kills on "+thisHost().String()].Value.([]fact.OOMKill)
	if len(kills) == 0 {
		t.Fatalf("%+v", seen)
	}
	last := kills[len(kills)-1]
	if last.PID != cmd.Process.Pid || last.Name != "sh" || !last.Cgroup || last.RSS < 1<<20 || last.RSS > 24<<20 || time.Since(last.At).Abs() > time.Minute {
		t.Errorf("%+v, want process %d, sh", last, cmd.Process.Pid)
	}
	after, _ := look(t, Memory, target)
	what := "host.oom-kills on " + thisHost().String()
	if a, b := number(t, before, what), number(t, after, what); b < a+1 {
		t.Errorf("%v kills, then %v", a, b)
	}
	again, err := look(t, KernelLog, target) // only what is new is read
	if n, _ := again["host.kernel.oom-kills on "+thisHost().String()].Value.([]fact.OOMKill); err != nil || len(n) != len(kills) {
		t.Errorf("%d kills at the second look, error %v, want %d", len(n), err, len(kills))
	}
}

func TestKernelLines(t *testing.T) {
	since, text, err := ParseKmsg([]byte("4,1307,1811400123,-;EXT4-fs (loop0): Remounting filesystem read-only\n SUBSYSTEM=block\n"))
	if err != nil || since != 1811400123*time.Microsecond || text != "EXT4-fs (loop0): Remounting filesystem read-only" {
		t.Errorf("%v %q, error %v", since, text, err)
	}
	if _, text, err := ParseKmsg([]byte("12,1,2,-;Out of memory: Killed process 1 (java) ")); err != nil || text != "" {
		t.Errorf("what a process wrote passes for the kernel's: %q, error %v", text, err)
	}
	for _, bad := range []string{"", "no record", "a,b,c,d;e", "4,1;x"} {
		if _, _, err := ParseKmsg([]byte(bad)); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
	var e kernelEvents
	at := time.Unix(1, 0)
	for _, line := range []string{
		"Out of memory: Killed process 4711 (java) total-vm:2922048kB, anon-rss:357368kB, file-rss:22136kB, shmem-rss:0kB, UID:0 pgtables:1136kB oom_score_adj:0",
		"Memory cgroup out of memory: Kill process 12 (a (b) c) score 900 or sacrifice child", "Killed process 12 (a (b) c) total-vm:1kB, anon-rss:2kB",
		"oom_reaper: reaped process 4711 (java), now anon-rss:0kB", "Killed process x", "eth0: link up",
		"blk_update_request: I/O error, dev sdb, sector 2048 op 0x1:(WRITE)", "EXT4-fs error (device sdb1): ext4_find_entry:1455: inode #2",
		"XFS (dm-0): log I/O error -5", "XFS (dm-0): Corruption of in-memory data detected.  Shutting down filesystem", "INFO: task java:4711 blocked for more than 120 seconds.",
	} {
		e.add(at, line)
	}
	if len(e.kills) != 2 || e.kills[0] != (fact.OOMKill{At: at, PID: 4711, Name: "java", RSS: 357368 * 1024}) || e.kills[1].PID != 12 || !e.kills[1].Cgroup || e.kills[1].RSS != 2048 {
		t.Errorf("kills %+v", e.kills)
	}
	if len(e.errors) != 5 {
		t.Errorf("errors %+v", e.errors)
	}
	for range 100 {
		e.add(at, "I/O error, dev sda")
	}
	if len(e.errors) != keptEvents {
		t.Errorf("%d are kept", len(e.errors))
	}
}

// Without /dev/kmsg the file of a syslog daemon tells the same.
func TestKernelLogFile(t *testing.T) {
	root := t.TempDir()
	target := &probe.Target{Root: root}
	seen, err := look(t, KernelLog, target)
	if o := seen["host.kernel.io-errors on "+thisHost().String()]; err != nil || o.Because == nil {
		t.Errorf("no log at all passes for one without errors: %+v, error %v", o, err)
	}
	mustWrite(t, root+"/var/log/messages", "Nov 25 03:12:07 broker1 systemd[1]: Killed process 1 (x)\n"+
		"Nov 25 03:12:07 broker1 kernel: [18114.001234] Out of memory: Killed process 4711 (java) total-vm:2kB, anon-rss:1kB, file-rss:0kB\n"+
		"2026-11-25T03:12:08.5+02:00 broker1 kernel: I/O error, dev sda, sector 1\n")
	written := time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)
	os.Chtimes(root+"/var/log/messages", written, written)
	seen, err = look(t, KernelLog, target)
	if err != nil {
		t.Fatal(err)
	}
	kills := seen["host.kernel.oom-kills on "+thisHost().String()].Value.([]fact.OOMKill)
	errors := seen["host.kernel.io-errors on "+thisHost().String()].Value.([]fact.KernelLine)
	if len(kills) != 1 || kills[0].PID != 4711 || kills[0].At.Year() != 2026 || kills[0].At.Minute() != 12 || len(errors) != 1 || !errors[0].At.Equal(time.Date(2026, 11, 25, 1, 12, 8, 5e8, time.UTC)) {
		t.Errorf("%+v, %+v", kills, errors)
	}
	// In January the lines of December are of the year before.
	if at, _, ok := ParseSyslog("Dec 31 23:59:59 h kernel: x", time.Date(2027, 1, 1, 0, 1, 0, 0, time.UTC)); !ok || at.Year() != 2026 {
		t.Errorf("%v", at)
	}
}

func FuzzKernelLog(f *testing.F) {
	f.Add([]byte("4,1307,1811400123,-;Memory cgroup out of memory: Killed process 4711 (java) total-vm:2922048kB, anon-rss:357368kB, "))
	f.Add([]byte("Nov 25 03:12:07 broker1 kernel: [18114.001234] Out of memory: Killed process 4711 (ja(va) anon-rss:1kB"))
	f.Add([]byte("# A fatal error has been detected\n#\n#  SIGSEGV (0xb) at pc=0x1, pid=4711, tid=1\njava_command: kafka.Kafka x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var e kernelEvents
		if _, said, err := ParseKmsg(text); err == nil {
			e.add(time.Time{}, said)
		}
		if _, said, ok := ParseSyslog(string(text), time.Unix(1e9, 0).UTC()); ok {
			e.add(time.Time{}, said)
		}
		e.add(time.Time{}, string(text))
		for _, k := range e.kills {
			if k.PID <= 0 || k.RSS < 0 || len(k.Name) > 40 {
				t.Fatalf("%+v", k)
			}
		}
		if crash, command := ParseHsErr(text); len(crash.Error) > 310 || len(command) > 4100 {
			t.Fatalf("%+v", crash)
		}
		ParseChoice(text)
		ParseFileNr(text)
	})
}

func TestChoices(t *testing.T) {
	for text, want := range map[string]string{"always [madvise] never\n": "madvise", "none\n": "none", "[none] mq-deadline": "none"} {
		if got, err := ParseChoice([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %q, error %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "a b", "a [b"} {
		if got, err := ParseChoice([]byte(bad)); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
	if got, err := ParseFileNr([]byte("2921\t0\t2466170\n")); err != nil || got["open"] != 2921 || got["max"] != 2466170 {
		t.Errorf("%v, error %v", got, err)
	}
	if _, err := ParseFileNr([]byte("1 2")); err == nil || !strings.Contains(err.Error(), "three numbers") {
		t.Error(err)
	}
}

// The settings of this machine, as sysctl would say them.
func TestSettings(t *testing.T) {
	seen, err := look(t, Settings, &probe.Target{})
	if err != nil || len(seen) != len(Settings.Yields) {
		t.Fatalf("%d observations, error %v", len(seen), err)
	}
	host := " on " + thisHost().String()
	all := seen["host.sysctl"+host].Value.(map[string]string)
	want, err := os.ReadFile("/proc/sys/vm/swappiness")
	if err != nil || all["vm.swappiness"] != strings.TrimSpace(string(want)) || len(all) < 25 {
		t.Errorf("%v, error %v", all, err)
	}
	c, ok := seen["host.clock"+host].Value.(fact.Clock)
	if !ok || c.MaxError <= 0 || c.MaxError > 1000 {
		t.Errorf("clock %+v", seen["host.clock"+host])
	}
}
