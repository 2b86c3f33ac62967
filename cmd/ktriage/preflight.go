package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/preflight"
	"github.com/ktriage/ktriage/tui/text"
)

func newPreflight(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "preflight", Short: "What each probe can see with these rights, and what is missing", Args: cobra.NoArgs,
		Long: "Runs every probe once and says what each can see with these rights at this place, what is\n" +
			"missing and what would show it; and the fewest ACLs that let all probes see all, as\n" +
			"kafka-acls commands. Exit status: 0 nothing is missing, 1 something is that a right or another\n" +
			"user would show, 2 usage or configuration, 3 something could not be looked at.",
		RunE: func(cmd *cobra.Command, _ []string) error { return s.preflight(cmd.Context()) },
	}
}

// preflight runs one round and says what it could see.
func (s *settings) preflight(ctx context.Context) error {
	t := s.target()
	defer t.Close()
	o := s.options()
	if len(o.Only) > 0 { // it says what the user may do
		o.Only = append(slices.Clone(o.Only), kafka.Security.Name)
	}
	live := probes.NewLive(t, probes.All, o)
	defer live.Close()
	b, err := live.Round(ctx)
	if err == nil {
		err = ambiguous(t)
	}
	if err != nil {
		return err
	}
	report := preflight.Of(b, probes.All, preflight.Words{
		Version: version(), Principal: kafka.Principal(s.client), Connect: s.connect(b),
	})
	if s.output == "json" {
		err = json.NewEncoder(s.out).Encode(report)
	} else {
		_, err = io.WriteString(s.out, preflightText(report))
	}
	if err != nil {
		return err
	}
	if len(s.bootstrap) == 0 && len(t.Brokers()) == 0 {
		fmt.Fprintln(s.errOut, nobody(s))
	}
	if code := report.Exit(); code != 0 {
		return exit(code)
	}
	return nil
}

// connect is the words by which kafka-acls.sh reaches the cluster as this call
// did, or would have.
func (s *settings) connect(b fact.Batch) []string {
	addresses := s.bootstrap
	if len(addresses) == 0 {
		for _, o := range b.Observations {
			if reach, ok := o.Value.(fact.Reach); ok && reach.Outcome == fact.Answered {
				addresses = append(addresses, reach.Address)
			}
		}
	}
	if len(addresses) == 0 {
		addresses = []string{"HOST:PORT"}
	}
	words := []string{"--bootstrap-server", strings.Join(addresses, ",")}
	if s.commandConfig != "" {
		words = append(words, "--command-config", s.commandConfig)
	}
	return words
}

// preflightText is a report in lines of 80 columns; commands stay whole, so that
// they can be copied.
func preflightText(r preflight.Report) string {
	var b strings.Builder
	var all, elsewhere, unasked []string
	var order []string
	missing := map[string][]string{} // names of probes, by what is said of them
	lacking := 0
	for _, p := range r.Probes {
		switch {
		case p.Elsewhere:
			elsewhere = append(elsewhere, p.Name)
		case p.Status == fact.NotAsked:
			unasked = append(unasked, p.Name)
		case len(p.Missing) == 0:
			all = append(all, p.Name)
		default:
			lacking++
			said := sight(p)
			if missing[said] == nil {
				order = append(order, said)
			}
			missing[said] = append(missing[said], p.Name)
		}
	}
	for _, list := range []struct {
		title string
		names []string
	}{{"sees all: ", all}, {"not asked: ", unasked}} {
		if len(list.names) > 0 {
			b.WriteString(text.Wrap(list.title, "  ", strings.Join(list.names, ", ")))
		}
	}
	if len(elsewhere) > 0 {
		b.WriteString(text.Wrap("not here: ", "  ", strings.Join(elsewhere, ", ")+" look at a broker's own host, and no broker was found on this one"))
	}
	for _, said := range order {
		b.WriteString(text.Wrap("MISSING: ", "  ", strings.Join(missing[said], ", ")))
		b.WriteString(said)
	}
	commands(&b, r)
	fmt.Fprintf(&b, "%s; run as %s\n", summary(lacking, len(r.Probes)-len(elsewhere)-len(unasked)), me())
	return b.String()
}

// sight is what one probe misses, and what would show it.
func sight(p preflight.Sight) string {
	var b strings.Builder
	var order []string
	facts := map[string]map[string][]string{} // names, by why they are missing and of what
	for _, m := range p.Missing {
		why := string(m.Reason) + ": " + m.Detail
		if facts[why] == nil {
			order = append(order, why)
			facts[why] = map[string][]string{}
		}
		if m.Fact != nil {
			facts[why][subjects(m)] = append(facts[why][subjects(m)], *m.Fact)
		}
	}
	for _, why := range order {
		var what []string
		for _, of := range slices.Sorted(maps.Keys(facts[why])) {
			names := facts[why][of]
			if len(names) > 2 {
				names = []string{names[0], fmt.Sprintf("%d more", len(names)-1)}
			}
			what = append(what, strings.Join(names, " and ")+" of "+of)
		}
		said := strings.Join(what, "; ")
		switch {
		case len(p.Can) == 0:
			said = "" // all of it
		case said != "":
			said += ": "
		}
		b.WriteString(text.Wrap("  ", "    ", said+why))
	}
	for _, how := range p.How {
		b.WriteString("  how: " + text.Clean(how) + "\n")
	}
	return b.String()
}

func subjects(m preflight.Missing) string {
	said := strings.Join(m.Some, ", ")
	if scope, all := strings.CutSuffix(said, " "+fact.Any); all {
		return "every " + scope
	}
	if more := m.Subjects - len(m.Some); more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	return said
}

// commands is the minimum ACLs.
func commands(b *strings.Builder, r preflight.Report) {
	if len(r.ACLs) == 0 {
		return
	}
	b.WriteString("\nThe fewest ACLs for these probes, where brokers have an authorizer:\n")
	for _, right := range r.Rights {
		state := "unknown"
		if right.Held != nil {
			state = map[bool]string{true: "held", false: "MISSING"}[*right.Held]
		}
		fmt.Fprintf(b, "%-7s  %s\n", state, text.Clean(right.Command))
	}
	for _, right := range r.Rights {
		if right.Operation == "Read" {
			b.WriteString(text.Wrap("", "  ", fmt.Sprintf("Read on topics is for %s alone, and no key or value is read; without it: --skip %s", strings.Join(right.Probes, ", "), strings.Join(right.Probes, ","))))
		}
	}
	b.WriteString("\n")
}

func summary(lacking, asked int) string {
	if lacking == 0 {
		return fmt.Sprintf("nothing is missing: %d probes see all", asked)
	}
	return fmt.Sprintf("%d of %d probes miss something", lacking, asked)
}

// me is the user of this process.
func me() string {
	u, err := user.Current()
	if err != nil {
		return "a user without a name"
	}
	return u.Username
}
