package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Volume is a file system of its own under a log dir of broker 3.
type Volume struct {
	MiB    int
	Inodes int  // of a tmpfs; 0: as many as fit
	Disk   bool // ext4 on a loop device; otherwise a tmpfs
	Slow   bool // a Disk whose writes can be made to wait, see Delay
	Other  bool // under its OtherDir, see Shape.TwoDirs; otherwise under its LogDir
}

// volume is what broker 3 has under a log dir; nil: nothing special.
func (s Shape) volume() *Volume {
	if s.Volume == nil && s.SmallDisk > 0 {
		return &Volume{MiB: s.SmallDisk}
	}
	return s.Volume
}

// disk is an ext4 file system on a loop device.
type disk struct {
	image string // what the loop device is on
	dir   string // where it is mounted
	slow  *slowFile
	loop  string // "loop3": its device while it is mounted
}

// newDisk makes the file system of a volume for a directory and mounts it.
func (c *Cluster) newDisk(v *Volume, dir string) (err error) {
	d := &disk{image: filepath.Join(c.Dir, "disk.img"), dir: dir}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(d.image, int64(v.MiB)<<20); err != nil {
		return err
	}
	// No room for root alone, and all tables written now: nothing but the broker
	// works on this disk later.
	mkfs := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", d.image)
	if out, err := run(mkfs); err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, lastLines(out, 3))
	}
	if v.Slow {
		if d.slow, err = c.slowDown(d.image); err != nil {
			return err
		}
		d.image = d.slow.path
	}
	c.disk = d
	return d.mount(c.state)
}

// mount attaches the image to a free loop device and mounts that.
func (d *disk) mount(s *stateFile) error {
	device, held, err := attach(d.image)
	if err != nil {
		return fmt.Errorf("attach %s to a loop device (root may): %w", d.image, err)
	}
	// The mount holds the device: it detaches itself when the last of both goes.
	defer unix.Close(held)
	if err := s.mount(device, d.dir, "ext4", ""); err != nil {
		return err
	}
	d.loop = filepath.Base(device)
	// Kafka takes everything in a log dir for a partition, and refuses this one.
	if err := os.Remove(filepath.Join(d.dir, "lost+found")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// sync writes everything to the image.
func (d *disk) sync() error {
	dir, err := os.Open(d.dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", d.dir, err)
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", d.dir, err)
	}
	return nil
}

// again unmounts the disk, whose broker has ended, and mounts it anew, as an
// operator does after an error of the file system.
func (d *disk) again(s *stateFile) error {
	if err := unix.Unmount(d.dir, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", d.dir, err)
	}
	return d.mount(s)
}

// attach returns the path of a loop device on an image, and the device itself
// opened, for it goes when nobody holds it.
func attach(image string) (device string, held int, err error) {
	// Not with package os: its poller asks files things that a file system
	// served by this very process cannot answer at that moment.
	file, err := unix.Open(image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", 0, fmt.Errorf("open %s: %w", image, err)
	}
	defer unix.Close(file)
	control, err := unix.Open("/dev/loop-control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", 0, fmt.Errorf("open /dev/loop-control: %w", err)
	}
	defer unix.Close(control)
	config := unix.LoopConfig{Fd: uint32(file), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
	for range 10 {
		n, err := unix.IoctlRetInt(control, unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return "", 0, fmt.Errorf("find a free loop device: %w", err)
		}
		device = fmt.Sprintf("/dev/loop%d", n)
		if held, err = unix.Open(device, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return "", 0, fmt.Errorf("open %s: %w", device, err)
		}
		if err = unix.IoctlLoopConfigure(held, &config); err == nil {
			return device, held, nil
		}
		unix.Close(held)
		if !errors.Is(err, unix.EBUSY) {
			return "", 0, fmt.Errorf("configure %s: %w", device, err)
		}
		time.Sleep(20 * time.Millisecond) // somebody else was faster
	}
	return "", 0, fmt.Errorf("find a free loop device: %w", unix.EBUSY)
}

// abort makes the kernel treat the disk as one on which it met an error: it
// takes no writes from then on, open files or not.
func (d *disk) abort() error {
	if err := unix.Mount("", d.dir, "", unix.MS_REMOUNT, "abort"); err != nil {
		return fmt.Errorf("remount %s with abort: %w", d.dir, err)
	}
	return nil
}

// shutdownFS is EXT4_IOC_SHUTDOWN, and noFlush its flag that loses what is not
// yet on the disk.
const (
	shutdownFS = 0x8004587d
	noFlush    = 2
)

// shutDown makes every access to the disk end in an I/O error.
func (d *disk) shutDown() error {
	dir, err := os.Open(d.dir)
	if err != nil {
		return fmt.Errorf("shut %s down: %w", d.dir, err)
	}
	defer dir.Close()
	if err := unix.IoctlSetPointerInt(int(dir.Fd()), shutdownFS, noFlush); err != nil {
		return fmt.Errorf("shut %s down: %w", d.dir, err)
	}
	return nil
}

// superOptions is the options of the file system that is mounted on a
// directory, as the last field of its line in /proc/self/mountinfo tells them.
func superOptions(dir string) (string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	options, found := parseSuperOptions(string(text), dir)
	if !found {
		return "", fmt.Errorf("nothing is mounted on %s", dir)
	}
	return options, nil
}

// parseSuperOptions finds a mount point in the text of mountinfo; of two mounts
// on one directory the later one is seen.
func parseSuperOptions(mountinfo, dir string) (options string, found bool) {
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		f, rest := strings.Fields(before), strings.Fields(after)
		if len(f) > 4 && f[4] == dir && len(rest) == 3 {
			options, found = rest[2], true
		}
	}
	return options, found
}
