package text

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Check writes a verdict in lines of 80 columns, severity as a word, nothing
// but characters: what goes into a ticket.
func Check(w io.Writer, v *diagnose.Verdict, about About) error {
	var b strings.Builder
	var advice, perhaps []string
	roots := 0
	for _, f := range v.Findings {
		switch {
		case f.Severity.Rank() >= diagnose.Major.Rank():
			roots++
			root(&b, v, f, about)
		case !f.Band.Sure():
			perhaps = append(perhaps, fmt.Sprintf("%s on %s", f.Cause.ID, f.Subject))
		case !f.Cause.Context:
			advice = append(advice, fmt.Sprintf("%s: %s", f.Cause.ID, f.Says))
		}
	}
	if roots == 0 {
		b.WriteString(wrap("", "  ", nothing(v, about)))
	} else if len(v.Unexplained) > 0 {
		b.WriteString(wrap("", "  ", "not explained by that: "+listed(Unexplained(v), 3, "; ")))
	}
	lastSeenLines(&b, v.LastSeen)
	standingLine(&b, v)
	if v.Next != nil {
		b.WriteString(wrap("", "  ", "look here next: "+v.Next.Text))
	}
	for _, c := range v.Context {
		b.WriteString(wrap("", "  ", "note: "+c.ID+": "+c.Text))
	}
	if firing := inState(v.Alerts, "firing"); len(firing) > 0 {
		b.WriteString(wrap("", "  ", "alert rules firing: "+strings.Join(firing, ", ")))
	}
	if pending := inState(v.Alerts, diagnose.AlertPending); len(pending) > 0 {
		b.WriteString(wrap("", "  ", "alert rules pending: "+strings.Join(pending, ", ")))
	}
	if len(advice) > 0 {
		b.WriteString(wrap("", "  ", fmt.Sprintf("advice: %d (%s)", len(advice), listed(advice, 3, "; "))))
	}
	if len(perhaps) > 0 {
		b.WriteString(wrap("", "  ", "perhaps, and not a fault: "+listed(perhaps, 3, "; ")))
	}
	seen(&b, v, roots > 0)
	_, err := io.WriteString(w, b.String())
	return err
}

// root is one root with what follows from it.
func root(b *strings.Builder, v *diagnose.Verdict, f *diagnose.Finding, about About) {
	severity := strings.ToUpper(string(f.Severity))
	if f.Band == diagnose.CannotTell {
		b.WriteString(wrap("", "  ", fmt.Sprintf("CANNOT TELL %s: %s on %s? %s (would be %s)", f.Cause.InBranch(), f.Cause.ID, f.Subject, f.Says, f.Severity)))
	} else {
		if !f.Band.Sure() {
			severity = "PERHAPS " + severity
		}
		b.WriteString(wrap("", "  ", fmt.Sprintf("%s %s: %s (%s)", severity, f.Cause.InBranch(), f.Says, f.Band)))
	}
	var why []string
	for _, e := range f.Evidence {
		if e.Outcome == diagnose.Yes && !strings.Contains(f.Says, e.Text) {
			why = append(why, e.Text)
		}
	}
	if len(why) > 0 {
		b.WriteString(wrap("  ", "    ", "seen: "+listed(why, 4, "; ")))
	}
	if !f.Since.IsZero() {
		b.WriteString(wrap("  ", "    ", "since "+stamp(f.Since)+suffers(f.Affected)))
	}
	changedLines(b, v, f)
	if len(f.Under) > 0 {
		var under []string
		for _, c := range f.Under {
			under = append(under, c.Cause.ID+": "+c.Says)
		}
		b.WriteString(wrap("  ", "    ", "consequences: "+listed(under, 4, "; ")))
	}
	if len(f.Behind) > 0 {
		b.WriteString(wrap("  ", "    ", "may follow from what was not looked for: "+listed(ids(f.Behind), 4, ", ")))
	}
	if !f.Band.Sure() {
		for _, m := range moving(f.Unknown) {
			b.WriteString(wrap("  ", "    ", "missing: "+missed(m)))
		}
	}
	console := "ktriage"
	switch {
	case about.Demo:
		console = "ktriage demo " + about.From
	case about.From != "":
		console = "ktriage replay " + about.From
	}
	b.WriteString(wrap("  ", "    ", "next: ktriage explain "+f.Cause.ID+" | the console: "+console))
}

func ids(causes []*diagnose.Cause) []string {
	var all []string
	for _, c := range causes {
		all = append(all, c.ID)
	}
	return all
}

// moving is the unknown signs that could move the band, or all of them where
// none is marked so.
func moving(all []diagnose.Missing) []diagnose.Missing {
	var some []diagnose.Missing
	for _, m := range all {
		if m.Moves {
			some = append(some, m)
		}
	}
	if len(some) == 0 {
		return all
	}
	return some
}

