//go:build labmore

package lab

import (
	"os"
	"testing"
)

const later = true

// Each of these can be undone too.
func TestLabHealLater(t *testing.T) {
	k := &Checker{Heal: true, Say: os.Stderr}
	for _, f := range []*Fault{brokerIsolated, hangingTransaction, replicationThrottleLeft} {
		t.Run(f.Name, func(t *testing.T) {
			if row := k.Run(t.Context(), f); row.Err != nil {
				t.Error(row.Err)
			}
		})
	}
}
