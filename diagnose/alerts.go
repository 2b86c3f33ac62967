package diagnose

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Alert is one of the source's alert rules, evaluated live.
type Alert struct {
	Rule     string
	Severity Severity
	Sign     *Sign         // what the rule asks
	For      time.Duration // firing only after it has held this long, on one subject
	YAML     string        // the rule for Prometheus, names as of jmx_exporter's kafka-2_0_0.yml
}

// AlertState is an alert rule now.
type AlertState struct {
	Alert
	State   string       // "firing", "pending", "inactive" or "cannot-tell"
	Subject fact.Subject // whom it speaks of, where it fires or is pending
	Since   time.Time    // since when it holds there
	Text    string       // what was seen, or why it cannot be told
}

// The states of an alert rule, the gravest first.
const (
	Firing       = "firing"
	AlertPending = "pending"
	AlertUnknown = "cannot-tell"
	Inactive     = "inactive"
)

// alerts is the state of every rule: the gravest among its subjects. One that
// cannot be read on some subject is not inactive.
func (s *Session) alerts(v *Verdict) []AlertState {
	all := make([]AlertState, 0, len(s.catalogue.Alerts))
	for _, a := range s.catalogue.Alerts {
		now := AlertState{Alert: a, State: AlertUnknown, Text: "nothing here can see it"}
		first := true
		for i := range v.Signs {
			st := &v.Signs[i]
			if st.Sign != a.Sign || st.elsewhere() {
				continue
			}
			if one := s.alert(a, st); first || graver(one, now) {
				now, first = one, false
			}
		}
		if now.State == Inactive { // some subject was seen, so the rule has a sign
			if unseen := v.unseen(a.Sign); len(unseen) > 0 {
				now = AlertState{Alert: a, State: AlertUnknown, Text: "not seen of broker " + listed(unseen) + "; elsewhere: " + now.Text}
			}
		}
		all = append(all, now)
	}
	return all
}

// unseen is the brokers of which a sign about brokers or hosts said nothing: a
// rule that is quiet on one broker is not quiet on all.
func (v *Verdict) unseen(sign *Sign) []string {
	said := map[string]bool{}
	for i := range v.Signs {
		if st := &v.Signs[i]; st.Sign == sign && (st.Outcome == Yes || st.Outcome == No) {
			said[st.Subject.Name] = true
		}
	}
	var names []string
	switch sign.On {
	case fact.Broker:
		for _, b := range v.Cluster.Brokers {
			if name := fact.BrokerOf(b.ID).Name; !said[name] {
				names = append(names, name)
			}
		}
	case fact.Host:
		for _, b := range v.Coverage.Elsewhere {
			names = append(names, b.Name)
		}
	}
	return names
}

// alert is the state of a rule on one subject. What a sign holds back until it
// has held for long enough is pending already.
func (s *Session) alert(a Alert, st *SignState) AlertState {
	now := AlertState{Alert: a, Subject: st.Subject, Text: st.Text}
	var since time.Time
	if t := s.track[instance{st.Sign, st.Subject}]; t != nil {
		since = t.yes
	}
	switch {
	case !since.IsZero() && s.history.now.Sub(since) >= a.For:
		now.State, now.Since = Firing, since
	case !since.IsZero():
		now.State, now.Since = AlertPending, since
		now.Text = fmt.Sprintf("%s; for %s of %s", st.Text, s.history.now.Sub(since).Round(time.Second), a.For)
	case st.Outcome == No:
		now.State = Inactive
	default:
		now.State = AlertUnknown
		if st.Because != nil {
			now.Text = st.Because.String()
		}
	}
	return now
}

// graver says whether one state of a rule goes before another: the worse, and
// of two alike the older.
func graver(a, b AlertState) bool {
	rank := map[string]int{Firing: 3, AlertPending: 2, AlertUnknown: 1, Inactive: 0}
	if rank[a.State] != rank[b.State] {
		return rank[a.State] > rank[b.State]
	}
	return !a.Since.IsZero() && a.Since.Before(b.Since)
}

// alertRules is the source's five.
var alertRules = []Alert{
	{Rule: "KafkaOfflinePartitions", Severity: Critical, Sign: partitionsWithoutLeader, YAML: `- alert: KafkaOfflinePartitions
  expr: sum(kafka_controller_kafkacontroller_offlinepartitionscount) > 0
  labels: {severity: critical}
  annotations: {summary: "{{ $value }} partitions have no leader"}
`},
	{Rule: "KafkaUnderReplicatedPartitions", Severity: Critical, Sign: underReplicated, For: 5 * time.Minute, YAML: `- alert: KafkaUnderReplicatedPartitions
  expr: sum(kafka_server_replicamanager_underreplicatedpartitions) > 0
  for: 5m
  labels: {severity: critical}
  annotations: {summary: "{{ $value }} partitions lack followers in their ISR"}
`},
	{Rule: "KafkaHighRequestLatency", Severity: Major, Sign: produceLatencyHigh, For: 10 * time.Minute, YAML: `- alert: KafkaHighRequestLatency
  expr: kafka_network_requestmetrics_totaltimems{request="Produce", quantile="0.95"} > 100
  for: 10m
  labels: {severity: warning}
  annotations: {summary: "95 % of produce requests take up to {{ $value }} ms"}
`},
	{Rule: "KafkaHighCPUUsage", Severity: Major, Sign: cpuBusy, For: 15 * time.Minute, YAML: `- alert: KafkaHighCPUUsage
  expr: 1 - avg by (instance) (rate(node_cpu_seconds_total{mode=~"idle|iowait"}[5m])) * count by (instance) (count by (instance, mode) (node_cpu_seconds_total{mode=~"idle|iowait"})) > 0.8
  for: 15m
  labels: {severity: warning}
  annotations: {summary: "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its CPUs"}
`},
	{Rule: "KafkaISRShrinking", Severity: Major, Sign: isrShrinksOften, For: 30 * time.Minute, YAML: `- alert: KafkaISRShrinking
  expr: increase(kafka_server_replicamanager_isrshrinks_total[1h]) > 5
  for: 30m
  labels: {severity: warning}
  annotations: {summary: "{{ $labels.instance }} shrank ISRs {{ $value }} times in an hour"}
`},
}
