package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Bounds of what a session remembers of one sign on one subject.
const (
	keepPoints = 720
	keepStates = 64
)

// evaluate asks every sign of every subject, in the catalogue's order.
func (s *Session) evaluate() []SignState {
	var all []SignState
	here := s.here()
	for _, sign := range s.catalogue.Signs {
		for _, subject := range s.subjectsOf(sign) {
			st := s.ask(sign, subject)
			st.away = st.Outcome == Unknown && st.Because.Reason == fact.NotObserved && sign.hostSide() && !here(subject)
			s.remember(&st)
			all = append(all, st)
		}
	}
	return all
}

// here says whether the host of a subject is this one; of what belongs to no
// broker, whether this is a broker's host at all.
func (s *Session) here() func(fact.Subject) bool {
	v := &View{history: s.history, reads: map[*fact.Def]bool{}}
	all, _ := localBrokers(v)
	local := map[fact.Subject]bool{}
	for _, l := range all {
		local[fact.BrokerOf(l.NodeID)] = true
		local[fact.Subject{Scope: fact.Broker, Name: fmt.Sprint("pid ", l.PID)}] = true // its id is not known
	}
	return func(subject fact.Subject) bool {
		if broker, ok := subject.Owner(); ok && broker.Name != fact.Any {
			return local[broker]
		}
		return len(local) > 0
	}
}

// subjectsOf is whom to ask. Where not even the subjects can be known, it is the
// scope as a whole, so that the sign is seen to be unknown; where that is for want
// of a right or as nobody asked, it is everyone whom other facts name: what it
// would rule out on them is not settled.
func (s *Session) subjectsOf(sign *Sign) []fact.Subject {
	if sign.On == fact.Cluster {
		return []fact.Subject{fact.TheCluster}
	}
	v := s.view(sign, fact.Subject{})
	var all []fact.Subject
	if sign.Subjects != nil {
		all = sign.Subjects(v)
	} else {
		for _, k := range sign.keys() {
			if k.Def().Scope == sign.On {
				all = append(all, s.history.subjects(k.Def())...)
			}
		}
		sortSubjects(all)
		all = slices.Compact(all)
	}
	if len(all) > 0 {
		return all
	}
	because := s.unseen(sign)
	if because == nil {
		return nil
	}
	if withheld(because) && sign.Subjects == nil {
		if known := s.history.named(sign.On); len(known) > 0 {
			return known
		}
	}
	return []fact.Subject{{Scope: sign.On, Name: fact.Any}}
}

// unseen says why nobody knows whom to ask a sign of; nil where it is known that
// there is nobody.
func (s *Session) unseen(sign *Sign) *fact.Unknown {
	for _, k := range sign.keys() {
		if sign.Subjects == nil && k.Def().Scope != sign.On {
			continue
		}
		if because := s.history.nowhere(k.Def()); because != nil && because.Reason != fact.Absent {
			return because
		}
	}
	return nil
}

// keys is everything that a sign may read.
func (s *Sign) keys() []fact.Key { return slices.Concat(s.Needs, s.Uses) }

func (s *Session) view(sign *Sign, subject fact.Subject) *View {
	reads := s.reads[sign]
	if reads == nil {
		reads = map[*fact.Def]bool{}
		s.reads[sign] = reads
	}
	return &View{Subject: subject, history: s.history, reads: reads}
}

// ask reads one sign on one subject.
func (s *Session) ask(sign *Sign, subject fact.Subject) SignState {
	st := SignState{Sign: sign, Subject: subject, At: s.history.now}
	if subject.Name == fact.Any {
		st.Reading = cannotTell(s.unseen(sign))
		return st
	}
	for _, k := range sign.Needs {
		if because := s.missing(k.Def(), subject); because != nil {
			st.Reading = unlessAbsent(cannotTell(because))
			return st
		}
	}
	v := s.view(sign, subject)
	st.Reading = unlessAbsent(sign.Test(v))
	if !v.at.IsZero() {
		st.At, st.Source = v.at, v.source
	}
	return st
}

