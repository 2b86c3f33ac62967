package probes

import (
	"context"
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	// coalesce is how long a batch waits for other probes to finish, so that
	// what was read together is concluded from together.
	coalesce = 100 * time.Millisecond
	// grace is what a probe has after its deadline to hand over what it saw.
	grace = 500 * time.Millisecond
	// duty bounds what looking costs: between two runs pass this many times the
	// time that the last one took, waiting apart, however long that is.
	duty = 20
	// retry is when a probe that got nothing tries again, however rarely it runs.
	retry = 5 * time.Second
)

// LiveOptions says which probes run and how long a round may take.
type LiveOptions struct {
	Only, Skip []string      // names, or families ("jvm"); see CheckNames
	Deadline   time.Duration // of one Round; 0: only the context's
	First      *probe.Probe  // runs before all others, whatever comes of it: it finds where to look
}

// Live is the source of batches that looks at the target now. Next and Round
// belong to one goroutine; Mark and Now may be called from any.
type Live struct {
	target   *probe.Target
	slots    []*slot // in the order of the probes
	deadline time.Duration
	base     context.Context // what the probes of Next run under
	stop     context.CancelFunc
	results  chan result // has room for every probe: a late answer never blocks its sender
	wake     chan struct{}
	told     bool        // the probes not asked for are in a batch
	batch    *fact.Batch // what Next has gathered and not yet returned

	mu    sync.Mutex
	marks []fact.Mark
	now   bool
}

// slot is one probe in the schedule.
type slot struct {
	probe    *probe.Probe
	needs    []*slot
	after    []*slot       // must have finished, well or not
	unasked  *fact.Unknown // why nobody asked for it; nil: asked
	due      time.Time     // of the next run, in Next
	pending  bool          // to run as soon as its needs have finished
	alive    bool          // a goroutine of it has not returned
	current  bool          // that goroutine's answer is still wanted
	started  time.Time
	limit    time.Time // when it is given up
	finished bool
	status   fact.Status      // of the last finished run
	because  *fact.Unknown    // why that run failed
	cost     [2]time.Duration // of the last two runs that got something, without what they merely waited
}

// NewLive schedules the probes over the target. Probes that others need and
// that are not in the list count as not asked for.
func NewLive(target *probe.Target, list []*probe.Probe, o LiveOptions) *Live {
	l := &Live{target: target, deadline: o.Deadline, results: make(chan result, len(list)), wake: make(chan struct{}, 1)}
	l.base, l.stop = context.WithCancel(context.Background())
	byProbe := make(map[*probe.Probe]*slot, len(list))
	for _, p := range list {
		s := &slot{probe: p}
		byProbe[p] = s
		l.slots = append(l.slots, s)
	}
	wanted := selected(list, o)
	for _, s := range l.slots {
		s.unasked = wanted[s.probe]
		for _, need := range s.probe.Needs {
			of := byProbe[need]
			if of == nil {
				of = &slot{probe: need, unasked: &fact.Unknown{Reason: fact.NotAskedFor, Detail: need.Name + " is not among the probes"}}
			}
			s.needs = append(s.needs, of)
		}
		if first := byProbe[o.First]; first != nil && first != s {
			s.after = append(s.after, first)
		}
	}
	return l
}

// Close cancels the probes that run. It does not wait for those that ignore it.
func (l *Live) Close() error {
	l.stop()
	return nil
}

// Mark brings what the operator said into the next batch, which comes at once.
func (l *Live) Mark(m fact.Mark) {
	l.mu.Lock()
	l.marks = append(l.marks, m)
	l.mu.Unlock()
	l.nudge()
}

// Now lets every probe run now, whatever its interval.
func (l *Live) Now() {
	l.mu.Lock()
	l.now = true
	l.mu.Unlock()
	l.nudge()
}

func (l *Live) nudge() {
	select {
	case l.wake <- struct{}{}:
	default: // one is waiting already
	}
}

// heard is what Mark and Now left since the last call.
func (l *Live) heard() (marks []fact.Mark, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	marks, now = l.marks, l.now
	l.marks, l.now = nil, false
	return marks, now
}

