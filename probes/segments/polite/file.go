package polite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// File is a file of others, read politely. It is not for several goroutines at a
// time.
type File struct {
	Name   string
	f      *os.File
	opened os.FileInfo
	ctx    context.Context
	target *probe.Target
	pace   *Pace
	method method
	window window
	vector [1][]byte
	bytes  int64
	begun  time.Time
}

// method is how the page cache is left as it was found.
type method int32

const (
	dontCache method = iota // the kernel drops what it had to read: Linux 6.14, where the file system can
	byWindow                // drop what was cold before: Linux 6.5
	leave                   // neither is to be had: what is read stays until the kernel needs the room
)

// missing are the methods that this kernel has not got at all.
var missing [leave]atomic.Bool

// Open opens a file to be read within the context, at the pace.
func Open(ctx context.Context, t *probe.Target, name string, pace *Pace) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := t.OpenNoFollow(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: not a regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	file := &File{Name: name, f: f, opened: info, ctx: ctx, target: t, pace: pace, window: window{size: -1}, begun: time.Now()}
	if missing[dontCache].Load() {
		file.fallBack()
	}
	return file, nil
}

// Size is how many bytes the file had when it was opened.
func (f *File) Size() int64 { return f.opened.Size() }

// Stat is what the file is now.
func (f *File) Stat() (os.FileInfo, error) { return f.f.Stat() }

// Close lets go of the file, and of what of it was brought into the page cache.
func (f *File) Close() error {
	f.window.leave(f.f)
	f.target.Ledger.Note("read", f.Name, f.bytes, time.Since(f.begun))
	return f.f.Close()
}

// NextData is the first position from at on where the file is not a hole, and
// false where none comes. A file system that does not know calls all of it data.
func (f *File) NextData(at int64) (int64, bool) {
	next, err := unix.Seek(int(f.f.Fd()), at, unix.SEEK_DATA)
	runtime.KeepAlive(f.f)
	if err != nil {
		return at, !errors.Is(err, unix.ENXIO)
	}
	return next, true
}

// ReadAt is io.ReaderAt.
func (f *File) ReadAt(p []byte, at int64) (int, error) {
	total := 0
	for total < len(p) {
		piece := p[total:min(len(p), total+1<<20)]
		if err := f.pace.Wait(f.ctx, len(piece)); err != nil {
			return total, err
		}
		n, err := f.read(piece, at+int64(total))
		total += n
		f.bytes += int64(n)
		if err != nil {
			return total, fmt.Errorf("read %s at %d: %w", f.Name, at+int64(total), err)
		}
		if n == 0 {
			return total, io.EOF
		}
	}
	return total, nil
}

func (f *File) read(p []byte, at int64) (int, error) {
	for {
		n, err := f.once(p, at)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case f.method == dontCache && (errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL)):
			missing[dontCache].Store(errors.Is(err, unix.ENOSYS))
			f.fallBack()
			continue
		}
		return max(n, 0), err
	}
}

func (f *File) once(p []byte, at int64) (int, error) {
	defer runtime.KeepAlive(f.f)
	if f.method == dontCache {
		f.vector[0] = p
		return unix.Preadv2(int(f.f.Fd()), f.vector[:], at, unix.RWF_DONTCACHE)
	}
	if f.method == byWindow && !f.window.enter(f.f, at, int64(len(p))) {
		f.method = leave
	}
	return unix.Pread(int(f.f.Fd()), p, at)
}

// fallBack takes the next best method. Reading ahead would bring in what no
// window has looked at before.
func (f *File) fallBack() {
	f.method = byWindow
	unix.Fadvise(int(f.f.Fd()), 0, 0, unix.FADV_RANDOM)
	runtime.KeepAlive(f.f)
}

// Background makes the calling goroutine's reads wait for those of everybody
// else on the same disk. The goroutine keeps its thread to itself until it ends.
func Background() {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	const whoThread, idleClass = 1, 3 << 13
	unix.Syscall(unix.SYS_IOPRIO_SET, whoThread, 0, idleClass)
}
