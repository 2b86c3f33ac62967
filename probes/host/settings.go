package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Settings reads how the kernel is set up, and what of the whole host is limited.
var Settings = &probe.Probe{
	Name:    "host.settings",
	Doc:     "kernel settings that matter to Kafka, huge pages, the clock's discipline, open files and tracked connections of the whole host",
	Cost:    probe.Free,
	Every:   15 * time.Second,
	Yields:  append(keysOf(hostLimits, conntrack), fact.Sysctls, fact.HugePages, fact.ClockState),
	Observe: observeSettings,
}

// sysctls is the settings that are read.
var sysctls = []string{
	"vm.swappiness", "vm.dirty_ratio", "vm.dirty_background_ratio", "vm.dirty_bytes", "vm.dirty_background_bytes", "vm.dirty_expire_centisecs",
	"vm.dirty_writeback_centisecs", "vm.max_map_count", "vm.overcommit_memory", "vm.overcommit_ratio", "vm.min_free_kbytes", "vm.zone_reclaim_mode",
	"net.core.rmem_max", "net.core.wmem_max", "net.core.rmem_default", "net.core.wmem_default", "net.core.somaxconn", "net.core.netdev_max_backlog",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_mem", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_window_scaling", "net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_retries2", "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_congestion_control", "net.ipv4.tcp_abort_on_overflow",
	"net.ipv4.ip_local_port_range", "net.netfilter.nf_conntrack_max", "fs.file-max", "fs.nr_open", "kernel.pid_max", "kernel.threads-max", "kernel.panic_on_oops",
}

var (
	hostLimits = []figure{{"open", fact.FilesOpen, 1}, {"max", fact.FilesMax, 1}}
	conntrack  = []figure{{"nf_conntrack_count", fact.ConntrackEntries, 1}, {"nf_conntrack_max", fact.ConntrackMax, 1}}
)

func observeSettings(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	host := thisHost()
	seen := figures(t, host, hostLimits, "/proc/sys/fs/file-nr", 4<<10, ParseFileNr)
	seen = append(seen, settings(t, host), hugePages(t, host), clock(t, host))
	for _, f := range conntrack {
		name := "/proc/sys/net/netfilter/" + f.name
		v, err := read(t, name, 4<<10, func(file []byte) (float64, error) { return parseNumber(name, file) })
		switch {
		case probe.Missing(err):
			seen = append(seen, f.key.Unknown(host, &fact.Unknown{Reason: fact.Absent, Detail: "the kernel tracks no connections"}))
		case err != nil:
			seen = append(seen, f.key.Unknown(host, probe.Because(err)))
		default:
			seen = append(seen, f.key.Is(host, v))
		}
	}
	return seen, nil
}

// settings observes the sysctls; unknown only if none of them can be read.
func settings(t *probe.Target, host fact.Subject) fact.Observation {
	all := map[string]string{}
	var failed error
	for _, name := range sysctls {
		file, err := t.ReadFile(t.Root+"/proc/sys/"+strings.ReplaceAll(name, ".", "/"), 4<<10)
		if err != nil {
			failed = err
			continue
		}
		all[name] = strings.Join(strings.Fields(string(file)), " ")
	}
	if len(all) == 0 {
		return fact.Sysctls.Unknown(host, probe.Because(failed))
	}
	return fact.Sysctls.Is(host, all)
}

// ParseFileNr reads /proc/sys/fs/file-nr: open files, a zero, and how many there may
// be.
//
//	1984	0	9223372036854775807
func ParseFileNr(file []byte) (map[string]float64, error) {
	words := strings.Fields(string(file))
	if len(words) != 3 {
		return nil, fmt.Errorf("fs.file-nr: expected three numbers: %q", cut(string(file), 60))
	}
	numbers := map[string]float64{}
	for name, word := range map[string]string{"open": words[0], "max": words[2]} {
		v, err := parseNumber("fs.file-nr", []byte(word))
		if err != nil {
			return nil, err
		}
		numbers[name] = v
	}
	return numbers, nil
}

func hugePages(t *probe.Target, host fact.Subject) fact.Observation {
	const dir = "/sys/kernel/mm/transparent_hugepage/"
	enabled, err := read(t, dir+"enabled", 4<<10, ParseChoice)
	if probe.Missing(err) {
		return fact.HugePages.Unknown(host, &fact.Unknown{Reason: fact.Absent, Detail: "this kernel has no transparent huge pages"})
	}
	if err != nil {
		return fact.HugePages.Unknown(host, probe.Because(fmt.Errorf("transparent huge pages: %w", err)))
	}
	defrag, err := read(t, dir+"defrag", 4<<10, ParseChoice)
	if err != nil {
		defrag = ""
	}
	return fact.HugePages.Is(host, fact.TransparentHugePages{Enabled: enabled, Defrag: defrag})
}

// ParseChoice reads which of several words is chosen: that in brackets, or the only
// one.
//
//	always [madvise] never
func ParseChoice(file []byte) (string, error) {
	text := strings.TrimSpace(string(file))
	if _, rest, ok := strings.Cut(text, "["); ok {
		if chosen, _, ok := strings.Cut(rest, "]"); ok {
			return cut(chosen, 40), nil
		}
	}
	if text == "" || strings.ContainsAny(text, " [") {
		return "", fmt.Errorf("expected a word in brackets: %q", cut(text, 60))
	}
	return cut(text, 40), nil
}

// clock asks the kernel how its clock is disciplined, and changes nothing: no mode
// of adjtimex is set.
func clock(t *probe.Target, host fact.Subject) fact.Observation {
	var tx unix.Timex
	state, err := unix.Adjtimex(&tx)
	t.Ledger.Note("ask", "the clock's discipline (adjtimex without modes)", 0, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		err = probe.Fail(fact.NotAllowed, "the kernel does not say how its clock is disciplined: "+err.Error(), "run ktriage outside the container")
	}
	if err != nil {
		return fact.ClockState.Unknown(host, probe.Because(fmt.Errorf("ask for the clock's discipline: %w", err)))
	}
	unit := 1e-6 // of the offset
	if tx.Status&unix.STA_NANO != 0 {
		unit = 1e-9
	}
	return fact.ClockState.Is(host, fact.Clock{
		Synchronised: tx.Status&unix.STA_UNSYNC == 0 && state != unix.TIME_ERROR,
		Offset:       float64(tx.Offset) * unit, MaxError: float64(tx.Maxerror) / 1e6, EstError: float64(tx.Esterror) / 1e6,
	})
}
