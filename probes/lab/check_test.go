//go:build lab

package lab

import (
	"os"
	"testing"
)

// Every fault and control is put before the compiled ktriage, each on a fresh
// cluster: the same as `go run ./cmd/lab check`.
func TestLabCheck(t *testing.T) {
	ktriage, err := BuildKtriage(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k := &Checker{Ktriage: ktriage, Say: os.Stderr}
	var rows []*Row
	for _, f := range Faults {
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

// Every fault can be undone: afterwards all replicas are in sync again, or the
// group has caught up.
func TestLabHeal(t *testing.T) {
	k := &Checker{Heal: true, Say: os.Stderr}
	for _, f := range []*Fault{diskFull, groupStopped, heapExhaustion, underMinISR} {
		t.Run(f.Name, func(t *testing.T) {
			if row := k.Run(t.Context(), f); row.Err != nil {
				t.Error(row.Err)
			}
		})
	}
}
