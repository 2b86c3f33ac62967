package probes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// result is what one run of a probe came to.
type result struct {
	slot *slot
	seen []fact.Observation
	err  error
	took time.Duration
	idle time.Duration // of that, waiting for what does not answer
}

// launch starts the pending probes whose needs have finished, and settles those
// that cannot run. One pass is not enough: a skipped probe finishes at once.
func (l *Live) launch(ctx context.Context, now, until time.Time, b *fact.Batch) {
	for again := true; again; {
		again = false
		for _, s := range l.slots {
			if !s.pending || !s.ready() {
				continue
			}
			s.pending = false
			switch blocker := s.blocker(); {
			case blocker != nil:
				l.skip(s, blocker, b)
				again = true
			case s.alive: // given up earlier, and it has still not returned
				l.fail(s, &fact.Unknown{Reason: fact.TimedOut, Detail: "an earlier run of " + s.probe.Name + " has not returned"}, 0, b)
				again = true
			default:
				l.run(ctx, s, now, until)
			}
		}
	}
}

// ready says whether every probe that this one needs has finished once.
func (s *slot) ready() bool {
	for _, need := range append(s.after[:len(s.after):len(s.after)], s.needs...) {
		if need.unasked == nil && !need.finished {
			return false
		}
	}
	return true
}

// blocker is a needed probe that was not asked for, or did not get anything.
func (s *slot) blocker() *slot {
	for _, need := range s.needs {
		if need.unasked != nil || need.status == fact.Failed || need.status == fact.Skipped {
			return need
		}
	}
	return nil
}

// run starts a probe in a goroutine of its own. The goroutine touches nothing
// but its own result, so that one that never returns costs only itself.
func (l *Live) run(ctx context.Context, s *slot, now, until time.Time) {
	timeout := s.probe.Timeout
	if timeout <= 0 {
		timeout = l.target.Timeout
	}
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	end := now.Add(timeout)
	s.limit = end.Add(grace)
	if !until.IsZero() && s.limit.After(until) {
		s.limit = until
		if end = until.Add(-grace); end.Before(now.Add(grace)) {
			end = until
		}
	}
	s.alive, s.current, s.started = true, true, now
	bounded, cancel := context.WithDeadline(ctx, end)
	go func() {
		defer cancel()
		r := result{slot: s}
		metered, idle := probe.Metered(bounded)
		r.seen, r.err = observe(metered, s.probe, l.target)
		r.took, r.idle = time.Since(now), idle()
		l.results <- r
	}()
}

// observe calls the probe; a panic in it is its own failure and nobody else's.
func observe(ctx context.Context, p *probe.Probe, t *probe.Target) (seen []fact.Observation, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			seen, err = nil, fmt.Errorf("%s panicked: %v", p.Name, caught)
		}
	}()
	return p.Observe(ctx, t)
}

// settle takes a finished run into the batch, or drops the late answer of one
// that was given up.
func (l *Live) settle(r result, b *fact.Batch) {
	s := r.slot
	wanted := s.current
	s.alive, s.current = false, false
	if !wanted {
		return
	}
	status := fact.OK
	s.because = nil
	if r.err != nil {
		s.because = probe.Because(r.err)
		status = fact.Failed
		if s.because.Reason == fact.Absent {
			status = fact.OK // it looked, and there is no such thing here
		}
		if slices.ContainsFunc(r.seen, func(o fact.Observation) bool { return o.Because == nil }) {
			status = fact.Partial
		}
	}
	if !waited(r.seen) && status != fact.Failed {
		s.cost = [2]time.Duration{s.cost[1], max(0, r.took-r.idle)}
	}
	l.take(s, r.seen, b)
	because := s.because
	if because == nil {
		because = &fact.Unknown{Reason: fact.Absent, Detail: "there is none here"}
	}
	l.unknown(s, because, r.seen, b)
	l.finish(s, status, r.took, b)
}

// take stamps what a run saw. An observation without a key is dropped: nothing
// could be told from it.
func (l *Live) take(s *slot, seen []fact.Observation, b *fact.Batch) {
	at := l.clock()
	for _, o := range seen {
		if o.Key == nil {
			continue
		}
		if o.At.IsZero() {
			o.At = at
		}
		o.Source = s.probe.Name
		b.Observations = append(b.Observations, o)
	}
}

