package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/ktriage/ktriage/probes/lab"
)

// shapeFlags are the flags of commands that start a cluster of one's choice.
func shapeFlags(name string) (*flag.FlagSet, *lab.Options) {
	o := &lab.Options{Say: os.Stderr, Owner: name}
	f := flag.NewFlagSet("lab "+name, flag.ContinueOnError)
	f.StringVar(&o.Version, "version", lab.DefaultVersion, "`version` of Kafka")
	f.StringVar(&o.Dir, "dir", "", "`directory` for everything the cluster writes, removed with it (default a temporary one)")
	f.BoolVar(&o.OwnController, "own-controller", false, "a fourth node is the only controller")
	f.Func("for", "shape the cluster for a `fault`", func(name string) error {
		faults, err := lab.FaultOf(name)
		if err == nil {
			o.Shape = faults[0].Shape
		}
		return err
	})
	f.IntVar(&o.SmallDisk, "small-disk", 0, "put the log dir of broker 3 on a tmpfs of so many `MiB`")
	return f, o
}

func up(ctx context.Context, args []string) (err error) {
	flags, o := shapeFlags("up")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	c, err := lab.Start(ctx, *o)
	if err != nil {
		return err
	}
	defer func() { err = orElse(err, c.Stop()) }()
	states, err := lab.Clusters()
	if err != nil {
		return err
	}
	for _, s := range states {
		if s.Dir == c.Dir {
			describe(s)
		}
	}
	return c.Serve(ctx)
}

func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func down(context.Context, []string) error {
	n, err := lab.Down()
	fmt.Printf("%d clusters ended\n", n)
	return err
}

func list(context.Context, []string) error {
	states, err := lab.Clusters()
	if err != nil {
		return err
	}
	for _, s := range states {
		describe(s)
	}
	if len(states) == 0 {
		fmt.Println("no cluster runs")
	}
	fmt.Println("\nfaults:")
	for _, f := range lab.Faults {
		fmt.Printf("%-20s %s\n", f.Name, f.Doc)
	}
	return nil
}

func describe(s lab.State) {
	var bootstrap []string
	for _, n := range s.Nodes {
		if n.Address != "" {
			bootstrap = append(bootstrap, n.Address)
		}
	}
	state := "up"
	if !s.Ready {
		state = "starting"
	}
	fmt.Printf("Kafka %s of lab %s, pid %d, %s, in %s\nbootstrap %s\n", s.Version, s.Command, s.Owner.PID, state, s.Dir, strings.Join(bootstrap, ","))
	for _, n := range s.Nodes {
		fmt.Printf("node %-3d pid %-7d %-17s %-15s log dir %s, logs %s\n", n.ID, n.Process.PID, n.Roles, n.Address, n.LogDir, n.LogsDir)
	}
}
