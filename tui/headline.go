package tui

import (
	"strings"

	"github.com/ktriage/ktriage/diagnose"
)

// headline is what stands above every screen: the verdict, and of a moment before
// anyone looked how the cluster stood.
func (m Model) headline() (word string, st style, text string) {
	if m.past != nil {
		return "THEN", boldYellow, m.thenHeadline()
	}
	return headlineOf(m.verdict())
}

// headlineOf is a verdict in a word and a sentence.
func headlineOf(v *diagnose.Verdict) (word string, st style, text string) {
	first := firstRoot(v)
	switch v.Status {
	case diagnose.StatusFault:
		if first != nil {
			return strings.ToUpper(string(first.Severity)), severityStyle(first.Severity), v.Headline
		}
		return "FAULT", boldRed, v.Headline
	case diagnose.StatusAdvice:
		return "ADVICE", yellow, v.Headline
	case diagnose.StatusClear:
		return "CLEAR", green, v.Headline
	}
	switch {
	case v.At.IsZero():
		return "LOOKING", cyan, "nothing seen yet"
	case first != nil && first.Band.Sure():
		return strings.ToUpper(string(first.Severity)), severityStyle(first.Severity), v.Headline
	case first != nil && first.Band == diagnose.Possible:
		return "POSSIBLE", boldYellow, v.Headline
	case first != nil:
		return "CANNOT TELL", boldYellow, strings.TrimPrefix(v.Headline, "cannot tell: ")
	}
	return "INCOMPLETE", boldYellow, v.Headline
}

// firstRoot is the root that the headline is about; nil when there is none.
func firstRoot(v *diagnose.Verdict) *diagnose.Finding {
	for _, f := range v.Findings {
		if f.Severity.Rank() > diagnose.Info.Rank() {
			return f
		}
	}
	return nil
}
