package main

import (
	"slices"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
)

// Here alone probes and signs meet: what a sign reads some probe must yield, and
// a probe that feeds neither a sign nor the header is one too many.
func TestEverySignIsFedAndEveryProbeRead(t *testing.T) {
	yields := map[*fact.Def]bool{}
	for _, p := range probes.All {
		for _, k := range p.Yields {
			yields[k.Def()] = true
		}
	}
	read := map[*fact.Def]bool{}
	for _, s := range diagnose.All.Signs {
		for _, k := range slices.Concat(s.Needs, s.Uses) {
			read[k.Def()] = true
			if !yields[k.Def()] {
				t.Errorf("sign %s reads %s, which no probe yields", s.ID, k.Def().Name)
			}
		}
	}
	for _, p := range probes.All {
		judged := slices.ContainsFunc(p.Yields, func(k fact.Key) bool { return read[k.Def()] })
		why, shown := onlyShown[p.Name]
		switch {
		case !judged && !shown:
			t.Errorf("nothing reads what probe %s yields", p.Name)
		case judged && shown:
			t.Errorf("signs read what probe %s yields: it is not there only because of %q", p.Name, why)
		}
	}
}

// onlyShown is the probes that no sign reads, and what they are for.
var onlyShown = map[string]string{
	"host.load":           "the host screen",
	"host.devices":        "the host screen: a log dir's way to its device",
	"kafka.share-offsets": "the groups screen",
	"segments.rest":       "the segments screen: how far the verification of all segments is",
	"kafka.batches":       "on demand: time lag, and batches as the broker serves them",
	"kafka.security":      "the config screen",
}
