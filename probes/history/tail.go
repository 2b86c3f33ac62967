package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// tail reads the partitions of a coordinator's topic, of each the newest within a
// budget, and at later looks what has come since. Of several copies on one host
// the one that has come furthest is read.
type tail struct {
	topic string
	begun time.Time
	at    map[int32]*cursor
	log   coordinatorLog
}

// cursor is how far a partition was read.
type cursor struct {
	Reading
	dir    string
	share  int64 // bytes that are read of what there was at the first look
	held   map[int64][]unit
	heldIn int
	end    int64
	at     position
}

const (
	tailBudget = 64 << 20 // bytes, of what there is at the first look
	tailRate   = 100e6    // bytes a second
	tailAgain  = 10 * time.Minute
	ahead      = 64 << 10 // bytes by which another copy must be ahead to be read instead
)

// errAnew is the error of a tail that must be read anew, and what was made of it
// forgotten.
var errAnew = errors.New("the logs are not those that were read; they are read anew")

func newTail(topic string, now time.Time, apply func(*unit)) *tail {
	return &tail{topic: topic, begun: now, at: map[int32]*cursor{}, log: coordinatorLog{apply: apply, buffer: make([]byte, batch.BufferSize), records: batch.Records{Keep: mostValue}, until: math.MaxInt64}}
}

// advance reads on. After errAnew the tail is of no use any more; after any other
// error the next call goes on from where this one came to.
func (f *tail) advance(ctx context.Context, t *probe.Target, dirs []string) error {
	places, err := f.places(t, dirs)
	if err != nil {
		return err
	}
	damaged := false
	for n, c := range f.at {
		damaged = damaged || len(c.Damage) > 0
		if !slices.ContainsFunc(places, func(p local) bool { return p.number == n }) {
			return errAnew // moved away: it may come back with other things in it
		}
	}
	if damaged && t.Now().Sub(f.begun) > tailAgain {
		return errAnew
	}
	f.log.target, f.log.pace = t, polite.NewPace(t, tailRate)
	budget := int64(tailBudget)
	for i, p := range places {
		c := f.at[p.number]
		if c == nil {
			c = &cursor{share: budget / int64(len(places)-i), held: map[int64][]unit{}}
			f.at[p.number] = c
		}
		budget -= min(c.share, p.bytes)
		c.dir = p.dir
		if len(c.Damage) > 0 {
			continue
		}
		err := f.log.on(ctx, c, p)
		switch {
		case errors.Is(err, errCut):
			return errAnew
		case errors.Is(err, errBack): // compaction put another file in its place: at the next look
		case err != nil:
			return fmt.Errorf("%s: %w", p.dir, err)
		}
	}
	return nil
}

// on reads on in a partition.
func (l *coordinatorLog) on(ctx context.Context, c *cursor, p local) error {
	l.Reading, l.number, l.held, l.heldIn, l.end, l.at = &c.Reading, p.number, c.held, c.heldIn, c.end, c.at
	defer func() { c.heldIn, c.end, c.at = l.heldIn, l.end, l.at }()
	files, skip := p.files, int64(0)
	if l.end == 0 { // nothing of it was read
		skip = max(p.bytes-c.share, 0)
		c.Partial = skip > 0
		for len(files) > 1 && files[0].bytes <= skip {
			skip -= files[0].bytes
			files = files[1:]
		}
	}
	for len(files) > 1 && files[1].base <= l.end {
		files = files[1:]
	}
	return l.segments(ctx, files, skip)
}

// places is the partitions to read, small ones first, each in one place.
func (f *tail) places(t *probe.Target, dirs []string) ([]local, error) {
	best := map[int32]local{}
	var because error
	for _, dir := range dirs {
		found, err := placesIn(t, dir, f.topic, -1)
		if err != nil && !probe.Missing(err) {
			because = cmp.Or(because, err)
		}
		for _, p := range found {
			have, there := best[p.number]
			if !there || f.further(p, have) {
				best[p.number] = p
			}
		}
	}
	if len(best) == 0 {
		return nil, because
	}
	var all []local
	for _, p := range best {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b local) int { return cmp.Or(cmp.Compare(a.bytes, b.bytes), cmp.Compare(a.number, b.number)) })
	return all, nil
}

// further says whether a copy of a partition has come further than another. The
// one that is read already stays unless the other is ahead by much.
func (f *tail) further(p, than local) bool {
	come := func(p local) (base, bytes int64) {
		if len(p.files) == 0 {
			return -1, 0
		}
		last := p.files[len(p.files)-1]
		if c := f.at[p.number]; c != nil && c.dir == p.dir {
			return last.base, last.bytes + ahead
		}
		return last.base, last.bytes
	}
	base, bytes := come(p)
	otherBase, otherBytes := come(than)
	return base > otherBase || base == otherBase && bytes > otherBytes
}

// read says of all partitions together how much was read, and since when.
func (f *tail) read() Reading {
	all := Reading{Topic: f.topic, Partitions: []int32{}}
	for n, c := range f.at {
		all.Partitions = append(all.Partitions, n)
		all.Bytes, all.Records = all.Bytes+c.Bytes, all.Records+c.Records
		all.Unknown, all.Newer, all.Undecoded, all.Left = all.Unknown+c.Unknown, all.Newer+c.Newer, all.Undecoded+c.Undecoded, all.Left+c.Left
		all.Partial = all.Partial || c.Partial
		all.Damage = append(all.Damage, c.Damage...)
		if c.First.IsZero() {
			continue
		}
		if all.First.IsZero() || c.First.Before(all.First) {
			all.First = c.First
		}
		if c.Last.After(all.Last) {
			all.Last = c.Last
		}
	}
	slices.Sort(all.Partitions)
	slices.Sort(all.Damage)
	return all
}
