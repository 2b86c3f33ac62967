package polite

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// large is a file of 24 MiB of which the middle third is in the page cache.
func large(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "large")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i)
	}
	for range 24 {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	fd := int(f.Fd())
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED); err != nil {
		t.Fatal(err)
	}
	unix.Fadvise(fd, 0, 0, unix.FADV_RANDOM)
	for at := int64(8 << 20); at < 16<<20; at += 1 << 20 {
		if _, err := unix.Pread(fd, block, at); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

func residentIn(t *testing.T, name string) (third [3]uint64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range third {
		n, ok := resident(f, int64(i)*8<<20, 8<<20)
		if !ok {
			t.Skip("this kernel does not tell what is in the page cache")
		}
		third[i] = n
	}
	return third
}

// TestPageCache: all of a file is read, and the page cache holds of it what it
// held before, with every method that this kernel has.
func TestPageCache(t *testing.T) {
	for _, m := range []method{dontCache, byWindow} {
		name := large(t)
		before := residentIn(t, name)
		if before != [3]uint64{0, 2048, 0} {
			t.Skipf("this file system does not cache as asked: %d pages", before)
		}
		f, err := Open(context.Background(), &probe.Target{}, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if m == byWindow {
			f.fallBack()
		}
		buf := make([]byte, 300<<10)
		var sum int64
		for at := int64(0); ; at += int64(len(buf)) {
			n, err := f.ReadAt(buf, at)
			sum += int64(n)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if f.method != m {
			t.Logf("method %d is not to be had here, %d was used", m, f.method)
		}
		f.Close()
		if sum != 24<<20 {
			t.Errorf("%d bytes read", sum)
		}
		after := residentIn(t, name)
		t.Logf("method %d: pages before %d, after %d", m, before, after)
		for i := range before {
			if d := int64(after[i]) - int64(before[i]); max(d, -d) > 3*2048*2/100 {
				t.Errorf("method %d: pages of the thirds before %d, after %d", m, before, after)
			}
		}
	}
}

// TestPace: the rate is kept, and a wait ends with its context.
func TestPace(t *testing.T) {
	target := &probe.Target{Root: t.TempDir()}
	p := NewPace(target, 10<<20)
	begin := time.Now()
	for range 10 {
		if err := p.Wait(context.Background(), 1<<20/2); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < 250*time.Millisecond || p.Read() != 5<<20 {
		t.Errorf("5 MiB at 10 MiB/s took %s, %d bytes granted", took, p.Read())
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.Wait(ctx, 100<<20)
	time.AfterFunc(20*time.Millisecond, cancel)
	begin = time.Now()
	if err := p.Wait(ctx, 1); !errors.Is(err, context.Canceled) || time.Since(begin) > 2*time.Second {
		t.Errorf("cancelled: error %v after %s", err, time.Since(begin))
	}
}

// TestPressure: high pressure holds reading back, but not for ever.
func TestPressure(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "proc/pressure"), 0o755); err != nil {
		t.Fatal(err)
	}
	say := func(share string) {
		text := "some avg10=" + share + " avg60=0.22 avg300=0.10 total=55124312\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"
		if err := os.WriteFile(filepath.Join(root, "proc/pressure/io"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := NewPace(&probe.Target{Root: root}, 1<<40)
	now := time.Now()
	held := func(after time.Duration) bool {
		p.reserve(now.Add(after), 1)
		return p.Paused(now.Add(after))
	}
	say("55.10")
	if !held(0) {
		t.Error("high pressure does not hold back")
	}
	say("30.00")
	if !held(1 * time.Second) {
		t.Error("went on while the pressure was still up")
	}
	if held(6*time.Second) || !held(7*time.Second) {
		t.Error("pressure that lasts: want a second of reading, then a pause again")
	}
	say("3.00")
	if held(9*time.Second) || held(10*time.Second) {
		t.Error("held back by low pressure")
	}
}
