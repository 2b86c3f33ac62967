package logs

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bigLog is a file of so many bytes of real logs.
func bigLog(b *testing.B, size int) string {
	b.Helper()
	var once []byte
	for _, name := range []string{"4.3.1/server.log", "4.3.1/server-broker1.log", "3.9.2/server.log", "4.3.1/controller.log"} {
		once = append(once, fixture(b, name)...)
	}
	name := filepath.Join(b.TempDir(), "big.log")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for written := 0; written < size; written += len(once) {
		if _, err := f.Write(once); err != nil {
			b.Fatal(err)
		}
	}
	return name
}

// BenchmarkFile scans a file of 128 MiB as the probe does, and ripgrep finds the
// same texts in it, each on one thread: MB/s of both, in one run.
func BenchmarkFile(b *testing.B) {
	name := bigLog(b, 128<<20)
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ktriage", func(b *testing.B) {
		b.SetBytes(info.Size())
		buf := make([]byte, chunk)
		before := used(b)
		defer func() { b.ReportMetric(float64((used(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op") }()
		for b.Loop() {
			f := &tail{scan: newScan(patterns, []string{dataDir})}
			file, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			for {
				n, err := file.Read(buf)
				f.take(buf[:n])
				if err == io.EOF {
					break
				}
			}
			file.Close()
			if f.scan.report().lines == nil {
				b.Fatal("nothing found")
			}
		}
	})
	b.Run("ripgrep", func(b *testing.B) {
		rg, err := exec.LookPath("rg")
		if err != nil {
			b.Skip("NOT COMPARED: ripgrep is not here (apt-get install ripgrep)")
		}
		var texts []string
		for _, p := range patterns {
			texts = append(texts, p.text)
		}
		slices.Sort(texts)
		list := filepath.Join(b.TempDir(), "texts")
		if err := os.WriteFile(list, []byte(strings.Join(slices.Compact(texts), "\n")+"\n"), 0o644); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(info.Size())
		var cpu time.Duration
		defer func() { b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op") }()
		for b.Loop() {
			// All lines are wanted, not their number alone.
			cmd := exec.Command(rg, "--threads", "1", "--no-config", "--no-mmap", "--text", "-F", "-f", list, name)
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
			cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		}
	})
}

// used is the CPU time of this process so far.
func used(b *testing.B) time.Duration {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