// unknown adds what a run could have yielded and did not: for a reason, or since
// there is no such thing here. Silence would not tell these from a probe that
// has not run.
func (l *Live) unknown(s *slot, because *fact.Unknown, seen []fact.Observation, b *fact.Batch) {
	have := map[string]bool{}
	for _, o := range seen {
		if o.Key != nil {
			have[o.Key.Name] = true
		}
	}
	var missing []fact.Observation
	for _, k := range s.probe.Yields {
		if !have[k.Def().Name] {
			missing = append(missing, fact.UnknownEverywhere(k, because))
		}
	}
	l.take(s, missing, b)
}

func (l *Live) finish(s *slot, status fact.Status, took time.Duration, b *fact.Batch) {
	recovered := s.finished && (s.status == fact.Failed || s.status == fact.Skipped) && (status == fact.OK || status == fact.Partial)
	s.status, s.finished = status, true
	interval := s.interval()
	s.due = time.Now().Add(interval)
	run := fact.Run{Probe: s.probe.Name, Status: status, Seconds: took.Seconds()}
	if interval > s.every() {
		run.Next = interval.Seconds()
	}
	if s.because != nil {
		run.Error = s.because.String()
	}
	b.Runs = append(b.Runs, run)
	if !recovered {
		return
	}
	for _, other := range l.slots { // what waited for this one need not wait longer
		for _, need := range other.needs {
			if need == s {
				other.due = time.Time{}
			}
		}
	}
}

// every is the time between two runs that the probe wants.
func (s *slot) every() time.Duration {
	if s.probe.Every <= 0 {
		return 5 * time.Second
	}
	return s.probe.Every
}

// interval is the time until the next run. Only what asks brokers is a cost to
// them, and only twice in a row: once may have been a wait for something else.
func (s *slot) interval() time.Duration {
	every := s.every()
	if s.status == fact.Failed || s.status == fact.Skipped {
		every = min(every, retry)
	}
	if s.probe.Cost == probe.Free {
		return every
	}
	return max(every, duty*min(s.cost[0], s.cost[1]))
}

// waited says whether a run spent its time waiting for something that does not
// answer. That is no cost to anyone, and looking less often would only hide it.
func waited(seen []fact.Observation) bool {
	for _, o := range seen {
		if o.Because != nil && o.Because.Reason == fact.TimedOut {
			return true
		}
		if reach, ok := o.Value.(fact.Reach); ok && reach.Outcome == fact.Silent {
			return true
		}
	}
	return false
}

// abandon gives up the runs whose time is over. What they still return is
// dropped, and they are not started again before they have returned.
func (l *Live) abandon(now time.Time, b *fact.Batch) {
	for _, s := range l.slots {
		if s.alive && s.current && !now.Before(s.limit) {
			l.drop(s, now, b)
		}
	}
}

func (l *Live) drop(s *slot, now time.Time, b *fact.Batch) {
	s.current = false
	took := now.Sub(s.started)
	l.fail(s, &fact.Unknown{Reason: fact.TimedOut, Detail: fmt.Sprintf("%s gave no answer in %.1f s", s.probe.Name, took.Seconds())}, took, b)
}

// giveUp ends a round at its deadline: what has not started will not.
func (l *Live) giveUp(b *fact.Batch) {
	for _, s := range l.slots {
		if s.alive && s.current {
			l.drop(s, time.Now(), b)
		}
		if s.pending {
			s.pending = false
			l.fail(s, &fact.Unknown{Reason: fact.TimedOut, Detail: "the deadline passed before " + s.probe.Name + " could run", How: "raise --deadline"}, 0, b)
		}
	}
}

func (l *Live) fail(s *slot, because *fact.Unknown, took time.Duration, b *fact.Batch) {
	s.because = because
	l.unknown(s, because, nil, b)
	l.finish(s, fact.Failed, took, b)
}

// skip settles a probe that cannot run because of another.
func (l *Live) skip(s, blocker *slot, b *fact.Batch) {
	why := blocker.unasked
	if why == nil {
		why = blocker.because
	}
	u := needs(blocker.probe, why)
	s.because = u
	l.unknown(s, u, nil, b)
	l.finish(s, fact.Skipped, 0, b)
}

// tellUnasked says of each probe that nobody asked for that this is why its
// facts are unknown.
func (l *Live) tellUnasked(b *fact.Batch) {
	for _, s := range l.slots {
		if s.unasked != nil {
			l.unknown(s, s.unasked, nil, b)
			b.Runs = append(b.Runs, fact.Run{Probe: s.probe.Name, Status: fact.NotAsked})
		}
	}
}
