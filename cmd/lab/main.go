// Command lab runs a real Kafka on this machine, and breaks it.
//
// It is a front of package lab, for people who work on ktriage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

type command struct {
	name, usage, doc string
	run              func(ctx context.Context, args []string) error
}

var commands = []command{
	{"up", "[flags]", "start a cluster and keep it until Ctrl-C or down", up},
	{"down", "", "end the cluster of a running up, and sweep what dead ones left", down},
	{"list", "", "running clusters, and the faults there are", list},
	{"break", "FAULT", "inject a fault into the cluster of a running up", breakIt},
	{"heal", "", "undo the faults that were injected", heal},
	{"check", "[flags] [FAULT...]", "judge ktriage by every fault, each on a fresh cluster", check},
	{"grade", "[flags] [FAULT...]", "sit the exam, or a part of it, and write docs/accuracy.md", grade},
	{"cases", "[flags] [FAULT...]", "keep the recordings of rows that were right as cases for the tests", cases},
	{"facts", "[flags] FAULT...", "print what the probes see change in a fault", facts},
	{"demo", "[flags] FAULT FILE", "record an incident from before a fault until after healing", demo},
	{"doctor", "", "say what is missing here; exit 1 when something is", doctor},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if len(os.Args) < 2 {
		usage(os.Stderr)
		os.Exit(2)
	}
	for _, c := range commands {
		if c.name != os.Args[1] {
			continue
		}
		err := c.run(ctx, os.Args[2:])
		switch {
		case errors.Is(err, flag.ErrHelp):
			os.Exit(2)
		case err != nil:
			fmt.Fprintf(os.Stderr, "lab %s: %v\n", c.name, err)
			os.Exit(1)
		}
		return
	}
	usage(os.Stderr)
	os.Exit(2)
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./cmd/lab COMMAND")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-26s %s\n", c.name+" "+c.usage, c.doc)
	}
}
