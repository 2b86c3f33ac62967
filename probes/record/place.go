package record

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

const (
	minFree  = 100 << 20
	patience = time.Second // for a file system to answer: a dead one never does
)

var stat = os.Stat // another one in tests: a disk that hangs

// Refuse says why nothing may be written to a path: it lies below a broker's log
// dir, whatever links and mounts lead there, or its file system has no room or
// does not answer within a second. Nil: it may.
func Refuse(path string, dirs []string) error {
	if err := Below(path, dirs); err != nil {
		return err
	}
	if err := room(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write to %s: %w", path, err)
	}
	return nil
}

// Below is Refuse for files so small that no room need be kept.
func Below(path string, dirs []string) error {
	at, err := locate(path)
	if err != nil {
		return fmt.Errorf("write to %s: %w", path, err)
	}
	for _, dir := range dirs {
		if at.below(dir) {
			return fmt.Errorf("write to %s: that is below the log dir %s of a broker", path, dir)
		}
	}
	return nil
}

// Shares is the first of the log dirs that lie on the file system which a path
// would be written to; empty: none, as far as the disks answer.
func Shares(path string, dirs []string) string {
	at, err := locate(path)
	if err != nil || len(at.above) == 0 {
		return ""
	}
	for _, dir := range dirs {
		info, err := answered(dir)
		if err == nil && device(info) == device(at.above[0]) {
			return dir
		}
	}
	return ""
}

// place is where a file would come to lie.
type place struct {
	names []string      // absolute, as given and with links resolved
	above []os.FileInfo // the directories above it, nearest first
}

// locate looks up the directories above a path. Where some do not exist, so be
// it: nothing can be written there.
func locate(path string) (place, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return place{}, err
	}
	look := stat
	return within(filepath.Dir(abs), func() (place, error) {
		at := place{names: []string{abs}}
		dir := filepath.Dir(abs)
		info, err := look(dir)
		if err != nil {
			return at, nil
		}
		at.above = append(at.above, info)
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
			at.names = append(at.names, filepath.Join(dir, filepath.Base(abs)))
		}
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if info, err := look(filepath.Dir(dir)); err == nil {
				at.above = append(at.above, info)
			}
		}
		return at, nil
	})
}

// below says whether a directory is one of those above. Of one that does not
// answer only the name is known.
func (p place) below(dir string) bool {
	if info, err := answered(dir); err == nil {
		for _, above := range p.above {
			if os.SameFile(above, info) {
				return true
			}
		}
	}
	for _, name := range p.names {
		if strings.HasPrefix(name, strings.TrimSuffix(filepath.Clean(dir), "/")+"/") {
			return true
		}
	}
	return false
}

// answered is what a directory is, if its disk says so in time.
func answered(dir string) (os.FileInfo, error) {
	look := stat
	return within(dir, func() (os.FileInfo, error) { return look(dir) })
}

// within calls f and leaves it behind when the file system hangs.
func within[T any](name string, f func() (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v, err := probe.Within(ctx, &probe.Target{}, name, f)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s does not answer within %s", name, patience)
	}
	return v, err
}

func device(info os.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}

// room says why nothing more may be written to the file system of a directory.
func room(dir string) error {
	fs, err := within(dir, func() (fs unix.Statfs_t, err error) { return fs, unix.Statfs(dir, &fs) })
	if err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	return enough(uint64(fs.Bavail)*uint64(fs.Bsize), uint64(fs.Blocks)*uint64(fs.Bsize))
}

func enough(free, total uint64) error {
	if free < minFree {
		return fmt.Errorf("only %d MiB free on its file system, 100 are kept free", free>>20)
	}
	if free < total/20 {
		return fmt.Errorf("only %d %% free on its file system, 5 are kept free", free*100/total)
	}
	return nil
}
