package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/record"
	"github.com/ktriage/ktriage/probes/segments"
	"github.com/ktriage/ktriage/tui"
	"github.com/ktriage/ktriage/tui/text"
)

// console opens the console on the target, or writes one triage where there is
// no screen.
func (s *settings) console(ctx context.Context) error {
	if !s.screen() {
		return s.triage(ctx)
	}
	t := s.target()
	defer t.Close()
	if err := s.discover(ctx, t); err != nil {
		return err
	}
	if len(s.bootstrap) == 0 && len(t.Brokers()) == 0 {
		_, err := fmt.Fprintln(s.out, nobody(s)) // a state, not an error
		return err
	}
	live := s.live(t)
	defer live.Close()
	return tui.Run(ctx, tui.Options{
		Source: live, Catalogue: diagnose.All, Title: place(s, t), ASCII: s.ascii, NoColor: s.noColor,
		Mark: live.Mark, Probe: live.Now, Scan: scanner(t, live),
		Then:   func(ctx context.Context, at time.Time) (*fact.PastCluster, error) { return history.Then(ctx, t, at) },
		Report: reporter(func() string { return place(s, t) }),
		Save:   func(text string) (string, error) { return saveReport(text, logDirs(s, t)) },
		Refuse: func(path string) error { return record.Below(path, logDirs(s, t)) },
		Vars: func(v *diagnose.Verdict, f *diagnose.Finding) map[string]string {
			return text.Vars(v, f, strings.Join(s.bootstrap, ","))
		},
	})
}

// scanner starts and stops the verification of all segments. Damage that it meets
// is told by the next look, which it asks for: not more often than every few
// seconds, for all probes look then.
func scanner(t *probe.Target, live *probes.Live) func(start bool) {
	const apart = 5 * time.Second
	var mu sync.Mutex
	var last time.Time // of a look that was asked for, or will be
	found := func() {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); last.Before(now) {
			last = now.Add(max(0, apart-now.Sub(last)))
			time.AfterFunc(last.Sub(now), live.Now)
		}
	}
	return func(start bool) {
		if start {
			segments.StartRest(t, found)
		} else {
			segments.StopRest(t)
		}
		live.Now()
	}
}

// reporter renders the report of a console session; title says of what.
func reporter(title func() string) func(*diagnose.Session, *diagnose.Verdict) (string, error) {
	return func(session *diagnose.Session, worst *diagnose.Verdict) (string, error) {
		var b strings.Builder
		err := text.Report(&b, session, worst, text.About{Version: version(), Title: title()})
		return b.String(), err
	}
}

// screen says whether a console can be drawn, and is what was asked for.
func (s *settings) screen() bool {
	out, ok := s.out.(*os.File)
	return !s.plain && s.output != "json" && ok && term.IsTerminal(int(out.Fd())) && term.IsTerminal(int(os.Stdin.Fd()))
}

// place is where one looks from, for the first line of the screen.
func place(s *settings, t *probe.Target) string {
	var here []string
	for _, b := range t.Brokers() {
		name := fmt.Sprintf("broker %d", b.NodeID)
		if b.NodeID < 0 {
			name = "a broker"
		}
		switch {
		case len(t.Brokers()) > 1:
			here = append(here, strings.TrimPrefix(name, "broker "))
		case b.Running:
			here = append(here, fmt.Sprintf("%s (pid %d)", name, b.PID))
		default:
			here = append(here, name+" (not running)")
		}
	}
	switch {
	case len(here) > 1:
		return "on brokers " + strings.Join(here, " ")
	case len(here) == 1:
		return "on " + here[0]
	}
	return "via " + s.bootstrap[0]
}

// logDirs is the log dirs of this host's brokers, as they name them and where
// those of a container lie for this process.
func logDirs(s *settings, t *probe.Target) []string {
	all := append([]string{}, s.logDirs...)
	for _, b := range t.Brokers() {
		for _, dir := range b.LogDirs {
			all = append(all, dir)
			if here := t.PathOf(b.PID, dir); here != dir {
				all = append(all, here)
			}
		}
	}
	return all
}

// saveReport writes a report into the working directory, never below a log dir.
// The result is where, and whether that is a log dir's file system.
func saveReport(text string, dirs []string) (string, error) {
	path, err := filepath.Abs("ktriage-" + time.Now().UTC().Format("20060102-150405") + ".md")
	if err != nil {
		return "", err
	}
	if err := record.Refuse(path, dirs); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if done := f.Close(); err == nil {
		err = done
	}
	if dir := record.Shares(path, dirs); dir != "" {
		path += " (on the file system of the log dir " + dir + ")"
	}
	return path, err
}
