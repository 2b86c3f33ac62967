package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// Probes is the probes of this package.
var Probes = []*probe.Probe{metadataLog, coordinatorLogs}

// metadataLog tells what this host's metadata log does: whole at the first look,
// then what has come since.
var metadataLog = &probe.Probe{
	Name:    "disk.metadata",
	Doc:     "the metadata log of a node on this host: the cluster as last known, and what changed",
	Cost:    probe.Free,
	Every:   10 * time.Second,
	Yields:  metadataKeys,
	Observe: observeMetadata,
}

var metadataKeys = []fact.Key{fact.LastSeen, fact.Changed, fact.LeaderChanges, fact.ISRShrinks, fact.Standing}

const (
	told    = 6 * time.Hour // of changes
	logRate = 200e6         // bytes a second
	again   = time.Minute   // until a damaged log is read anew
)

// place is where a node of this host may have its metadata log.
type place struct {
	node int32 // -1: not known
	dir  string
}

// follower is the log that is read, between two looks.
type follower struct {
	place
	log   *Log
	since time.Time // the log was begun

	moved int64 // what the facts below were made of
	facts facts
}

type followerKey struct{}

func observeMetadata(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	ctx, cancel := probe.Early(ctx)
	defer cancel()
	places, because := placesOf(t)
	if because != nil { // no failure: there is nothing to read
		var all []fact.Observation
		for _, k := range metadataKeys {
			all = append(all, fact.UnknownEverywhere(k, because))
		}
		return all, nil
	}
	if len(t.Brokers()) > 0 { // a copy that is only named may be another cluster's
		defer t.Roll.Begin()()
	}
	return probe.Within(ctx, t, "read the metadata log", func() ([]fact.Observation, error) {
		f := probe.Shared(t, followerKey{}, func() *follower { return &follower{} })
		all, err := f.look(ctx, t, places)
		if err == nil && len(t.Brokers()) > 0 {
			t.Roll.Tell(f.node, rollOf(f.log.Cluster))
		}
		return all, err
	})
}

// placesOf is where to look, by node, or why there is nowhere.
func placesOf(t *probe.Target) ([]place, *fact.Unknown) {
	var all []place
	quorum := false
	for _, b := range t.Brokers() {
		quorum = quorum || b.Roles != ""
		for _, dir := range append([]string{b.MetaDir}, b.LogDirs...) {
			if dir != "" {
				all = append(all, place{b.NodeID, filepath.Join(t.PathOf(b.PID, dir), MetadataDir)})
			}
		}
	}
	if len(all) == 0 { // with brokers here, theirs: a copy named beside them may be another cluster's
		for _, dir := range t.LogDirs {
			quorum = true
			all = append(all, place{-1, filepath.Join(dir, MetadataDir)})
		}
	}
	switch {
	case len(all) == 0:
		return nil, &fact.Unknown{Reason: fact.NotObserved, Detail: "no node of a cluster is on this host"}
	case !quorum:
		return nil, &fact.Unknown{Reason: fact.Absent, Detail: "there is no metadata log with ZooKeeper"}
	}
	return all, nil
}

// look reads on in the log that has come furthest.
func (f *follower) look(ctx context.Context, t *probe.Target, places []place) ([]fact.Observation, error) {
	best, err := furthest(t, places, f.dir)
	if err != nil {
		return nil, err
	}
	if f.log == nil || best.dir != f.dir || f.log.broken && t.Now().Sub(f.since) > again {
		*f = follower{place: best, since: t.Now(), moved: -1}
		f.log, err = Read(ctx, t, best.dir, Options{Since: told, Rate: logRate})
	} else {
		f.log.target, f.log.pace = t, polite.NewPace(t, logRate)
		err = f.log.Advance(ctx)
	}
	switch {
	case errors.Is(err, errBack): // begun anew at the next look
		f.log = nil
		return nil, probe.Fail(fact.NotYet, err.Error(), "wait for the next sample")
	case err != nil:
		return nil, tooMuch(err)
	}
	return f.observe(), nil
}

// tooMuch is the error of a look that has not come to the log's end.
func tooMuch(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return probe.Fail(fact.TimedOut, "the metadata log was not read to its end in time; the next look goes on from there", "ktriage history, or a longer --timeout")
	}
	return err
}

// furthest is the copy with most in it: the nodes of a host have copies of one
// log. The one that is read already stays unless another is ahead by much.
func furthest(t *probe.Target, places []place, reading string) (best place, err error) {
	const much = 64 << 10
	var base, bytes int64 = -1, 0
	var because error
	for _, p := range places {
		files, err := list(t, p.dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // in another log dir
		}
		if err != nil || len(files.segments) == 0 {
			because = cmp.Or(because, err)
			continue
		}
		last := files.segments[len(files.segments)-1]
		b, n := last.base, last.bytes
		if p.dir == reading {
			n += much
		}
		if b > base || b == base && n > bytes {
			best, base, bytes = p, b, n
		}
	}
	switch {
	case best.dir != "":
		return best, nil
	case because != nil:
		return best, because
	}
	dirs := make([]string, 0, len(places))
	for _, p := range places {
		dirs = append(dirs, filepath.Dir(p.dir))
	}
	return best, probe.Fail(fact.NotObserved, fmt.Sprintf("no %s in %s", MetadataDir, strings.Join(slices.Compact(dirs), ", ")), "--log-dir with the node's metadata.log.dir")
}
