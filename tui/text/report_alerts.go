package text

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
)

// reportAlerts says which alert rules told of the incident, and how Prometheus
// is taught those that did.
func reportAlerts(b *strings.Builder, v *diagnose.Verdict) {
	if len(v.Alerts) == 0 {
		return
	}
	b.WriteString("## Alert rules\n\n| rule | must hold for | state | what was seen |\n|---|---|---|---|\n")
	var told strings.Builder
	for _, a := range v.Alerts {
		seen := a.Text
		if !a.Since.IsZero() {
			seen = a.Subject.String() + ", since " + stamp(a.Since) + ": " + seen
			told.WriteString(a.YAML)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", a.Rule, holding(a), a.State, md(seen))
	}
	b.WriteString("\n")
	if told.Len() > 0 {
		fmt.Fprintf(b, "In Prometheus, with the names of jmx_exporter's kafka-2_0_0.yml and of node_exporter:\n\n```yaml\n%s```\n\n", told.String())
	}
}

// holding is how long a rule must hold before it fires.
func holding(a diagnose.AlertState) string {
	if a.For == 0 {
		return "at once"
	}
	return brief(a.For)
}
