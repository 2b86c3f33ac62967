package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A toolbox on one node, whose JVM is a shell that sleeps.
func newToolbox(t *testing.T) (*Toolbox, *Node) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	java := filepath.Join(dir, "java")
	if err := os.WriteFile(java, []byte("#!/bin/sh\ncase \"$*\" in *TopicCommand*) echo \"$@\";; *) exec sleep 60;; esac\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	n := &Node{ID: 2, Roles: "broker", Dir: dir, install: &Install{Major: 4, java: java, classes: "jars/*"}}
	if err := os.MkdirAll(n.LogsDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Dir: dir, Nodes: []*Node{n}, install: n.install}
	var err error
	if c.state, err = newState(dir, "test"); err != nil {
		t.Fatal(err)
	}
	tools, err := c.Toolbox()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tools.Close(); n.kill() })
	return tools, n
}

func TestToolboxRunsUnits(t *testing.T) {
	tools, n := newToolbox(t)
	for _, step := range []struct {
		command string
		runs    bool
	}{
		{"systemctl start kafka-2", true},
		{"sudo systemctl start kafka-2.service", true}, // it runs already
		{"systemctl restart kafka-2", true},
		{"systemctl daemon-reload", true},
		{"systemctl stop kafka-2", false},
	} {
		before := n.PID()
		if out, err := tools.Run(t.Context(), step.command); err != nil || n.Running() != step.runs {
			t.Errorf("%s: %v, %s, runs: %v", step.command, err, out, n.Running())
		}
		if again := strings.Contains(step.command, "restart"); before > 0 && again == (n.PID() == before) {
			t.Errorf("%s: pid %d, then %d", step.command, before, n.PID())
		}
	}
	for command, why := range map[string]string{
		"systemctl start kafka-9":                     "unit kafka-9 not found",
		"systemctl reboot":                            "a verb and a unit are expected",
		"systemctl set-property kafka-2 CPUQuota=":    "0 control groups of its own",
		"systemctl set-property kafka-2 CPUQuota=10%": "no such command",
		"systemctl start <unit>":                      "exit status",
	} {
		if out, err := tools.Run(t.Context(), command); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %s", command, err, out)
		}
	}
}

func TestToolboxSeesWhoIsAwake(t *testing.T) {
	tools, n := newToolbox(t)
	if _, err := tools.Run(t.Context(), "systemctl start kafka-2"); err != nil {
		t.Fatal(err)
	}
	if err := n.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if n.Serves() {
		t.Fatal("a frozen node serves")
	}
	if _, err := tools.Run(t.Context(), "kill -CONT "+fmt.Sprint(n.PID())); err != nil || !n.Serves() {
		t.Errorf("%v, serves: %v", err, n.Serves())
	}
}

func TestToolboxHasKafkasScripts(t *testing.T) {
	tools, _ := newToolbox(t)
	out, err := tools.Run(t.Context(), "kafka-topics.sh --describe --topic 'a b'; ls reassignment.json")
	if err == nil || !strings.Contains(out, "org.apache.kafka.tools.TopicCommand --describe --topic a b") {
		t.Errorf("%v: %s", err, out)
	}
	if err := tools.write("reassignment.json", "{}"); err != nil {
		t.Fatal(err)
	}
	if out, err := tools.Run(t.Context(), "cat reassignment.json"); err != nil || out != "{}" {
		t.Errorf("%v: %s", err, out)
	}
}
