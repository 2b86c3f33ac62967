package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/record"
	"github.com/ktriage/ktriage/tui/text"
)

//go:embed demos
var demos embed.FS

func newDemo(s *settings) *cobra.Command {
	speed := float64(speedOf)
	var list, check bool
	cmd := &cobra.Command{
		Use: "demo [NAME]", Short: "The console on a recording built into the binary", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return demoNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				return s.listDemos(cmd.Context())
			}
			name, err := demoName(args)
			if err != nil {
				return asked(err)
			}
			r, err := openDemo(name)
			if err != nil {
				return err
			}
			defer r.Close()
			if check {
				return s.demoVerdict(cmd.Context(), r, name)
			}
			return s.replay(cmd.Context(), r, name, speed)
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the recordings")
	cmd.Flags().BoolVar(&check, "check", false, "print the verdict before the fix instead")
	speedFlag(cmd, &speed)
	return cmd
}

// demoNames is the recordings built in, sorted.
func demoNames() []string {
	entries, err := demos.ReadDir("demos")
	if err != nil {
		return nil // an embedded directory can always be read
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".ktr"); ok {
			names = append(names, name)
		}
	}
	return names
}

// demoName is the recording asked for, or the first.
func demoName(args []string) (string, error) {
	names := demoNames()
	if len(names) == 0 {
		return "", errors.New("demo: no recording is built into this binary")
	}
	if len(args) == 0 {
		return names[0], nil
	}
	if !slices.Contains(names, args[0]) {
		return "", fmt.Errorf("demo: no recording %q, expected one of %s", args[0], strings.Join(names, " "))
	}
	return args[0], nil
}

func openDemo(name string) (*record.Reader, error) {
	f, err := demos.Open("demos/" + name + ".ktr")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return record.NewReader(name, f)
}

func (s *settings) listDemos(ctx context.Context) error {
	for _, name := range demoNames() {
		r, err := openDemo(name)
		if err != nil {
			return err
		}
		_, v, err := beforeFix(ctx, r)
		r.Close()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(s.out, "%-18s %s: %s\n", name, v.Status, v.Headline); err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) demoVerdict(ctx context.Context, r *record.Reader, name string) error {
	session, v, err := beforeFix(ctx, r)
	if err != nil {
		return err
	}
	return s.say(v, session.Marks(), text.About{Version: version(), From: name, Demo: true})
}

// beforeFix concludes up to the last batch before the first mark "fix applied",
// or to the end of the recording.
func beforeFix(ctx context.Context, from fact.Source) (*diagnose.Session, *diagnose.Verdict, error) {
	session := diagnose.NewSession(diagnose.All)
	for {
		b, err := from.Next(ctx)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		fixed := slices.ContainsFunc(b.Marks, func(m fact.Mark) bool { return m.Kind == fact.FixApplied })
		if err != nil || fixed {
			return session, session.Verdict(), nil
		}
		session.Apply(b)
	}
}
