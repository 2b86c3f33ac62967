package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/ktriage/ktriage"

// packages is every package of the module with what it imports itself.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out := golist(t, "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...")
	all := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		words := strings.Fields(line)
		all[words[0]] = words[1:]
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages: %s", len(all), out)
	}
	return all
}

func golist(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return string(out)
}

// within says whether an import path is one of these, or lies below one.
func within(path string, trees ...string) bool {
	for _, tree := range trees {
		if path == tree || strings.HasPrefix(path, tree+"/") {
			return true
		}
	}
	return false
}

// below is within, for packages of the module: "diagnose/fact".
func below(path string, trees ...string) bool {
	rest, ours := strings.CutPrefix(path, module+"/")
	return ours && within(rest, trees...)
}

// TestArrows holds cmd → tui → diagnose → diagnose/fact ← probes.
func TestArrows(t *testing.T) {
	rules := []struct{ from, not string }{
		{"diagnose/fact", "diagnose probes tui playbooks cmd"},
		{"diagnose", "probes tui playbooks cmd"},
		{"playbooks", "probes tui cmd"},
		{"tui", "probes cmd"},
		{"probes", "tui playbooks cmd"},
	}
	for pkg, imports := range packages(t) {
		for _, rule := range rules {
			if !below(pkg, rule.from) {
				continue
			}
			for _, i := range imports {
				own := below(i, rule.from) // fact within diagnose, say
				if below(i, strings.Fields(rule.not)...) && !own {
					t.Errorf("%s imports %s", pkg, i)
				}
			}
		}
		if below(pkg, "probes") {
			for _, i := range imports {
				if below(i, "diagnose") && !below(i, "diagnose/fact") {
					t.Errorf("%s imports %s: probes observe and do not conclude", pkg, i)
				}
			}
		}
	}
	for _, i := range strings.Fields(golist(t, "-deps", module+"/diagnose/fact")) {
		if strings.Contains(strings.SplitN(i, "/", 2)[0], ".") && i != module+"/diagnose/fact" {
			t.Errorf("diagnose/fact depends on %s: it is a leaf", i)
		}
	}
}

// TestLibrariesAreConfined says where each third-party library may be used.
func TestLibrariesAreConfined(t *testing.T) {
	rules := []struct{ library, only string }{
		{"github.com/twmb/franz-go", "probes/kafka probes/lab"},
		{"github.com/shirou/gopsutil", "probes/host probes/jvm"},
		{"github.com/guptarohit/asciigraph", "tui"},
		{"github.com/charmbracelet", "tui cmd"},
		{"github.com/klauspost/compress", "probes/record probes/segments"},
		{"github.com/pierrec/lz4", "probes/segments"},
		{"github.com/spf13", "cmd"},
		{"os/exec", "probes/lab cmd/lab probes/hosttest"},
	}
	used := map[string]bool{}
	for pkg, imports := range packages(t) {
		for _, i := range imports {
			for _, rule := range rules {
				if !within(i, rule.library) {
					continue
				}
				used[rule.library] = true
				if !below(pkg, strings.Fields(rule.only)...) {
					t.Errorf("%s imports %s, which is only for %s", pkg, i, rule.only)
				}
				if below(pkg, "tui/text") && rule.library == "github.com/charmbracelet" {
					t.Errorf("%s imports %s: it is for where there is no screen", pkg, i)
				}
			}
		}
	}
	for _, rule := range rules {
		if !used[rule.library] {
			t.Errorf("nothing uses %s: the rule is stale, or the test finds nothing", rule.library)
		}
	}
}

func TestWhatIsOnlyForTestsIsNotLinkedIn(t *testing.T) {
	deps := strings.Fields(golist(t, "-deps", module+"/cmd/ktriage"))
	seen := false
	for _, d := range deps {
		seen = seen || d == module+"/probes"
		if below(d, "probes/lab", "probes/hosttest", "probes/segments/segmentstest", "probes/segments/vandal") {
			t.Errorf("ktriage links %s", d)
		}
	}
	if !seen {
		t.Error("ktriage does not link probes: the test finds nothing")
	}
}
