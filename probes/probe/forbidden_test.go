package probe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// asNobody calls f on a thread that has the rights of user 65534 only.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("root is needed to become another user")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		_, _, err := syscall.RawSyscall(syscall.SYS_SETRESUID, ^uintptr(0), 65534, ^uintptr(0))
		if err != 0 {
			done <- err
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestAFileOfOthersSaysWhoMayReadIt: an operator at night is told as whom to run.
func TestAFileOfOthersSaysWhoMayReadIt(t *testing.T) {
	dir := t.TempDir()
	for at := dir; len(at) > len(os.TempDir()); at = filepath.Dir(at) {
		os.Chmod(at, 0o755)
	}
	own, closed := filepath.Join(dir, "server.log"), filepath.Join(dir, "closed")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(own, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	target := &Target{Ledger: &Ledger{}}
	asNobody(t, func() {
		for name, want := range map[string]string{
			own:                           "run as user 4711 (who owns " + own + "), or root",
			filepath.Join(closed, "deep"): "run as root",
		} {
			f, err := target.Open(name)
			if f != nil || !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			u := Because(err)
			if u.Reason != fact.NotAllowed || u.How != want || !strings.Contains(u.Detail, name) {
				t.Errorf("%s: %s, how %q, want %q", name, u, u.How, want)
			}
		}
	})
	if _, err := target.Open(filepath.Join(dir, "none")); !Missing(err) || Because(err).How != "" {
		t.Errorf("no such file: %v", err)
	}
}
