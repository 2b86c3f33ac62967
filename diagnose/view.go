package diagnose

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// View is what a sign's test reads facts through. It notes every read, so that
// the evidence of a sign is exactly what it looked at.
type View struct {
	Subject fact.Subject // whom the sign is asked about
	history *history
	reads   map[*fact.Def]bool
	at      time.Time // of the newest fact read
	source  string
}

var _ fact.Reader = (*View)(nil)

// Latest is the newest value of a key on a subject; false when unknown.
func (v *View) Latest(k *fact.Def, s fact.Subject) (any, bool) {
	v.note(k, s)
	return v.history.latest(k, s)
}

// Past is the known values of a key on a subject, oldest first; none when the
// newest answer is an unknown.
func (v *View) Past(k *fact.Def, s fact.Subject) []fact.Sample {
	v.note(k, s)
	if v.history.unknown(k, s) != nil {
		return nil
	}
	return v.history.series[k][s].known
}

// Subjects is the subjects on which a key was observed lately, sorted.
func (v *View) Subjects(k *fact.Def) []fact.Subject {
	v.reads[k] = true
	return v.history.subjects(k)
}

// Now is the time of the newest batch.
func (v *View) Now() time.Time { return v.history.now }

// Why says why a key is unknown on a subject; nil when it is known.
func (v *View) Why(k fact.Key, s fact.Subject) *fact.Unknown {
	v.reads[k.Def()] = true
	return v.history.unknown(k.Def(), s)
}

// why says why a key is known on no subject at all.
func (v *View) why(k fact.Key) *fact.Unknown {
	v.reads[k.Def()] = true
	return v.history.nowhere(k.Def())
}

func (v *View) note(k *fact.Def, s fact.Subject) {
	v.reads[k] = true
	if a, ok := v.history.newest(k, s); ok && a.because == nil && a.at.After(v.at) {
		v.at, v.source = a.at, a.source
	}
}
