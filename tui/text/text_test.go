package text

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/playbooks"
)

var about = About{Version: "0.0.0-test", Took: 1200 * time.Millisecond, Title: "on broker 1"}

// verdicts is one of each kind, made by the real inference.
func verdicts(t *testing.T) map[string]*diagnose.Verdict {
	t.Helper()
	all := map[string]*diagnose.Verdict{}
	_, all["fault"] = crash()

	s := newScene()
	s.apply(s.batch(1, 2, 3))
	all["healthy"] = s.apply(s.batch(1, 2, 3))

	s = newScene()
	because := &fact.Unknown{Reason: fact.NotAskedFor, Detail: "logs.server was not asked for", How: "drop --skip logs.server"}
	dark := func(b fact.Batch) fact.Batch {
		return without(without(b, fact.LogSigterm, because), fact.LogController, because)
	}
	s.apply(dark(s.batch(1, 2, 3)))
	all["cannot-tell"] = s.apply(dark(s.batch(1, 2)))

	s = newScene()
	all["incomplete"] = s.apply(without(s.batch(1, 2, 3), fact.Configs, &fact.Unknown{Reason: fact.NotAllowed, Detail: "DescribeConfigs denied", How: "kafka-acls --add --operation DescribeConfigs"}))

	all["nothing"] = diagnose.NewSession(diagnose.All).Apply(fact.Batch{At: t0})
	all["before"] = diagnose.NewSession(diagnose.All).Verdict()
	return all
}

func TestCheckFitsATicket(t *testing.T) {
	for name, v := range verdicts(t) {
		var b bytes.Buffer
		if err := Check(&b, v, about); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(b.String(), "\n") {
			if utf8.RuneCountInString(line) > columns {
				t.Errorf("%s: %d columns: %s", name, utf8.RuneCountInString(line), line)
			}
		}
	}
}

