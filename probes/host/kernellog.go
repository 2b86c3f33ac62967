package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// KernelLog reads what the kernel's log says of processes killed for want of memory
// and of failing disks.
var KernelLog = &probe.Probe{
	Name:    "host.kernel-log",
	Doc:     "processes killed for want of memory, and errors of disks and file systems, from /dev/kmsg, /var/log/kern.log or /var/log/messages",
	Cost:    probe.Free,
	Every:   5 * time.Second,
	Yields:  kernelKeys,
	Observe: observeKernelLog,
}

var kernelKeys = []fact.Key{fact.KernelOOMKills, fact.KernelIOErrors}

// kernelLog is the kernel's log as far as it was read: it is opened once, and only
// what is new is read at each look.
type kernelLog struct {
	mu   sync.Mutex
	file *os.File // /dev/kmsg; nil: not open
	boot time.Time
	kernelEvents
}

type kernelLogKey struct{}

// Close closes the log.
func (k *kernelLog) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file != nil {
		return k.file.Close()
	}
	return nil
}

func observeKernelLog(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	k := probe.Shared(t, kernelLogKey{}, func() *kernelLog { return new(kernelLog) })
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.read(ctx, t); err != nil {
		events, bad := fromLogFile(t)
		if bad != nil { // for most users that is so, and no failure of the probe
			because := probe.Because(fmt.Errorf("read the kernel's log: %w", err))
			if because.Reason == fact.NotAllowed {
				because.How = "run as root, or in the group that may read " + logFiles[0]
			}
			return all(thisHost(), kernelKeys, because), nil
		}
		k.kernelEvents = events
	}
	host := thisHost()
	return []fact.Observation{
		fact.KernelOOMKills.Is(host, append([]fact.OOMKill{}, k.kills...)),
		fact.KernelIOErrors.Is(host, append([]fact.KernelLine{}, k.errors...)),
	}, nil
}

// read reads the records of /dev/kmsg that are new, one with each call of read(2).
func (k *kernelLog) read(ctx context.Context, t *probe.Target) error {
	if k.file == nil {
		f, err := t.Open(t.Root + "/dev/kmsg")
		if err != nil {
			return err
		}
		k.file, k.boot = f, BootTime(t)
	}
	buf := make([]byte, 16<<10)
	for ctx.Err() == nil {
		n, err := unix.Read(int(k.file.Fd()), buf)
		switch {
		case errors.Is(err, unix.EAGAIN) || err == nil && n == 0:
			return nil
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR): // written over meanwhile
			continue
		case err != nil:
			return fmt.Errorf("read /dev/kmsg: %w", err)
		}
		since, text, err := ParseKmsg(buf[:n])
		if err == nil && text != "" {
			k.add(k.boot.Add(since), text)
		}
	}
	return ctx.Err()
}

// logFiles is where syslog daemons keep what the kernel says.
var logFiles = []string{"/var/log/kern.log", "/var/log/messages"}

// fromLogFile reads the end of the log that a syslog daemon keeps.
func fromLogFile(t *probe.Target) (events kernelEvents, err error) {
	const tail = 1 << 20
	for _, name := range logFiles {
		var f *os.File
		if f, err = t.Open(t.Root + name); err != nil {
			continue
		}
		info, statErr := f.Stat()
		if statErr != nil || !info.Mode().IsRegular() {
			f.Close()
			err = errors.Join(statErr, fmt.Errorf("%s is no file", name))
			continue
		}
		begin := max(0, info.Size()-tail)
		text := make([]byte, info.Size()-begin)
		n, readErr := f.ReadAt(text, begin)
		f.Close()
		t.Ledger.Note("read", name, int64(n), 0)
		if n == 0 && readErr != nil && info.Size() > 0 {
			err = readErr
			continue
		}
		for line := range bytes.Lines(text[:n]) {
			if at, said, ok := ParseSyslog(string(line), info.ModTime()); ok {
				events.add(at, said)
			}
		}
		return events, nil
	}
	return events, err
}
