package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Open opens a file of others for reading: without changing its access time
// where that is allowed, never a terminal, never blocking on a pipe. It notes
// the file in the ledger. The caller closes it.
func (t *Target) Open(name string) (*os.File, error) {
	return t.open(name, 0)
}

// OpenNoFollow is Open, but a symbolic link as the last element is refused.
func (t *Target) OpenNoFollow(name string) (*os.File, error) {
	return t.open(name, unix.O_NOFOLLOW)
}

func (t *Target) open(name string, more int) (*os.File, error) {
	begin := time.Now()
	flags := os.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | more
	f, err := os.OpenFile(name, flags|unix.O_NOATIME, 0)
	if errors.Is(err, syscall.EPERM) { // O_NOATIME is for the owner and root
		f, err = os.OpenFile(name, flags, 0)
	}
	t.Ledger.Note("open", name, 0, time.Since(begin))
	return f, t.forbid(name, err)
}

// ReadFile reads a whole file of others, at most limit bytes of it; a larger
// one is an error.
func (t *Target) ReadFile(name string, limit int64) ([]byte, error) {
	begin := time.Now()
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("read %s: more than the %d bytes expected of it", name, limit)
	}
	t.Ledger.Note("read", name, int64(len(b)), time.Since(begin))
	return b, nil
}

// ReadStart reads the beginning of a small file of /proc, as much as buf holds, into
// buf. It serves files that are read a hundred times a second, so that nothing is
// noted in the ledger: the caller notes their directory.
func ReadStart(buf []byte, name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.Read(buf)
	if n == 0 && err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// Proc is the path of something of a process: t.Proc(4711, "stat").
func (t *Target) Proc(pid int, name string) string {
	return filepath.Join(t.Root+"/proc", strconv.Itoa(pid), name)
}

// PathOf is where this process finds a path that the process pid calls so:
// another one when pid lives in a container. With pid 0, or where the kernel
// does not say, it is the path itself.
func (t *Target) PathOf(pid int, path string) string {
	if pid <= 0 {
		return path
	}
	theirs, err := os.Readlink(t.Proc(pid, "ns/mnt"))
	if err != nil {
		return path
	}
	ours, err := os.Readlink(t.Root + "/proc/self/ns/mnt")
	if err != nil || ours == theirs {
		return path
	}
	return filepath.Join(t.Proc(pid, "root"), path)
}

// Within calls f and waits for it as long as the context allows. A system call
// on a dead network file system cannot be interrupted: f is then left behind,
// and until it returns every further call with the same key fails at once, so
// that no more than one thread hangs on one thing. f must touch nothing that
// its caller uses before it has returned.
func Within[T any](ctx context.Context, t *Target, key string, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	running := Shared(t, hanging{}, func() *sync.Map { return new(sync.Map) })
	if since, busy := running.LoadOrStore(key, time.Now()); busy {
		return none, fmt.Errorf("%s: %w: a call begun %.0f s ago has not returned", key, context.DeadlineExceeded, time.Since(since.(time.Time)).Seconds())
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if caught := recover(); caught != nil {
				a.err = fmt.Errorf("%s panicked: %v", key, caught)
			}
			running.Delete(key)
			done <- a
		}()
		a.value, a.err = f()
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		return none, fmt.Errorf("%s: %w", key, ctx.Err())
	}
}

// AnswerBefore is how long before its deadline a probe ends that tells what it has
// seen by then.
const AnswerBefore = 300 * time.Millisecond

// Early ends a probe's time AnswerBefore its deadline. Where there is no deadline
// there is none now.
func Early(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-AnswerBefore))
}

type hanging struct{}

// Missing says whether an error means that there is no such file or process.
func Missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
