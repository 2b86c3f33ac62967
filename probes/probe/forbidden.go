package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// forbidden is the error of a file that this user may not open, with who may.
type forbidden struct {
	err error
	how string
}

func (f *forbidden) Error() string { return f.err.Error() }
func (f *forbidden) Unwrap() error { return f.err }

// forbid adds to an error of opening a file who may open it; other errors stay.
func (t *Target) forbid(name string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	how := "run as the broker's user, or root"
	if who := whoMay(name, t.userName); who != "" {
		how = "run as " + who
	}
	return &forbidden{err, how}
}

// whoMay says who may read a file: whoever owns it, or the directory on the way
// to it that is closed; "" when nothing on the way can be looked at.
func whoMay(name string, userName func(uid uint32) string) string {
	for at := filepath.Clean(name); ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err == nil {
			s, ok := info.Sys().(*syscall.Stat_t)
			switch {
			case !ok:
				return ""
			case s.Uid == 0:
				return "root"
			}
			return userName(s.Uid) + " (who owns " + at + "), or root"
		}
		if !errors.Is(err, fs.ErrPermission) || at == filepath.Dir(at) {
			return ""
		}
	}
}

// userName is the name of a user, "user 4711" where it has none here.
func (t *Target) userName(uid uint32) string {
	if name := t.UserName(uid); name != "" {
		return name
	}
	return fmt.Sprintf("user %d", uid)
}

// UserName is the name of a user, "" where it has none here.
func (t *Target) UserName(uid uint32) string {
	t.Ledger.Note("open", "/etc/passwd", 0, 0)
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}
