package main

import (
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/playbooks"
	"github.com/ktriage/ktriage/probes/lab"
)

// A step that is mended in a playbook must be mended here, too: each fix has its
// steps, and fills in what they leave open.
func TestEveryFixFollowsItsPlaybook(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	causes, seen := map[string]bool{}, map[string]bool{}
	for _, f := range lab.Fixes {
		if seen[f.Fault.Name] {
			t.Errorf("%s is there twice", f.Fault.Name)
		}
		seen[f.Fault.Name], causes[f.Book()] = true, true
		book, err := playbooks.For(f.Book())
		if err != nil {
			t.Error(err)
			continue
		}
		if len(f.Take) == 0 {
			t.Errorf("%s takes no step", f.Fault.Name)
		}
		for _, take := range f.Take {
			i, err := stepOf(book, take.Step)
			if err != nil {
				t.Errorf("%s: %v", f.Fault.Name, err)
				continue
			}
			if (take.Hand == "") != (take.By == nil) {
				t.Errorf("%s: %q: what is done by hand is told, and done", f.Fault.Name, take.Step)
			}
			if take.By == nil && len(book.Steps[i].Commands) == 0 {
				t.Errorf("%s: %q has no commands, and nobody does it by hand", f.Fault.Name, take.Step)
			}
		}
	}
	if len(causes) < 25 {
		t.Errorf("the playbooks of %d causes are run, 25 are wanted", len(causes))
	}
	for cause := range causes {
		if !known(cause) {
			t.Errorf("%s is no cause", cause)
		}
	}
}

func known(cause string) bool {
	for _, c := range diagnose.All.Causes {
		if c.ID == cause {
			return true
		}
	}
	return false
}

func TestFillIn(t *testing.T) {
	got, used, err := lab.FillIn("kafka-acls.sh --allow-principal User:<user> --group billing <input", map[string]string{"<user>": "app", "<unit>": "kafka-2"})
	if err != nil || got != "kafka-acls.sh --allow-principal User:app --group billing <input" || len(used) != 1 || used["<user>"] != "app" {
		t.Errorf("%q, %v, %v", got, used, err)
	}
	if _, _, err := lab.FillIn("systemctl start <unit>", nil); err == nil || !strings.Contains(err.Error(), "<unit>") {
		t.Errorf("a placeholder was left: %v", err)
	}
}

func TestTableKeepsOtherRows(t *testing.T) {
	text := merge("", "| b-fault | x |")
	text = merge(text, "| a-fault | y |")
	text = merge(text, "| b-fault | z |")
	if want := fixHead + "| a-fault | y |\n| b-fault | z |\n"; text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestRowStaysOneRow(t *testing.T) {
	r := &fixed{fix: lab.Fixes[0], steps: []string{"`a | b \\\n  c`"}, version: "4.3.1", over: "two\nlines"}
	if line := r.line(); strings.Contains(line, "\n") || !strings.Contains(line, `a \| b   c`) {
		t.Error(line)
	}
}
