package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

func state(t *testing.T, text string) *exam {
	t.Helper()
	x := &exam{state: filepath.Join(t.TempDir(), "grades.jsonl"), binary: "b1"}
	if err := os.WriteFile(x.state, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestLoad(t *testing.T) {
	x := state(t, `{"name":"idle","first":"gc-pause"}`+"\n"+`{"name":"broker-hung","right":true}`+"\n"+`{"name":"idle","first":"nothing"}`+"\n")
	if err := x.load(); err != nil {
		t.Fatal(err)
	}
	if len(x.grades) != 2 || x.grades["idle"].First != "nothing" || !x.grades["broker-hung"].Right {
		t.Errorf("the last row of each name is to count: %+v", x.grades)
	}
	x.state += ".none"
	if err := x.load(); err != nil || len(x.grades) != 0 {
		t.Errorf("before the first row: %v, %v", x.grades, err)
	}
}

func TestLoadBadLine(t *testing.T) {
	for text, line := range map[string]string{
		`{"name":"idle"}` + "\n" + `{"name":`:          ":2: ",
		`{"name":"idle"}` + "\n\n" + `{"name":"idle"}`: ":2: ",
		`{"name":7}`: ":1: ",
		"{}":         ":1: ",
		`{"name":"idle"}` + "\n" + strings.Repeat("x", maxRow) + "": ":2: ",
	} {
		x := state(t, text)
		err := x.load()
		if err == nil || !strings.HasPrefix(err.Error(), x.state+line) {
			t.Errorf("%.60q: %v, want it to begin with the file and %q", text, err, line)
		}
	}
}

// A row counts as graded only of this very binary, by the rules of now, and where
// its fault bit.
func TestGraded(t *testing.T) {
	f, err := lab.FaultOf("broker-hung")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		name  string
		grade *lab.Grade
		again bool
		want  bool
	}{
		{"graded", &lab.Grade{Binary: "b1", Rules: lab.Rules, Saw: "stopped"}, false, true},
		{"wanted again", &lab.Grade{Binary: "b1", Rules: lab.Rules, Saw: "stopped"}, true, false},
		{"of another binary", &lab.Grade{Binary: "b0", Rules: lab.Rules, Saw: "stopped"}, false, false},
		{"by older rules", &lab.Grade{Binary: "b1", Rules: lab.Rules - 1, Saw: "stopped"}, false, false},
		{"did not bite", &lab.Grade{Binary: "b1", Rules: lab.Rules, Failed: "inject"}, false, false},
		{"never run", nil, false, false},
	} {
		x := &exam{binary: "b1", again: one.again, grades: map[string]*lab.Grade{}}
		if one.grade != nil {
			x.grades["broker-hung"] = one.grade
		}
		if got := x.graded(f[0]); got != one.want {
			t.Errorf("%s: %v", one.name, got)
		}
	}
}

// What is kept is what is loaded, one row a line.
func TestKeep(t *testing.T) {
	x := state(t, "")
	if err := x.load(); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*lab.Grade{{Name: "idle", Saw: "a\nb"}, {Name: "broker-hung", Without: []lab.Without{{What: "decisive", Missing: []string{"process-gone"}}}}} {
		if err := x.keep(g); err != nil {
			t.Fatal(err)
		}
	}
	y := &exam{state: x.state}
	if err := y.load(); err != nil {
		t.Fatal(err)
	}
	if len(y.grades) != 2 || y.grades["idle"].Saw != "a\nb" || y.grades["broker-hung"].Without[0].Missing[0] != "process-gone" {
		t.Errorf("%+v", y.grades)
	}
}
