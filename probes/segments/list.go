package segments

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// readSmall reads a small file of others as a whole.
func readSmall(ctx context.Context, t *probe.Target, name string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.ReadFile(name, limit)
}

// file is one of a partition that its name does not put beside a segment.
type file struct {
	name    string
	size    int64
	changed time.Time // when its name or content last changed
}

// segmentFile is a segment's log.
type segmentFile struct {
	base  int64
	size  int64
	mtime time.Time
	has   map[string]int // suffixes of the files beside it, 1 each
}

// listing is what a partition's directory holds.
type listing struct {
	segments  []segmentFile // by offset
	orphans   []file        // indexes without a log
	snapshots []file
	transient []file // .deleted, .cleaned, .swap
	others    []file
	small     map[string]bool // of the files that a partition has one of, those there are
}

var smallFiles = []string{"leader-epoch-checkpoint", "partition.metadata", "quorum-state"}

// list lists a partition. Files that go while it looks are not there.
func list(t *probe.Target, dir string) (*listing, error) {
	f, err := t.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	l := &listing{small: map[string]bool{}}
	beside := map[int64]map[string]int{}
	var indexes []string
	for _, name := range names {
		n, ok := parseFileName(name)
		switch {
		case slices.Contains(smallFiles, name):
			l.small[name] = true
		case !ok || n.transient != "" || n.suffix == suffixSnapshot:
			l.place(f, dir, name, n, ok)
		case n.suffix == suffixLog:
			if st, ok := statAt(f, name); ok {
				l.segments = append(l.segments, segmentFile{n.base, st.Size, time.Unix(st.Mtim.Unix()), nil})
			}
		default:
			if beside[n.base] == nil {
				beside[n.base] = map[string]int{}
			}
			beside[n.base][n.suffix] = 1
			indexes = append(indexes, name)
		}
	}
	slices.SortFunc(l.segments, func(a, b segmentFile) int { return int(min(1, max(-1, a.base-b.base))) })
	logs := map[int64]bool{}
	for i := range l.segments {
		s := &l.segments[i]
		logs[s.base], s.has = true, beside[s.base]
	}
	for _, name := range indexes {
		if n, _ := parseFileName(name); !logs[n.base] {
			l.place(f, dir, name, n, true)
		}
	}
	return l, nil
}

// place puts a file into the list it belongs to.
func (l *listing) place(dir *os.File, path, name string, n fileName, ours bool) {
	st, ok := statAt(dir, name)
	if !ok {
		return
	}
	f := file{filepath.Join(path, name), st.Size, time.Unix(st.Ctim.Unix())}
	switch {
	case !ours:
		l.others = append(l.others, f)
	case n.transient != "":
		l.transient = append(l.transient, f)
	case n.suffix == suffixSnapshot:
		l.snapshots = append(l.snapshots, f)
	default:
		l.orphans = append(l.orphans, f)
	}
}

// statAt is the state of a file in an open directory; false when it is gone.
func statAt(dir *os.File, name string) (st unix.Stat_t, ok bool) {
	for {
		err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err != syscall.EINTR {
			return st, err == nil
		}
	}
}
