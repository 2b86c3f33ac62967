package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments"
)

// asSegments is what the command segments is asked for beside the paths.
type asSegments struct {
	rate   rateFlag
	since  time.Duration
	deep   bool
	resume string
}

func newSegments(s *settings) *cobra.Command {
	a := &asSegments{rate: rateFlag{200e6}}
	cmd := &cobra.Command{
		Use: "segments [PATH...]", Short: "Verify log segments, indexes and checkpoints on this host's disks",
		Long: "Verify log segments, their indexes, snapshots and checkpoints: log dirs, partitions'\n" +
			"directories or single segments; without a PATH the log dirs of this host's broker.\n" +
			"The broker may run: files are only read, at a limited rate, and what a broker is about\n" +
			"to write is looked at again. Exit status: 0 clean, or only what heals by itself,\n" +
			"1 damage, 2 usage, 3 something could not be read.",
		RunE: func(cmd *cobra.Command, paths []string) error { return s.segments(cmd.Context(), a, paths) },
	}
	f := cmd.Flags()
	f.Var(&a.rate, "rate", "bytes a second, 0 for no limit and no pause under I/O pressure")
	f.DurationVar(&a.since, "since", 0, "only segments written to within this time")
	f.BoolVar(&a.deep, "deep", false, "unpack every batch and parse every record")
	f.StringVar(&a.resume, "resume", "", "go on where a run stopped: `FILE` remembers the segments that were sound")
	return cmd
}

// segments verifies the paths and says what was found.
func (s *settings) segments(ctx context.Context, a *asSegments, paths []string) error {
	if a.since < 0 {
		return asked(fmt.Errorf("--since: %s, expected a time", a.since))
	}
	t := s.target()
	defer t.Close()
	if len(paths) == 0 {
		var err error
		if paths, err = s.ownLogDirs(ctx, t); err != nil {
			return err
		}
	}
	o := segments.Options{Rate: int64(a.rate.bytesFlag), Since: a.since, Deep: a.deep}
	if a.resume != "" {
		done, err := openDone(a.resume)
		if err != nil {
			return asked(fmt.Errorf("--resume: %w", err))
		}
		defer done.Close()
		o.Done, o.Finished = done.has, done.add
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.Progress = s.showProgress()
	}
	r, err := segments.Scan(ctx, t, paths, o)
	if r == nil {
		if errors.Is(err, fs.ErrPermission) {
			return exitWith(3, s, err)
		}
		return asked(err)
	}
	if err := s.sayScanned(r, paths); err != nil {
		return err
	}
	switch {
	case err != nil:
		return err // interrupted: what was done stands above
	case r.Found():
		return exit(1)
	case r.Incomplete():
		return exit(3)
	}
	return nil
}

// exitWith says an error that is not one of usage, and ends with a status.
func exitWith(status exit, s *settings, err error) error {
	fmt.Fprintf(s.errOut, "ktriage: %s; run as the broker's user, or root\n", oneLine(err.Error()))
	return status
}

func (s *settings) sayScanned(r *segments.Report, paths []string) error {
	if s.output == "json" {
		return scannedJSON(s.out, r)
	}
	return scannedText(s.out, r, paths)
}

// ownLogDirs is where the broker of this host keeps its logs.
func (s *settings) ownLogDirs(ctx context.Context, t *probe.Target) ([]string, error) {
	if len(s.logDirs) > 0 {
		return s.logDirs, nil
	}
	if err := s.discover(ctx, t); err != nil {
		return nil, err
	}
	var dirs []string
	for _, b := range t.Brokers() {
		for _, dir := range b.LogDirs {
			dirs = append(dirs, t.PathOf(b.PID, dir))
		}
	}
	if len(dirs) == 0 {
		return nil, asked(errors.New("no broker found on this host: name a log dir, a partition's directory or a segment"))
	}
	return dirs, nil
}

// showProgress says every few seconds how far a scan is.
func (s *settings) showProgress() func(segments.Progress) {
	var last time.Time
	return func(p segments.Progress) {
		if time.Since(last) < 2*time.Second {
			return
		}
		last = time.Now()
		line := fmt.Sprintf("%d of %d partitions, %s of %s, %s/s", p.Partitions, p.AllPartitions, sizeText(p.Bytes), sizeText(p.AllBytes), sizeText(int64(p.Rate)))
		if p.Left > 0 {
			line += fmt.Sprintf(", %s left", p.Left.Round(time.Second))
		}
		if p.Damage > 0 {
			line += fmt.Sprintf(", %d damages", p.Damage)
		}
		if p.Paused {
			line += ", waiting: the host waits for I/O"
		}
		fmt.Fprintln(s.errOut, line)
	}
}

// rateFlag is bytes a second, 0 for no limit.
type rateFlag struct{ bytesFlag }

func (r *rateFlag) Set(s string) error {
	if s == "0" {
		r.bytesFlag = 0
		return nil
	}
	return r.bytesFlag.Set(s)
}

// sizeText is bytes as an operator reads them.
func sizeText(n int64) string {
	for _, u := range sizes[:4] {
		if n >= u.bytes && (n < u.bytes<<10 || u.suffix == "TiB") {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.suffix)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// scanFlag is a size, 0 for nothing and -1 for all.
type scanFlag struct{ bytesFlag }

func (f *scanFlag) String() string {
	if f.bytesFlag < 0 {
		return "all"
	}
	return f.bytesFlag.String()
}

func (f *scanFlag) Set(s string) error {
	switch s {
	case "0":
		f.bytesFlag = 0
	case "all":
		f.bytesFlag = -1
	default:
		return f.bytesFlag.Set(s)
	}
	return nil
}
