package segments

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// job is one partition being verified.
type job struct {
	partition
	in   *logDir
	only *int64 // one segment of it

	mu      sync.Mutex
	open    int // segments not read yet
	read    []extent
	last    *place // the active segment
	damage  []Damage
	partial bool // not all segments were read
	starts  []epochStart
}

// extent is what a segment turned out to hold.
type extent struct {
	base, next  int64
	first, last int64
	gaps, sound bool
	strange     []strangeEpoch
	file        string
}

func (s *scan) job(d *logDir, dir, name string, kind dirKind) *job {
	j := &job{in: d, partition: partition{name: name, dir: dir, dirKind: kind, flushed: -1, now: s.now, target: s.target, pace: s.pace}}
	if d == nil {
		return j
	}
	j.running, j.unclean = d.running, d.unclean
	if m, ok := d.marks[name]; ok && d.judged[recoveryPoint] {
		j.flushed = m[recoveryPoint]
	}
	j.topicIDs = func(topic, id string) (string, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		other := d.topicIDs[topic]
		if other == "" {
			d.topicIDs[topic] = id
		}
		return other, other != "" && other != id
	}
	j.lacksID = func(damage Damage) {
		s.mu.Lock()
		defer s.mu.Unlock()
		d.nameless = append(d.nameless, damage)
	}
	return j
}

// look looks at a partition's files, and puts its segments into the queue.
func (s *scan) look(ctx context.Context, j *job) {
	places, l, damage, err := j.survey(ctx)
	for range mostSecond - 1 {
		if err != nil || len(damage) == 0 || !j.moves(l) || !sleep(ctx, secondLook) {
			break
		}
		before := damage
		places, l, damage, err = j.survey(ctx)
		damage = persistent(before, damage)
	}
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
		return
	case err != nil:
		damage = append(damage, Damage{Kind: Unreadable, Severity: Info, Partition: j.name, File: j.dir, Position: -1, BaseOffset: -1, LastOffset: -1, Text: err.Error()})
	}
	j.damage = damage
	var tasks []task
	skipped := 0
	for i := range places {
		f := l.segments[i]
		seg := Segment{places[i].file(suffixLog), f.size, f.mtime}
		if j.only != nil && f.base != *j.only || s.Since > 0 && s.now.Sub(f.mtime) > s.Since || s.Only != nil && !s.Only(seg) || s.Done != nil && s.Done(seg) {
			skipped++
			continue
		}
		tasks = append(tasks, task{j, places[i], f})
	}
	if n := len(places); n > 0 {
		j.last = &places[n-1]
		j.starts = places[0].epochs
	}
	j.open, j.partial = len(tasks), skipped > 0
	s.mu.Lock()
	s.report.Summary.Partitions++
	s.report.Summary.Skipped += skipped
	s.queue = append(s.queue, tasks...)
	s.wake.Broadcast()
	s.mu.Unlock()
	if len(tasks) == 0 {
		s.finish(ctx, j)
	}
}

// moves says whether what a directory holds may change while it is looked at.
func (j *job) moves(l *listing) bool {
	return j.running || l != nil && slices.ContainsFunc(l.segments, func(f segmentFile) bool { return time.Since(f.mtime) < time.Minute })
}

// read verifies a segment; what looks damaged is looked at again, since a broker
// may have been writing to it.
func (s *scan) read(ctx context.Context, v *verifier, t task) {
	c, err := v.segment(ctx, &t.place)
	for range mostSecond - 1 {
		if ctx.Err() != nil || err == nil && (len(c.damage) == 0 || !t.job.running && time.Since(t.file.mtime) > time.Minute) {
			break
		}
		if !sleep(ctx, secondLook) || !t.job.again(ctx, &t) {
			break
		}
		before := c.damage
		if c, err = v.segment(ctx, &t.place); err == nil {
			c.damage = persistent(before, c.damage)
		}
	}
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	if err == nil {
		s.report.count(t.job.name, topicOf(t.job.name), &c)
	} else {
		s.report.Summary.Skipped++ // gone: rolled away, compacted or deleted
	}
	s.mu.Unlock()
	if err == nil && s.Found != nil && len(c.damage) > 0 {
		s.Found(Segment{t.place.file(suffixLog), t.file.size, t.file.mtime}, c.damage)
	}
	if err == nil && s.Finished != nil {
		s.Finished(Segment{t.place.file(suffixLog), t.file.size, t.file.mtime}, len(c.damage) == 0)
	}
	j := t.job
	j.mu.Lock()
	if err == nil {
		j.damage = append(j.damage, c.damage...)
		strange := slices.DeleteFunc(c.order.strange, func(e strangeEpoch) bool { return c.order.wrong[e.offset] })
		j.read = append(j.read, extent{t.place.base, t.place.next, c.first, c.last, c.order.gaps, len(c.damage) == 0, strange, t.place.file(suffixLog)})
	} else {
		j.partial = true
	}
	j.open--
	finished := j.open == 0
	j.mu.Unlock()
	if finished {
		s.finish(ctx, j)
	}
}

