package host

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// keptEvents is how many events of each kind are kept, the newest.
const keptEvents = 20

// kernelEvents is what lines of the kernel's log said.
type kernelEvents struct {
	kills  []fact.OOMKill
	errors []fact.KernelLine
	cgroup bool // the line before announced a kill in a memory cgroup
}

// troubles is what lines of the kernel about failing disks hold.
var troubles = []string{
	"I/O error", "critical medium error", "critical target error", "EXT4-fs error", "Remounting filesystem read-only", "Aborting journal",
	"Shutting down filesystem", "Metadata corruption", "Metadata I/O", "BTRFS error", "BTRFS critical", "rejecting I/O to offline device", "controller is down",
	"resetting controller", "Disk failure on", "not responding", "blocked for more than",
}

// add takes a line into account.
//
//	Memory cgroup out of memory: Killed process 4711 (java) total-vm:2922048kB, anon-rss:357368kB, file-rss:22136kB, …
func (e *kernelEvents) add(at time.Time, text string) {
	if before, rest, ok := strings.Cut(text, "Killed process "); ok {
		if kill, ok := parseKill(rest); ok {
			kill.At, kill.Cgroup = at, strings.HasPrefix(before, "Memory cgroup") || before == "" && e.cgroup
			e.kills = newest(append(e.kills, kill))
		}
		return
	}
	if strings.Contains(text, "Kill process ") { // before Linux 5.2 a line of its own
		e.cgroup = strings.HasPrefix(text, "Memory cgroup")
		return
	}
	for _, trouble := range troubles {
		if strings.Contains(text, trouble) {
			e.errors = newest(append(e.errors, fact.KernelLine{At: at, Text: cut(text, 300)}))
			return
		}
	}
}

func newest[T any](all []T) []T { return all[max(0, len(all)-keptEvents):] }

// parseKill reads "4711 (java) total-vm:…kB, anon-rss:357368kB, …". The name may hold
// parentheses.
func parseKill(text string) (kill fact.OOMKill, ok bool) {
	number, rest, ok1 := strings.Cut(text, " (")
	end := strings.Index(rest, ") ")
	if end < 0 {
		end = strings.LastIndexByte(rest, ')')
	}
	pid, err := strconv.Atoi(strings.TrimSuffix(number, ","))
	if !ok1 || end < 0 || err != nil || pid <= 0 {
		return kill, false
	}
	kill.PID, kill.Name = pid, cut(rest[:end], 32)
	if _, after, found := strings.Cut(rest[end:], "anon-rss:"); found {
		size, _, _ := strings.Cut(after, "kB")
		if kb, err := strconv.ParseUint(size, 10, 48); err == nil {
			kill.RSS = float64(kb) * 1024
		}
	}
	return kill, true
}

// ParseKmsg reads a record of /dev/kmsg: when it was said after the start of the
// kernel, and its text. The text is empty where a process said it, not the kernel.
//
//	4,1307,1811400123,-;EXT4-fs (loop0): Remounting filesystem read-only
func ParseKmsg(record []byte) (since time.Duration, text string, err error) {
	head, rest, ok := strings.Cut(string(record), ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 {
		return 0, "", fmt.Errorf("kernel log: expected PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT: %q", cut(string(record), 60))
	}
	priority, err1 := strconv.ParseUint(fields[0], 10, 32)
	micros, err2 := strconv.ParseUint(fields[2], 10, 53)
	if err1 != nil || err2 != nil {
		return 0, "", fmt.Errorf("kernel log: expected a priority and microseconds: %q", cut(head, 60))
	}
	if priority>>3 != 0 {
		return 0, "", nil
	}
	text, _, _ = strings.Cut(rest, "\n") // lines after it are properties
	return time.Duration(micros) * time.Microsecond, text, nil
}

// ParseSyslog reads a line of the kernel in a syslog file, whose time is of this
// time zone and, in the older form, without a year: that of written, or the one
// before.
//
//	Nov 25 03:12:07 broker1 kernel: [18114.001234] Out of memory: Killed process …
//	2026-11-25T03:12:07.123456+00:00 broker1 kernel: Out of memory: Killed process …
func ParseSyslog(line string, written time.Time) (at time.Time, text string, ok bool) {
	head, text, ok := strings.Cut(line, " kernel: ")
	if !ok {
		return at, "", false
	}
	text = strings.TrimRight(text, "\n")
	if strings.HasPrefix(text, "[") {
		_, text, _ = strings.Cut(text, "] ")
	}
	stamp, _, _ := strings.Cut(head, " ")
	if at, err := time.Parse(time.RFC3339, stamp); err == nil {
		return at, text, true
	}
	const form = "Jan _2 15:04:05"
	if len(head) < len(form) {
		return at, "", false
	}
	at, err := time.ParseInLocation(form, head[:len(form)], written.Location())
	if err != nil {
		return at, "", false
	}
	at = at.AddDate(written.Year(), 0, 0)
	if at.After(written.Add(24 * time.Hour)) {
		at = at.AddDate(-1, 0, 0)
	}
	return at, text, true
}
