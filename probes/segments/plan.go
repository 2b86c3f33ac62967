package segments

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ktriage/ktriage/probes/probe"
)

// plan is which segments of a log dir to verify now.
type plan struct {
	chosen   map[string]bool // by file
	order    []string        // the partitions' directories that the chosen ones are in, the most urgent first
	present  map[string]bool
	segments int // there are
	bytes    int64
}

// candidate is a segment that could be verified.
type candidate struct {
	Segment
	closed bool
	rank   int // those of a lower one come first
}

// Ranks of candidates.
const (
	wasDamaged = iota // found damaged by an earlier look
	suspected         // of a partition that something points at, the newest suspects first
)

// choose chooses segments that no run has found sound, up to a number of bytes
// (below 0: all): what was damaged, the target's suspects, the newest closed ones,
// then those that are written to.
func choose(ctx context.Context, t *probe.Target, dir string, known *knownDir, budget int64) (*plan, error) {
	f, err := t.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list log dir: %w", err)
	}
	defer f.Close()
	p := &plan{chosen: map[string]bool{}, present: map[string]bool{}}
	var all []candidate
	quiet := &probe.Target{Root: t.Root}
	suspects := t.Suspects.All()
	rankOf := make(map[string]int, len(suspects))
	for i, s := range suspects {
		rankOf[s.Partition] = suspected + i
	}
	for ctx.Err() == nil {
		entries, err := f.ReadDir(512)
		if len(entries) == 0 || err != nil {
			break
		}
		for _, e := range entries {
			if ctx.Err() != nil {
				break // there is more than can be listed in time
			}
			if _, kind := parseDirName(e.Name()); kind == partitionDir || kind == metadataDir {
				rank, ok := rankOf[e.Name()]
				if !ok {
					rank = suspected + len(suspects)
				}
				all = p.consider(quiet, filepath.Join(dir, e.Name()), rank, known, all)
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		if a.closed != b.closed {
			if a.closed {
				return -1
			}
			return 1
		}
		return cmp.Or(b.MTime.Compare(a.MTime), cmp.Compare(a.File, b.File))
	})
	met := map[string]bool{}
	for _, c := range all {
		if budget >= 0 && c.Bytes > budget {
			continue
		}
		if budget >= 0 {
			budget -= c.Bytes
		}
		p.chosen[c.File] = true
		if name := filepath.Base(filepath.Dir(c.File)); !met[name] {
			met[name] = true
			p.order = append(p.order, name)
		}
	}
	return p, nil
}

// consider adds the segments of a partition that are not known to be sound.
func (p *plan) consider(t *probe.Target, dir string, rank int, known *knownDir, all []candidate) []candidate {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return all
	}
	l, err := list(t, dir)
	if err != nil {
		return all // the scan says so
	}
	for i, f := range l.segments {
		s := Segment{filepath.Join(dir, fmt.Sprintf("%020d%s", f.base, suffixLog)), f.size, f.mtime}
		p.segments++
		p.bytes += f.size
		p.present[s.File] = true
		if !known.verified(s) {
			c := candidate{s, i < len(l.segments)-1, rank}
			if known.wasDamaged(s) {
				c.rank = wasDamaged
			}
			all = append(all, c)
		}
	}
	return all
}
