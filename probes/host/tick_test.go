package host

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// cost is what something took: of the clock, and of the processors.
type cost struct{ wall, cpu time.Duration }

// usage is the CPU time of this process (RUSAGE_SELF) or of its children that ended.
func usage(who int) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(who, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// measured is what one of n runs took.
func measured(n, who int, f func()) cost {
	begin, used := time.Now(), usage(who)
	for range n {
		f()
	}
	return cost{time.Since(begin) / time.Duration(n), (usage(who) - used) / time.Duration(n)}
}

// BenchmarkTick compares one look of all probes of the host at a process with 2000
// connections with the tools that tell the same. iostat's own second of waiting is
// not counted.
func BenchmarkTick(b *testing.B) {
	tools := [][]string{{"iostat", "-x"}, {"ss", "-tani"}, {"lsof", "-nP", "-p", ""}, {"df", "-P"}, {"df", "-Pi"}}
	for _, words := range tools {
		if _, err := exec.LookPath(words[0]); err != nil {
			b.Skipf("SKIPPED, NOTHING MEASURED: %v (sysstat, iproute2 and lsof are wanted)", err)
		}
	}
	const connections = 2000
	cmd, address := child(b, "serve", nil)
	dial(b, address, connections)
	tools[2][3] = strconv.Itoa(cmd.Process.Pid)
	target := &probe.Target{}
	defer target.Close()
	target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: cmd.Process.Pid, Running: true, LogDirs: []string{os.TempDir()}}})
	often := func() {
		for _, p := range Probes[1:] {
			if p.Every > 2*time.Second {
				continue
			}
			if _, err := p.Observe(b.Context(), target); err != nil {
				b.Fatal(err)
			}
		}
	}
	every := func() {
		for _, p := range Probes {
			if _, err := p.Observe(b.Context(), target); err != nil {
				b.Fatal(err)
			}
			target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: cmd.Process.Pid, Running: true, LogDirs: []string{os.TempDir()}}})
		}
	}
	run := func() {
		for _, words := range tools {
			if err := exec.Command(words[0], words[1:]...).Run(); err != nil {
				b.Fatalf("%v: %v", words, err)
			}
		}
	}
	every()
	for b.Loop() {
		tick, whole, others := measured(20, syscall.RUSAGE_SELF, often), measured(20, syscall.RUSAGE_SELF, every), measured(5, syscall.RUSAGE_CHILDREN, run)
		b.ReportMetric(float64(tick.wall.Microseconds())/1e3, "tick-ms")
		b.ReportMetric(float64(tick.cpu.Microseconds())/1e3, "tick-cpu-ms")
		b.ReportMetric(float64(whole.cpu.Microseconds())/1e3, "all-probes-cpu-ms")
		b.ReportMetric(float64(others.wall.Microseconds())/1e3, "tools-ms")
		b.ReportMetric(float64(others.cpu.Microseconds())/1e3, "tools-cpu-ms")
		b.ReportMetric(float64(others.wall)/float64(tick.wall), "tools/tick")
		b.ReportMetric(float64(others.cpu)/float64(max(tick.cpu, 1)), "tools-cpu/tick-cpu")
	}
	for _, p := range Probes {
		c := measured(20, syscall.RUSAGE_SELF, func() { p.Observe(b.Context(), target) })
		b.Logf("%-18s %8s wall, %8s CPU", p.Name, c.wall.Round(time.Microsecond), c.cpu.Round(time.Microsecond))
		target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: cmd.Process.Pid, Running: true, LogDirs: []string{os.TempDir()}}})
	}
	for _, words := range tools {
		c := measured(3, syscall.RUSAGE_CHILDREN, func() { exec.Command(words[0], words[1:]...).Run() })
		b.Logf("%-18s %8s wall, %8s CPU", words[0], c.wall.Round(time.Microsecond), c.cpu.Round(time.Microsecond))
	}
}
