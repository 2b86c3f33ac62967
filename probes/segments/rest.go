package segments

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// The rest: every segment of this host's brokers that no look within the budget
// has found sound, verified on the operator's word. It only remembers, for
// segments.scan to tell: what is sound is not read again, and what is damaged is
// read first.

// resting tells how far the rest is. It reads nothing itself.
var resting = &probe.Probe{
	Name:    "segments.rest",
	Doc:     "how far the verification of all segments is, which the operator starts in the console",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Yields:  []fact.Key{fact.SegmentsRest},
	Observe: observeRest,
}

type restKey struct{}

// rest is the run of a target, by log dir.
type rest struct {
	mu      sync.Mutex
	cancel  context.CancelFunc
	running bool
	dirs    []fact.Subject
	of      map[fact.Subject]*fact.RestOfScan
}

func restOf(t *probe.Target) *rest {
	return probe.Shared(t, restKey{}, func() *rest { return &rest{of: map[fact.Subject]*fact.RestOfScan{}} })
}

// Close stops the run.
func (r *rest) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancel()
	}
	return nil
}

// StartRest begins to verify all segments in the log dirs of the target's brokers,
// one dir after the other, unless that runs already. found is called when a
// segment turned out damaged and when a dir is done; it may be nil.
func StartRest(t *probe.Target, found func()) {
	r := restOf(t)
	var dirs []fact.Subject
	var paths []string
	for _, b := range t.Brokers() { // before locking: closing the target locks in the other order
		for _, dir := range b.LogDirs {
			dirs, paths = append(dirs, fact.LogDirOf(b.NodeID, dir)), append(paths, t.PathOf(b.PID, dir))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running {
		return
	}
	if found == nil {
		found = func() {}
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	r.running, r.dirs = true, dirs
	for _, s := range dirs {
		r.of[s] = &fact.RestOfScan{State: fact.RestWaits}
	}
	go func() {
		defer func() {
			r.mu.Lock()
			r.running = false
			r.mu.Unlock()
			found()
		}()
		for i, s := range dirs {
			r.verify(ctx, t, s, paths[i], found)
			found()
		}
	}()
}

// StopRest ends it at once.
func StopRest(t *probe.Target) { restOf(t).Close() }

// verify verifies what is left of one log dir.
func (r *rest) verify(ctx context.Context, t *probe.Target, s fact.Subject, path string, found func()) {
	known := probe.Shared(t, knownKey{path}, newKnownDir)
	before := known.bytes()
	r.set(s, func(now *fact.RestOfScan) { now.State, now.Began = fact.RestRuns, t.Now() })
	o := Options{Rate: scanRate * 3 / 4, Workers: 1, Stamped: true, Done: known.verified}
	o.Found = known.note
	o.Finished = func(seg Segment, sound bool) {
		known.remember(seg, sound)
		if !sound {
			t.Suspects.Add("damaged, says the verification of all segments", filepath.Base(filepath.Dir(seg.File)))
			found()
		}
	}
	o.Progress = func(p Progress) {
		r.set(s, func(now *fact.RestOfScan) {
			now.Partitions, now.AllPartitions, now.Bytes, now.AllBytes = p.Partitions, p.AllPartitions, before+p.Bytes, max(p.AllBytes, before+p.Bytes)
			now.Rate, now.Left, now.Paused = p.Rate, -1, p.Paused
			if left := now.AllBytes - now.Bytes; p.Rate > 0 && p.Left > 0 {
				now.Left = float64(left) / p.Rate
			}
		})
	}
	report, err := Scan(ctx, t, []string{path}, o)
	if report != nil {
		known.mu.Lock()
		known.add(report.Topics)
		known.mu.Unlock()
	}
	r.set(s, func(now *fact.RestOfScan) {
		now.Ended, now.Left, now.Paused = t.Now(), 0, false
		switch {
		case err == nil:
			now.State, now.Partitions = fact.RestDone, report.Summary.Partitions
			now.Bytes = before + report.Summary.Bytes
			now.AllPartitions, now.AllBytes = now.Partitions, now.Bytes
		case errors.Is(err, context.Canceled):
			now.State = fact.RestStopped
		default:
			now.State, now.Error = fact.RestFailed, probe.Because(err).Detail
		}
	})
}

func (r *rest) runs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running
}

func (r *rest) set(s fact.Subject, change func(*fact.RestOfScan)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r.of[s])
}

// bytes is of the segments that were found sound.
func (k *knownDir) bytes() (n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sound {
		n += s.Bytes
	}
	return n
}

func observeRest(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	r := restOf(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	var seen []fact.Observation
	for _, s := range r.dirs {
		seen = append(seen, fact.SegmentsRest.Is(s, *r.of[s]))
	}
	return seen, nil
}
