package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// errNobody is the error of every probe of this package when there is no
// address to try.
var errNobody = probe.Fail(fact.NotObserved, "no broker known", "name one with --bootstrap-server, or run on a broker's host")

// survey tries a new connection to every known address, asks those that answer
// whom they know and tries these too. One that is younger than age is good
// enough, and so is one that runs: it is waited for.
func (r *roster) survey(ctx context.Context, age time.Duration) error {
	began := time.Now()
	defer func() {
		if r.someSilent() { // those that answer have done so long before
			probe.Waited(ctx, time.Since(began))
		}
	}()
	r.await(ctx)
	r.mu.Lock()
	if len(r.peers) > 0 && time.Since(r.surveyed) < r.trusted(age) {
		r.mu.Unlock()
		return nil
	}
	if running := r.running; running != nil {
		r.mu.Unlock()
		select {
		case <-running:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	done := make(chan struct{})
	r.running = done
	r.mu.Unlock()

	// Others may be waiting for this survey: it does not end with its caller.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.patience)
	defer cancel()
	s := &survey{roster: r, tried: map[string]bool{}, news: make(chan struct{}, 1)}
	s.try(limit, r.addresses()...)
	s.wait.Go(func() { s.turnToRoll(limit, age) })
	s.wait.Wait()
	r.settle(s.attempts)

	r.mu.Lock()
	if s.answered {
		r.dismiss()
	}
	r.running, r.surveyed = nil, time.Now()
	nobody := len(r.peers) == 0
	r.mu.Unlock()
	close(done)
	if nobody {
		return errNobody
	}
	return nil
}

// someSilent says whether a broker let the last survey wait.
func (r *roster) someSilent() bool {
	return slices.ContainsFunc(r.crew(), func(p *peer) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return p.reach.Outcome == fact.Silent
	})
}

// trusted is for how long a survey is good enough: not for long when it found a
// broker dead, which may have come back.
func (r *roster) trusted(age time.Duration) time.Duration {
	for _, p := range r.peers {
		if !p.tried.IsZero() && p.reach.Outcome != fact.Answered {
			return min(age, 2*time.Second)
		}
	}
	return age
}

// await gives discovery on this host, which runs at the same time, a moment to
// find brokers when no address was given.
func (r *roster) await(ctx context.Context) {
	for end := time.Now().Add(r.patience / 2); len(r.addresses()) == 0 && time.Now().Before(end) && ctx.Err() == nil; {
		if len(r.target.Brokers()) > 0 {
			rosterOf(r.target)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// survey is one pass over all addresses.
type survey struct {
	roster *roster
	wait   sync.WaitGroup

	mu       sync.Mutex
	tried    map[string]bool // places and addresses
	attempts []attempt
	open     int           // addresses that are being tried
	answered bool          // one of them is a broker's that answers
	news     chan struct{} // told when an address has been tried
}

// attempt is how trying one address ended.
type attempt struct {
	address string
	place   string
	id      int32 // of the broker found there; -1: not known
	reach   fact.Reach
	link    *link // nil unless it answered
	taken   error // why it says nothing of the broker: another one answered, or this host could not ask; nil otherwise
}

// claim says whether an address or a place is to be tried: not twice.
func (s *survey) claim(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.tried[what]
	s.tried[what] = true
	return first
}

func (s *survey) try(ctx context.Context, addresses ...string) {
	for _, address := range addresses {
		if !s.claim("address " + address) {
			continue
		}
		s.mu.Lock()
		s.open++
		s.mu.Unlock()
		s.wait.Go(func() {
			defer s.ended()
			place := s.roster.locate(ctx, address)
			if s.claim("place " + place) {
				a := s.roster.attempt(ctx, address, "broker "+address)
				a.place = place
				if a.link != nil {
					s.identify(ctx, &a)
				}
				s.mu.Lock()
				s.attempts = append(s.attempts, a)
				s.answered = s.answered || a.link != nil
				s.mu.Unlock()
			}
		})
	}
}

// ended notes that an address has been tried.
func (s *survey) ended() {
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default: // it is known already
	}
}

// attempt opens a link to an address and times it. The ledger names the other end
// as it is told to.
func (r *roster) attempt(ctx context.Context, address, as string) attempt {
	began := time.Now()
	w := watch()
	l, err := r.open(ctx, address, as, w)
	a := attempt{address: address, id: -1, link: l, reach: fact.Reach{Address: address, Step: fact.APIVersions, Outcome: fact.Answered}}
	a.reach.Seconds = time.Since(began).Seconds()
	r.mu.Lock()
	if of, enlisted := r.enlisted[address]; enlisted {
		a.reach.FromLogOf = &of
	}
	r.mu.Unlock()
	var step *stepError
	if errors.As(err, &step) {
		if step.step != fact.SASL { // open saw whether that was tried
			w.done(step.step)
		}
		a.reach.Step, a.reach.Outcome, a.reach.Detail = step.step, step.outcome, step.err.Error()
		if a.reach.Step != fact.Resolve && a.reach.Step != fact.Connect {
			a.reach.Detail += r.adopted.hint()
		}
	}
	if own(err) {
		a.taken = probe.Fail(fact.Unreadable, "connect to "+address+": "+err.Error(), "raise this user's limit of open files (ulimit -n), or free memory")
	}
	a.reach.Times = w.steps()
	return a
}

// open opens a link. Where the credentials were rejected lately it goes as far
// as before them, so that no account is locked and a broker that dies meanwhile
// is still seen to die.
func (r *roster) open(ctx context.Context, address, as string, w *stopwatch) (*link, error) {
	by := r.door.by()
	l, err := r.door.open(ctx, by, address, as, w)
	var step *stepError
	if errors.As(err, &step) {
		return nil, by.explain(step)
	}
	if by.mechanism == nil {
		return l, nil
	}
	r.mu.Lock()
	before := r.rejected[address]
	r.mu.Unlock()
	if time.Now().Before(before.until) {
		l.close()
		return nil, before.err
	}
	err = l.authenticate(ctx, by.mechanism)
	w.done(fact.SASL)
	if err != nil {
		l.close()
		e := by.explain(failed(fact.SASL, err))
		wait := map[fact.Outcome]time.Duration{fact.Denied: backOff, fact.Closed: time.Minute}[e.outcome]
		var none *noTicket
		if errors.As(err, &none) { // the broker has seen nothing wrong
			wait = 30 * time.Second
		}
		r.mu.Lock()
		r.rejected[address] = rejection{e, time.Now().Add(wait)}
		r.mu.Unlock()
		return nil, e
	}
	return l, nil
}
