package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// three is a cluster of three brokers that nobody started.
var three = &Cluster{Dir: "/lab", Nodes: []*Node{{ID: 1, LogDir: "/l1"}, {ID: 2, LogDir: "/l2"}, {ID: 3, LogDir: "/l3"}}}

// root is a finding as `ktriage check -o json` writes it.
func root(cause, severity, band, scope, name string, evidence ...string) string {
	return finding("root", cause, severity, band, scope, name, evidence...)
}

func finding(role, cause, severity, band, scope, name string, evidence ...string) string {
	var all []string
	for _, e := range evidence { // "sign from probe"
		sign, probe, _ := strings.Cut(e, " from ")
		all = append(all, fmt.Sprintf(`{"sign":%q,"outcome":"yes","source":%q}`, sign, probe))
	}
	return fmt.Sprintf(`{"cause":%q,"role":%q,"severity":%q,"band":%q,"subject":{"scope":%q,"name":%q},"evidence":[%s]}`,
		cause, role, severity, band, scope, name, strings.Join(all, ","))
}

func reported(t *testing.T, status string, findings ...string) *Report {
	t.Helper()
	return report(t, fmt.Sprintf(`{"verdict":{"status":%q,"branch":"availability"},"findings":[%s]}`, status, strings.Join(findings, ",")))
}

func TestGradeJudge(t *testing.T) {
	crash := root("broker-crashed", "critical", "confirmed", "broker", "2")
	for _, x := range []struct {
		name           string
		fault          *Fault
		status         string
		findings       []string
		right, subject bool
		wrong          string // causes, separated by blanks
	}{
		{"right", brokerCrashed, "fault", []string{crash}, true, true, ""},
		{"on another broker", brokerCrashed, "fault", []string{root("broker-crashed", "critical", "likely", "broker", "1")}, true, false, ""},
		{"not sure", brokerCrashed, "incomplete", []string{root("broker-crashed", "critical", "possible", "broker", "2")}, false, false, ""},
		{"silent", brokerCrashed, "clear", nil, false, false, ""},
		{"confidently wrong", brokerCrashed, "fault", []string{root("gc-pause", "major", "likely", "broker", "2")}, false, false, "gc-pause"},
		{"right only second", brokerCrashed, "fault", []string{root("gc-pause", "major", "confirmed", "broker", "1"), crash}, false, false, "gc-pause"},
		{"right, and wrong beside it", brokerCrashed, "fault", []string{crash, root("gc-pause", "major", "confirmed", "broker", "1")}, true, true, "gc-pause"},
		{"a guess beside it is not wrong", brokerCrashed, "fault", []string{crash, root("gc-pause", "major", "possible", "broker", "1")}, true, true, ""},
		{"nor is what is minor", brokerCrashed, "fault", []string{crash, root("leader-imbalance", "minor", "confirmed", "cluster", "cluster")}, true, true, ""},
		{"a log dir is named by its path", diskFull, "fault", []string{root("disk-full", "critical", "confirmed", "logdir", "3:/l3")}, true, true, ""},
		{"and another one is another", diskFull, "fault", []string{root("disk-full", "critical", "confirmed", "logdir", "2:/l2")}, true, false, ""},
		{"its consequence as a root", diskFull, "fault", []string{root("broker-crashed", "critical", "confirmed", "broker", "3")}, false, false, ""},
		{"control in peace", idle, "clear", nil, true, true, ""},
		{"control with advice", idle, "advice", []string{root("risky-replication", "minor", "confirmed", "cluster", "cluster")}, true, true, ""},
		{"false alarm", idle, "fault", []string{crash}, false, false, "broker-crashed"},
		{"control with a guess", idle, "incomplete", []string{root("gc-pause", "major", "possible", "broker", "1")}, true, true, ""},
		{"planned work seen", plannedShutdown, "advice", []string{root("planned-shutdown", "info", "confirmed", "broker", "2")}, true, true, ""},
		{"planned work unseen", plannedShutdown, "clear", nil, false, false, ""},
		{"planned work taken for a crash", plannedShutdown, "fault", []string{root("planned-shutdown", "info", "confirmed", "broker", "2"), crash}, false, false, "broker-crashed"},
	} {
		g := newGrade(x.fault)
		g.judge(three, x.fault, reported(t, x.status, x.findings...))
		if g.Right != x.right || g.Subject != x.subject || strings.Join(g.Wrong, " ") != x.wrong {
			t.Errorf("%s: right %v, subject %v, wrong %v; want %v, %v, %q", x.name, g.Right, g.Subject, g.Wrong, x.right, x.subject, x.wrong)
		}
		if g.Status != x.status {
			t.Errorf("%s: status %q is noted, %q was said", x.name, g.Status, x.status)
		}
	}
}

// A fault that did not bite, or a check that gave no report, is never right.
func TestGradeNothing(t *testing.T) {
	for _, f := range []*Fault{brokerCrashed, idle, plannedShutdown} {
		g := newGrade(f)
		g.judge(three, f, nil)
		if g.Right || g.Subject || g.Saw != "" {
			t.Errorf("%s: no report, and yet right %v, subject %v, saw %q", f.Name, g.Right, g.Subject, g.Saw)
		}
	}
}

func TestGradeNotes(t *testing.T) {
	g := newGrade(underMinISR)
	if want := []string{"under-min-isr", "planned-shutdown"}; !slices.Equal(g.Expected, want) {
		t.Errorf("expected is %v, want %v", g.Expected, want)
	}
	g.judge(three, diskFull, reported(t, "fault", root("disk-full", "critical", "confirmed", "logdir", "3:/l3")))
	if g.First != "disk-full" || g.On != "logdir 3:$LOGDIR3" || g.Band != "confirmed" || g.Branch != "availability" {
		t.Errorf("noted %s on %s (%s), branch %s", g.First, g.On, g.Band, g.Branch)
	}
	for f, want := range map[*Fault]string{brokerCrashed: "fault", idle: "control", plannedShutdown: "context", crashAndStoppedGroup: "mixture", idleSeenHalfBlind: "control"} {
		if got := f.Kind(); got != want {
			t.Errorf("%s is a %s, want %s", f.Name, got, want)
		}
	}
}
