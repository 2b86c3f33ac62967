//go:build labmore

package main

import (
	"os"
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

// Every fault that a playbook is for is mended by it, as by `go run ./cmd/lab
// check --fix`.
func TestLabFix(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // no playbooks of whoever runs this
	for _, f := range lab.Fixes {
		t.Run(f.Fault.Name, func(t *testing.T) {
			row := fixer{say: os.Stderr}.run(t.Context(), f)
			if row.err != nil {
				t.Error(row.err)
			}
		})
	}
}
