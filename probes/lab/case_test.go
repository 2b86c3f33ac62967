package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/record"
)

// kept writes a recording of one log line and one broker of this host.
func kept(t *testing.T, redact bool, line string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.ktr")
	w, err := record.Create(file, record.Header{Tool: "test", Redacted: true}, record.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if redact {
		if err := w.Redact(file + ".names.json"); err != nil {
			t.Fatal(err)
		}
	}
	err = w.Write(fact.Batch{At: time.Unix(1, 0), Observations: []fact.Observation{
		fact.LogNoSpace.Is(fact.LogDirOf(3, "/tmp/lab7/b3/data"), fact.LogLines{Count: 1, Text: line}),
		fact.LocalBrokers.Is(fact.Subject{Scope: fact.Host, Name: "h"}, []fact.LocalBroker{{NodeID: 3, LogDirs: []string{"/tmp/lab7/b3/data", "/tmp/lab7/b3/other"}}}),
		fact.GroupState.Is(fact.Subject{Scope: fact.Group, Name: "billing"}, "Empty"),
		fact.PartitionEnds.Is(fact.TheCluster, fact.PartitionOffsets{Topics: []string{"orders"}}),
	}})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTells(t *testing.T) {
	const line = "User:alice wrote to orders-0 from 10.1.2.3 below /var/lib, reached localhost:9092"
	if told, err := Tells(t.Context(), kept(t, false, line)); err != nil || told == "" {
		t.Errorf("a recording with every name in it tells nothing: %v", err)
	}
	if told, err := Tells(t.Context(), kept(t, true, strings.ReplaceAll(line, "localhost", "127.0.0.1"))); err != nil || told != "" {
		t.Errorf("a redacted one tells %q, %v", told, err)
	}
	for _, word := range []string{"10.1.2.3:9092", "/10.1.2.3", "localhost:1", "broker-2.invalid:9092", "/tmp/x", "orders", "orders-0", "billing", "User:alice", "User:ANONYMOUS", "lab7:"} {
		if !secrets.MatchString(word) {
			t.Errorf("%q passes for redacted", word)
		}
	}
	for _, word := range []string{"log.invalid-receive", "/path-3", "host-2:9092", "2026-11-25T13:07:03.504Z", "17.0.1+12", "1.2.3", "in-order", "lab"} {
		if secrets.MatchString(word) {
			t.Errorf("%q passes for a name", word)
		}
	}
}

func TestMasks(t *testing.T) {
	file := kept(t, true, "")
	mask, err := Masks(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadFile(file + ".names.json")
	if err != nil {
		t.Fatal(err)
	}
	for real, want := range map[string]string{
		"logdir 3:$LOGDIR3": "logdir 3:/path-", "logdir 3:$OTHERDIR3": "logdir 3:/path-", "group billing": "group group-1", "partition orders-0": "partition topic-1-0", "broker 2": "broker 2", "cluster": "cluster",
	} {
		if got := mask(real); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %s, want %s…; %s", real, got, want, names)
		}
	}
	if mask("$LOGDIR3") == mask("$OTHERDIR3") {
		t.Error("two dirs are one")
	}
	if _, err := Masks(context.Background(), file+".none"); err == nil {
		t.Error("nothing was replaced, and that is no error")
	}
}

// A case keeps what was right; what is said otherwise later is told.
func TestCase(t *testing.T) {
	crash := func(on, band string) *Report {
		return report(t, `{"verdict":{"status":"fault","branch":"availability"},"findings":[`+root("broker-crashed", "critical", band, "broker", on)+`]}`)
	}
	row := newGrade(brokerCrashed)
	row.Saw, row.Right, row.Subject = "killed", true, true
	same := func(s string) string { return s }
	k, err := NewCase(row, crash("2", "confirmed"), same)
	if err != nil || k.First != "broker-crashed" || k.Band != "confirmed" || !k.Holds || k.Expect[0] != "broker-crashed on broker 2" {
		t.Fatalf("%+v, %v", k, err)
	}
	for _, x := range []struct {
		name string
		now  *Report
		want string // part of the error; "": none
	}{
		{"as it was", crash("2", "confirmed"), ""},
		{"less sure", crash("2", "likely"), "it was confirmed"},
		{"elsewhere", crash("1", "confirmed"), "comes first on broker 1"},
		{"not at all", report(t, `{"verdict":{"status":"clear"}}`), "nothing on"},
		{"something wrong beside it", report(t, `{"verdict":{"status":"fault","branch":"availability"},"findings":[`+root("broker-crashed", "critical", "confirmed", "broker", "2")+`,`+root("gc-pause", "major", "confirmed", "broker", "1")+`]}`), "gc-pause is not there"},
		{"another branch", report(t, `{"verdict":{"status":"fault","branch":"data"},"findings":[`+root("broker-crashed", "critical", "confirmed", "broker", "2")+`]}`), `branch "data"`},
	} {
		err := k.Judge(x.now)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
	}
	for name, bad := range map[string]func(*Grade){
		"did not bite": func(g *Grade) { g.Saw = "" }, "not right": func(g *Grade) { g.Right = false },
		"elsewhere": func(g *Grade) { g.Subject = false }, "wrong too": func(g *Grade) { g.Wrong = []string{"gc-pause"} },
	} {
		g := *row
		bad(&g)
		if _, err := NewCase(&g, crash("2", "confirmed"), same); err == nil {
			t.Errorf("%s, and it became a case", name)
		}
	}
	if _, err := NewCase(row, crash("3", "confirmed"), same); err == nil {
		t.Error("a recording that tells something else became a case")
	}
}

func TestReadCases(t *testing.T) {
	var text strings.Builder
	if err := WriteCases(&text, []*Case{{Name: "idle", Kind: "control"}, {Name: "broker-hung", Kind: "fault", Expect: []string{"broker-hung on broker 2"}}}); err != nil {
		t.Fatal(err)
	}
	all, err := ReadCases("c", strings.NewReader(text.String()))
	if err != nil || len(all) != 2 || all[0].Name != "broker-hung" || all[0].Expect[0] != "broker-hung on broker 2" {
		t.Errorf("%v, %v", all, err)
	}
	for bad, want := range map[string]string{
		text.String() + "{": "c:3: ", `{"kind":"fault"}`: "c:1: ", `{"name":"b"}` + "\n" + `{"name":"a"}`: "c:2: ", `{"name":"a","more":1}`: "c:1: ",
	} {
		if _, err := ReadCases("c", strings.NewReader(bad)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", bad, err, want)
		}
	}
}

func TestCaseJudgeLess(t *testing.T) {
	sighted := reported(t, "fault", root("broker-crashed", "critical", "confirmed", "broker", "2", "process-gone from host.process", "port-refuses from kafka.reach"))
	asked := []string{"process-gone drop --skip host.process"}
	told := blinded(t, "fault", "", asked, root("broker-crashed", "critical", "likely", "broker", "2", "port-refuses from kafka.reach"))
	silent := blinded(t, "incomplete", "", nil)
	wrong := blinded(t, "fault", "", asked, root("gc-pause", "major", "likely", "broker", "2", "long-pauses from jvm.perf"))
	for _, x := range []struct {
		was  string
		now  *Report
		want bool // holds
	}{
		{StillTold, told, true}, {CannotTell, told, true}, {Silent, told, true},
		{StillTold, silent, false}, {CannotTell, silent, false}, {MayFollow, silent, false}, {Silent, silent, true}, {WrongNow, silent, true},
		{StillTold, wrong, false}, {Silent, wrong, false}, {WrongNow, wrong, true},
	} {
		k := &Case{Name: "broker-crashed", Expect: []string{"broker-crashed on broker 2"}, First: "broker-crashed", Without: "host.process", Answer: x.was}
		if err := k.JudgeLess(sighted, x.now, none); (err == nil) != x.want {
			t.Errorf("it was %q: %v", x.was, err)
		}
	}
}
