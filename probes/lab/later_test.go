//go:build labmore

package lab

import (
	"os"
	"testing"
)

const later = true

// orphaned is the shape of a cluster whose owner is killed: it holds all that the
// kernel does not take down by itself. It wants cgroup v1 and FUSE.
var orphaned = Shape{
	Namespaces: true, TwoDirs: true, Memory: map[int32]int{1: 2000},
	Volume: &Volume{MiB: 64, Disk: true, Slow: true, Other: true},
}

// Each of these can be undone too.
func TestLabHealLater(t *testing.T) {
	k := &Checker{Heal: true, Say: os.Stderr}
	for _, f := range []*Fault{brokerIsolated, hangingTransaction, heapExhaustion, replicationThrottleLeft} {
		t.Run(f.Name, func(t *testing.T) {
			if row := k.Run(t.Context(), f); row.Err != nil {
				t.Error(row.Err)
			}
		})
	}
}
