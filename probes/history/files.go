// Package history reads what Kafka notes about itself on this node's disk: the
// metadata log of the quorum, and what coordinators note of groups and
// transactions. It tells what changed and when, also with every broker dead.
package history

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// MetadataDir is the name of the directory of the metadata log.
const MetadataDir = "__cluster_metadata-0"

// segment is one file of a log.
type segment struct {
	path  string
	base  int64
	bytes int64
	mtime time.Time
}

// snapshot is the state of all before an offset.
type snapshot struct {
	path  string
	end   int64 // the first offset that it does not contain
	epoch int32
	bytes int64
}

// listing is what the directory of a log holds, by offset.
type listing struct {
	segments  []segment
	snapshots []snapshot
}

func list(t *probe.Target, dir string) (*listing, error) {
	f, err := t.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list log: %w", err)
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("list log %s: %w", dir, err)
	}
	l := &listing{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if base, ok := segmentBase(e.Name()); ok {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue // deleted meanwhile
			}
			l.segments = append(l.segments, segment{path, base, info.Size(), info.ModTime()})
		}
		if end, epoch, ok := snapshotName(e.Name()); ok {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			l.snapshots = append(l.snapshots, snapshot{path, end, epoch, info.Size()})
		}
	}
	slices.SortFunc(l.segments, func(a, b segment) int { return strings.Compare(a.path, b.path) })
	slices.SortFunc(l.snapshots, func(a, b snapshot) int { return strings.Compare(a.path, b.path) })
	return l, nil
}

// segmentBase reads 00000000000000000042.log.
func segmentBase(name string) (int64, bool) {
	digits, ok := strings.CutSuffix(name, ".log")
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil
}

// snapshotName reads 00000000000000000042-0000000003.checkpoint.
func snapshotName(name string) (end int64, epoch int32, ok bool) {
	stem, ok := strings.CutSuffix(name, ".checkpoint")
	a, b, dash := strings.Cut(stem, "-")
	if !ok || !dash || len(a) != 20 || len(b) != 10 {
		return 0, 0, false
	}
	n, err1 := strconv.ParseUint(a, 10, 63)
	e, err2 := strconv.ParseUint(b, 10, 31)
	return int64(n), int32(e), err1 == nil && err2 == nil
}
