package diagnose

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Facts is what the batches so far said, for screens that show facts beside the
// signs that are read from them. It speaks of the moment after the newest batch.
type Facts struct{ history *history }

var _ fact.Reader = Facts{}

// Facts is what was seen so far.
func (s *Session) Facts() Facts { return Facts{s.history} }

// Latest is the newest value of a key on a subject; false when it is unknown now.
func (f Facts) Latest(k *fact.Def, s fact.Subject) (any, bool) { return f.history.latest(k, s) }

// Past is the known values of a key on a subject, oldest first, also when the
// newest answer is an unknown: that one ends the curve, and does not undo it.
// The caller does not change it.
func (f Facts) Past(k *fact.Def, s fact.Subject) []fact.Sample {
	if one := f.history.series[k][s]; one != nil {
		return one.known
	}
	return nil
}

// Subjects is every subject of which a key was ever said something, sorted, those
// with nothing but stale values too.
func (f Facts) Subjects(k *fact.Def) []fact.Subject {
	all := make([]fact.Subject, 0, len(f.history.series[k]))
	for s := range f.history.series[k] {
		all = append(all, s)
	}
	sortSubjects(all)
	return all
}

// Now is the time of the newest batch.
func (f Facts) Now() time.Time { return f.history.now }

// Why says why a key is unknown on a subject; nil when it is known. On the
// subject fact.Any it says why the key is known nowhere.
func (f Facts) Why(k *fact.Def, s fact.Subject) *fact.Unknown { return f.history.unknown(k, s) }

// SeenBy is the probe that gave the newest answer for a key on a subject, and
// when; empty when there is none.
func (f Facts) SeenBy(k *fact.Def, s fact.Subject) (probe string, at time.Time) {
	a, _ := f.history.newest(k, s)
	return a.source, a.at
}

// Metadata is the view to believe where brokers see the cluster differently;
// false while no broker's view is known. The caller does not change it.
func (f Facts) Metadata() (*fact.MetadataView, bool) {
	best := f.history.clusterView()
	if best == nil {
		return nil, false
	}
	return &best.MetadataView, true
}
