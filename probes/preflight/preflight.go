// Package preflight says what the probes can see with the rights of the user who
// runs them, at the place where they run, and what would let them see the rest.
package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/probe"
)

// Schema is the name of the object that a Report is in JSON;
// docs/preflight.schema.json describes it.
const Schema = "ktriage.preflight/v1"

// Report is what one round of the probes could see. Slices are never nil.
type Report struct {
	Schema    string    `json:"schema"`
	Tool      Tool      `json:"tool"`
	At        time.Time `json:"at"`
	Principal string    `json:"principal"` // whom the commands grant rights to
	Probes    []Sight   `json:"probes"`
	Rights    []Right   `json:"rights"` // of the probes that were asked, the fewest that do
	ACLs      []string  `json:"acls"`   // the same as kafka-acls commands
}

// Tool is this program.
type Tool struct {
	Version string `json:"version"`
}

// Sight is what one probe saw.
type Sight struct {
	Name      string      `json:"name"`
	Status    fact.Status `json:"status"`
	Can       []string    `json:"can"` // facts that it saw, or saw that there are none
	Missing   []Missing   `json:"missing"`
	How       []string    `json:"how"`       // what would let it see what is missing
	Elsewhere bool        `json:"elsewhere"` // it looks at a broker's own host, and no broker runs here
}

// Missing is something that a probe did not see.
type Missing struct {
	Fact     *string     `json:"fact"`  // key; nil: what a right would add, whatever it is
	Right    *string     `json:"right"` // that is lacking, where Fact is nil
	Subjects int         `json:"subjects"`
	Some     []string    `json:"some"` // a few of the subjects
	Reason   fact.Reason `json:"reason"`
	Detail   string      `json:"detail"`
}

// Right is one that the probes need.
type Right struct {
	fact.Right
	Held    *bool    `json:"held"`   // nil: could not be found out
	Probes  []string `json:"probes"` // that need it itself, and not only what follows from it
	Command string   `json:"command"`
}

// Words is what is said of the call, for the commands.
type Words struct {
	Version   string
	Principal string
	Connect   []string // "--bootstrap-server", …
}

// in is a remedy in the words of this call: a probe does not know how ktriage was
// told to reach the cluster.
func (w Words) in(how string) string {
	rest, is := strings.CutPrefix(how, "kafka-acls.sh --add --allow-principal ")
	if !is {
		return how
	}
	_, rest, _ = strings.Cut(rest, " --operation ")
	operation, resource, _ := strings.Cut(rest, " --")
	resource, _, _ = strings.Cut(resource, " ")
	return kafka.Grant(fact.Right{Operation: operation, Resource: resource}, w.Principal, w.Connect...)
}

// someAtMost is how many subjects and remedies are named of one kind.
const someAtMost = 5

// Of is the report of a batch that one round of all the probes gave.
func Of(b fact.Batch, list []*probe.Probe, w Words) Report {
	r := Report{Schema: Schema, Tool: Tool{w.Version}, At: b.At, Principal: w.Principal, Probes: []Sight{}, Rights: []Right{}, ACLs: []string{}}
	mine, why := rightsIn(b)
	ran := map[string]fact.Status{}
	for _, run := range b.Runs {
		ran[run.Probe] = run.Status
	}
	here := brokersHere(b)
	var asked []*probe.Probe
	for _, p := range list {
		s := sightOf(b, p, ran[p.Name], w)
		if s.Status != fact.NotAsked {
			asked = append(asked, p)
			s.lack(p, mine, why, w)
		}
		if !here && !isKafka(p) && !s.forbidden() {
			s.Elsewhere, s.Missing, s.How = true, []Missing{}, []string{}
		}
		r.Probes = append(r.Probes, s)
	}
	for _, right := range kafka.Rights(asked...) {
		one := Right{Right: right, Probes: wanting(asked, right), Command: kafka.Grant(right, w.Principal, w.Connect...)}
		if held, known := holds(mine, right); known {
			one.Held = &held
		}
		r.Rights, r.ACLs = append(r.Rights, one), append(r.ACLs, one.Command)
	}
	return r
}

// Exit is the exit status that says how much is missing: 1 something that a
// right or another user would show, 3 something else, 0 nothing.
func (r Report) Exit() int {
	status := 0
	for _, s := range r.Probes {
		if s.forbidden() {
			return 1
		}
		if len(s.Missing) > 0 {
			status = 3
		}
	}
	return status
}

// wanting is the probes that need a right itself, and not only what follows
// from it.
func wanting(all []*probe.Probe, right fact.Right) []string {
	var names []string
	for _, p := range all {
		if slices.Contains(kafka.Rights(p), right) {
			names = append(names, p.Name)
		}
	}
	return names
}

