package host

import (
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// rivals is the running processes, oldest first, that bear the node id of another one although
// neither properties nor log dirs are the same: they belong to different
// clusters. Facts are told by node id, so both cannot be looked at together.
func rivals(running []found) []fact.LocalBroker {
	var all []fact.LocalBroker
	for i, f := range running {
		again := slices.ContainsFunc(running[:i], func(o found) bool { return f.NodeID == o.NodeID && same(f, o) })
		other := slices.ContainsFunc(running, func(o found) bool { return f.NodeID == o.NodeID && !same(f, o) })
		if f.NodeID >= 0 && other && !again {
			all = append(all, f.LocalBroker)
		}
	}
	return all
}

// same says whether two processes are one broker that was started twice: the
// younger one will fail on the lock of the log dir.
func same(a, b found) bool {
	return a.Config == b.Config || slices.ContainsFunc(a.LogDirs, func(dir string) bool { return slices.Contains(b.LogDirs, dir) })
}
