package fact

import (
	"encoding/json"
	"strings"
	"time"
)

// Unit is a base unit. There are no others: bytes, not MiB; seconds, not ms.
type Unit string

const (
	None    Unit = ""
	Bytes   Unit = "bytes"
	Seconds Unit = "seconds"
	Ratio   Unit = "ratio" // 0 to 1
	Count   Unit = "count"
)

// HostSide says whether only a broker's own host can tell the key: its /proc, its
// JVM's perf data, its logs, its segments, its metadata log.
func (d *Def) HostSide() bool {
	family, _, _ := strings.Cut(d.Name, ".")
	return family == "host" || family == "jvm" || family == "log" || family == "segments" || family == "disk"
}

// Kind says how values of a key relate over time.
type Kind string

const (
	GaugeKind   Kind = "gauge"   // float64, a level
	CounterKind Kind = "counter" // float64, only grows until its owner restarts
	StateKind   Kind = "state"   // any other type, by value
)

// Def is what is known of a key without reading anything.
type Def struct {
	Name  string // "host.dir.used"; never renamed, recordings hold it
	Scope Scope
	Kind  Kind
	Unit  Unit
	Doc   string
	Keep  int // how many samples a session keeps of each subject

	Lasts time.Duration // how old a value may be and still speak of now; 0: a minute

	decode func(json.RawMessage) (any, error)
}

// Key is a fact that can be observed. Every key is a package-level Of value
// listed in Keys.
type Key interface{ Def() *Def }

// Of is a key whose values have type T.
type Of[T any] struct{ def *Def }

// Def describes the key.
func (k Of[T]) Def() *Def { return k.def }

// Gauge declares a key of kind gauge.
func Gauge(name string, scope Scope, unit Unit, doc string) Of[float64] {
	return declare[float64](name, scope, GaugeKind, unit, doc)
}

// Counter declares a key of kind counter.
func Counter(name string, scope Scope, unit Unit, doc string) Of[float64] {
	return declare[float64](name, scope, CounterKind, unit, doc)
}

// State declares a key whose values are of type T. T must survive JSON.
func State[T any](name string, scope Scope, doc string) Of[T] {
	return declare[T](name, scope, StateKind, None, doc)
}

// keeping is the key with another number of samples kept: few for large values.
func (k Of[T]) keeping(samples int) Of[T] {
	k.def.Keep = samples
	return k
}

// lasting is the key with values that speak of now for longer: what changes
// seldom is asked seldom.
func (k Of[T]) lasting(d time.Duration) Of[T] {
	k.def.Lasts = d
	return k
}

func declare[T any](name string, scope Scope, kind Kind, unit Unit, doc string) Of[T] {
	keep := 720
	if kind == StateKind {
		keep = 24
	}
	return Of[T]{&Def{Name: name, Scope: scope, Kind: kind, Unit: unit, Doc: doc, Keep: keep,
		decode: func(raw json.RawMessage) (any, error) {
			var v T
			err := json.Unmarshal(raw, &v)
			return v, err
		}}}
}

// Is observes a value of the key on a subject.
func (k Of[T]) Is(s Subject, value T) Observation {
	return Observation{Key: k.def, Subject: s, Value: value}
}

// Unknown observes that the value on a subject could not be had.
func (k Of[T]) Unknown(s Subject, because *Unknown) Observation {
	return Observation{Key: k.def, Subject: s, Because: because}
}

// UnknownEverywhere observes that a key could not be had on any subject of its
// scope: what a probe yields when it failed.
func UnknownEverywhere(k Key, because *Unknown) Observation {
	d := k.Def()
	s := Subject{d.Scope, Any}
	if d.Scope == Cluster {
		s = TheCluster
	}
	return Observation{Key: d, Subject: s, Because: because}
}

// Lookup finds a key by name; nil when this version of ktriage has no such key.
func Lookup(name string) *Def { return byName[name] }

var byName = func() map[string]*Def {
	m := make(map[string]*Def, len(Keys))
	for _, k := range Keys {
		m[k.Def().Name] = k.Def()
	}
	return m
}()
