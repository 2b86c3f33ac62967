//go:build lab || labmore

package lab

import (
	"os"
	"testing"
)

// Faults and controls are put before the compiled ktriage, each on a fresh
// cluster, as by `go run ./cmd/lab check`: those of every day, or the others.
func TestLabCheck(t *testing.T) {
	ktriage, err := BuildKtriage(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k := &Checker{Ktriage: ktriage, Say: os.Stderr}
	var rows []*Row
	for _, f := range Faults {
		if f.Later != later {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			row := k.Run(t.Context(), f)
			rows = append(rows, row)
			if row.Err != nil {
				t.Error(row.Err)
			}
		})
	}
	Table(os.Stdout, rows)
}
