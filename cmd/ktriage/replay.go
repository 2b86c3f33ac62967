package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/record"
	"github.com/ktriage/ktriage/tui"
	"github.com/ktriage/ktriage/tui/text"
)

// speedOf is the usual speed of a replay: three minutes take twenty seconds.
const speedOf = 9

func newReplay(s *settings) *cobra.Command {
	speed := float64(speedOf)
	cmd := &cobra.Command{
		Use: "replay FILE", Short: "The console on a recording", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := record.Open(args[0])
			if err != nil {
				return asked(err)
			}
			defer r.Close()
			return s.replay(cmd.Context(), r, args[0], speed)
		},
	}
	speedFlag(cmd, &speed)
	return cmd
}

func speedFlag(cmd *cobra.Command, speed *float64) {
	cmd.Flags().Float64Var(speed, "speed", speedOf, "how many seconds of the recording pass in one; 0: all at once")
}

// replay shows a recording on the console, or its last verdict where there is no
// screen.
func (s *settings) replay(ctx context.Context, r *record.Reader, name string, speed float64) error {
	if !(speed >= 0 && speed <= 1e6) {
		return asked(fmt.Errorf("--speed: %v, expected between 0 and 1000000", speed))
	}
	if !s.screen() {
		session, _, err := s.fold(ctx, r)
		if err != nil {
			return err
		}
		return s.say(session.Verdict(), session.Marks(), text.About{Version: version(), From: name})
	}
	title := "replay of " + filepath.Base(name)
	err := tui.Run(ctx, tui.Options{
		Source: &paced{from: r, speed: speed}, Catalogue: diagnose.All, Title: title, Replay: true, ASCII: s.ascii, NoColor: s.noColor,
		Report: reporter(func() string { return "replay of " + name }),
		Save:   func(text string) (string, error) { return saveReport(text, s.logDirs) },
		Refuse: func(path string) error { return record.Below(path, s.logDirs) },
		Vars:   func(v *diagnose.Verdict, f *diagnose.Finding) map[string]string { return text.Vars(v, f, "") },
	})
	s.warn(r)
	return err
}

// fold concludes from a whole recording without keeping it in memory. The worst
// verdict is that before a fix was applied.
func (s *settings) fold(ctx context.Context, r *record.Reader) (session *diagnose.Session, worst *diagnose.Verdict, err error) {
	session = diagnose.NewSession(diagnose.All)
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			s.warn(r)
			return session, worst, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if v := session.Apply(b); session.FixApplied().IsZero() {
			worst = text.Worse(worst, v)
		}
	}
}

// warn says what of a recording could not be used.
func (s *settings) warn(r *record.Reader) {
	if damage := r.Damage(); damage != nil {
		fmt.Fprintf(s.errOut, "ktriage: %v\n", damage)
	}
}

// longestPause is how long a replay shows nothing new, whatever passed.
const longestPause = 2 * time.Second

// paced gives the batches of a recording in the rhythm of their times.
type paced struct {
	from  fact.Source
	speed float64 // 0: at once
	last  time.Time
}

// Next waits as long as lay between this batch and the one before, divided by
// the speed.
func (p *paced) Next(ctx context.Context) (fact.Batch, error) {
	b, err := p.from.Next(ctx)
	if err != nil {
		return b, err
	}
	gap := b.At.Sub(p.last)
	first := p.last.IsZero()
	p.last = b.At
	if first || gap <= 0 || p.speed == 0 {
		return b, nil
	}
	timer := time.NewTimer(min(longestPause, time.Duration(float64(gap)/p.speed)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return b, nil
	case <-ctx.Done():
		return fact.Batch{}, ctx.Err()
	}
}
