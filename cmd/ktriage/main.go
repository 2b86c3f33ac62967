// Command ktriage diagnoses Apache Kafka, read-only, in a terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/tui/text"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup asks for
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Exit statuses beside those of a verdict.
const (
	exitUsage       = 2
	exitInternal    = 4
	exitInterrupted = 130
)

// exit ends a command with a status and no message: the verdict was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run is the whole program; the result is its exit status.
func run(ctx context.Context, args []string, out, errOut io.Writer) (status int) {
	errOut = cleaned{errOut}
	defer func() {
		if caught := recover(); caught != nil {
			fmt.Fprintf(errOut, "ktriage: internal error: %v\n%s", caught, debug.Stack())
			status = exitInternal
		}
	}()
	root := newRoot(out, errOut)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "ktriage: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(errOut, "ktriage: "+oneLine(err.Error()))
	if errors.As(err, new(usage)) {
		return exitUsage
	}
	return exitInternal
}

// usage is an error of what was asked: a flag, a file that was named, a setting.
// All others are failures of ktriage or of the machine.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// asked makes an error one of usage; nil stays nil.
func asked(err error) error {
	if err == nil {
		return nil
	}
	return usage{err}
}

// wrongWords makes what a command says of its flags and arguments, and of the
// settings, errors of usage.
func wrongWords(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return asked(err) })
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, words []string) error { return asked(args(cmd, words)) }
	}
	if before := cmd.PersistentPreRunE; before != nil {
		cmd.PersistentPreRunE = func(cmd *cobra.Command, words []string) error { return asked(before(cmd, words)) }
	}
	for _, c := range cmd.Commands() {
		wrongWords(c)
	}
}

// cleaned writes lines without what a terminal would obey: errors name files and
// quote brokers. Each Write is of whole characters.
type cleaned struct{ to io.Writer }

func (c cleaned) Write(p []byte) (int, error) {
	lines := strings.Split(string(p), "\n")
	for i := range lines {
		lines[i] = text.Clean(lines[i])
	}
	if _, err := io.WriteString(c.to, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// oneLine is an error on one line: the first that says something.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
