package host

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// MountEntry is a line of /proc/PID/mountinfo:
//
//	27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
type MountEntry struct {
	Device       string // major:minor
	Root         string // of the file system, what is mounted here
	Point        string
	Options      string // of this mount
	Type         string
	Source       string
	SuperOptions string // of the file system
}

// ParseMountInfo reads a whole mountinfo, in the order of the file: of two
// mounts on one point the later hides the earlier.
func ParseMountInfo(file []byte) ([]MountEntry, error) {
	var all []MountEntry
	n := 0
	for line := range bytes.Lines(file) {
		n++
		before, after, ok := strings.Cut(strings.TrimRight(string(line), "\n"), " - ")
		if !ok {
			return all, fmt.Errorf("mountinfo, line %d: expected \" - \" before the file system type", n)
		}
		left, right := strings.Fields(before), strings.Split(after, " ")
		if len(left) < 6 {
			return all, fmt.Errorf("mountinfo, line %d: expected 6 fields before \" - \", there are %d", n, len(left))
		}
		if len(right) < 3 {
			return all, fmt.Errorf("mountinfo, line %d: expected 3 fields after \" - \", there are %d", n, len(right))
		}
		if major, minor, ok := strings.Cut(left[2], ":"); !ok || major == "" || minor == "" {
			return all, fmt.Errorf("mountinfo, line %d: device: expected major:minor: %q", n, left[2])
		}
		all = append(all, MountEntry{
			Device: left[2], Root: unescape(left[3]), Point: unescape(left[4]), Options: left[5],
			Type: right[0], Source: unescape(right[1]), SuperOptions: right[2],
		})
	}
	return all, nil
}

// unescape undoes the kernel's \ooo for blank, tab, newline and backslash.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func octal(c byte) bool { return '0' <= c && c <= '7' }

// mountOf is the mount that holds a path: the longest point above it, the last
// of equals.
func mountOf(mounts []MountEntry, path string) (MountEntry, bool) {
	path = filepath.Clean(path)
	at := -1
	for i, m := range mounts {
		point := strings.TrimSuffix(m.Point, "/")
		if path != m.Point && path != point && !strings.HasPrefix(path, point+"/") {
			continue
		}
		if at < 0 || len(m.Point) >= len(mounts[at].Point) {
			at = i
		}
	}
	if at < 0 {
		return MountEntry{}, false
	}
	return mounts[at], true
}
