package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Bounds of a look at the past.
const (
	mostSettings = 20000
	lettingGo    = 2 * time.Second // until a read that was called off is left behind
)

// Then is the cluster as it stood at a moment, as the metadata log of a node on
// this host has it: what Read with Options.At says. It reads from the newest
// snapshot before that moment on, and keeps nothing. The error says why the moment
// is not known: no log is at hand, it begins later, or it was not read in time.
func Then(ctx context.Context, t *probe.Target, at time.Time) (*fact.PastCluster, error) {
	places, because := placesOf(t)
	if because != nil {
		return nil, errors.New(because.Detail)
	}
	// What is called off ends at its next read. It is waited for, so that one such
	// read runs at a time; a dead disk is not.
	wait, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lettingGo, stop) })()
	c, err := probe.Within(wait, t, "read the metadata log back", func() (*fact.PastCluster, error) {
		best, err := furthest(t, places, "")
		if err != nil {
			return nil, err
		}
		l, err := Read(ctx, t, best.dir, Options{Since: time.Millisecond, At: at, Rate: logRate, State: true})
		if err != nil {
			return nil, err
		}
		return l.then(best, at)
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("the metadata log was not read up to that moment in time: %w", err)
	}
	return c, err
}

// then is what a log says that was read up to a moment.
func (l *Log) then(from place, at time.Time) (*fact.PastCluster, error) {
	begins := l.First
	if begins.IsZero() {
		begins = l.Next
	}
	if begins.IsZero() || begins.After(at) {
		whose := "this host"
		if from.node >= 0 {
			whose = fmt.Sprintf("node %d", from.node)
		}
		if begins.IsZero() {
			return nil, fmt.Errorf("the metadata log of %s holds no record", whose)
		}
		return nil, fmt.Errorf("the metadata log of %s begins at %s UTC", whose, begins.UTC().Format(time.DateTime))
	}
	c := l.Cluster
	p := &fact.PastCluster{LastCluster: clusterFact(c), At: at.UTC(), Features: c.Features,
		Live: int(c.now.live), Fenced: int(c.now.fenced), Leaderless: int(c.now.leaderless), Behind: int(c.now.behind)}
	if !l.Next.IsZero() {
		p.Next = l.Next.UTC()
	}
	p.Copy = l.copy(from, l.First)
	for of, all := range c.configs {
		for key, value := range all {
			p.Settings = append(p.Settings, fact.PastSetting{Scope: of[0], Name: of[1], Key: key, Value: value})
		}
	}
	slices.SortFunc(p.Settings, fact.PastSetting.Order)
	if n := len(p.Settings) - mostSettings; n > 0 {
		p.Settings, p.SettingsLeft = slices.Clip(p.Settings[:mostSettings]), n
	}
	return p, nil
}
