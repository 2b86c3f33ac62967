package text

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/playbooks"
)

// Explain writes what a cause, sign, fault or box of the flowchart is. It is an
// error when the catalogue has nothing of that id.
func Explain(w io.Writer, c *diagnose.Catalogue, id string) error {
	var b strings.Builder
	found := false
	for _, cause := range causes(c) {
		if cause.ID == id {
			explainCause(&b, cause)
			found = true
		}
	}
	for _, sign := range c.Signs {
		if sign.ID == id {
			explainSign(&b, c, sign)
			found = true
		}
	}
	for _, box := range c.Boxes {
		if box.ID == id {
			explainBox(&b, box)
			found = true
		}
	}
	if !found {
		found = explainFault(&b, c, id)
	}
	if !found {
		return fmt.Errorf("nothing is called %q; %s", id, alike(c, id))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// IDs is everything that can be explained, sorted.
func IDs(c *diagnose.Catalogue) []string {
	set := map[string]bool{}
	for _, cause := range causes(c) {
		set[cause.ID], set[cause.Fault.ID] = true, true
	}
	for _, s := range c.Signs {
		set[s.ID] = true
	}
	for _, b := range c.Boxes {
		set[b.ID] = true
	}
	var all []string
	for id := range set {
		all = append(all, id)
	}
	sort.Strings(all)
	return all
}

func causes(c *diagnose.Catalogue) []*diagnose.Cause {
	if c.None == nil {
		return c.Causes
	}
	return append(append([]*diagnose.Cause{}, c.Causes...), c.None)
}

func explainCause(b *strings.Builder, c *diagnose.Cause) {
	fmt.Fprintf(b, "cause %s: %s\n", c.ID, c.Title)
	b.WriteString(wrap("  ", "  ", c.Doc))
	fmt.Fprintf(b, "  fault %s, branch %s, severity %s, on a %s\n", c.Fault.ID, c.InBranch(), c.Severity, c.On)
	if len(c.Signs) > 0 {
		b.WriteString("\nevidence\n")
	}
	for _, l := range c.Signs {
		b.WriteString(wrap("  ", "      ", fmt.Sprintf("%s: %s (%s)", l.Sign.ID, l.Sign.Title, linkWords(l))))
		if l.Sign.Doc != "" {
			b.WriteString(wrap("      ", "      ", l.Sign.Doc))
		}
	}
	if len(c.RulesOut) > 0 {
		b.WriteString("\nnot if\n")
	}
	for _, s := range c.RulesOut {
		b.WriteString(wrap("  ", "      ", s.ID+": "+s.Title))
	}
	if len(c.Leads) > 0 {
		b.WriteString("\nleads to\n")
	}
	for _, l := range c.Leads {
		fmt.Fprintf(b, "  %s: %s\n", l.ID, l.Title)
	}
	follows := false
	for _, root := range diagnose.All.Causes {
		if slices.Contains(root.Leads, c) {
			if !follows {
				b.WriteString("\nfollows from\n")
			}
			follows = true
			fmt.Fprintf(b, "  %s: %s\n", root.ID, root.Title)
		}
	}
	if c.Context {
		b.WriteString("\nIt is planned work: shown above the findings too.\n")
	}
	explainPlaybook(b, c.Playbook())
}

// linkWords says how a sign speaks for a cause.
func linkWords(l diagnose.Link) string {
	how := map[diagnose.Strength]string{diagnose.Always: "always", diagnose.Often: "often", diagnose.Sometimes: "sometimes"}[l.Strength]
	if l.Decisive {
		how += ", decisive"
	}
	if l.Must {
		how += ", a no drops the cause"
	}
	if l.Follows {
		how += ", does not point at it by itself"
	}
	return how
}

func explainPlaybook(b *strings.Builder, id string) {
	book, err := playbooks.For(id)
	if err != nil {
		b.WriteString("\n" + wrap("", "  ", "playbook: "+err.Error()))
	}
	if book == nil {
		return
	}
	fmt.Fprintf(b, "\nplaybook: %s\n", Clean(book.Title))
	for _, p := range strings.Split(book.Intro, "\n\n") {
		b.WriteString(wrap("  ", "  ", p))
	}
	book = book.Fill(nil)
	section := playbooks.Section("")
	for i, s := range book.Steps {
		if s.Section != section {
			section = s.Section
			fmt.Fprintf(b, "\n%s\n", section)
		}
		b.WriteString(wrap("  ", "     ", fmt.Sprintf("%d. %s: %s", i+1, s.Risk, s.Text)))
		for _, c := range s.Commands {
			fmt.Fprintf(b, "     $ %s\n", strings.ReplaceAll(c, "\n", "\n       "))
		}
		if s.Undo != "" {
			b.WriteString(wrap("     ", "       ", "undo: "+s.Undo))
		}
	}
	if book.Rule != "" {
		fmt.Fprintf(b, "\nalert rule that would have caught it\n  %s\n", strings.ReplaceAll(strings.TrimRight(book.Rule, "\n"), "\n", "\n  "))
	}
}

func explainSign(b *strings.Builder, c *diagnose.Catalogue, s *diagnose.Sign) {
	fmt.Fprintf(b, "sign %s: %s\n", s.ID, s.Title)
	if s.Doc != "" {
		b.WriteString(wrap("  ", "  ", s.Doc))
	}
	fmt.Fprintf(b, "  asked of each %s", s.On)
	if s.For > 0 {
		fmt.Fprintf(b, ", yes once it has held %s", s.For)
	}
	b.WriteString("\n")
	for _, keys := range []struct {
		word string
		keys []fact.Key
	}{{"needs", s.Needs}, {"uses", s.Uses}} {
		for _, k := range keys.keys {
			b.WriteString(wrap("  ", "      ", fmt.Sprintf("%s %s: %s", keys.word, k.Def().Name, k.Def().Doc)))
		}
	}
	for _, cause := range c.Causes {
		for _, l := range cause.Signs {
			if l.Sign == s {
				fmt.Fprintf(b, "  speaks for cause %s (%s)\n", cause.ID, linkWords(l))
			}
		}
		for _, out := range cause.RulesOut {
			if out == s {
				fmt.Fprintf(b, "  rules out cause %s\n", cause.ID)
			}
		}
	}
}

func explainBox(b *strings.Builder, box *diagnose.Box) {
	where := "the common path"
	if box.Branch != "" {
		where = "branch " + string(box.Branch)
	}
	fmt.Fprintf(b, "box %s of the flowchart, %s: %s\n", box.ID, where, box.Title)
	b.WriteString(wrap("  ", "  ", box.Doc))
	for _, s := range box.Signs {
		b.WriteString(wrap("  ", "      ", "sign "+s.ID+": "+s.Title))
	}
}

// explainFault is true when a fault has this id.
func explainFault(b *strings.Builder, c *diagnose.Catalogue, id string) bool {
	found := false
	for _, cause := range causes(c) {
		if cause.Fault.ID != id {
			continue
		}
		if !found {
			fmt.Fprintf(b, "fault %s: %s, category %s; its causes:\n", id, cause.Fault.Title, cause.Fault.Category)
		}
		found = true
		fmt.Fprintf(b, "  %s: %s\n", cause.ID, cause.Title)
	}
	return found
}

// alike names the ids that share a word with the one asked for, or the causes.
func alike(c *diagnose.Catalogue, id string) string {
	var some []string
	for _, known := range IDs(c) {
		for _, word := range strings.Split(id, "-") {
			if len(word) > 3 && strings.Contains(known, word) {
				some = append(some, known)
				break
			}
		}
	}
	if len(some) > 0 {
		return "alike are " + listed(some, 8, " ")
	}
	for _, cause := range causes(c) {
		some = append(some, cause.ID)
	}
	return "the causes are " + strings.Join(some, " ")
}
