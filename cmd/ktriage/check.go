package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/tui/text"
)

func newCheck(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "One triage without a screen", Args: cobra.NoArgs,
		Long: "One triage without a screen. Exit status: 0 clear or advice, 1 fault, 2 usage or\n" +
			"configuration, 3 incomplete, 4 internal error.",
		RunE: func(cmd *cobra.Command, _ []string) error { return s.triage(cmd.Context()) },
	}
}

// triage looks, concludes, says so and ends with the verdict's exit status.
func (s *settings) triage(ctx context.Context) error {
	began := time.Now()
	t := s.target()
	defer t.Close()
	session, _, err := s.look(ctx, t)
	if err != nil {
		return err
	}
	v := session.Verdict()
	nobodyHere := len(s.bootstrap) == 0 && len(t.Brokers()) == 0 && s.jstatFile == ""
	if nobodyHere { // whatever the signs of the host say, no Kafka was seen
		none := *v
		none.Status, none.Headline = diagnose.StatusIncomplete, "no broker found on this host"
		v = &none
	}
	if err := s.say(v, session.Marks(), text.About{Version: version(), Took: time.Since(began)}); err != nil {
		return err
	}
	if nobodyHere {
		fmt.Fprintln(s.errOut, nobody(s))
	}
	if code := text.Exit(v.Status); code != 0 {
		return exit(code)
	}
	return nil
}

// say writes a verdict in the format asked for.
func (s *settings) say(v *diagnose.Verdict, marks []fact.Mark, about text.About) error {
	if s.output == "json" {
		return text.JSON(s.out, v, marks, about)
	}
	return text.Check(s.out, v, about)
}

// look takes the samples of a check within the deadline, and folds them. worst
// is the gravest of their verdicts.
func (s *settings) look(ctx context.Context, t *probe.Target) (session *diagnose.Session, worst *diagnose.Verdict, err error) {
	live := s.live(t)
	defer live.Close()
	session = diagnose.NewSession(diagnose.All)
	from := s.rounds(live)
	for {
		b, err := from.Next(ctx)
		if errors.Is(err, io.EOF) {
			return session, worst, ctx.Err()
		}
		if err == nil {
			err = ambiguous(t)
		}
		if err != nil {
			return nil, nil, err
		}
		worst = text.Worse(worst, session.Apply(b))
	}
}

// rounds is the looks of a check: all probes, as often as asked for, until its
// deadline.
type rounds struct {
	live  *probes.Live
	left  int
	every time.Duration
	until time.Time
	begun bool
}

func (s *settings) rounds(live *probes.Live) *rounds {
	return &rounds{live: live, left: s.samples, every: s.every, until: time.Now().Add(s.deadline)}
}

// Next is the next look, io.EOF after the last. Of one that the deadline ends it is
// what was seen.
func (r *rounds) Next(ctx context.Context) (fact.Batch, error) {
	bounded, cancel := context.WithDeadline(ctx, r.until)
	defer cancel()
	if r.left == 0 || r.begun && !rest(bounded, r.every) {
		return fact.Batch{}, cmp.Or(ctx.Err(), io.EOF)
	}
	r.left--
	r.begun = true
	b, err := r.live.Round(bounded)
	if ctx.Err() != nil {
		return fact.Batch{}, ctx.Err()
	}
	return b, err
}

// rest waits; false when the context ends first, or would.
func rest(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// discover runs the probe that finds the brokers of this host, and nothing else.
// It is an error when nobody could say which of them is meant.
func (s *settings) discover(ctx context.Context, t *probe.Target) error {
	if !s.options().Asks(probes.Discovery, probes.All) {
		return nil
	}
	live := probes.NewLive(t, []*probe.Probe{probes.Discovery}, probes.LiveOptions{Deadline: 2 * time.Second})
	defer live.Close()
	live.Round(ctx) // what it could not see is said by the run that follows
	return ambiguous(t)
}

// ambiguous says which brokers of this host bear one node id: all that is seen
// is told by node id, so the operator must choose.
func ambiguous(t *probe.Target) error {
	var all []string
	for _, b := range t.Rivals() {
		all = append(all, fmt.Sprintf("broker %d: --pid %d (%s)", b.NodeID, b.PID, b.Config))
	}
	if len(all) == 0 {
		return nil
	}
	return asked(fmt.Errorf("brokers of several clusters run on this host under one node id, choose one: %s", strings.Join(all, ", ")))
}

// nobody says what was looked for when no broker was found.
func nobody(s *settings) string {
	looked := []string{"a process whose main class is kafka.Kafka", "perf data of one in /tmp/hsperfdata_*"}
	if s.brokerConfig != "" {
		looked = append(looked, "the broker of "+s.brokerConfig)
	}
	return "no broker found on this host; looked for " + strings.Join(looked, ", ") + ".\n" +
		"A cluster elsewhere:      ktriage --bootstrap-server HOST:PORT\n" +
		"A broker that is down:    ktriage --broker-config /path/to/server.properties\n" +
		"Without a Kafka at hand:  ktriage demo"
}
