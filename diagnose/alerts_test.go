package diagnose

import (
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// alertOf is the state of a rule in a verdict.
func alertOf(t *testing.T, v *Verdict, rule string) AlertState {
	t.Helper()
	for _, a := range v.Alerts {
		if a.Rule == rule {
			return a
		}
	}
	t.Fatalf("no rule %s", rule)
	return AlertState{}
}

// run applies a batch each step until the time is over, and returns the last
// verdict.
func run(s *Session, from, until time.Time, step time.Duration, see func(at time.Time) []fact.Observation) *Verdict {
	var v *Verdict
	for at := from; !at.After(until); at = at.Add(step) {
		v = s.Apply(fact.Batch{At: at, Observations: see(at)})
	}
	return v
}

// produce is one broker's produce times, with so many requests so far.
func produce(id int32, count, p95 float64) fact.Observation {
	return fact.MetricRequests.Is(fact.BrokerOf(id), []fact.RequestTimes{{Request: "Produce", Count: count,
		Phases: map[fact.Phase]fact.Spread{fact.PhaseTotal: {"p95": p95, "p99": 2 * p95}}}})
}

func TestRuleIsPendingUntilItHasHeld(t *testing.T) {
	s := NewSession(All)
	slow := func(at time.Time) []fact.Observation {
		n := at.Sub(t0).Seconds()
		return []fact.Observation{produce(1, n, 0.15), produce(2, n, 0.02)}
	}
	state := func(v *Verdict) string { return alertOf(t, v, "KafkaHighRequestLatency").State }
	if got := state(run(s, t0, t0, time.Second, slow)); got != AlertUnknown {
		t.Errorf("one sample: %s", got)
	}
	v := run(s, t0.Add(15*time.Second), t0.Add(9*time.Minute), 15*time.Second, slow)
	if a := alertOf(t, v, "KafkaHighRequestLatency"); a.State != AlertPending || a.Subject != fact.BrokerOf(1) || !strings.Contains(a.Text, "of 10m0s") {
		t.Errorf("9 minutes: %+v", a)
	}
	v = run(s, t0.Add(9*time.Minute), t0.Add(11*time.Minute), 15*time.Second, slow)
	if a := alertOf(t, v, "KafkaHighRequestLatency"); a.State != Firing || a.Since != t0.Add(15*time.Second) {
		t.Errorf("11 minutes: %+v", a)
	}
	// Fast for one sample: it begins anew.
	fast := func(at time.Time) []fact.Observation {
		return []fact.Observation{produce(1, at.Sub(t0).Seconds(), 0.05)}
	}
	if got := state(run(s, t0.Add(12*time.Minute), t0.Add(12*time.Minute), time.Second, fast)); got != Inactive {
		t.Errorf("fast again: %s", got)
	}
	if got := state(run(s, t0.Add(13*time.Minute), t0.Add(13*time.Minute), time.Second, slow)); got != AlertPending {
		t.Errorf("slow again: %s", got)
	}
	// Nothing is produced any more: the histogram tells of the past.
	idle := func(time.Time) []fact.Observation {
		return []fact.Observation{produce(1, 5000, 0.15), produce(2, 5000, 0.15)}
	}
	if got := state(run(s, t0.Add(20*time.Minute), t0.Add(22*time.Minute), 15*time.Second, idle)); got != Inactive {
		t.Errorf("idle: %s", got)
	}
}

// TestOneSubjectFiresForAll: the state of a rule is that of its worst subject,
// in whatever order they come.
func TestOneSubjectFiresForAll(t *testing.T) {
	s := NewSession(All)
	v := run(s, t0, t0.Add(11*time.Minute), 15*time.Second, func(at time.Time) []fact.Observation {
		n := at.Sub(t0).Seconds()
		return []fact.Observation{produce(1, n, 0.02), produce(2, n, 0.3), produce(3, n, 0.02)}
	})
	if a := alertOf(t, v, "KafkaHighRequestLatency"); a.State != Firing || a.Subject != fact.BrokerOf(2) {
		t.Errorf("%+v", a)
	}
	unseen := fact.MetricRequests.Unknown(fact.BrokerOf(2), &fact.Unknown{Reason: fact.TimedOut, Detail: "no answer"})
	v = s.Apply(fact.Batch{At: t0.Add(12 * time.Minute), Observations: []fact.Observation{produce(1, 720, 0.02), unseen, produce(3, 720, 0.02)}})
	if a := alertOf(t, v, "KafkaHighRequestLatency"); a.State != AlertUnknown || !strings.Contains(a.Text, "no answer") {
		t.Errorf("broker 2 unseen: %+v", a)
	}
}

func TestNothingSeenIsNoQuiet(t *testing.T) {
	v := NewSession(All).Apply(fact.Batch{At: t0})
	if len(v.Alerts) != 5 {
		t.Fatalf("%d rules", len(v.Alerts))
	}
	for _, a := range v.Alerts {
		if a.State != AlertUnknown {
			t.Errorf("%s is %s", a.Rule, a.State)
		}
		if !strings.Contains(a.YAML, "alert: "+a.Rule+"\n") || a.For > 0 != strings.Contains(a.YAML, "for: ") {
			t.Errorf("%s: its rule for Prometheus is\n%s", a.Rule, a.YAML)
		}
	}
}

// shrunk is the log lines of so many minutes, one each, up to a time.
func shrunk(minutes int, until time.Time) fact.LogLines {
	l := fact.LogLines{Count: minutes, First: until.Add(-time.Duration(minutes-1) * time.Minute), Last: until, Since: until.Add(-6 * time.Hour)}
	for i := range minutes {
		l.Minutes = append(l.Minutes, fact.MinuteCount{At: l.First.Add(time.Duration(i) * time.Minute).Truncate(time.Minute), Count: 1})
	}
	return l
}

// TestShrinksOfTheLog: the log knows what was before anybody looked, so that
// one look can say that the rule fires.
func TestShrinksOfTheLog(t *testing.T) {
	for _, test := range []struct {
		minutes int
		ended   time.Duration // before now
		want    string
	}{{0, 0, Inactive}, {5, 0, Inactive}, {7, 0, AlertPending}, {50, 0, Firing}, {50, 30 * time.Minute, Firing}, {50, 2 * time.Hour, Inactive}} {
		v := NewSession(All).Apply(fact.Batch{At: t0, Observations: []fact.Observation{fact.LogISRShrunk.Is(fact.BrokerOf(1), shrunk(test.minutes, t0.Add(-test.ended)))}})
		if a := alertOf(t, v, "KafkaISRShrinking"); a.State != test.want {
			t.Errorf("%d lines that ended %s ago: %+v, want %s", test.minutes, test.ended, a, test.want)
		}
	}
}

func TestShrinksOfTheMetrics(t *testing.T) {
	s := NewSession(All)
	at := func(minute int, total float64) AlertState {
		now := t0.Add(time.Duration(minute) * time.Minute)
		return alertOf(t, s.Apply(fact.Batch{At: now, Observations: []fact.Observation{fact.MetricISRShrinks.Is(fact.BrokerOf(1), total)}}), "KafkaISRShrinking")
	}
	if a := at(0, 3); a.State != Inactive {
		t.Errorf("3 since the start: %+v", a)
	}
	if a := at(1, 9); a.State != AlertPending {
		t.Errorf("6 in a minute: %+v", a)
	}
	for m := 2; m <= 31; m++ {
		at(m, 9)
	}
	if a := at(32, 9); a.State != Firing {
		t.Errorf("half an hour later: %+v", a)
	}
	for m := 33; m <= 64; m++ {
		at(m, 9)
	}
	if a := at(65, 9); a.State != Inactive {
		t.Errorf("an hour later: %+v", a)
	}
	// Many since the start, and nobody knows when.
	v := NewSession(All).Apply(fact.Batch{At: t0, Observations: []fact.Observation{fact.MetricISRShrinks.Is(fact.BrokerOf(1), 900)}})
	if a := alertOf(t, v, "KafkaISRShrinking"); a.State != AlertUnknown {
		t.Errorf("900 since the start: %+v", a)
	}
}

// TestQuietOnOneBrokerIsNotQuiet: a rule says nothing of brokers that nobody
// looked at.
func TestQuietOnOneBrokerIsNotQuiet(t *testing.T) {
	s := newScene()
	s.healthy()
	s.see(fact.MetricISRShrinks.Is(fact.BrokerOf(1), 0), fact.MetricISRShrinks.Is(fact.BrokerOf(2), 0))
	v := s.session.Apply(fact.Batch{At: t0, Observations: s.batch})
	if a := alertOf(t, v, "KafkaISRShrinking"); a.State != AlertUnknown || !strings.Contains(a.Text, "not seen of broker 3") {
		t.Errorf("broker 3 unseen: %+v", a)
	}
	s.see(fact.MetricISRShrinks.Is(fact.BrokerOf(3), 0))
	v = s.session.Apply(fact.Batch{At: t0.Add(time.Second), Observations: s.batch})
	if a := alertOf(t, v, "KafkaISRShrinking"); a.State != Inactive {
		t.Errorf("all seen: %+v", a)
	}
}
