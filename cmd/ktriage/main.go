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
	return exitUsage
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
