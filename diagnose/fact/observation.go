package fact

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Observation is one raw reading: a value, or the reason why there is none.
type Observation struct {
	Key     *Def
	Subject Subject
	Value   any      // of the key's type; nil when Because is set
	Because *Unknown // why the value is unknown
	At      time.Time
	Source  string // name of the probe
}

// Batch is what one round of probing saw. Batches are what a recording holds
// and what a diagnosis is a function of.
type Batch struct {
	At           time.Time     `json:"at"`
	Observations []Observation `json:"observations,omitempty"`
	Runs         []Run         `json:"runs,omitempty"`  // how the probes of this round fared
	Marks        []Mark        `json:"marks,omitempty"` // what the operator said
}

// Status of one run of a probe.
type Status string

const (
	OK       Status = "ok"
	Partial  Status = "partial" // yielded something, and an error
	Failed   Status = "failed"
	Skipped  Status = "skipped"   // a probe it needs failed
	NotAsked Status = "not-asked" // --skip, or heavy and nobody asked
)

// Run is how one run of a probe went. A failed run is never a finding.
type Run struct {
	Probe   string  `json:"name"`
	Status  Status  `json:"status"`
	Seconds float64 `json:"duration_seconds"`
	Next    float64 `json:"next_seconds,omitempty"` // seconds until the next run where what a look costs makes it a longer time than usual; 0: as usual
	Error   string  `json:"error,omitempty"`
}

// Mark is something the operator said at a time.
type Mark struct {
	At   time.Time `json:"at"`
	Kind MarkKind  `json:"kind"`
	Text string    `json:"text,omitempty"`
}

// MarkKind says what a mark is for.
type MarkKind string

const (
	FixApplied MarkKind = "fix-applied"
	Note       MarkKind = "note"
	Symptom    MarkKind = "symptom" // what is reported: Text is the id of a fault
)

// Source gives batches in the order of time: live probes or a recording, and
// nothing above can tell which. Next returns io.EOF after the last one.
type Source interface {
	Next(context.Context) (Batch, error)
}

// wire is an observation as a recording stores it: short names, one line.
type wire struct {
	Key     string          `json:"k"`
	Subject string          `json:"s"`
	Value   json.RawMessage `json:"v,omitempty"`
	Because *Unknown        `json:"u,omitempty"`
	At      time.Time       `json:"t,omitzero"`
	Source  string          `json:"p,omitempty"`
}

// MarshalJSON writes the form that recordings hold.
func (o Observation) MarshalJSON() ([]byte, error) {
	w := wire{Key: o.Key.Name, Subject: o.Subject.String(), Because: o.Because, At: o.At, Source: o.Source}
	if o.Because == nil {
		v, err := json.Marshal(o.Value)
		if err != nil {
			return nil, fmt.Errorf("observation of %s: %w", o.Key.Name, err)
		}
		w.Value = v
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote. A key of another version of
// ktriage keeps its name and its raw value.
func (o *Observation) UnmarshalJSON(line []byte) error {
	var w wire
	if err := json.Unmarshal(line, &w); err != nil {
		return err
	}
	s, err := ParseSubject(w.Subject)
	if err != nil {
		return err
	}
	*o = Observation{Key: Lookup(w.Key), Subject: s, Because: w.Because, At: w.At, Source: w.Source}
	if o.Key == nil {
		o.Key = &Def{Name: w.Key, Scope: s.Scope, Kind: StateKind, Doc: "not known to this version",
			decode: func(raw json.RawMessage) (any, error) { return raw, nil }}
	}
	if o.Because != nil {
		return nil
	}
	if o.Value, err = o.Key.decode(w.Value); err != nil {
		return fmt.Errorf("value of %s on %s: %w", w.Key, s, err)
	}
	if v, ok := o.Value.(interface{ Valid() error }); ok {
		if err := v.Valid(); err != nil {
			return fmt.Errorf("value of %s on %s: %w", w.Key, s, err)
		}
	}
	return nil
}
