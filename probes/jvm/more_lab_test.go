//go:build labmore

package jvm_test

import (
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

// TestLabCollectors: the other collectors of JDK 25 under a real broker.
func TestLabCollectors(t *testing.T) {
	home := lab.JDK(25)
	if home == "" {
		t.Fatal("no JDK 25 or later in /usr/lib/jvm")
	}
	for flag, collector := range map[string]string{"-XX:+UseZGC": "ZGC", "-XX:+UseParallelGC": "Parallel"} {
		t.Run(collector, func(t *testing.T) { start(t, home, flag).judge(collector, 25) })
	}
}
