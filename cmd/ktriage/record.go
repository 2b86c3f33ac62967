package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/record"
)

// recording is what `record` was asked for.
type recording struct {
	file string
	last time.Duration
	max  bytesFlag

	redact bool
	check  bool // what one check sees, and no more
}

func newRecord(s *settings) *cobra.Command {
	r := &recording{max: 1 << 30}
	cmd := &cobra.Command{
		Use: "record FILE", Short: "Record observations until stopped", Args: cobra.ExactArgs(1),
		Long: "Record observations until stopped by Ctrl-C, SIGTERM, SIGHUP, --for or --max-size. SIGUSR1 notes\n" +
			"that a fix was applied. The file must not exist, and not lie below a log dir. With --check it is\n" +
			"what one check sees: --samples looks, --every so often, within --deadline.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r.file = args[0]
			return s.record(cmd.Context(), r)
		},
	}
	cmd.Flags().DurationVar(&r.last, "for", 0, "how long; 0: until stopped")
	cmd.Flags().Var(&r.max, "max-size", "stop before the file grows larger than `SIZE`, as 1GiB")
	cmd.Flags().BoolVar(&r.check, "check", false, "only what one check sees, as --samples and --every say")
	cmd.Flags().BoolVar(&r.redact, "redact", false, "replace names and addresses by pseudonyms; which is which goes to FILE.names.json")
	return cmd
}

// record writes batches until the context ends, the time is over or a limit is
// reached. However it ends, the file is complete.
func (s *settings) record(ctx context.Context, r *recording) error {
	if r.last < 0 {
		return asked(fmt.Errorf("--for: %s, expected a time to record for", r.last))
	}
	t := s.target()
	defer t.Close()
	if err := s.discover(ctx, t); err != nil {
		return err
	}
	dirs := logDirs(s, t)
	w, err := record.Create(r.file, record.Header{Tool: version(), Started: time.Now().UTC(), Redacted: r.redact}, record.Limits{MaxSize: int64(r.max), LogDirs: dirs})
	if err != nil {
		return asked(err)
	}
	defer w.Close()
	if dir := record.Shares(r.file, dirs); dir != "" {
		fmt.Fprintf(s.errOut, "warning: %s lies on the file system of the log dir %s; recording stops when 5 %% or 100 MiB of it are free\n", r.file, dir)
	}
	if r.redact {
		if err := w.Redact(r.file + ".names.json"); err != nil {
			return asked(err)
		}
	}
	if r.last > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.last)
		defer cancel()
	}
	live := s.live(t)
	defer live.Close()
	defer marks(live)()
	// Who read standard error may have gone with the connection: that must not
	// end this before the file is complete.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	fmt.Fprintf(s.errOut, "recording to %s; Ctrl-C ends it, SIGUSR1 to %d notes a fix\n", r.file, os.Getpid())
	var from fact.Source = live
	if r.check {
		from = s.rounds(live)
	}
	err = s.write(ctx, from, w)
	if done := w.Close(); err == nil {
		err = done
	}
	return err
}

// write copies batches from the source to the file and reports progress.
func (s *settings) write(ctx context.Context, from fact.Source, w *record.Writer) error {
	began, said, n := time.Now(), time.Now(), 0
	source := record.Tee(from, w)
	progress := func(word string) {
		fmt.Fprintf(s.errOut, "%s%d batches in %s, %d kB\n", word, n, time.Since(began).Round(time.Second), (w.Size()+999)/1000)
	}
	for {
		b, err := source.Next(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, io.EOF):
			progress("recorded ")
			return nil
		case errors.Is(err, record.ErrStopped):
			progress("recorded ")
			fmt.Fprintf(s.errOut, "%v\n", err)
			return nil
		case err != nil:
			return err
		}
		n++
		for _, m := range b.Marks {
			fmt.Fprintf(s.errOut, "%s noted: %s\n", m.At.UTC().Format("15:04:05"), m.Kind)
		}
		if time.Since(said) >= 10*time.Second {
			said = time.Now()
			progress("")
		}
	}
}

// marks lets SIGUSR1 note that a fix was applied, until the result is called.
func marks(live *probes.Live) (stop func()) {
	signals := make(chan os.Signal, 4)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-signals:
				live.Mark(fact.Mark{At: time.Now(), Kind: fact.FixApplied})
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// bytesFlag is a size as the flags take it: 500000, 64MiB, 1GB.
type bytesFlag int64

var sizes = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

func (b *bytesFlag) String() string {
	n := int64(*b)
	for i := 3; i >= 0; i-- {
		if unit := sizes[i]; n >= unit.bytes && n%unit.bytes == 0 {
			return fmt.Sprint(n/unit.bytes) + unit.suffix
		}
	}
	return fmt.Sprint(n)
}

func (b *bytesFlag) Type() string { return "size" }

func (b *bytesFlag) Set(s string) error {
	for _, unit := range sizes {
		number, ok := strings.CutSuffix(s, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n <= 0 || n > (1<<62)/unit.bytes {
			break
		}
		*b = bytesFlag(n * unit.bytes)
		return nil
	}
	return fmt.Errorf("%q, expected a size as 500000, 64MiB or 1GB", s)
}
