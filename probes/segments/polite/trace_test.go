package polite

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// TestAccessTime: that a file was read does not show in it, where a plain read
// does.
func TestAccessTime(t *testing.T) {
	name := filepath.Join(t.TempDir(), "segment")
	if err := os.WriteFile(name, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(name, long, long.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	accessed := func() time.Time {
		var st unix.Stat_t
		if err := unix.Stat(name, &st); err != nil {
			t.Fatal(err)
		}
		return time.Unix(st.Atim.Unix())
	}
	f, err := Open(context.Background(), &probe.Target{}, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got := accessed(); !got.Equal(long) {
		t.Errorf("access time %s, was %s", got, long)
	}
	if _, err := os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	if accessed().Equal(long) {
		t.Log("this file system keeps no access times: nothing was shown")
	}
}

// TestIdleClass: the reads of a goroutine in the background wait for those of
// everybody else, and those of others do not.
func TestIdleClass(t *testing.T) {
	class := func() uintptr {
		p, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, 1, 0, 0)
		if errno != 0 {
			t.Errorf("ioprio_get: %v", errno)
		}
		return p >> 13
	}
	of := make(chan uintptr)
	go func() { Background(); of <- class() }()
	if got := <-of; got != 3 {
		t.Errorf("I/O class %d, want 3, idle", got)
	}
	if got := class(); got == 3 {
		t.Errorf("the class of another goroutine is idle too")
	}
}
