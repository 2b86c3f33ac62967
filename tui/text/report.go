package text

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/playbooks"
)

// Report writes a session as a Markdown incident report. The findings are those
// of worst, the verdict at the incident's height; nil: the session's newest.
func Report(w io.Writer, s *diagnose.Session, worst *diagnose.Verdict, about About) error {
	now := s.Verdict()
	if worst == nil {
		worst = now
	}
	var b strings.Builder
	reportHead(&b, now, worst, about)
	reportFindings(&b, worst)
	reportTimeline(&b, s, worst)
	reportLedger(&b, worst)
	reportUnseen(&b, worst)
	reportVerify(&b, s)
	reportAlerts(&b, worst)
	reportPlaybooks(&b, worst)
	_, err := io.WriteString(w, b.String())
	return err
}

func reportHead(b *strings.Builder, now, worst *diagnose.Verdict, about About) {
	fmt.Fprintf(b, "# Incident report: %s\n\n", md(worst.Headline))
	row := func(k, v string) {
		if v != "" {
			fmt.Fprintf(b, "- %s: %s\n", k, v)
		}
	}
	row("verdict", string(worst.Status)+" at "+stamp(worst.At))
	if worst.Branch != "" {
		row("branch", string(worst.Branch))
	}
	if now.At.After(worst.At) {
		row("at the end", fmt.Sprintf("%s at %s: %s", now.Status, stamp(now.At), md(now.Headline)))
	}
	c := worst.Cluster
	var brokers []string
	for _, x := range c.Brokers {
		state := "reachable"
		if !x.Reachable {
			state = "not reachable"
		}
		brokers = append(brokers, fmt.Sprintf("%d (%s:%d, %s)", x.ID, md(x.Host), x.Port, state))
	}
	row("cluster", code(c.ID))
	row("Kafka", strings.TrimSpace(md(c.Version)+" "+c.Mode))
	row("brokers", strings.Join(brokers, ", "))
	row("seen by", strings.TrimSpace("ktriage "+about.Version+" "+md(about.Title)))
	b.WriteString("\n")
}

func reportFindings(b *strings.Builder, v *diagnose.Verdict) {
	b.WriteString("## Verdict\n\n")
	for _, c := range v.Context {
		fmt.Fprintf(b, "Known before: %s (`%s`).\n\n", md(c.Text), c.ID)
	}
	for _, c := range v.Changed {
		fmt.Fprintf(b, "Changed before `%s` on %s, at %s (%s): %s.\n\n", c.Of.Cause.ID, md(c.Of.Subject.String()), stamp(c.At), before(c), md(c.Text))
	}
	if len(v.Findings) == 0 && len(v.Unexplained) == 0 {
		fmt.Fprintf(b, "%s.\n\n", md(v.Headline))
		return
	}
	for _, f := range v.Findings {
		fmt.Fprintf(b, "- **%s** `%s` on %s, %s (probability %.2f)%s: %s%s\n", f.Severity, f.Cause.ID, md(f.Subject.String()), f.Band, f.Probability, since(f.Since), md(f.Says), md(suffers(f.Affected)))
		for _, u := range f.Under {
			fmt.Fprintf(b, "  - follows: `%s` on %s%s: %s%s\n", u.Cause.ID, md(u.Subject.String()), since(u.Since), md(u.Says), md(suffers(u.Affected)))
		}
	}
	for _, text := range Unexplained(v) {
		fmt.Fprintf(b, "- not explained: %s\n", md(text))
	}
	b.WriteString("\n")
	reportLastSeen(b, v.LastSeen)
	if v.Copy != nil && (v.LastSeen != nil || len(v.Changed) > 0) {
		fmt.Fprintf(b, "%s.\n\n", md(v.Copy.Text()))
	}
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", since " + stamp(t)
}

// event is one line of the timeline.
type event struct {
	at   time.Time
	text string
}

// reportTimeline tells when signs of trouble began and ended, and what the
// operator said.
func reportTimeline(b *strings.Builder, s *diagnose.Session, worst *diagnose.Verdict) {
	var all []event
	for _, at := range append(append([]diagnose.SignState{}, worst.Signs...), s.Verdict().Signs...) {
		if at.Sign.Trouble {
			all = append(all, onsets(s.Onsets(at.Sign, at.Subject))...)
		}
	}
	for _, m := range s.Marks() {
		what := "**fix applied**"
		switch m.Kind {
		case fact.FixApplied:
		case fact.Symptom:
			what = "reported"
		default:
			what = "note"
		}
		if m.Text != "" {
			what += ": " + md(m.Text)
		}
		all = append(all, event{m.At, what})
	}
	sort.SliceStable(all, func(i, j int) bool {
		if !all[i].at.Equal(all[j].at) {
			return all[i].at.Before(all[j].at)
		}
		return all[i].text < all[j].text
	})
	b.WriteString("## Timeline (UTC)\n\n")
	last := event{}
	for _, e := range all {
		if e == last { // the same sign stands in both verdicts
			continue
		}
		last = e
		fmt.Fprintf(b, "- %s %s\n", e.at.UTC().Format("2006-01-02 15:04:05"), e.text)
	}
	if len(all) == 0 {
		b.WriteString("Nothing began or ended while this was watched.\n")
	}
	b.WriteString("\n")
}

