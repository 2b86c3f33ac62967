package segments

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Probes is the probes of this package.
var Probes = []*probe.Probe{scanning, resting, logsProbe}

const (
	scanRate    = 200e6
	mostDamaged = 50
	mostTopics  = 1000
)

// scanning verifies what the budget of --scan allows, a little more at each run:
// what was damaged or is suspected first, then the newest closed segments.
var scanning = &probe.Probe{
	Name:    "segments.scan",
	Doc:     "segments, indexes and checkpoints in the log dirs of this host: the newest closed ones within --scan",
	Cost:    probe.Cheap,
	Every:   time.Minute,
	Yields:  []fact.Key{fact.SegmentsVerified, fact.SegmentsDamage, fact.SegmentsTopics},
	Observe: observeScan,
}

// known is what earlier runs found out about a log dir.
type knownDir struct {
	mu     sync.Mutex
	sound  map[string]Segment  // verified segments by file, as they were then
	worse  map[string]Segment  // those that the last look at them found damaged
	found  map[string][]Damage // what it found in them
	topics map[string]*Topic
}

func newKnownDir() *knownDir {
	return &knownDir{sound: map[string]Segment{}, worse: map[string]Segment{}, found: map[string][]Damage{}, topics: map[string]*Topic{}}
}

type knownKey struct{ dir string }

func observeScan(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	if t.Scan == 0 {
		return nil, probe.Fail(fact.NotAskedFor, "--scan is 0", "ktriage segments, or --scan 256MiB")
	}
	var all []fact.Observation
	var failed error
	for _, b := range t.Brokers() {
		for _, dir := range b.LogDirs {
			subject := fact.LogDirOf(b.NodeID, dir)
			seen, err := observeDir(ctx, t, t.PathOf(b.PID, dir), subject)
			all = append(all, seen...)
			failed = errors.Join(failed, err)
		}
	}
	return all, failed
}

// observeDir verifies some of one log dir.
func observeDir(ctx context.Context, t *probe.Target, path string, subject fact.Subject) ([]fact.Observation, error) {
	known := probe.Shared(t, knownKey{path}, newKnownDir)
	ctx, cancel := probe.Early(ctx)
	defer cancel()
	listing, enough := ctx, func() {}
	if end, ok := ctx.Deadline(); ok { // half of the time for what there is, half for what is in it
		listing, enough = context.WithTimeout(ctx, time.Until(end)/2)
	}
	defer enough()
	plan, err := probe.Within(ctx, t, "list "+path, func() (*plan, error) { return choose(listing, t, path, known, t.Scan) })
	if err != nil {
		return unseen(subject, probe.Because(err)), err
	}
	rate := int64(scanRate)
	if restOf(t).runs() {
		rate /= 4 // the two together read no faster than one
	}
	o := Options{Rate: rate, Workers: 1, Stamped: true, First: plan.order, Only: func(s Segment) bool { return plan.chosen[s.File] }}
	o.Finished, o.Found = known.remember, known.note
	r, err := Scan(ctx, t, []string{path}, o)
	if r == nil {
		return unseen(subject, probe.Because(err)), err
	}
	r.Damage = append(r.Damage, known.noted(plan, r.Damage)...)
	return known.tell(r, plan, subject, err), nil
}

func unseen(s fact.Subject, because *fact.Unknown) []fact.Observation {
	return []fact.Observation{fact.SegmentsVerified.Unknown(s, because), fact.SegmentsDamage.Unknown(s, because), fact.SegmentsTopics.Unknown(s, because)}
}

func (k *knownDir) remember(s Segment, sound bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if sound {
		k.sound[s.File] = s
		delete(k.worse, s.File)
		delete(k.found, s.File)
	} else {
		k.worse[s.File] = s
		delete(k.sound, s.File)
	}
}

// note keeps what is wrong with a segment, for looks that have no time or budget to
// read it again.
func (k *knownDir) note(s Segment, damage []Damage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.found[s.File]; ok || len(k.found) < mostDamaged {
		k.found[s.File] = slices.Clone(damage)
	}
}

