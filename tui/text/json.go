package text

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Schema is the name of the object that JSON writes; docs/check.schema.json
// describes it.
const Schema = "ktriage.check/v1"

// The object, as scripts rely on it. Arrays are never null; what is not known
// is null; times are RFC 3339 in UTC, durations seconds, sizes bytes.
type (
	document struct {
		Schema   string      `json:"schema"`
		Tool     tool        `json:"tool"`
		At       time.Time   `json:"at"`
		Seconds  float64     `json:"duration_seconds"`
		Cluster  cluster     `json:"cluster"`
		Verdict  summary     `json:"verdict"`
		Findings []finding   `json:"findings"`
		Context  []context   `json:"context"`
		Changed  []changed   `json:"changed"`
		LastSeen *lastSeen   `json:"last_known"`
		Copy     *logCopy    `json:"metadata_log"`
		Alerts   []alert     `json:"alerts"`
		Coverage coverage    `json:"coverage"`
		Probes   []probeRun  `json:"probes"`
		Flow     []flowBox   `json:"flow"`
		Next     *lookNext   `json:"next"`
		Marks    []fact.Mark `json:"marks"`
	}
	tool struct {
		Version string `json:"version"`
	}
	cluster struct {
		ID         *string  `json:"id"`
		Version    *string  `json:"kafka_version"`
		Mode       *string  `json:"mode"`
		Controller *int32   `json:"controller"`
		Brokers    []broker `json:"brokers"`
	}
	broker struct {
		ID        int32   `json:"id"`
		Host      string  `json:"host"`
		Port      int32   `json:"port"`
		Reachable bool    `json:"reachable"`
		Rack      *string `json:"rack"`
	}
	summary struct {
		Status   diagnose.Status `json:"status"`
		Branch   *string         `json:"branch"`
		Headline string          `json:"headline"`
	}
	finding struct {
		Cause         string            `json:"cause"`
		Fault         string            `json:"fault"`
		Category      diagnose.Category `json:"category"`
		Branch        diagnose.Branch   `json:"branch"`
		Role          diagnose.Role     `json:"role"`
		Severity      diagnose.Severity `json:"severity"`
		Band          diagnose.Band     `json:"band"`
		Probability   float64           `json:"probability"`
		Subject       fact.Subject      `json:"subject"`
		ConsequenceOf *string           `json:"consequence_of"`
		Since         *time.Time        `json:"since"`
		Text          string            `json:"text"`
		Evidence      []evidence        `json:"evidence"`
		Unknown       []missing         `json:"unknown"`
		Behind        []string          `json:"behind"`
		Affected      diagnose.Affected `json:"affected"`
		Alternatives  []string          `json:"alternatives"`
		Playbook      string            `json:"playbook"`
	}
	evidence struct {
		Sign      string           `json:"sign"`
		Outcome   diagnose.Outcome `json:"outcome"`
		Weight    float64          `json:"weight"`
		Text      string           `json:"text"`
		Value     *float64         `json:"value"`
		Unit      *string          `json:"unit"`
		Threshold *float64         `json:"threshold"`
		Source    *string          `json:"source"`
		Subject   fact.Subject     `json:"subject"`
		At        *time.Time       `json:"at"`
	}
	missing struct {
		Sign    string       `json:"sign"`
		Subject fact.Subject `json:"subject"`
		Reason  fact.Reason  `json:"reason"`
		Detail  string       `json:"detail"`
		How     *string      `json:"how"`
	}
	context struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	alert struct {
		Rule     string            `json:"rule"`
		State    string            `json:"state"`
		Severity diagnose.Severity `json:"severity,omitempty"`
		For      float64           `json:"for_seconds"`
		Subject  *fact.Subject     `json:"subject,omitempty"` // whom it speaks of, where it fires or is pending
		Since    *time.Time        `json:"since,omitempty"`
		Text     *string           `json:"text,omitempty"`
	}
	coverage struct {
		Seen      int            `json:"signs_seen"`
		Total     int            `json:"signs_total"`
		Unknown   []missing      `json:"unknown"`
		Elsewhere []fact.Subject `json:"elsewhere"`
	}
	probeRun struct {
		Name    string      `json:"name"`
		Status  fact.Status `json:"status"`
		Seconds float64     `json:"duration_seconds"`
		Error   *string     `json:"error"`
	}
	flowBox struct {
		Box         string         `json:"box"`
		State       diagnose.State `json:"state"`
		Seen        int            `json:"signs_seen"`
		Total       int            `json:"signs_total"`
		Found       int            `json:"signs_found"`
		Recommended bool           `json:"recommended"`
	}
	lookNext struct {
		Sign string  `json:"sign"`
		Box  *string `json:"box"`
		Text string  `json:"text"`
	}
)

