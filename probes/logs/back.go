package logs

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

const (
	// lookBack is how much of a log, with its rolled predecessors, is read at first
	// whatever its age; and at most at a time afterwards.
	lookBack = 4 << 20
	// lookFar bounds what is read at first of a log that is busy: a fault that
	// writes a thousand lines a second has its first exception far behind.
	lookFar = 64 << 20
	// lookSpan is the time back from the last line that is worth lookFar.
	lookSpan = 6 * time.Hour
)

// part is a file of a log, and where in it reading begins.
type part struct {
	name string
	info os.FileInfo
	from int64
}

// back is what to read of the predecessors of a log that nobody has read before,
// oldest first, and where in the log itself to begin.
func (f *tail) back(t *probe.Target, path string, file *os.File, info os.FileInfo) (older []part, from int64) {
	floor := info.ModTime().Add(-lookSpan)
	from = f.beginning(file, info.Size(), lookBack, lookFar, floor)
	read := info.Size()
	for _, p := range predecessors(path) {
		if from > 0 || read >= lookFar || read >= lookBack && p.info.ModTime().Before(floor) {
			break
		}
		if from = p.open(t, func(file *os.File) int64 {
			return f.beginning(file, p.info.Size(), lookBack-read, lookFar-read, floor)
		}); from < 0 {
			break // as if it had been deleted, and those before it with it
		}
		read += p.info.Size() - from
		older = append(older, part{p.name, p.info, from})
	}
	slices.Reverse(older)
	if len(older) > 0 {
		from = 0
	}
	return older, from
}

// open has a function look into a part; -1 where it cannot be opened.
func (p part) open(t *probe.Target, look func(*os.File) int64) int64 {
	file, err := t.Open(p.name)
	if err != nil {
		return -1
	}
	defer file.Close()
	return look(file)
}

// beginning is where to begin in a file: not before its last most bytes, nor before
// floor, where this leaves the last least bytes. Lines are in the order of time, so
// that it is searched for by halves.
func (f *tail) beginning(file *os.File, size, least, most int64, floor time.Time) int64 {
	begin, end := max(0, size-most), max(0, size-max(0, least))
	const grain = 64 << 10
	steps := int((end - begin) / grain)
	n := sort.Search(steps, func(i int) bool {
		at, ok := f.timeAt(file, begin+int64(i)*grain)
		return ok && !at.Before(floor)
	})
	if n == steps {
		return end
	}
	return begin + int64(max(0, n-1))*grain
}

// timeAt is the time of the first whole line behind an offset of a file that has
// one, not far from there.
func (f *tail) timeAt(file *os.File, offset int64) (time.Time, bool) {
	b := make([]byte, 16<<10)
	n, _ := file.ReadAt(b, offset)
	b = b[:n]
	l, ok := layoutOf(b)
	if !ok {
		return time.Time{}, false
	}
	if offset > 0 {
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	if l.json {
		b = plain(b)
	}
	i := l.nextHead(b, 0)
	if i < 0 {
		return time.Time{}, false
	}
	return l.time(b[i:], f.scan.zone)
}

// predecessors is the rolled files of a log, newest first.
func predecessors(path string) []part {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var all []part
	for _, e := range entries {
		if !rolledFrom(filepath.Base(path), e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, part{name: filepath.Join(filepath.Dir(path), e.Name()), info: info})
		}
	}
	slices.SortFunc(all, func(a, b part) int {
		return cmp.Or(b.info.ModTime().Compare(a.info.ModTime()), cmp.Compare(a.name, b.name))
	})
	return all
}
