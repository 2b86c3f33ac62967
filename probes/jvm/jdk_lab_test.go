//go:build lab

package jvm_test

import (
	"os"
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

// need is the home of a Java of that version or later. Where there is none CI
// fails; elsewhere it is said that nothing was tested.
func need(t *testing.T, major int) string {
	t.Helper()
	home := lab.JDK(major)
	switch {
	case home != "":
	case os.Getenv("CI") != "":
		t.Fatalf("no JDK %d or later in /usr/lib/jvm", major)
	default:
		t.Skipf("NOT TESTED: no JDK %d or later in /usr/lib/jvm", major)
	}
	return home
}

// TestLabJDKs: what is told of real brokers on JDK 17 and on JDK 25 agrees with
// jstat of that JDK and with their GC logs.
func TestLabJDKs(t *testing.T) {
	t.Run("17", func(t *testing.T) { start(t, need(t, 17)).judge("G1", 17) })
	t.Run("25", func(t *testing.T) { start(t, need(t, 25)).judge("G1", 25) })
}
