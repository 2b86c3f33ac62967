// Package text shows a verdict without a screen: as lines for a ticket, as
// JSON for a script, as a Markdown report for the record.
package text

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ktriage/ktriage/diagnose"
)

// About is what a verdict does not know of itself.
type About struct {
	Version string        // of ktriage
	Took    time.Duration // from start to verdict
	Title   string        // of what was looked at: "replay of a.ktr"
	From    string        // the recording to name in "next:" lines; empty: live
	Demo    bool          // From is one that is built in
}

// Exit is the exit status of a check: 0 for clear and advice, 1 for a fault, 3
// for incomplete.
func Exit(s diagnose.Status) int {
	switch s {
	case diagnose.StatusFault:
		return 1
	case diagnose.StatusIncomplete:
		return 3
	}
	return 0
}

// Worse is the verdict of two that an incident is told by: that with the graver
// sure root, then with a confirmed one, then with the graver one at all, then
// with more findings; the later of two alike. Nil is no verdict.
func Worse(a, b *diagnose.Verdict) *diagnose.Verdict {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	x, y := gravity(a), gravity(b)
	for i := range x {
		if x[i] != y[i] {
			if x[i] > y[i] {
				return a
			}
			return b
		}
	}
	return b
}

func gravity(v *diagnose.Verdict) [4]int {
	g := [4]int{-1, 0, -1, len(v.All())}
	for _, f := range v.Findings {
		if f.Band.Sure() {
			g[0] = max(g[0], f.Severity.Rank())
		}
		if f.Band == diagnose.Confirmed {
			g[1] = 1
		}
		g[2] = max(g[2], f.Severity.Rank())
	}
	return g
}

// Clean is a text that came from outside, without what a terminal would obey.
func Clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

const columns = 80

// wrap breaks a text at blanks into lines of at most 80 columns, every line but
// the first indented. A word longer than a line stays whole.
func wrap(first, indent, s string) string {
	var b strings.Builder
	line, used := first, false
	for _, word := range strings.Fields(Clean(s)) {
		gap := " "
		if !used {
			gap = ""
		}
		if used && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns {
			b.WriteString(line + "\n")
			line, gap = indent, ""
		}
		line += gap + word
		used = true
	}
	b.WriteString(line + "\n")
	return b.String()
}

// Wrap is a text in lines of at most 80 columns: the first begins as said, the
// others are indented so. A word longer than a line stays whole.
func Wrap(first, indent, s string) string { return wrap(first, indent, s) }

// listed is the first items of a list, and how many more there are.
func listed(items []string, most int, between string) string {
	if len(items) <= most {
		return strings.Join(items, between)
	}
	return strings.Join(items[:most], between) + between + "and " + plural(len(items)-most, "more")
}

// plural is "1 partition", "2 partitions"; "more" has no plural.
func plural(n int, one string) string {
	if n == 1 || one == "more" {
		return strconv.Itoa(n) + " " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// stamp is a time as it goes into a ticket.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// cut is the beginning of a text.
func cut(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return strings.TrimRight(string(runes[:most-1]), " ") + "…"
}