// missed is an unknown sign, why, and what would make it visible.
func missed(m diagnose.Missing) string {
	s := m.Sign.Title
	if m.Subject.Scope != fact.Cluster && m.Subject.Name != fact.Any {
		s = m.Subject.String() + ": " + s
	}
	s += " (" + strings.ReplaceAll(string(m.Because.Reason), "-", " ")
	switch {
	case m.Because.How != "":
		s += ": " + m.Because.How
	case m.Because.Detail != "":
		s += ": " + cut(m.Because.Detail, 60)
	}
	return s + ")"
}

// suffers is what is affected, empty when nothing is.
func suffers(a diagnose.Affected) string {
	var parts []string
	if a.Partitions > 0 {
		p := plural(a.Partitions, "partition")
		if len(a.Topics) > 0 {
			p += " of " + listed(a.Topics, 3, " ")
		}
		parts = append(parts, p)
	}
	if len(a.Groups) > 0 {
		parts = append(parts, plural(len(a.Groups), "group")+": "+listed(a.Groups, 3, " "))
	}
	if len(parts) == 0 {
		return ""
	}
	return "; affects " + strings.Join(parts, ", ")
}

// nothing is the line when there is no root of severity major or critical.
func nothing(v *diagnose.Verdict, about About) string {
	s := "no fault found: " + strconv.Itoa(v.Coverage.Seen) + " of " + plural(v.Coverage.Total, "sign") + " seen"
	switch {
	case v.Coverage.Total == 0:
		s = "cannot tell: nothing could be seen from here"
	case v.Status == diagnose.StatusIncomplete:
		s = "incomplete: " + v.Headline // it says what is missing
	}
	if len(v.Unexplained) > 0 {
		s = "incomplete: not explained: " + listed(Unexplained(v), 3, "; ")
	}
	var size []string
	if about.Took > 0 {
		size = append(size, fmt.Sprintf("in %.1f s", about.Took.Seconds()))
	}
	if n := len(v.Cluster.Brokers); n > 0 {
		size = append(size, plural(n, "broker"))
	}
	if v.Cluster.Partitions >= 0 {
		size = append(size, plural(v.Cluster.Partitions, "partition"))
	}
	if v.Cluster.Groups >= 0 {
		size = append(size, plural(v.Cluster.Groups, "group"))
	}
	switch all := strings.Join(size, ", "); {
	case all == "":
		return s
	case v.Status == diagnose.StatusIncomplete, len(v.Unexplained) > 0:
		return s + " (" + all + ")"
	case about.Took > 0:
		return s + " " + all
	default:
		return s + ", " + all
	}
}

// Unexplained is the trouble that no finding accounts for, a text each.
func Unexplained(v *diagnose.Verdict) []string {
	var all []string
	for _, st := range v.Unexplained {
		all = append(all, st.Subject.String()+": "+or(st.Text, st.Sign.Title))
	}
	return all
}

// seen is the last lines: how much was seen, and what was not.
func seen(b *strings.Builder, v *diagnose.Verdict, count bool) {
	var unknown []string
	for _, m := range v.Coverage.Unknown {
		unknown = append(unknown, missed(m))
	}
	line := ""
	if count {
		line = fmt.Sprintf("seen %d of %s", v.Coverage.Seen, plural(v.Coverage.Total, "sign"))
	}
	if len(unknown) > 0 {
		if line != "" {
			line += "; "
		}
		line += "unknown: " + listed(unknown, 5, ", ")
	}
	if line != "" {
		b.WriteString(wrap("", "  ", line))
	}
	if who := elsewhere(v); len(who) > 0 {
		b.WriteString(wrap("", "  ", "not from here: host, JVM and logs of broker "+listed(who, 6, " ")+" (run ktriage on that host)"))
	}
	var failed []string
	for _, r := range v.Runs {
		if r.Status == fact.Failed {
			failed = append(failed, r.Probe+" ("+cut(r.Error, 60)+")")
		}
	}
	if len(failed) > 0 {
		b.WriteString(wrap("", "  ", "probes that failed: "+listed(failed, 4, ", ")))
	}
}

// elsewhere is the names of the brokers whose host is another.
func elsewhere(v *diagnose.Verdict) []string {
	var names []string
	for _, s := range v.Coverage.Elsewhere {
		names = append(names, s.Name)
	}
	return names
}

func inState(alerts []diagnose.AlertState, state string) []string {
	var all []string
	for _, a := range alerts {
		if a.State != state {
			continue
		}
		if a.Since.IsZero() || a.For == 0 {
			all = append(all, a.Rule)
		} else {
			all = append(all, fmt.Sprintf("%s (since %s, for %s)", a.Rule, clock(a.Since), brief(a.For)))
		}
	}
	return all
}

// brief is a duration without its zeros: 5m, not 5m0s.
func brief(d time.Duration) string { return strings.TrimSuffix(d.String(), "0s") }
