package diagnosetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// conclude folds the batches of a case into a verdict.
func conclude(c *diagnose.Catalogue, batches []fact.Batch) (*diagnose.Session, *diagnose.Verdict) {
	session := diagnose.NewSession(c)
	for _, b := range batches {
		session.Apply(b)
	}
	return session, session.Verdict()
}

// check tells in what a verdict is not as the case wants, one line each.
func check(c *diagnose.Catalogue, k *Case, v *diagnose.Verdict) []string {
	var all []string
	named := map[*diagnose.Finding]bool{}
	for _, w := range k.Wants {
		if failure := w.check(c, v, named); failure != "" {
			all = append(all, fmt.Sprintf("%s:%d: %s: %s", k.File, w.Line, w.Text, failure))
		}
	}
	for _, f := range v.All() {
		if f.Band.Sure() && !named[f] {
			all = append(all, fmt.Sprintf("%s: unexpected: %s", k.File, finding(f)))
		}
	}
	return all
}

// check is what is wrong, empty when nothing is. It notes the findings that the
// want speaks of.
func (w *Want) check(c *diagnose.Catalogue, v *diagnose.Verdict, named map[*diagnose.Finding]bool) string {
	switch w.What {
	case Cause:
		if !slices.ContainsFunc(causes(c), func(x *diagnose.Cause) bool { return x.ID == w.ID }) {
			return "no such cause in the catalogue"
		}
		if w.No {
			return w.checkNot(v)
		}
		return w.checkCause(v, named)
	case Sign:
		if !slices.ContainsFunc(c.Signs, func(x *diagnose.Sign) bool { return x.ID == w.ID }) {
			return "no such sign in the catalogue"
		}
		return w.checkSign(v)
	case Status:
		return differs(string(v.Status), w.Word)
	case Branch:
		if v.Branch == "" {
			return differs("none", w.Word)
		}
		return differs(string(v.Branch), w.Word)
	case First:
		if len(v.Findings) == 0 {
			return "nothing was found"
		}
		return differs(v.Findings[0].Cause.ID, w.Word)
	case Context:
		return w.checkContext(v)
	case Alert:
		return w.checkAlert(v)
	case Next:
		return w.checkNext(v)
	}
	return fmt.Sprintf("unknown want %q", w.What)
}

// causes is every cause of a catalogue, none-of-these included.
func causes(c *diagnose.Catalogue) []*diagnose.Cause {
	if c.None == nil {
		return c.Causes
	}
	return append(slices.Clone(c.Causes), c.None)
}

func differs(got, want string) string {
	if got == want {
		return ""
	}
	return "it is " + got
}

func (w *Want) checkNot(v *diagnose.Verdict) string {
	for _, f := range v.All() {
		if f.Cause.ID == w.ID && (w.AtAll || f.Band.Sure()) {
			return "found: " + finding(f)
		}
	}
	return ""
}

func (w *Want) checkCause(v *diagnose.Verdict, named map[*diagnose.Finding]bool) string {
	for _, f := range v.All() {
		if f.Cause.ID != w.ID || f.Subject != w.Subject {
			continue
		}
		named[f] = true
		switch {
		case string(f.Band) != w.Word, w.Role != "" && f.Role != w.Role:
			return "found otherwise: " + finding(f)
		case !strings.Contains(f.Says, w.Part):
			return fmt.Sprintf("it says %q", f.Says)
		}
		return ""
	}
	return "not found"
}

func (w *Want) checkSign(v *diagnose.Verdict) string {
	for _, s := range v.Signs {
		if s.Sign.ID != w.ID || s.Subject != w.Subject {
			continue
		}
		if string(s.Outcome) != w.Word || !strings.Contains(s.Text+" "+s.Because.String(), w.Part) {
			return "it reads " + reading(&s)
		}
		return ""
	}
	return "it was not asked of that subject"
}

func (w *Want) checkContext(v *diagnose.Verdict) string {
	var told []string
	for _, c := range v.Context {
		switch {
		case c.ID != w.ID:
		case w.No:
			return fmt.Sprintf("told: %q", c.Text)
		case strings.Contains(c.Text, w.Part):
			return ""
		default:
			told = append(told, c.Text)
		}
	}
	if w.No {
		return ""
	}
	return fmt.Sprintf("told of it: %q", told)
}

func (w *Want) checkNext(v *diagnose.Verdict) string {
	switch {
	case v.Next == nil:
		return "nothing to look at next"
	case v.Next.Sign.ID != w.ID || !strings.Contains(v.Next.Text, w.Part):
		return fmt.Sprintf("it is %s: %q", v.Next.Sign.ID, v.Next.Text)
	}
	return ""
}

func (w *Want) checkAlert(v *diagnose.Verdict) string {
	for _, a := range v.Alerts {
		if a.Rule == w.ID {
			return differs(a.State, w.Word)
		}
	}
	return "no such rule"
}

func finding(f *diagnose.Finding) string {
	return fmt.Sprintf("%s on %s %s as %s, %s, p=%.3f: %q", f.Cause.ID, f.Subject, f.Band, f.Role, f.Severity, f.Probability, f.Says)
}

func reading(s *diagnose.SignState) string {
	if s.Outcome == diagnose.Unknown {
		return fmt.Sprintf("unknown (%s)", s.Because)
	}
	return fmt.Sprintf("%s: %q", s.Outcome, s.Text)
}

// describe is a verdict for whoever has to find out why it is not as wanted.
func describe(v *diagnose.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, branch %q: %s\n", v.Status, v.Branch, v.Headline)
	for _, c := range v.Context {
		fmt.Fprintf(&b, "context %s: %s\n", c.ID, c.Text)
	}
	for _, f := range v.All() {
		fmt.Fprintf(&b, "%s\n", finding(f))
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "    %+.2f %s on %s %s\n", e.Weight, e.Sign.ID, e.Subject, reading(&e.SignState))
		}
		for _, m := range f.Unknown {
			fmt.Fprintf(&b, "    ?     %s on %s: %s\n", m.Sign.ID, m.Subject, m.Because)
		}
	}
	for _, r := range v.RuledOut {
		fmt.Fprintf(&b, "ruled out: %s on %s by %s\n", r.Cause.ID, r.Subject, r.By.Sign.ID)
	}
	fmt.Fprintf(&b, "signs seen: %d of %d\n", v.Coverage.Seen, v.Coverage.Total)
	for _, s := range v.Signs {
		if s.Outcome == diagnose.Yes || s.Outcome == diagnose.Unknown {
			fmt.Fprintf(&b, "    %s on %s %s\n", s.Sign.ID, s.Subject, reading(&s))
		}
	}
	return b.String()
}
