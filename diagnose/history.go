package diagnose

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// staleAfter is how old a value may be and still speak of now, unless its key
// says otherwise.
const staleAfter = 60 * time.Second

// lasts is how old an answer for a key may be and still speak of now: where its
// probe looks less often than usual, for what that costs, it lasts until the next
// look, with time for that.
func (h *history) lasts(k *fact.Def, a answer) time.Duration {
	return max(staleAfter, k.Lasts, h.paced[a.source]*3/2)
}

// history is what the batches said, bounded: of each key and subject the newest
// fact.Def.Keep known samples, and whether the newest answer was an unknown.
type history struct {
	now        time.Time
	series     map[*fact.Def]map[fact.Subject]*series
	everywhere map[*fact.Def]answer     // newest unknown that covers a whole scope
	paced      map[string]time.Duration // until the next look, of probes that look less often than usual

	view      *clusterViewOf // see clusterView
	viewKnown bool           // it has been worked out since the last batch
}

// series is one key on one subject.
type series struct {
	known  []fact.Sample // oldest first
	newest answer
}

// answer is who gave the newest reading, when, and why it is unknown if it is.
type answer struct {
	at      time.Time
	source  string
	because *fact.Unknown
}

func newHistory() *history {
	return &history{series: map[*fact.Def]map[fact.Subject]*series{}, everywhere: map[*fact.Def]answer{}, paced: map[string]time.Duration{}}
}

func (h *history) add(b fact.Batch) {
	h.view, h.viewKnown = nil, false
	if b.At.After(h.now) {
		h.now = b.At
	}
	for _, r := range b.Runs {
		h.paced[r.Probe] = time.Duration(min(max(r.Next, 0), 3600) * float64(time.Second)) // recordings may say anything
	}
	for _, o := range b.Observations {
		if fact.Lookup(o.Key.Name) != o.Key {
			continue // of a later version: no sign of this one reads it
		}
		at := o.At
		if at.IsZero() {
			at = b.At
		}
		a := answer{at, o.Source, o.Because}
		if o.Subject.Name == fact.Any || (o.Because != nil && o.Key.Scope == fact.Cluster) {
			h.everywhere[o.Key] = a
			continue
		}
		of := h.series[o.Key]
		if of == nil {
			of = map[fact.Subject]*series{}
			h.series[o.Key] = of
		}
		s := of[o.Subject]
		if s == nil {
			s = &series{}
			of[o.Subject] = s
		}
		s.newest = a
		if o.Because != nil {
			continue
		}
		if len(s.known) >= o.Key.Keep {
			s.known = append(s.known[:0], s.known[len(s.known)-o.Key.Keep+1:]...)
		}
		s.known = append(s.known, fact.Sample{At: at, Value: o.Value})
	}
}

// newest is the newest answer for a key on a subject; ok is false when there
// never was one.
func (h *history) newest(k *fact.Def, s fact.Subject) (a answer, ok bool) {
	all, covered := h.everywhere[k]
	if one := h.series[k][s]; one != nil && !(covered && all.at.After(one.newest.at)) {
		return one.newest, true
	}
	return all, covered
}

// answered says whether anything was ever said of a key. Until then its probe
// has not run; after that a subject without an answer is one nobody can see.
func (h *history) answered(k *fact.Def) bool {
	_, everywhere := h.everywhere[k]
	return everywhere || len(h.series[k]) > 0
}

// unknown says why a key is unknown on a subject now; nil when it is known.
func (h *history) unknown(k *fact.Def, s fact.Subject) *fact.Unknown {
	a, ok := h.newest(k, s)
	switch {
	case !ok && !h.answered(k):
		return &fact.Unknown{Reason: fact.NotYet, Detail: "nothing has looked at " + k.Name + " yet"}
	case !ok:
		return &fact.Unknown{Reason: fact.NotObserved, Detail: "nothing looked at " + k.Name + " of " + s.String()}
	case a.because != nil:
		return a.because
	case h.now.Sub(a.at) > h.lasts(k, a):
		return &fact.Unknown{Reason: fact.Stale, Detail: k.Name + " is " + h.now.Sub(a.at).Round(time.Second).String() + " old"}
	}
	return nil
}

// named is everyone of a scope of whom anything was ever told, in order.
func (h *history) named(scope fact.Scope) (all []fact.Subject) {
	for k, of := range h.series {
		if k.Scope != scope {
			continue
		}
		for s := range of {
			all = append(all, s)
		}
	}
	sortSubjects(all)
	return slices.Compact(all)
}

// nowhere says why a key is known on no subject: the first subject's reason.
func (h *history) nowhere(k *fact.Def) *fact.Unknown {
	for _, s := range h.subjects(k) {
		if because := h.unknown(k, s); because != nil {
			return because
		}
	}
	return h.unknown(k, fact.Subject{Scope: k.Scope, Name: fact.Any})
}

// latest is the newest value when it is known.
func (h *history) latest(k *fact.Def, s fact.Subject) (any, bool) {
	if h.unknown(k, s) != nil {
		return nil, false
	}
	known := h.series[k][s].known
	return known[len(known)-1].Value, true
}

// subjects is those on which a key was answered lately, sorted.
func (h *history) subjects(k *fact.Def) []fact.Subject {
	var all []fact.Subject
	for s, one := range h.series[k] {
		if h.now.Sub(one.newest.at) <= h.lasts(k, one.newest) {
			all = append(all, s)
		}
	}
	sortSubjects(all)
	return all
}

// sortSubjects sorts by scope, then by name, numbers as numbers.
func sortSubjects(all []fact.Subject) {
	sort.Slice(all, func(i, j int) bool { return subjectLess(all[i], all[j]) })
}

func subjectLess(a, b fact.Subject) bool {
	if a.Scope != b.Scope {
		return a.Scope < b.Scope
	}
	x, errX := strconv.Atoi(a.Name)
	y, errY := strconv.Atoi(b.Name)
	if errX == nil && errY == nil {
		return x < y
	}
	return a.Name < b.Name
}