func TestStatusesAreWhatTheirNamesSay(t *testing.T) {
	want := map[string]int{"fault": 1, "healthy": 0, "cannot-tell": 3, "incomplete": 3, "nothing": 3, "before": 3}
	for name, v := range verdicts(t) {
		if got := Exit(v.Status); got != want[name] {
			t.Errorf("%s: status %s, exit %d, want %d", name, v.Status, got, want[name])
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("../../docs/check.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("check.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("check.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, name string, object []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v\n%s", name, err, object)
	}
}

// TestUnexplainedIsNoAllClear has trouble that no finding accounts for: nothing
// says that no fault was found, and everything says what was.
func TestUnexplainedIsNoAllClear(t *testing.T) {
	for name, v := range made() {
		loose := *v
		loose.Unexplained = []diagnose.SignState{{Sign: diagnose.All.Signs[0], Subject: fact.LogDirOf(1, "/d"), Reading: diagnose.Reading{Outcome: diagnose.Yes, Text: "97% used"}}}
		var check, report strings.Builder
		if err := Check(&check, &loose, about); err != nil {
			t.Fatal(err)
		}
		reportFindings(&report, &loose)
		for _, out := range []string{check.String(), report.String()} {
			out = strings.Join(strings.Fields(out), " ")
			if strings.Contains(out, "no fault found") || !strings.Contains(out, "logdir 1:/d: 97% used") {
				t.Errorf("%s: %s", name, out)
			}
		}
	}
}

func TestJSONIsWhatTheSchemaSays(t *testing.T) {
	s := schema(t)
	for name, v := range verdicts(t) {
		var b bytes.Buffer
		if err := JSON(&b, v, []fact.Mark{{At: t0, Kind: fact.FixApplied}}, about); err != nil {
			t.Fatal(err)
		}
		if strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%s: more than one line", name)
		}
		validate(t, s, name, b.Bytes())
	}
}

func TestSchemaRefusesWhatIsNotInIt(t *testing.T) {
	s := schema(t)
	var b bytes.Buffer
	_, v := crash()
	if err := JSON(&b, v, nil, about); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"status":"fault"`, `"status":"bad"`},
		{`"role":"root"`, `"role":"leaf"`},
		{`"context":[]`, `"context":null`},
		{`"at":"2026-11-23T01:41:30Z"`, `"at":"yesterday"`},
		{`"tool":{`, `"more":1,"tool":{`},
	} {
		broken := strings.Replace(b.String(), change[0], change[1], 1)
		if broken == b.String() {
			t.Errorf("%s is not in the object: %s", change[0], b.String())
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(broken))
		if err == nil && s.Validate(doc) == nil {
			t.Errorf("%s is accepted", change[1])
		}
	}
}

func TestJSONHasNoNaN(t *testing.T) {
	_, v := crash()
	f := v.Findings[0]
	f.Probability = math.NaN()
	f.Evidence[0].Weight, f.Evidence[0].Unit, f.Evidence[0].Value, f.Evidence[0].Limit = math.Inf(1), fact.Count, math.NaN(), math.Inf(-1)
	var b bytes.Buffer
	if err := JSON(&b, v, nil, about); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"value":null,"unit":"count","threshold":null`) {
		t.Errorf("what is no number is not null: %s", b.String())
	}
}

func TestHostileNamesCannotSteerATerminal(t *testing.T) {
	_, v := crash()
	v.Findings[0].Says = "broker \x1b]0;owned\x07 \u202e\xff|x`*\nnext line"
	v.Cluster.ID = "a`b\x1b[2J"
	for name, write := range map[string]func(*bytes.Buffer) error{
		"check":  func(b *bytes.Buffer) error { return Check(b, v, about) },
		"report": func(b *bytes.Buffer) error { return Report(b, newScene().session, v, about) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\x07\u202e") || !utf8.Valid(b.Bytes()) {
			t.Errorf("%s lets control characters through: %q", name, b.String())
		}
	}
}

func TestReport(t *testing.T) {
	s, worst := crash()
	fixed := s.batch(1, 2, 3)
	fixed.Marks = []fact.Mark{{At: s.at.Add(-10 * time.Second), Kind: fact.FixApplied, Text: "systemctl start kafka"}, {At: s.at, Kind: fact.Note, Text: "looks | better"}}
	s.apply(fixed)
	var b bytes.Buffer
	if err := Report(&b, s.session, worst, about); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Incident report: broker 3 is down", "`broker-crashed`", "**fix applied**: systemctl start kafka", "| FIXED |", "looks \\| better", "## What could not be seen", "- at the end: clear"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestExplainEverything(t *testing.T) {
	for _, id := range IDs(diagnose.All) {
		var b bytes.Buffer
		if err := Explain(&b, diagnose.All, id); err != nil || !strings.Contains(b.String(), id) {
			t.Errorf("%s: %v\n%s", id, err, b.String())
		}
	}
	err := Explain(&bytes.Buffer{}, diagnose.All, "broker-crash")
	if err == nil || !strings.Contains(err.Error(), "broker-crashed") {
		t.Errorf("a misspelt id: %v, want what it could be", err)
	}
}

func TestVars(t *testing.T) {
	_, v := crash()
	v.Cluster.Local = []fact.LocalBroker{{NodeID: 3, PID: 4713, Config: "/etc/kafka/3.properties", LogsDir: "/var/log/kafka", LogDirs: []string{"/data/a", "/data/b"}}}
	got := Vars(v, v.Findings[0], "")
	for name, want := range map[string]string{"BROKER": "3", "PID": "4713", "CONFIG": "/etc/kafka/3.properties", "LOGDIR": "/data/a", "BOOTSTRAP": "b1:9092"} {
		if got[name] != want {
			t.Errorf("$%s is %q, want %q", name, got[name], want)
		}
	}
	dir := &diagnose.Finding{Cause: diagnose.All.Causes[0], Subject: fact.LogDirOf(3, "/data/b")}
	if got := Vars(v, dir, "x:1"); got["LOGDIR"] != "/data/b" || got["BROKER"] != "3" || got["BOOTSTRAP"] != "x:1" {
		t.Errorf("of a log dir: %v", got)
	}
	part := &diagnose.Finding{Cause: diagnose.All.Causes[0], Subject: fact.PartitionOf("a-b", 7)}
	if got := Vars(v, part, ""); got["TOPIC"] != "a-b" || got["PARTITION"] != "7" {
		t.Errorf("of a partition: %v", got)
	}
	known := map[string]bool{}
	for _, p := range playbooks.Placeholders {
		known[p] = true
	}
	for name := range Vars(v, v.Findings[0], "") {
		if !known[name] {
			t.Errorf("$%s is no placeholder of playbooks", name)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("a b c")
	f.Add(strings.Repeat("word ", 100) + strings.Repeat("x", 200))
	f.Add("\x1b[31mred\xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		out := wrap("  ", "    ", s)
		if got, want := strings.Fields(out), strings.Fields(Clean(s)); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("%q became %q", want, got)
		}
		for _, line := range strings.Split(out, "\n") {
			if utf8.RuneCountInString(line) > columns && len(strings.Fields(line)) > 1 {
				t.Fatalf("a line of %d columns: %q", utf8.RuneCountInString(line), line)
			}
		}
	})
}
