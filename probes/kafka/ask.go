package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	keepIdle  = 2               // connections to a broker that wait for the next request
	backOff   = 5 * time.Minute // after a denial
	atOnce    = 32              // brokers asked at the same time
	freshness = 15 * time.Second
)

// take is a connection to a broker: one that waits, or a new one. A broker that
// the survey has just found dead is not waited for again.
func (r *roster) take(ctx context.Context, p *peer) (l *link, waited bool, err error) {
	r.mu.Lock()
	if n := len(p.idle); n > 0 {
		l = p.idle[n-1]
		p.idle = p.idle[:n-1]
		r.mu.Unlock()
		return l, true, nil
	}
	err = p.down()
	address := p.reach.Address
	r.mu.Unlock()
	if err != nil {
		return nil, false, err
	}
	a := r.attempt(ctx, address, p.String())
	if a.link != nil {
		a.link.broker = p.String()
		return a.link, false, nil
	}
	if ctx.Err() == context.Canceled || a.reach.Outcome == fact.Silent && a.reach.Seconds < r.patience.Seconds()/2 {
		return nil, false, p.unknown(a.reach) // it was hardly waited for: that says nothing of the broker
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p.reach, p.tried = a.reach, time.Now()
	return nil, false, p.unknown(a.reach)
}

// give back a connection.
func (r *roster) put(p *peer, l *link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(p, l)
}

func (r *roster) keep(p *peer, l *link) {
	if l.broken || r.closed || len(p.idle) >= keepIdle {
		l.close()
		return
	}
	p.idle = append(p.idle, l)
}

// with runs requests on a connection to a broker. A connection that waited too
// long and was closed by the broker is replaced once. Of a broker that the survey
// found dead an old connection may still answer; that is not waited for long.
func (r *roster) with(ctx context.Context, p *peer, use func(context.Context, *link) error) error {
	patience := r.patience
	if r.isDown(p) {
		patience /= 4
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		l, waited, err := r.take(ctx, p)
		if err != nil {
			return err
		}
		err = use(ctx, l)
		broken := l.broken
		r.put(p, l)
		if err == nil || !broken || !waited || errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return p.explain(l.address, err)
		}
	}
}

// explain adds to an error of a connection which broker it was, and its reason.
func (p *peer) explain(address string, err error) error {
	var known *probe.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	step := failed(fact.APIVersions, err)
	return probe.Fail(step.reason(), fmt.Sprintf("%s at %s: %s", p, address, err), "")
}

// ask sends one request to one broker.
func (r *roster) ask(ctx context.Context, p *peer, request kmsg.Request) (answer kmsg.Response, err error) {
	err = r.with(ctx, p, func(ctx context.Context, l *link) (err error) {
		answer, err = l.request(ctx, request)
		return err
	})
	return answer, err
}

// query is what a probe does with one broker. It returns what it saw, also
// beside an error.
type query func(context.Context, *peer) ([]fact.Observation, error)

// missing is what is observed of a broker that told nothing.
type missing func(*peer, *fact.Unknown) []fact.Observation

// gather asks every broker for rows and puts them together, in no order.
func gather[T any](ctx context.Context, r *roster, what string, ask func(context.Context, *peer) ([]T, error)) ([]T, error) {
	var mu sync.Mutex
	var all []T
	_, err := r.each(ctx, what, func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		mine, err := ask(ctx, p)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, mine...)
		return nil, err
	}, untoldElsewhere)
	return all, err
}

// each asks every broker at the same time. The error says how many did not
// answer, and why the first of them did not.
func (r *roster) each(ctx context.Context, what string, do query, none missing) ([]fact.Observation, error) {
	crew := r.crew()
	if len(crew) == 0 {
		return nil, errNobody
	}
	seen := make([][]fact.Observation, len(crew))
	errs := make([]error, len(crew))
	slots := make(chan struct{}, atOnce)
	began := time.Now()
	var all sync.WaitGroup
	for i, p := range crew {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			seen[i], errs[i] = r.politely(ctx, what, p, do)
		})
	}
	all.Wait()
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil && probe.Because(err).Reason == fact.TimedOut }) {
		probe.Waited(ctx, time.Since(began))
	}
	silent := 0
	for i, p := range crew { // only now: what one lost another may have taken over and told
		if errs[i] != nil && len(seen[i]) == 0 {
			silent++
			seen[i] = none(p, probe.Because(errs[i]))
		}
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return slices.Concat(seen...), nil
	}
	u := *probe.Because(errs[0])
	if silent > 0 {
		u.Detail = fmt.Sprintf("%d of %d brokers told nothing: %s", silent, len(crew), u.Detail)
	} else {
		u.Detail = fmt.Sprintf("%d of %d brokers did not tell all: %s", len(errs), len(crew), u.Detail)
	}
	return slices.Concat(seen...), &probe.Error{Unknown: &u}
}

// anyone asks one broker after the other until one answers: also one that tells
// something beside an error, or denies it, as the others would. One that is slow is not waited for before the next
// is asked as well.
func (r *roster) anyone(ctx context.Context, what string, do query) ([]fact.Observation, error) {
	crew := r.crew()
	if len(crew) == 0 {
		return nil, errNobody
	}
	slices.SortStableFunc(crew, func(a, b *peer) int { return r.rank(a) - r.rank(b) })
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	type reply struct {
		seen []fact.Observation
		err  error
	}
	replies := make(chan reply, len(crew))
	next, open := 0, 0
	start := func() {
		if next < len(crew) && ctx.Err() == nil {
			p := crew[next]
			next++
			open++
			go func() {
				seen, err := r.politely(ctx, what, p, do)
				replies <- reply{seen, err}
			}()
		}
	}
	start()
	hurry := time.NewTicker(r.patience / 4)
	defer hurry.Stop()
	var telling error // the error that says most: of the broker that got furthest
	for open > 0 {
		select {
		case a := <-replies:
			open--
			var no *denied
			if a.err == nil || len(a.seen) > 0 || errors.As(a.err, &no) {
				return a.seen, a.err
			}
			if telling == nil {
				telling = a.err
			}
			start()
		case <-hurry.C:
			if open < 3 {
				start()
			}
		}
	}
	return nil, telling
}

// rank sorts the brokers that answer before those that do not.
func (r *roster) rank(p *peer) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.reach.Outcome == fact.Answered && p.taken == nil {
		return 0
	}
	return 1
}

// politely runs a query unless the broker has just denied it.
func (r *roster) politely(ctx context.Context, what string, p *peer, do query) ([]fact.Observation, error) {
	key := what + " " + p.name
	r.mu.Lock()
	before, ok := r.denials[key]
	r.mu.Unlock()
	if ok && time.Now().Before(before.until) {
		return nil, &denied{&probe.Error{Unknown: before.because}}
	}
	seen, err := do(ctx, p)
	var no *denied
	if errors.As(err, &no) {
		r.mu.Lock()
		r.denials[key] = denial{probe.Because(err), time.Now().Add(backOff)}
		r.mu.Unlock()
	}
	return seen, err
}
