//go:build lab && !labmore

package lab

import (
	"os"
	"testing"
)

const later = false

// orphaned is the shape of a cluster whose owner is killed.
var orphaned = Shape{SmallDisk: 48, Namespaces: true}

// Every fault can be undone: afterwards all replicas are in sync again, or the
// group has caught up.
func TestLabHeal(t *testing.T) {
	k := &Checker{Heal: true, Say: os.Stderr}
	for _, f := range []*Fault{diskFull, groupStopped, underMinISR} {
		t.Run(f.Name, func(t *testing.T) {
			if row := k.Run(t.Context(), f); row.Err != nil {
				t.Error(row.Err)
			}
		})
	}
}