// again looks where a segment is now; false when it is gone.
func (j *job) again(ctx context.Context, t *task) bool {
	places, l, _, err := j.survey(ctx)
	if err != nil {
		return false
	}
	for i := range places {
		if places[i].base == t.place.base {
			t.place, t.file = places[i], l.segments[i]
			return true
		}
	}
	return false
}

// sleep waits; false when the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// finish holds the segments of a partition against each other and against the
// checkpoints.
func (s *scan) finish(ctx context.Context, j *job) {
	slices.SortFunc(j.read, func(a, b extent) int { return int(min(1, max(-1, a.base-b.base))) })
	j.holes()
	j.strangeEpochs(ctx)
	if n := len(j.read); j.in != nil && j.dirKind == partitionDir && n > 0 && j.read[n-1].next < 0 {
		tail := j.read[n-1]
		torn := slices.ContainsFunc(j.damage, func(d Damage) bool { return d.File == tail.file })
		end := max(tail.base, tail.last+1)
		if j.in.marks != nil && !torn {
			j.damage = append(j.damage, j.in.against(j.name, j.read[0].base, end, true)...)
		}
	}
	s.mu.Lock()
	s.report.add(j.damage)
	s.mu.Unlock()
	j.damage, j.read = nil, nil
}

// holes finds offsets that are in no segment, where no compaction explains it.
func (j *job) holes() {
	if j.in == nil || j.in.compacted(j.name) || slices.ContainsFunc(j.read, func(e extent) bool { return e.gaps }) {
		return
	}
	for i := range len(j.read) - 1 {
		a, b := j.read[i], j.read[i+1]
		if a.next != b.base || !a.sound || a.last < 0 || a.last+1 >= b.base {
			continue
		}
		j.damage = append(j.damage, Damage{Kind: MissingFile, Severity: Critical, Partition: j.name, File: filepath.Join(j.dir, fmt.Sprintf("%020d%s", a.last+1, suffixLog)),
			Position: -1, BaseOffset: a.last + 1, LastOffset: b.base - 1, Text: fmt.Sprintf("no segment holds the offsets from %d to %d, and the partition is not compacted", a.last+1, b.base-1)})
	}
}

// strangeEpochs judges batches whose leader epoch the checkpoint contradicts. It
// is read again: a leader may have changed since.
func (j *job) strangeEpochs(ctx context.Context) {
	var all []strangeEpoch
	where := map[int64]string{}
	for _, e := range j.read {
		for _, x := range e.strange {
			where[x.offset] = e.file
			if i := slices.IndexFunc(all, func(a strangeEpoch) bool { return a.have == x.have && a.want == x.want }); i >= 0 {
				all[i].batches += x.batches
				continue
			}
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return
	}
	name := filepath.Join(j.dir, smallFiles[0])
	if raw, err := readSmall(ctx, j.target, name, maxSmall); err == nil {
		if now, err := parseEpochs(string(raw)); err == nil {
			j.starts = now
		}
	}
	for _, x := range all {
		want, known := epochAt(j.starts, x.offset)
		if !known || want == x.have {
			continue
		}
		d := Damage{Kind: EpochInvalid, Severity: Critical, Partition: j.name, File: name, Position: -1, BaseOffset: x.offset, LastOffset: -1,
			Text: fmt.Sprintf("leader epoch %d at offset %d, where %d batches from there on carry %d", want, x.offset, x.batches, x.have)}
		if x.batches == 1 {
			d.Kind, d.File, d.Position = BadBatchHeader, where[x.offset], x.position
			d.Text = fmt.Sprintf("leader epoch %d at offset %d, where leader-epoch-checkpoint has %d", x.have, x.offset, want)
		}
		j.damage = append(j.damage, d)
	}
}
