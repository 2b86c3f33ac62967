package probe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestWithinLeavesAHangBehind: one call that never returns costs its own answer
// and one goroutine, however often it is tried.
func TestWithinLeavesAHangBehind(t *testing.T) {
	target := &Target{}
	hang := make(chan struct{})
	begun := 0
	call := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		_, err := Within(ctx, target, "statfs /nfs", func() (int, error) { begun++; <-hang; return 1, nil })
		return err
	}
	for range 3 {
		if err := call(); !errors.Is(err, context.DeadlineExceeded) || Because(err).Reason != fact.TimedOut {
			t.Fatalf("error %v, want that the time was over", err)
		}
	}
	if v, err := Within(context.Background(), target, "statfs /", func() (int, error) { return 2, nil }); v != 2 || err != nil {
		t.Errorf("another call gives %d, error %v", v, err)
	}
	close(hang)
	for end := time.Now().Add(5 * time.Second); ; {
		if v, err := Within(context.Background(), target, "statfs /nfs", func() (int, error) { return 3, nil }); err == nil {
			if v != 3 || begun != 1 {
				t.Errorf("answer %d, %d calls begun, want 3 and 1", v, begun)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("the call is blocked for ever though the first has returned")
		}
	}
}

func TestReadFile(t *testing.T) {
	target := &Target{Ledger: &Ledger{}}
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := target.ReadFile(name, 10); string(b) != "0123456789" || err != nil {
		t.Errorf("%q, error %v", b, err)
	}
	if _, err := target.ReadFile(name, 9); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a longer file: error %v", err)
	}
	if err := os.Symlink(name, name+".link"); err != nil {
		t.Fatal(err)
	}
	if f, err := target.OpenNoFollow(name + ".link"); err == nil {
		f.Close()
		t.Error("a link was followed")
	}
	if _, err := target.ReadFile(name+".not", 9); !Missing(err) {
		t.Errorf("no file: error %v", err)
	}
	for _, e := range target.Ledger.Entries() {
		if e.Act == "read" && (e.Bytes != 10 || e.Count != 1) {
			t.Errorf("ledger %+v", e)
		}
	}
}