func isKafka(p *probe.Probe) bool { return strings.HasPrefix(p.Name, "kafka.") }

// brokersHere says whether a broker of this host was found.
func brokersHere(b fact.Batch) bool {
	for _, o := range b.Observations {
		if all, ok := o.Value.([]fact.LocalBroker); ok && o.Because == nil && len(all) > 0 {
			return true
		}
	}
	return false
}

// rightsIn is what brokers said of the user's rights, or why they did not; both
// nil when nobody asked.
func rightsIn(b fact.Batch) (*fact.Rights, *fact.Unknown) {
	for _, o := range b.Observations {
		if o.Key != fact.Permissions.Def() {
			continue
		}
		if mine, ok := o.Value.(fact.Rights); ok {
			return &mine, nil
		}
		return nil, o.Because
	}
	return nil, nil
}

// holds says whether a right is held, and whether that is known.
func holds(mine *fact.Rights, right fact.Right) (held, known bool) {
	if mine == nil {
		return false, false
	}
	if slices.ContainsFunc(mine.Holds, func(r fact.Right) bool { return r.Implies(right) }) {
		return true, true
	}
	return false, slices.Contains(mine.Lacks, right)
}

// sightOf sorts what a probe observed into seen and missing.
func sightOf(b fact.Batch, p *probe.Probe, status fact.Status, w Words) Sight {
	s := Sight{Name: p.Name, Status: status, Can: []string{}, Missing: []Missing{}, How: []string{}}
	if status == "" || status == fact.NotAsked {
		s.Status = fact.NotAsked
		return s
	}
	for _, o := range b.Observations {
		if o.Source != p.Name || !slices.ContainsFunc(p.Yields, func(k fact.Key) bool { return k.Def() == o.Key }) {
			continue
		}
		if o.Because == nil || !counts(o.Because.Reason) {
			if !slices.Contains(s.Can, o.Key.Name) {
				s.Can = append(s.Can, o.Key.Name)
			}
			continue
		}
		s.remedy(w.in(o.Because.How))
		s.miss(o)
	}
	return s
}

// counts says whether a reason means that something is there and was not seen.
// What does not exist here, what this version of Kafka does not tell and what
// takes a second look is nobody's to mend.
func counts(reason fact.Reason) bool {
	switch reason {
	case fact.Absent, fact.NotYet, fact.NotSupported, fact.NotAskedFor:
		return false
	}
	return true
}

// miss notes an unknown observation, one entry for all with the same reason.
func (s *Sight) miss(o fact.Observation) {
	for i := range s.Missing {
		m := &s.Missing[i]
		if m.Fact != nil && *m.Fact == o.Key.Name && m.Reason == o.Because.Reason && m.Detail == o.Because.Detail {
			m.Subjects++
			if len(m.Some) < someAtMost {
				m.Some = append(m.Some, o.Subject.String())
			}
			return
		}
	}
	s.Missing = append(s.Missing, Missing{Fact: &o.Key.Name, Subjects: 1, Some: []string{o.Subject.String()}, Reason: o.Because.Reason, Detail: o.Because.Detail})
}

func (s *Sight) remedy(how string) {
	if how != "" && len(s.How) < someAtMost && !slices.Contains(s.How, how) {
		s.How = append(s.How, how)
	}
}

// lack notes the rights that the probe needs and the user has not: what a user
// may not describe is left out of answers, so that nothing else tells of it.
func (s *Sight) lack(p *probe.Probe, mine *fact.Rights, why *fact.Unknown, w Words) {
	for _, right := range kafka.Rights(p) {
		held, known := holds(mine, right)
		name := right.String()
		m := Missing{Right: &name, Some: []string{}}
		switch {
		case held:
			continue
		case known:
			m.Reason, m.Detail = fact.NotAllowed, left(right, w.Principal)
			s.remedy(kafka.Grant(right, w.Principal, w.Connect...))
		case why != nil && counts(why.Reason) && len(s.Missing) == 0: // else that is why already
			m.Reason, m.Detail = why.Reason, "whether the user holds the right could not be found out: "+why.Detail
		default: // not asked, or no such request in this version of Kafka
			continue
		}
		s.Missing = append(s.Missing, m)
	}
}

// left says what a missing right means.
func left(right fact.Right, principal string) string {
	if right.Resource == "cluster" {
		return fmt.Sprintf("%s lacks %s", principal, right)
	}
	return fmt.Sprintf("%s lacks %s '*': what it may not see is left out of the answers", principal, right)
}

func (s *Sight) forbidden() bool {
	return slices.ContainsFunc(s.Missing, func(m Missing) bool { return m.Reason == fact.NotAllowed })
}
