package jvm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hosttest"
)

func TestFlagsOfRealJVMs(t *testing.T) {
	classes := hosttest.Compile(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "options"), []byte("-XX:MaxGCPauseMillis=20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JDK_JAVA_OPTIONS", "-Xss512k -Dpassword=secret")
	t.Setenv("KAFKA_HEAP_OPTS", "-Xmx48m")
	for _, jdk := range hosttest.JDKs(t) {
		cmd := hosttest.Start(t, jdk, classes, dir, "@options", "-Xms32m", "-Xmx48m", "-XX:+UseSerialGC", "-XX:OnOutOfMemoryError=mail secret", "-Xlog:gc:file=gc.log")
		o := observed(t, Flags, target(cmd.Process.Pid))["jvm.flags"]
		if o.Because != nil {
			t.Fatal(o.Because)
		}
		f := o.Value.(fact.JVMFlags)
		if f.InitialHeap != 32<<20 || f.MaxHeap != 48<<20 || f.Unread != "" || !slices.Equal(f.GCLogs, []string{"gc.log"}) {
			t.Errorf("%+v", f)
		}
		for _, want := range []string{"-XX:+UseSerialGC", "-Xss512k", "-XX:MaxGCPauseMillis=20", "-XX:OnOutOfMemoryError"} {
			if !slices.Contains(f.Options, want) {
				t.Errorf("%s is missing in %q", want, f.Options)
			}
		}
		if all := strings.Join(f.Options, " "); strings.Contains(all, "secret") {
			t.Errorf("a secret in %s", all)
		}
		for _, want := range []string{"JDK_JAVA_OPTIONS", "KAFKA_HEAP_OPTS", "perf data"} {
			if !slices.Contains(f.Sources, want) {
				t.Errorf("source %s is missing in %q", want, f.Sources)
			}
		}
	}
}

func TestSizesOfOptions(t *testing.T) {
	for text, want := range map[string]int64{"512m": 512 << 20, "1G": 1 << 30, "1024": 1024, "2t": 2 << 40, "": -1, "m": -1, "-1m": -1, "99999999999g": -1} {
		n, err := parseJVMSize(text)
		if err != nil {
			n = -1
		}
		if n != want {
			t.Errorf("%q: %d, want %d", text, n, want)
		}
	}
}

func TestSplitOptions(t *testing.T) {
	got := splitOptions("  -Xmx1g '-Da=b c' -Xlog:gc:file=\"a b.log\" ")
	if want := []string{"-Xmx1g", "-Da=b c", "-Xlog:gc:file=a b.log"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
