package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

func sprint(v any) string { return fmt.Sprintf("%+v", v) }

// run runs a program and returns what it says.
func run(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", words, err, out)
	}
	return strings.TrimSpace(string(out))
}

// A log dir on an ext4 in a file: mount, device and counters are those of the loop
// device, and a shutdown of its journal is seen in the super options.
func TestDirOnALoopDevice(t *testing.T) {
	dir := t.TempDir()
	image, mount := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	mustWrite(t, image, "")
	if err := os.Truncate(image, 32<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(mount, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", "-F", image)
	loop := run(t, "losetup", "--show", "-f", image)
	t.Cleanup(func() { exec.Command("losetup", "-d", loop).Run() })
	run(t, "mount", loop, mount)
	t.Cleanup(func() { unix.Unmount(mount, unix.MNT_DETACH) })
	name := filepath.Base(loop)
	target := &probe.Target{}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, PID: os.Getpid(), Running: true, LogDirs: []string{mount}}})
	seen, err := look(t, Devices, target)
	info, ok := seen["host.device on device "+name].Value.(fact.DeviceInfo)
	if err != nil || !ok || info.Kind != "loop" || info.Name != image || info.ReadAhead <= 0 {
		t.Errorf("%+v, error %v", seen, err)
	}
	before, err := look(t, Disks, target)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(mount + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 4<<20)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	after, _ := look(t, Disks, target)
	grown := func(what string) float64 {
		return number(t, after, "host.device."+what+" on device "+name) - number(t, before, "host.device."+what+" on device "+name)
	}
	if bytes := grown("write.bytes"); bytes < 4<<20 || bytes > 32<<20 || grown("writes") < 1 || grown("flushes") < 1 {
		t.Errorf("%v bytes, %v writes, %v flushes for 4 MiB and one fsync", bytes, grown("writes"), grown("flushes"))
	}
	const shutdown = 0x8004587d // EXT4_IOC_SHUTDOWN
	flags := uint32(2)          // without flushing
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		t.Fatalf("shut the file system down: %v", errno)
	}
	seen, err = look(t, Dirs, target)
	m, _ := seen["host.dir.mount on logdir 3:"+mount].Value.(fact.Mount)
	if options := m.SuperOptions + ","; err != nil || m.Device != name || !strings.Contains(options, "shutdown,") && !strings.Contains(options, "emergency_ro,") {
		t.Errorf("%+v, error %v", m, err)
	}
}