// onsets turns the changes of one sign into events: yes begins, no ends. What
// began before anybody looked begins at its first reading.
func onsets(states []diagnose.SignState) []event {
	var all []event
	began := false
	for _, st := range states {
		switch {
		case st.Outcome == diagnose.Yes && !began:
			began = true
			at := st.Held
			if !st.Since.IsZero() && st.Since.Before(at) {
				at = st.Since
			}
			all = append(all, event{at, fmt.Sprintf("began: %s (`%s` on %s)", md(st.Text), st.Sign.ID, md(st.Subject.String()))})
		case began && (st.Outcome == diagnose.No || st.Outcome == diagnose.NotApplicable):
			began = false
			all = append(all, event{st.Held, fmt.Sprintf("ended: %s (`%s` on %s)", md(or(st.Text, st.Sign.Title)), st.Sign.ID, md(st.Subject.String()))})
		}
	}
	return all
}

func reportLedger(b *strings.Builder, v *diagnose.Verdict) {
	for i, f := range v.Findings {
		if i == 0 {
			b.WriteString("## Evidence\n\n")
		}
		fmt.Fprintf(b, "### `%s` on %s\n\n| sign | answer | weight | what was seen | by | at |\n|---|---|---|---|---|---|\n", f.Cause.ID, md(f.Subject.String()))
		for _, e := range f.Evidence {
			weight := fmt.Sprintf("%+.1f", e.Weight)
			if e.Decisive && e.Outcome == diagnose.Yes {
				weight += ", decisive"
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", e.Sign.ID, e.Outcome, weight, md(e.Text), md(e.Source), clock(e.At))
		}
		for _, m := range f.Unknown {
			fmt.Fprintf(b, "| `%s` | unknown | | %s | | |\n", m.Sign.ID, md(missed(m)))
		}
		b.WriteString("\n")
		for _, a := range f.Alternatives {
			fmt.Fprintf(b, "- not %s\n", md(a))
		}
		if len(f.Alternatives) > 0 {
			b.WriteString("\n")
		}
	}
}

func reportUnseen(b *strings.Builder, v *diagnose.Verdict) {
	fmt.Fprintf(b, "## What could not be seen\n\nSeen: %d of %s.\n\n", v.Coverage.Seen, plural(v.Coverage.Total, "sign"))
	for _, m := range v.Coverage.Unknown {
		fmt.Fprintf(b, "- `%s`: %s\n", m.Sign.ID, md(missed(m)))
	}
	for _, name := range elsewhere(v) {
		fmt.Fprintf(b, "- host, JVM and logs of broker %s: not on this host\n", md(name))
	}
	for _, r := range v.Runs {
		if r.Status != fact.OK {
			fmt.Fprintf(b, "- probe `%s`: %s %s\n", r.Probe, r.Status, md(r.Error))
		}
	}
	b.WriteString("\n")
}

func reportVerify(b *strings.Builder, s *diagnose.Session) {
	at := s.FixApplied()
	if at.IsZero() {
		return
	}
	fmt.Fprintf(b, "## Before and after the fix of %s\n\n", stamp(at))
	moved := s.Verify(at)
	if len(moved) == 0 {
		b.WriteString("No sign of trouble can be compared.\n\n")
		return
	}
	b.WriteString("| change | sign | before | after |\n|---|---|---|---|\n")
	for _, m := range moved {
		fmt.Fprintf(b, "| %s | `%s` on %s | %s | %s |\n", m.Change, m.Sign.ID, md(m.Subject.String()), md(told(m.Before)), md(told(m.After)))
	}
	b.WriteString("\n")
}

func told(s diagnose.SignState) string {
	if s.Text != "" {
		return s.Text
	}
	if s.Because != nil {
		return "unknown: " + s.Because.String()
	}
	return string(s.Outcome)
}

func reportPlaybooks(b *strings.Builder, v *diagnose.Verdict) {
	for _, f := range v.Findings {
		if f.Severity == diagnose.Info {
			continue
		}
		book, err := playbooks.For(f.Cause.Playbook())
		if book == nil {
			fmt.Fprintf(b, "## Playbook\n\nNone for `%s`: %v\n\n", f.Cause.ID, err)
			continue
		}
		book = book.Fill(Vars(v, f, ""))
		fmt.Fprintf(b, "## Playbook: %s\n\n", md(book.Title))
		writeSteps(b, book)
		if book.Rule != "" {
			fmt.Fprintf(b, "The alert rule that would have caught it:\n\n```yaml\n%s\n```\n\n", strings.TrimRight(book.Rule, "\n"))
		}
	}
}

func writeSteps(b *strings.Builder, book *playbooks.Playbook) {
	section := playbooks.Section("")
	for i, s := range book.Steps {
		if s.Section != section {
			section = s.Section
			fmt.Fprintf(b, "### %s\n\n", section)
		}
		fmt.Fprintf(b, "%d. [ ] *%s*: %s\n", i+1, s.Risk, Clean(s.Text))
		for _, c := range s.Commands {
			fmt.Fprintf(b, "   ```sh\n   %s\n   ```\n", strings.ReplaceAll(c, "\n", "\n   "))
		}
		if s.Undo != "" {
			fmt.Fprintf(b, "   undo: %s\n", Clean(s.Undo))
		}
	}
	b.WriteString("\n")
}

// md is text from outside inside Markdown: nothing in it formats, links or
// breaks a table.
func md(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", "[", "\\[", "]", "\\]", "#", "\\#").Replace(Clean(s))
}

// code is a word from outside as code; empty stays empty.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(Clean(s), "`", "'") + "`"
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
