package polite

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	windowSize = 4 << 20   // the kernel drops less than that only piece by piece, if at all
	blockSize  = 256 << 10 // in which a window is looked at that is partly cached
	blocks     = windowSize / blockSize
)

// window is the part of a file that is being read, and what of it was not in the
// page cache before.
type window struct {
	start, size int64 // size -1: none is entered
	cold        [blocks]bool
}

// enter looks at the windows that a range lies in before it is read; false when
// the kernel does not tell what is cached.
func (w *window) enter(f *os.File, at, n int64) bool {
	start := at / windowSize * windowSize
	end := (at + n + windowSize - 1) / windowSize * windowSize
	if w.size > 0 && start >= w.start && end <= w.start+w.size {
		return true
	}
	w.leave(f)
	if start+windowSize < end { // a range across a border is rare: both are looked at as one
		end = start + 2*windowSize
	}
	w.start, w.size = start, end-start
	cached, ok := resident(f, w.start, w.size)
	if !ok {
		w.size = -1
		return false
	}
	w.cold = [blocks]bool{}
	block := w.size / blocks
	for i := range w.cold {
		w.cold[i] = cached == 0
		if cached > 0 {
			n, ok := resident(f, w.start+int64(i)*block, block)
			w.cold[i] = ok && n == 0
		}
	}
	return true
}

// leave drops what was cold.
func (w *window) leave(f *os.File) {
	if w.size <= 0 {
		return
	}
	block := w.size / blocks
	for i := 0; i < blocks; {
		j := i
		for j < blocks && w.cold[j] {
			j++
		}
		if j > i {
			unix.Fadvise(int(f.Fd()), w.start+int64(i)*block, int64(j-i)*block, unix.FADV_DONTNEED)
		}
		i = j + 1
	}
	runtime.KeepAlive(f)
	w.size = -1
}

// resident is how many pages of a range are in the page cache.
func resident(f *os.File, at, n int64) (pages uint64, ok bool) {
	var seen unix.Cachestat_t
	err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Off: uint64(at), Len: uint64(n)}, &seen, 0)
	runtime.KeepAlive(f)
	return seen.Cache, err == nil
}
