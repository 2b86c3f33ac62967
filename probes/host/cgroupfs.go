package host

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// cgroup is where one controller keeps the cgroup of a process.
type cgroup struct {
	top   string // where the hierarchy is mounted
	below string // the cgroup in it: "/kafka/broker1"; "/" is the hierarchy's root
	v2    bool
}

// chain is the directories of the cgroup and of those above it, its own first.
// The hierarchy's root comes last: it limits nothing.
func (c cgroup) chain() []string {
	var dirs []string
	for p := c.below; ; p = path.Dir(p) {
		dirs = append(dirs, path.Join(c.top, p))
		if p == "/" || p == "." {
			return dirs
		}
	}
}

// isRoot says whether the cgroup is the hierarchy's root.
func (c cgroup) isRoot() bool { return c.below == "/" }

// Membership is a line of /proc/PID/cgroup.
type Membership struct {
	Controllers []string // of cgroup v1; none: the line of cgroup v2
	Path        string
}

// ParseCgroup reads /proc/PID/cgroup:
//
//	4:memory:/kafka/broker1
//	2:cpu,cpuacct:/
//	0::/system.slice/kafka.service
func ParseCgroup(file []byte) ([]Membership, error) {
	var all []Membership
	n := 0
	for line := range bytes.Lines(file) {
		n++
		parts := strings.SplitN(strings.TrimRight(string(line), "\n"), ":", 3)
		if len(parts) < 3 || !strings.HasPrefix(parts[2], "/") {
			return nil, fmt.Errorf("cgroup, line %d: expected NUMBER:CONTROLLERS:/PATH: %q", n, cut(string(line), 80))
		}
		m := Membership{Path: strings.TrimSuffix(parts[2], " (deleted)")}
		if parts[1] != "" {
			m.Controllers = strings.Split(parts[1], ",")
		}
		all = append(all, m)
	}
	return all, nil
}

// locate finds the cgroup that a controller ("cpu", "memory", "pids", "freezer",
// "blkio"; v2 calls the last two "" and "io") has for a process. Hybrid hosts have
// hierarchies of both versions: that of v1 is the one in force for the controllers
// that it holds.
func locate(controller string, in []Membership, mounts []MountEntry) (cgroup, error) {
	for _, m := range in {
		for _, c := range m.Controllers {
			if c != controller {
				continue
			}
			for _, mount := range mounts {
				if mount.Type == "cgroup" && hasOption(mount.SuperOptions, controller) {
					return placed(mount, m.Path, false)
				}
			}
		}
	}
	for _, m := range in {
		if m.Controllers != nil {
			continue
		}
		for _, mount := range mounts {
			if mount.Type == "cgroup2" {
				return placed(mount, m.Path, true)
			}
		}
	}
	return cgroup{}, probe.Fail(fact.NotSupported, "no cgroup file system with the controller "+controller+" is mounted", "")
}

// placed is a cgroup below a mount. What is mounted may itself be a cgroup, as in
// a container; a path that leads out of it cannot be seen from here.
func placed(mount MountEntry, name string, v2 bool) (cgroup, error) {
	below := path.Clean(name)
	if mount.Root != "/" {
		rest, inside := strings.CutPrefix(below, mount.Root)
		if !inside || rest != "" && rest[0] != '/' {
			return cgroup{}, outside(name)
		}
		below = path.Clean("/" + rest)
	}
	if strings.HasPrefix(name, "/..") {
		return cgroup{}, outside(name)
	}
	return cgroup{mount.Point, below, v2}, nil
}

func outside(name string) error {
	return probe.Fail(fact.NotAllowed, "the broker's cgroup "+name+" is outside what this process sees", "run ktriage on the host itself, not in a container")
}

func hasOption(options, name string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == name {
			return true
		}
	}
	return false
}
