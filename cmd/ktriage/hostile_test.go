package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/probe"
)

// evil is a name that sets a terminal's title, clears it, and turns the
// direction of writing.
const evil = "a\x1b]0;owned\x07\x1b[2J\u202e\u009b2J"

func obeyed(s string) bool { return strings.ContainsAny(s, "\x1b\x07\u202e\u009b") }

func TestAuditOfHostileNames(t *testing.T) {
	out := auditText([]probe.Entry{{Act: "open", Object: "/tmp/hsperfdata_" + evil, Count: 1}, {Act: "open", Object: "/proc/self\nopen x"}})
	if obeyed(out) || !strings.Contains(out, "/tmp/hsperfdata_a") || strings.Count(out, "\n") != 3 {
		t.Errorf("%q", out)
	}
}

func TestErrorsOfHostileNames(t *testing.T) {
	cut := incident(t, t.TempDir())
	damaged := filepath.Join(t.TempDir(), evil+".ktr")
	half(t, cut, damaged)
	for _, args := range [][]string{{"replay", evil}, {"report", damaged}, {"check", "--" + evil}, {"demo", evil}} {
		got := ktriage(t, args...)
		if got.err == "" || obeyed(got.err) {
			t.Errorf("%q: %q", args, got.err)
		}
	}
}