// unlessAbsent is a reading; what does not exist here does not apply. A test that
// gives no reason for an unknown has read half of what it needs.
func unlessAbsent(r Reading) Reading {
	switch {
	case r.Outcome != Unknown:
		return r
	case r.Because == nil:
		return cannotTell(&fact.Unknown{Reason: fact.Unreadable, Detail: "only a part of what it needs is known"})
	case r.Because.Reason == fact.Absent:
		return notApplicable(r.Because.Detail)
	}
	return r
}

// missing says why a needed key is unknown for a subject. A key of a scope that
// does not belong to one subject (each broker's metadata, for a sign on the
// cluster) is missing only when it is known nowhere.
func (s *Session) missing(k *fact.Def, subject fact.Subject) *fact.Unknown {
	if of, ok := related(k.Scope, subject); ok {
		return s.history.unknown(k, of)
	}
	for _, one := range s.history.subjects(k) {
		if s.history.unknown(k, one) == nil {
			return nil
		}
	}
	return s.history.nowhere(k)
}

// related is the subject of a scope that belongs to another subject: the broker
// of a log dir, the process of a broker. ok is false where there is not just one.
func related(scope fact.Scope, subject fact.Subject) (of fact.Subject, ok bool) {
	switch owner, owned := subject.Owner(); {
	case scope == subject.Scope:
		return subject, true
	case scope == fact.Cluster:
		return fact.TheCluster, true
	case scope == fact.Broker && owned:
		return owner, true
	case scope == fact.Process && owned:
		return fact.Subject{Scope: fact.Process, Name: owner.Name}, true
	}
	return fact.Subject{}, false
}

// remember notes how a sign moved, and holds a yes back until it has held long
// enough.
func (s *Session) remember(st *SignState) {
	key := instance{st.Sign, st.Subject}
	t := s.track[key]
	if t == nil {
		t = &track{}
		s.track[key] = t
	}
	t.asked = s.history.now
	t.no = t.no || st.Outcome == No
	st.early = st.Outcome == Yes && st.Since.IsZero() && !t.no
	switch {
	case st.Outcome != Yes:
		t.yes = time.Time{}
	case t.yes.IsZero():
		t.yes = s.history.now
		if !st.Since.IsZero() && st.Since.Before(t.yes) {
			t.yes = st.Since
		}
	}
	if held := s.history.now.Sub(t.yes); st.Outcome == Yes && held < st.Sign.For && !st.Lasting {
		st.Outcome = Unknown
		st.Because = &fact.Unknown{Reason: fact.NotYet, Detail: fmt.Sprintf("has held %s of %s: %s", held, st.Sign.For, st.Text)}
	}
	if n := len(t.states); n == 0 || t.states[n-1].Outcome != st.Outcome {
		st.Held, st.changed = s.history.now, s.history.now
		if st.Outcome == Yes {
			st.Held = t.yes
		}
		t.states = append(t.states, *st)
		if len(t.states) > keepStates {
			t.states = append(t.states[:0], t.states[1:]...)
		}
	} else {
		st.Held, st.changed = t.states[n-1].Held, t.states[n-1].changed
		t.states[n-1] = *st
	}
	if st.Since.IsZero() {
		st.Since = st.Held
	}
	if st.Unit == "" && len(t.points) == 0 || st.Outcome == NotApplicable {
		return
	}
	t.points = append(t.points, Point{At: s.history.now, Value: st.Value, Known: st.Outcome != Unknown})
	if len(t.points) > keepPoints {
		t.points = append(t.points[:0], t.points[1:]...)
	}
}

// Reads is the keys that each sign read so far in this session: what its
// declared Needs and Uses must cover.
func (s *Session) Reads() map[*Sign][]*fact.Def {
	all := map[*Sign][]*fact.Def{}
	for sign, defs := range s.reads {
		for d := range defs {
			all[sign] = append(all[sign], d)
		}
	}
	return all
}

// withheld says whether the operator can have an answer by asking otherwise, or with
// other rights.
func withheld(u *fact.Unknown) bool {
	return u.Reason == fact.NotAskedFor || u.Reason == fact.NotAllowed
}
