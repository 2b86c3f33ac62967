package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// clean makes text from brokers, logs and files fit to draw: control characters
// (escape sequences begin with one), invisible characters and marks that turn
// the direction of writing become blanks or go; broken UTF-8 becomes "?".
func clean(s string) string {
	if harmless(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r == utf8.RuneError && n <= 1:
			b.WriteByte('?')
		case r == '\n', r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
		case unicode.IsPrint(r) || unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// harmless says whether text is printable ASCII, as nearly all of it is.
func harmless(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// asciiOf is what stands for a character where only ASCII may be drawn.
var asciiOf = strings.NewReplacer("—", "-", "–", "-", "‘", "'", "’", "'", "“", "\"", "”", "\"",
	"…", "~", "→", ">", "←", "<", "≥", ">", "≤", "<", "×", "x", "·", ".", "µ", "u", "\u00a0", " ")

// toASCII draws text with ASCII only, each column kept.
func toASCII(s string) string {
	if harmless(s) {
		return s
	}
	var b strings.Builder
	for _, r := range asciiOf.Replace(s) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
	}
	return b.String()
}

func width(s string) int { return ansi.StringWidth(s) }

// cut shortens a sentence at its end.
func cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, "…")
}

// middle shortens a name in the middle: both ends of a topic's or a path's name
// tell it from its neighbours.
func middle(s string, w int) string {
	n := width(s)
	switch {
	case n <= w:
		return s
	case w < 5:
		return cut(s, w)
	}
	head := (w - 1) / 2
	return ansi.Truncate(s, head, "") + "…" + ansi.TruncateLeft(s, n-(w-1-head), "")
}

// pad fills a text with blanks up to a width.
func pad(s string, w int) string {
	if n := width(s); n < w {
		return s + strings.Repeat(" ", w-n)
	}
	return s
}

// wrap breaks a text into lines of a width, at blanks where it can.
func wrap(s string, w int) []string {
	if w < 1 {
		return nil
	}
	return strings.Split(ansi.Wrap(clean(s), w, ""), "\n")
}

// wrapCommand breaks a shell command so that each line but the last ends in a
// backslash and the whole still means the same: only at blanks outside quotes.
func wrapCommand(s string, w int) []string {
	var lines []string
	indent := ""
	for _, part := range strings.Split(s, "\\\n") {
		part = strings.TrimSpace(clean(part))
		for width(part)+len(indent)+2 > w {
			at := breakAt(part, w-len(indent)-2)
			if at < 0 {
				break
			}
			lines = append(lines, indent+part[:at]+" \\")
			part, indent = strings.TrimSpace(part[at:]), "    "
		}
		lines = append(lines, indent+part+" \\")
		indent = "    "
	}
	last := len(lines) - 1
	lines[last] = strings.TrimSuffix(lines[last], " \\")
	return lines
}

// breakAt is the last blank outside quotes within the first w bytes; the first
// one after them where there is none; -1: none at all.
func breakAt(s string, w int) int {
	quote, best := byte(0), -1
	for i := range len(s) {
		switch c := s[i]; {
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		case c == ' ' && quote == 0 && i > 0 && s[i-1] != '\\':
			if i > w && best >= 0 {
				return best
			}
			best = i
			if i > w {
				return best
			}
		}
	}
	return best
}

// age is how long ago something was, in two units at most.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour && d.Truncate(time.Second)%time.Minute == 0:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// clock is a time of day in UTC, as all times on the screen.
func clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	return t.UTC().Format("15:04:05")
}

// plural is "1 sign", "2 signs".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
