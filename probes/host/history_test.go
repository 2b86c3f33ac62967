package host

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
	"github.com/ktriage/ktriage/probes/probe"
)

// A JVM that crashes and is started again: its report is found, and the restart.
func TestCrashAndRestart(t *testing.T) {
	jdk, classes, dir := hosttest.JDKs(t)[0], hosttest.Compile(t), t.TempDir()
	mustWrite(t, filepath.Join(dir, "server.properties"), "process.roles=broker\nnode.id=78\nlog.dirs=data\n")
	cmd := hosttest.Start(t, jdk, classes, dir, "-Xmx32m", "-XX:-CreateCoredumpOnCrash")
	target := &probe.Target{PID: cmd.Process.Pid}
	history := func() (restarts float64, crash fact.CrashReport) {
		t.Helper()
		if _, err := look(t, Brokers, target); err != nil {
			t.Fatal(err)
		}
		seen, err := look(t, History, target)
		if err != nil {
			t.Fatal(err)
		}
		crash, ok := seen["host.process.crash on process 78"].Value.(fact.CrashReport)
		if !ok {
			t.Fatalf("%+v", seen)
		}
		return number(t, seen, "host.process.restarts on process 78"), crash
	}
	if restarts, crash := history(); restarts != 0 || crash.File != "" {
		t.Errorf("%v restarts, report %+v before anything happened", restarts, crash)
	}
	// Another JVM's report beside it is none of this broker.
	mustWrite(t, filepath.Join(dir, "hs_err_pid3.log"), "# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGBUS (0x7) at pc=0x1, pid=3, tid=4\njava_command: kafka.tools.GetOffsetShell\n")
	if err := cmd.Process.Signal(syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	_, crash := history()
	if crash.PID != cmd.Process.Pid || filepath.Dir(crash.File) != dir || !strings.HasPrefix(crash.Error, "SIGSEGV (0xb)") || time.Since(crash.At) > time.Minute {
		t.Errorf("%+v", crash)
	}
	again := hosttest.Start(t, jdk, classes, dir, "-Xmx32m")
	target.PID = again.Process.Pid
	restarts, crash := history()
	if restarts != 1 || crash.PID != cmd.Process.Pid {
		t.Errorf("%v restarts, report %+v", restarts, crash)
	}
	// ktriage that comes later knows the report by the command line in it.
	target = &probe.Target{PID: again.Process.Pid}
	if restarts, crash := history(); restarts != 0 || crash.PID != cmd.Process.Pid {
		t.Errorf("%v restarts, report %+v", restarts, crash)
	}
}

func TestParseHsErr(t *testing.T) {
	crash, command := ParseHsErr([]byte("#\n# There is insufficient memory for the Java Runtime Environment to continue.\n# Native memory allocation (mmap) failed to map 65536 bytes. Error detail: committing reserved memory.\n" +
		"# Possible reasons:\n#\n\n---------------  S U M M A R Y ------------\nVM Arguments:\njava_command: kafka.Kafka config/server.properties\n"))
	if crash.Error != "There is insufficient memory for the Java Runtime Environment to continue. Native memory allocation (mmap) failed to map 65536 bytes. Error detail: committing reserved memory." || command != "kafka.Kafka config/server.properties" {
		t.Errorf("%+v, %q", crash, command)
	}
	crash, _ = ParseHsErr([]byte("# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x00007f3c, pid=4711, tid=4712\n#\n# Problematic frame:\n# C  [libc.so.6+0x8ec2c]\n"))
	if crash.PID != 4711 || crash.Frame != "C  [libc.so.6+0x8ec2c]" {
		t.Errorf("%+v", crash)
	}
}

func TestDeviceKinds(t *testing.T) {
	root := t.TempDir()
	sys := root + "/sys/class/block/"
	for name, text := range map[string]string{
		"dm-0/dm/uuid": "LVM-abc", "dm-0/dm/name": "vg-kafka", "dm-0/slaves/md0/x": "", "dm-0/slaves/sdc1/x": "", "dm-0/queue/read_ahead_kb": "128", "dm-0/ro": "0",
		"md0/md/level": "raid1", "md0/md/degraded": "1", "nvme0n1/device/state": "live", "nvme0n1/queue/scheduler": "[none] mq-deadline", "nvme0n1/queue/rotational": "0",
		"sdc/device/state": "running", "sdc/device/ioerr_cnt": "0x1f", "sdc/queue/rotational": "1", "dm-1/dm/uuid": "mpath-1",
	} {
		mustWrite(t, sys+name, text+"\n")
	}
	mustWrite(t, root+"/sys/devices/pci/block/sdc/sdc1/partition", "1\n")
	if err := os.Symlink("../../devices/pci/block/sdc/sdc1", sys+"sdc1"); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, root+"/sys/fs/ext4/sdc1/errors_count", "3\n")
	target := &probe.Target{Root: root}
	for name, want := range map[string]string{
		"dm-0":    "{Kind:lvm Name:vg-kafka Level: Degraded:0 On:[md0 sdc1] Rotational:false Scheduler: ReadAhead:131072 ReadOnly:false State: Errors:0}",
		"md0":     "{Kind:md Name: Level:raid1 Degraded:1 On:[] Rotational:false Scheduler: ReadAhead:0 ReadOnly:false State: Errors:0}",
		"nvme0n1": "{Kind:nvme Name: Level: Degraded:0 On:[] Rotational:false Scheduler:none ReadAhead:0 ReadOnly:false State:live Errors:0}",
		"sdc1":    "{Kind:partition Name: Level: Degraded:0 On:[sdc] Rotational:true Scheduler: ReadAhead:0 ReadOnly:false State:running Errors:34}",
		"dm-1":    "{Kind:multipath Name: Level: Degraded:0 On:[] Rotational:false Scheduler: ReadAhead:0 ReadOnly:false State: Errors:0}",
	} {
		if got := sprint(deviceInfo(target, name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
