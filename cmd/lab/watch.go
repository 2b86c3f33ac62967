package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// watcher is what the console is beneath its screen: the live source, folded
// into a session as batches come.
type watcher struct {
	live *probes.Live
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	session *diagnose.Session
	verdict *diagnose.Verdict // nil before the first batch

	texts map[string]string // what fixed saw beside a fix, at length
}

// watch looks at a cluster as the console does, with those flags of a fault's
// Args that say where a broker is.
func watch(c *lab.Cluster, args []string) (*watcher, error) {
	target := &probe.Target{Bootstrap: c.Bootstrap(), Scan: 256 << 20, Timeout: 5 * time.Second, Version: "lab", Now: time.Now, Ledger: &probe.Ledger{}}
	for i := 0; i+1 < len(args); i += 2 {
		switch value := c.Expand(args[i+1]); args[i] {
		case "--broker-config":
			target.BrokerConfig = value
		case "--kafka-logs":
			target.LogsDir = value
		case "--samples", "--every", "--deadline": // of a check: the console goes on looking
		default:
			return nil, fmt.Errorf("watch: no meaning of %s is known", args[i])
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &watcher{
		live: probes.NewLive(target, probes.All, probes.LiveOptions{First: probes.Discovery}),
		stop: stop, done: make(chan struct{}), session: diagnose.NewSession(diagnose.All), texts: map[string]string{},
	}
	go func() {
		defer close(w.done)
		for {
			b, err := w.live.Next(ctx)
			if err != nil {
				return // the context's
			}
			w.mu.Lock()
			w.verdict = w.session.Apply(b)
			w.mu.Unlock()
		}
	}()
	return w, nil
}

func (w *watcher) close() {
	w.stop()
	<-w.done
	w.live.Close()
}

// until asks f about the session and its verdict after each quarter of a second
// until it returns nil; at the deadline its last error stands.
func (w *watcher) until(ctx context.Context, most time.Duration, f func(*diagnose.Session, *diagnose.Verdict) error) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		w.mu.Lock()
		err := errors.New("nothing was seen yet")
		if w.verdict != nil {
			err = f(w.session, w.verdict)
		}
		w.mu.Unlock()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", most, err)
		}
	}
}

// find waits for a finding of a cause that is sure; first says whether it is the
// first one, and own is the signs of all that is sure.
func (w *watcher) find(ctx context.Context, cause string) (found *diagnose.Finding, at *diagnose.Verdict, err error) {
	err = w.until(ctx, 100*time.Second, func(_ *diagnose.Session, v *diagnose.Verdict) error {
		var all []string
		for _, f := range v.All() {
			if f.Cause.ID == cause && f.Band.Sure() {
				found, at = f, v
				return nil
			}
			all = append(all, fmt.Sprintf("%s on %s (%s)", f.Cause.ID, f.Subject, f.Band))
		}
		return fmt.Errorf("%s is not found, but %v", cause, all)
	})
	return found, at, err
}

// mark says that a fix is applied, as a on the console's playbook does, and waits
// until that is in the session.
func (w *watcher) mark(ctx context.Context, text string) error {
	w.live.Mark(fact.Mark{At: time.Now(), Kind: fact.FixApplied, Text: text})
	return w.until(ctx, 10*time.Second, func(s *diagnose.Session, _ *diagnose.Verdict) error {
		if s.FixApplied().IsZero() {
			return errors.New("the mark is not in the session")
		}
		return nil
	})
}

// owns says whether a sign is one of a finding, or of what follows from it.
func owns(f *diagnose.Finding, sign *diagnose.Sign) bool {
	return slices.ContainsFunc(f.Cause.Signs, func(l diagnose.Link) bool { return l.Sign == sign }) ||
		slices.ContainsFunc(f.Under, func(f *diagnose.Finding) bool { return f.Band.Sure() && owns(f, sign) })
}

// impatience is how often an operator who waits lets every probe look at once, as
// p does in the console: some look every five minutes only.
const impatience = 15 * time.Second

// fixed waits until the table of Verify says FIXED for every sign that was trouble of a
// finding and what follows from it, and the finding is no longer sure. It returns their ids, and
// what else the console would still hold against leaving; with alone it waits until
// there is no such thing.
func (w *watcher) fixed(ctx context.Context, most time.Duration, of *diagnose.Finding, alone bool) (signs, also []string, err error) {
	var asked time.Time
	err = w.until(ctx, most, func(s *diagnose.Session, v *diagnose.Verdict) error {
		if time.Since(asked) > impatience {
			asked = time.Now()
			w.live.Now()
		}
		signs, also = nil, nil
		var open []string
		for _, m := range s.Verify(s.FixApplied()) {
			id := m.Sign.ID
			if m.Subject != fact.TheCluster {
				id += " on " + m.Subject.String()
			}
			if strings.HasPrefix(m.Subject.Name, "pid ") {
				continue // no node of the cluster, but another JVM of this host
			}
			own := owns(of, m.Sign)
			switch {
			case own && m.Change == diagnose.Fixed:
				if !slices.Contains(signs, m.Sign.ID) {
					signs = append(signs, m.Sign.ID)
				}
			case own && m.Change != diagnose.New:
				open = append(open, fmt.Sprintf("%s is %s (%s)", id, m.Change, m.After.Text))
			case m.Change != diagnose.Fixed:
				also = append(also, id+" "+string(m.Change))
				w.texts[also[len(also)-1]] = m.After.Text
			}
		}
		for _, f := range v.All() {
			switch {
			case s.Faded(f, s.FixApplied()):
			case f.Cause == of.Cause && f.Subject == of.Subject && f.Band.Sure():
				open = append(open, f.Cause.ID+" is still "+string(f.Band))
			case f.Cause != of.Cause && f.Band.Sure() && f.Severity.Rank() >= diagnose.Major.Rank():
				also = append(also, f.Cause.ID+" on "+f.Subject.String()+" is "+string(f.Band))
				w.texts[also[len(also)-1]] = f.Says
			}
		}
		if len(signs) == 0 {
			open = append(open, "no sign is FIXED")
		}
		if alone {
			open = append(open, also...)
		}
		if len(open) > 0 {
			return errors.New(strings.Join(open, "; "))
		}
		return nil
	})
	return signs, also, err
}
