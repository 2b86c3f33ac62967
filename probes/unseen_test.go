package probes

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// TestUnseenIsAsSkippedLive takes probes out of a batch after the fact, and live:
// the same must be left, and be unknown for the same reasons.
func TestUnseenIsAsSkippedLive(t *testing.T) {
	disk := fake("host.disk", 0)
	names := fake("kafka.names", 0)
	offsets := fake("kafka.offsets", 0, names)
	rates := fake("kafka.rates", 0, disk, offsets)
	all := []*probe.Probe{disk, names, offsets, rates}
	for _, skip := range [][]string{{"host.disk"}, {"kafka.names"}, {"kafka.rates"}, {"kafka"}, {"host.disk", "kafka.offsets"}, {"host", "kafka"}} {
		synctest.Test(t, func(t *testing.T) {
			whole, less := live(LiveOptions{}, all...), live(LiveOptions{Skip: skip}, all...)
			defer whole.Close()
			defer less.Close()
			got, want := told(Unseen(mustRound(t, whole), all, skip)), told(mustRound(t, less))
			if !slices.Equal(got, want) {
				t.Errorf("without %v:\n%q\nlive:\n%q", skip, got, want)
			}
			if slices.Equal(want, told(mustRound(t, whole))) {
				t.Errorf("without %v nothing is missing", skip)
			}
		})
	}
}

// told is what a batch says, without its times.
func told(b fact.Batch) []string {
	var all []string
	for _, o := range b.Observations {
		all = append(all, fmt.Sprintf("%s %s %v %+v %s", o.Key.Name, o.Subject, o.Value, o.Because, o.Source))
	}
	for _, r := range b.Runs {
		all = append(all, fmt.Sprintf("%s %s %s", r.Probe, r.Status, r.Error))
	}
	slices.Sort(all)
	return all
}