// noted is what earlier looks found in segments that no look has found sound since,
// beside what this one has seen: of those that it did not come to.
func (k *knownDir) noted(p *plan, seen []Damage) (all []Damage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, file := range slices.Sorted(maps.Keys(k.found)) {
		again := slices.ContainsFunc(k.found[file], func(d Damage) bool {
			return slices.ContainsFunc(seen, func(s Damage) bool { return d.same(&s) })
		})
		if _, still := k.worse[file]; still && p.present[file] && !again {
			all = append(all, k.found[file]...)
		}
	}
	return all
}

// wasDamaged says whether the last look at a segment found it damaged. One that was
// written anew since, and not only gone on with, is forgotten.
func (k *knownDir) wasDamaged(s Segment) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	old, ok := k.worse[s.File]
	if ok && !s.MTime.Equal(old.MTime) && s.Bytes <= old.Bytes {
		delete(k.worse, s.File)
		delete(k.found, s.File)
		return false
	}
	return ok
}

// verified says whether a segment was found sound as it is now.
func (k *knownDir) verified(s Segment) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	old, ok := k.sound[s.File]
	return ok && old.Bytes == s.Bytes && old.MTime.Equal(s.MTime)
}

// tell is what was found, as facts. Time is a budget as bytes are: a scan that was
// cut short speaks for what it has verified, and for nothing when that is nothing.
func (k *knownDir) tell(r *Report, p *plan, s fact.Subject, cut error) []fact.Observation {
	v := fact.Verified{AllSegments: p.segments, AllBytes: p.bytes, Partitions: r.Summary.Partitions}
	damage := []fact.DamagedFile{}
	for _, d := range r.Damage {
		switch {
		case d.Kind == Unreadable:
			v.Unreadable++
		case d.SelfHealing:
			v.Healing++
		case d.Severity != Info:
			damage = append(damage, fact.DamagedFile{Kind: string(d.Kind), Severity: string(d.Severity), Partition: d.Partition, File: d.File, Position: d.Position, BaseOffset: d.BaseOffset, LastOffset: d.LastOffset, Text: d.Text})
		}
	}
	slices.SortStableFunc(damage, func(a, b fact.DamagedFile) int {
		return slices.Index(gravity, Severity(b.Severity)) - slices.Index(gravity, Severity(a.Severity))
	})
	damage = damage[:min(len(damage), mostDamaged)]
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.sound, func(file string, _ Segment) bool { return !p.present[file] })
	maps.DeleteFunc(k.worse, func(file string, _ Segment) bool { return !p.present[file] })
	maps.DeleteFunc(k.found, func(file string, _ []Damage) bool { return !p.present[file] })
	for _, seen := range k.sound {
		v.Segments++
		v.Bytes += seen.Bytes
	}
	all := []fact.Observation{fact.SegmentsVerified.Is(s, v)}
	switch {
	case len(damage) > 0 || v.Unreadable == 0 && (cut == nil || v.Segments > 0):
		all = append(all, fact.SegmentsDamage.Is(s, damage))
	case v.Unreadable > 0:
		all = append(all, fact.SegmentsDamage.Unknown(s, &fact.Unknown{Reason: fact.NotAllowed, Detail: fmt.Sprintf("%d files could not be read", v.Unreadable), How: "run as the broker's user, or root"}))
	default:
		all = append(all, fact.SegmentsDamage.Unknown(s, probe.Because(cut)))
	}
	k.add(r.Topics)
	return append(all, fact.SegmentsTopics.Is(s, Columns(k.topics)))
}

// add adds what a run saw of topics.
func (k *knownDir) add(topics map[string]*Topic) {
	for name, t := range topics {
		sum := k.topics[name]
		if sum == nil {
			if len(k.topics) >= mostTopics {
				continue
			}
			sum = &Topic{}
			k.topics[name] = sum
		}
		sum.Batches += t.Batches
		sum.Records += t.Records
		sum.Bytes += t.Bytes
		for i, n := range t.Sizes {
			sum.Sizes[i] += n
		}
		for i, n := range t.Magic {
			sum.Magic[i] += n
		}
		if sum.Alike == 0 {
			sum.AlikeExample = t.AlikeExample
		}
		sum.Unpacked += t.Unpacked
		sum.Alike += t.Alike
		sum.Unproduced += t.Unproduced
		if sum.Repeated == 0 {
			sum.Example = t.Example
		}
		sum.Repeated += t.Repeated
		for i, n := range t.Codecs {
			sum.Codecs[i] += n
		}
	}
}