// JSON writes a verdict as one line of JSON.
func JSON(w io.Writer, v *diagnose.Verdict, marks []fact.Mark, about About) error {
	d := document{
		Schema: Schema, Tool: tool{about.Version}, At: utc(v.At), Seconds: finite(about.Took.Seconds()),
		Cluster:  clusterOf(v.Cluster),
		Verdict:  summary{v.Status, word(string(v.Branch)), v.Headline},
		Findings: []finding{}, Context: []context{}, Changed: changedOf(v.Changed), LastSeen: lastSeenOf(v.LastSeen), Copy: logCopyOf(v.Copy), Alerts: []alert{}, Probes: []probeRun{}, Flow: []flowBox{}, Marks: []fact.Mark{},
		Coverage: coverage{v.Coverage.Seen, v.Coverage.Total, missingOf(v.Coverage.Unknown), append([]fact.Subject{}, v.Coverage.Elsewhere...)},
	}
	for _, f := range v.All() {
		d.Findings = append(d.Findings, findingOf(f))
	}
	for _, c := range v.Context {
		d.Context = append(d.Context, context(c))
	}
	for _, a := range v.Alerts {
		d.Alerts = append(d.Alerts, alertOf(a))
	}
	for _, r := range v.Runs {
		d.Probes = append(d.Probes, probeRun{r.Probe, r.Status, finite(r.Seconds), word(r.Error)})
	}
	for _, b := range v.Flow {
		d.Flow = append(d.Flow, flowBox{b.Box.ID, b.State, b.Seen, b.Total, b.Found, b.Recommended})
	}
	if v.Next != nil {
		d.Next = &lookNext{Sign: v.Next.Sign.ID, Text: v.Next.Text}
		if v.Next.Box != nil {
			d.Next.Box = word(v.Next.Box.ID)
		}
	}
	for _, m := range marks {
		m.At = utc(m.At)
		d.Marks = append(d.Marks, m)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(d)
}

func clusterOf(c diagnose.ClusterState) cluster {
	out := cluster{ID: word(c.ID), Version: word(c.Version), Mode: word(c.Mode), Brokers: []broker{}}
	if c.Controller >= 0 {
		out.Controller = &c.Controller
	}
	for _, b := range c.Brokers {
		out.Brokers = append(out.Brokers, broker{b.ID, b.Host, b.Port, b.Reachable, word(b.Rack)})
	}
	return out
}

func findingOf(f *diagnose.Finding) finding {
	out := finding{
		Cause: f.Cause.ID, Fault: f.Cause.Fault.ID, Category: f.Cause.Fault.Category, Branch: f.Cause.InBranch(),
		Role: f.Role, Severity: f.Severity, Band: f.Band, Probability: finite(f.Probability), Subject: f.Subject,
		Since: moment(f.Since), Text: f.Says, Unknown: missingOf(f.Unknown), Evidence: []evidence{},
		Behind: append([]string{}, ids(f.Behind)...), Alternatives: append([]string{}, f.Alternatives...), Playbook: f.Cause.Playbook(),
		Affected: diagnose.Affected{
			Brokers:    append([]int32{}, f.Affected.Brokers...),
			Topics:     append([]string{}, f.Affected.Topics...),
			Partitions: f.Affected.Partitions,
			Groups:     append([]string{}, f.Affected.Groups...),
		},
	}
	if f.ConsequenceOf != nil {
		out.ConsequenceOf = &f.ConsequenceOf.Cause.ID
	}
	for _, e := range f.Evidence {
		line := evidence{Sign: e.Sign.ID, Outcome: e.Outcome, Weight: finite(e.Weight), Text: e.Text, Source: word(e.Source), Subject: e.Subject, At: moment(e.At)}
		if e.Unit != "" {
			line.Value, line.Unit, line.Threshold = number(e.Value), word(string(e.Unit)), number(e.Limit)
		}
		out.Evidence = append(out.Evidence, line)
	}
	return out
}

func missingOf(all []diagnose.Missing) []missing {
	out := []missing{}
	for _, m := range all {
		out = append(out, missing{m.Sign.ID, m.Subject, m.Because.Reason, m.Because.Detail, word(m.Because.How)})
	}
	return out
}

// word is a text, or null where there is none.
func word(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// number is a value, or null where JSON has no word for it.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = utc(t)
	return &t
}

// alertOf is an alert rule as JSON.
func alertOf(a diagnose.AlertState) alert {
	j := alert{Rule: a.Rule, State: a.State, Severity: a.Severity, For: a.For.Seconds(), Text: word(a.Text)}
	if !a.Since.IsZero() {
		since, subject := a.Since.UTC(), a.Subject
		j.Since, j.Subject = &since, &subject
	}
	return j
}
