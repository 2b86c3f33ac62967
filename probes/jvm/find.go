package jvm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// find opens the perf data file of a process. Files of the same number that an
// earlier process left, or that somebody else put there, are passed over.
func find(t *probe.Target, pid int) (*hsperf.File, error) {
	stat, err := host.ReadStat(t, pid)
	if probe.Missing(err) || err == nil && stat.Ended() {
		return nil, &probe.Error{Unknown: gone}
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of process %d: %w", pid, err)
	}
	started := stat.Started(host.BootTime(t))
	owner, known := ownerOf(t, pid)
	var first error
	for _, path := range hsperf.Candidates(t, pid) {
		f, err := hsperf.Open(t, path)
		if err == nil {
			if err = suits(f, started, owner, known); err == nil {
				return f, nil
			}
			f.Close()
		}
		if first == nil || (probe.Missing(first) && !probe.Missing(err)) {
			first = err
		}
	}
	var closed *fs.PathError
	switch {
	case first == nil || probe.Missing(first):
		return nil, whyNone(t, pid)
	case errors.As(first, &closed) && errors.Is(closed, fs.ErrPermission):
		return nil, notAllowed(t, pid, first)
	}
	return nil, first
}

// suits says what is wrong with a file, if it is not that of the process that
// started then. A file that the JVM has not filled yet is right.
func suits(f *hsperf.File, started time.Time, owner uint32, known bool) error {
	if known && f.Owner() != owner {
		return fmt.Errorf("perf data %s: %w: user %d owns it, and the process belongs to user %d", f.Path, fs.ErrPermission, f.Owner(), owner)
	}
	d, err := f.Read()
	switch {
	case hsperf.Starting(err):
		return nil
	case err != nil:
		return err
	case host.Before(d.Created(), started):
		return fmt.Errorf("perf data %s: %w: an earlier process of this number left it", f.Path, fs.ErrNotExist)
	}
	return nil
}

// ownerOf is the user that a process runs as. The owner of its /proc directory
// is another one where the process may not be dumped.
func ownerOf(t *probe.Target, pid int) (uid uint32, known bool) {
	status, err := t.ReadFile(t.Proc(pid, "status"), 64<<10)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "Uid:" { // real, effective, …
			n, err := strconv.ParseUint(f[2], 10, 32)
			return uint32(n), err == nil
		}
	}
	return 0, false
}

// whyNone says why a JVM has no perf data file that we can find.
func whyNone(t *probe.Target, pid int) error {
	if cmdline, err := t.ReadFile(t.Proc(pid, "cmdline"), 2<<20); err == nil {
		options := host.ParseCommand(cmdline).Options
		for _, flag := range []string{"-XX:-UsePerfData", "-XX:+PerfDisableSharedMem"} {
			if slices.Contains(options, flag) {
				return probe.Fail(fact.NotSupported, "the JVM runs with "+flag, "start the broker without "+flag+"; until then its GC log tells, where it writes one (jvm.gclog)")
			}
		}
	}
	if _, err := os.ReadDir(t.Proc(pid, "root") + "/tmp"); errors.Is(err, fs.ErrPermission) {
		return notAllowed(t, pid, err)
	}
	return probe.Fail(fact.Unreadable, fmt.Sprintf("no perf data file of process %d in /tmp/hsperfdata_*", pid),
		"the JVM makes none when its user has no passwd entry or /tmp was full, and cleaners of /tmp may delete it: restart the broker, or read its GC log")
}

// gone is why there is nothing of the JVM of a dead broker.
var gone = &fact.Unknown{Reason: fact.Absent, Detail: "its process is gone"}

// because says why a file that was found could not be read.
func because(err error) *fact.Unknown {
	if hsperf.Starting(err) {
		return &fact.Unknown{Reason: fact.NotYet, Detail: err.Error()}
	}
	return probe.Because(err)
}
