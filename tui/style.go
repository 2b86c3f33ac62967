package tui

import (
	"strings"

	"github.com/ktriage/ktriage/diagnose"
)

// style is one of the ways to draw a text: the 16 colours that every terminal
// has, as its owner set them, on the terminal's own background. Meaning is
// always in the words too.
type style uint8

const (
	plain style = iota
	bold
	dim
	red
	yellow
	green
	cyan
	boldRed
	boldYellow
)

// codes are the parameters of the escape sequence that begins each style.
var codes = [...]string{plain: "", bold: "1", dim: "2", red: "31", yellow: "33", green: "32", cyan: "36", boldRed: "1;31", boldYellow: "1;33"}

// glyphs are the characters that are not letters.
type glyphs struct {
	no, found, unknown, looking, pending, inapplicable, neutral string
	wide                                                        int // columns of a mark and the blank behind it
	cursor, arrow, mark                                         string
	line, bar, topLeft, topRight, bottomLeft                    string
	bottomRight, branch, last                                   string
	steps                                                       []string // of a trend, from low to high
}

var unicodeGlyphs = glyphs{
	no: "✓", found: "✗", unknown: "?", looking: "…", pending: "·", inapplicable: "-", neutral: "•", wide: 2,
	cursor: "▸", arrow: "→", mark: "▲",
	line: "─", bar: "│", topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘", branch: "├─", last: "└─",
	steps: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
}

var asciiGlyphs = glyphs{
	no: "ok", found: "x", unknown: "?", looking: "..", pending: ".", inapplicable: "-", neutral: "*", wide: 3,
	cursor: ">", arrow: ">", mark: "^",
	line: "-", bar: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", branch: "|-", last: "`-",
	steps: []string{"_", ".", "-", "=", "*", "#"},
}

// span is a piece of a row in one style.
type span struct {
	text  string
	style style
}

// row is one line of the screen. What is in it may come from anywhere: draw
// cleans it.
type row []span

func say(text string) row { return row{{text, plain}} }

// in is a row of one span in a style.
func in(st style, text string) row { return row{{text, st}} }

// width is the columns that a row takes.
func (r row) width() int {
	n := 0
	for _, s := range r {
		n += width(clean(s.text))
	}
	return n
}

// fit makes a row exactly w columns wide: cut at its end, or filled with blanks.
func (r row) fit(w int) row {
	out := make(row, 0, len(r)+1)
	left := w
	for _, s := range r {
		s.text = clean(s.text)
		if n := width(s.text); n > left {
			s.text = cut(s.text, left)
			out = append(out, s)
			left -= width(s.text)
			break
		} else if n > 0 {
			out = append(out, s)
			left -= n
		}
	}
	if left > 0 {
		out = append(out, span{strings.Repeat(" ", left), plain})
	}
	return out
}

// split puts one row at the left and another at the right end of w columns. The
// right one is never cut in favour of the left one.
func split(left, right row, w int) row {
	rest := w - right.width()
	if rest < 0 {
		return right.fit(w)
	}
	return append(left.fit(rest), right...)
}

// beside puts two columns next to each other, the left one w columns wide.
func beside(left, right []row, w int, gap string) []row {
	n := max(len(left), len(right))
	out := make([]row, 0, n)
	for i := range n {
		var l, r row
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		out = append(out, append(append(l.fit(w), span{gap, dim}), r...))
	}
	return out
}

// painter turns rows into text for the terminal.
type painter struct {
	color, ascii bool
}

// draw is a row as the terminal gets it, never wider than w.
func (p painter) draw(r row, w int) string {
	var b strings.Builder
	fitted := r.fit(w)
	for n := len(fitted) - 1; n >= 0; n-- { // blanks at the end need not be sent
		if fitted[n].text = strings.TrimRight(fitted[n].text, " "); fitted[n].text != "" {
			break
		}
	}
	for _, s := range fitted {
		text := s.text
		if p.ascii {
			text = toASCII(text)
		}
		if !p.color || s.style == plain || strings.TrimSpace(text) == "" {
			b.WriteString(text)
			continue
		}
		b.WriteString("\x1b[" + codes[s.style] + "m" + text + "\x1b[0m")
	}
	return b.String()
}

// Words, marks and styles for what a verdict says.

func severityStyle(s diagnose.Severity) style {
	switch s {
	case diagnose.Critical:
		return boldRed
	case diagnose.Major:
		return red
	case diagnose.Minor:
		return yellow
	}
	return cyan
}

// marked is a mark and the blank behind it.
func (g glyphs) marked(s span) span { return span{pad(s.text, g.wide), s.style} }

func (g glyphs) outcome(st *diagnose.SignState) span {
	switch {
	case st.Outcome == diagnose.Unknown:
		return span{g.unknown, yellow}
	case st.Outcome == diagnose.NotApplicable:
		return span{g.inapplicable, dim}
	case !st.Sign.Trouble: // neither good nor bad in itself
		return span{g.neutral, plain}
	case st.Outcome == diagnose.Yes:
		return span{g.found, red}
	}
	return span{g.no, green}
}

func (g glyphs) state(s diagnose.State) span {
	switch s {
	case diagnose.Done:
		return span{g.no, green}
	case diagnose.Found:
		return span{g.found, red}
	case diagnose.CannotSee:
		return span{g.unknown, yellow}
	case diagnose.Looking:
		return span{g.looking, cyan}
	}
	return span{g.pending, dim}
}

// band is a band in words.
func band(b diagnose.Band) string { return strings.ReplaceAll(string(b), "-", " ") }
