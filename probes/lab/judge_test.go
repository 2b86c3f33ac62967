package lab

import (
	"encoding/json"
	"strings"
	"testing"
)

func report(t *testing.T, text string) *Report {
	t.Helper()
	r := &Report{}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatal(err)
	}
	return r
}

const crashed = `{"cause":"broker-crashed","role":"root","severity":"critical","band":"confirmed","subject":{"scope":"broker","name":"2"}}`

func TestJudge(t *testing.T) {
	c := &Cluster{Nodes: []*Node{{ID: 1, LogDir: "/l1"}, {ID: 2, LogDir: "/l2"}, {ID: 3, LogDir: "/l3"}}}
	for _, x := range []struct {
		name, report string
		fault        *Fault
		wrong        string // part of the error; "": right
	}{
		{"right", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` + crashed + `]}`, brokerCrashed, ""},
		{"nothing named", `{"verdict":{"status":"clear"},"findings":[]}`, brokerCrashed, "root broker-crashed is missing"},
		{"other branch", `{"verdict":{"status":"fault","branch":"data"},"findings":[` + crashed + `]}`, brokerCrashed, `branch "data"`},
		{"other subject", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` + strings.Replace(crashed, `"2"`, `"3"`, 1) + `]}`, brokerCrashed, "want it on broker 2"},
		{"unsure", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` + strings.Replace(crashed, "confirmed", "possible", 1) + `]}`, brokerCrashed, "confirmed or likely"},
		{"second root", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` + crashed + `,` + strings.Replace(crashed, "broker-crashed", "gc-pause", 1) + `]}`, brokerCrashed, "unexpected root: gc-pause"},
		{"consequence is no second root", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` + crashed + `,` +
			`{"cause":"log-dir-offline","role":"consequence","severity":"critical","band":"confirmed","subject":{"scope":"logdir","name":"2:/l2"}}]}`, brokerCrashed, ""},
		{"forbidden consequence", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` + crashed + `,` +
			`{"cause":"no-leader","role":"consequence","severity":"critical","band":"likely","subject":{"scope":"cluster","name":"cluster"}}]}`, brokerCrashed, "forbidden: no-leader"},
		{"log dir", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` +
			`{"cause":"disk-full","role":"root","severity":"critical","band":"confirmed","subject":{"scope":"logdir","name":"3:/l3"}},` + strings.Replace(crashed, "root", "consequence", 1) + `]}`, diskFull, ""},
		{"consequence beside the root", `{"verdict":{"status":"fault","branch":"availability"},"findings":[` +
			`{"cause":"disk-full","role":"root","severity":"critical","band":"confirmed","subject":{"scope":"logdir","name":"3:/l3"}},` + crashed + `]}`, diskFull, "unexpected root: broker-crashed"},
		{"control", `{"verdict":{"status":"advice"},"findings":[{"cause":"disk-full","role":"root","severity":"minor","band":"possible","subject":{"scope":"logdir","name":"3:/l3"}}]}`, idle, ""},
		{"control called broken", `{"verdict":{"status":"fault"},"findings":[` + crashed + `]}`, idle, "unexpected root"},
		{"planned", `{"verdict":{"status":"advice"},"context":[{"id":"planned-shutdown","text":""}]}`, plannedShutdown, ""},
		{"planned as info root", `{"verdict":{"status":"advice"},"findings":[{"cause":"planned-shutdown","role":"root","severity":"info","band":"confirmed"}]}`, plannedShutdown, ""},
		{"planned unnoticed", `{"verdict":{"status":"clear"}}`, plannedShutdown, "neither as context"},
		{"planned called a crash", `{"verdict":{"status":"fault"},"context":[{"id":"planned-shutdown","text":""}],"findings":[` + crashed + `]}`, plannedShutdown, "forbidden"},
	} {
		err := x.fault.Judge(c, report(t, x.report))
		switch {
		case x.wrong == "" && err != nil:
			t.Errorf("%s: %v", x.name, err)
		case x.wrong != "" && (err == nil || !strings.Contains(err.Error(), x.wrong)):
			t.Errorf("%s: got %v, want %q in it", x.name, err, x.wrong)
		}
	}
}

func TestBlindJudge(t *testing.T) {
	sighted := report(t, `{"verdict":{"status":"fault"},"findings":[`+crashed+`]}`)
	b := Blind{"host.process", "broker-crashed"}
	possible := strings.Replace(crashed, "confirmed", "possible", 1)
	for _, x := range []struct{ name, report, wrong string }{
		{"lower band, missing named", `{"verdict":{"status":"incomplete"},"findings":[` + possible + `],"coverage":{"unknown":[{"sign":"process-gone","reason":"not-asked"}]}}`, ""},
		{"as sure as before", `{"verdict":{"status":"fault"},"findings":[` + crashed + `],"coverage":{"unknown":[{"sign":"process-gone","reason":"not-asked"}]}}`, "still confirmed"},
		{"silent about it", `{"verdict":{"status":"incomplete"},"findings":[` + possible + `]}`, "no sign is named"},
		{"unknown taken for healthy", `{"verdict":{"status":"clear"},"coverage":{"unknown":[{"sign":"process-gone","reason":"not-asked"}]}}`, "status is clear"},
	} {
		_, err := b.judge(sighted, report(t, x.report))
		if (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) {
			t.Errorf("%s: got %v, want %q", x.name, err, x.wrong)
		}
	}
}