// Next runs each probe when it is due and returns what has finished since,
// waiting for the first. It returns the context's error, and never io.EOF.
func (l *Live) Next(ctx context.Context) (fact.Batch, error) {
	if l.batch == nil {
		l.batch = &fact.Batch{}
	}
	b := l.batch
	if !l.told {
		l.told = true
		l.tellUnasked(b)
	}
	var ready time.Time // when the batch goes out; zero: nothing in it yet
	for {
		marks, all := l.heard()
		b.Marks = append(b.Marks, marks...)
		now := time.Now()
		for _, s := range l.slots {
			if s.unasked == nil && !s.alive && (all || !now.Before(s.due)) {
				s.pending = true
			}
		}
		l.abandon(now, b)
		l.launch(l.base, now, time.Time{}, b)
		if ready.IsZero() && len(b.Runs) > 0 {
			ready = now.Add(coalesce)
		}
		if len(b.Marks) > 0 || (!ready.IsZero() && !now.Before(ready)) {
			b.At, l.batch = l.clock(), nil
			return *b, nil
		}
		if err := l.wait(ctx, l.nextEvent(now, ready), b); err != nil {
			return fact.Batch{}, err
		}
	}
}

// Round runs every probe asked for once, each after those it needs, and returns
// when all have finished or the deadline has passed. With a cancelled context
// it returns what was seen so far beside the error.
func (l *Live) Round(ctx context.Context) (fact.Batch, error) {
	b := &fact.Batch{}
	l.takeLate(b)
	l.tellUnasked(b)
	l.told = true
	until := l.until(ctx)
	for _, s := range l.slots {
		s.pending, s.finished = s.unasked == nil, s.unasked != nil
	}
	err := l.round(ctx, until, b)
	order := map[string]int{}
	for i, s := range l.slots {
		order[s.probe.Name] = i
	}
	sort.SliceStable(b.Runs, func(i, j int) bool { return order[b.Runs[i].Probe] < order[b.Runs[j].Probe] })
	b.Marks, _ = l.heard()
	b.At = l.clock()
	return *b, err
}

func (l *Live) round(ctx context.Context, until time.Time, b *fact.Batch) error {
	for {
		now := time.Now()
		l.abandon(now, b)
		l.launch(ctx, now, until, b)
		if !l.busy() {
			return nil
		}
		if !until.IsZero() && !now.Before(until) {
			l.giveUp(b)
			return nil
		}
		err := l.wait(ctx, l.nextEvent(now, until), b)
		if errors.Is(err, context.DeadlineExceeded) {
			l.giveUp(b)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// takeLate takes in what came back since the last round, so that a probe that
// was given up then can run again.
func (l *Live) takeLate(b *fact.Batch) {
	for {
		select {
		case r := <-l.results:
			l.settle(r, b)
		default:
			return
		}
	}
}

// until is the end of a round; zero: none.
func (l *Live) until(ctx context.Context) time.Time {
	end, bounded := ctx.Deadline()
	if l.deadline > 0 {
		if mine := time.Now().Add(l.deadline); !bounded || mine.Before(end) {
			return mine
		}
	}
	return end
}

// wait lets time pass until a probe answers, someone nudges or the time comes.
func (l *Live) wait(ctx context.Context, until time.Time, b *fact.Batch) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case r := <-l.results:
		l.settle(r, b)
	case <-l.wake:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// nextEvent is the earliest time at which there is something to do.
func (l *Live) nextEvent(now, other time.Time) time.Time {
	at := now.Add(time.Hour)
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	earlier(other)
	for _, s := range l.slots {
		switch {
		case s.alive && s.current:
			earlier(s.limit)
		case s.unasked == nil && !s.pending && !s.alive && s.due.After(now):
			earlier(s.due)
		}
	}
	return at
}

// busy says whether a round has probes to wait for.
func (l *Live) busy() bool {
	for _, s := range l.slots {
		if s.pending || (s.alive && s.current) {
			return true
		}
	}
	return false
}

func (l *Live) clock() time.Time {
	if l.target.Now != nil {
		return l.target.Now()
	}
	return time.Now()
}
