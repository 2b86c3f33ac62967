package diagnose

import (
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Category is one of the four families of faults.
type Category string

const (
	Performance   Category = "performance"
	Availability  Category = "availability"
	Data          Category = "data"
	Configuration Category = "configuration"
)

// Branch is one of the three branches of the flowchart. Configuration faults
// show in the branch of the symptom they produce.
type Branch string

const (
	PerformanceBranch  Branch = "performance"
	AvailabilityBranch Branch = "availability"
	DataBranch         Branch = "data"
)

// Fault is a leaf of the catalogue's tree.
type Fault struct {
	ID       string
	Title    string
	Category Category
}

// Severity of a cause.
type Severity string

const (
	Info     Severity = "info"
	Minor    Severity = "minor"
	Major    Severity = "major"
	Critical Severity = "critical"
)

var severities = map[Severity]int{Info: 0, Minor: 1, Major: 2, Critical: 3}

// Rank orders severities: 0 is info.
func (s Severity) Rank() int { return severities[s] }

// Strength of a link: how often a cause shows a sign.
type Strength float64

const (
	Always    Strength = 0.95
	Often     Strength = 0.7
	Sometimes Strength = 0.3
)

// Link says how a sign speaks for a cause.
type Link struct {
	Sign     *Sign
	Strength Strength
	Decisive bool // yes alone is enough for band confirmed
	Must     bool // no drops the cause, and the screen says why
	Follows  bool // it comes with the cause, and does not point at it by itself: too many causes have it
}

// Cause is a root cause.
type Cause struct {
	ID, Title, Doc string
	Fault          *Fault
	Branch         Branch // empty: the one of its fault's category
	Severity       Severity
	On             fact.Scope // of its subject
	Prior          float64    // how likely before looking, for one subject
	Signs          []Link
	RulesOut       []*Sign  // any yes: dropped, and the screen says why
	Leads          []*Cause // consequences, drawn under it
	Shows          []*Sign  // what it makes wrong of the brokers that it affects: these are weighed apart, and it is nothing else there
	Anywhere       bool     // as a consequence, on whichever broker: what it wrote is copied to all replicas
	Context        bool     // planned work: shown above the findings too
	// Says is the one sentence of a finding, from its signs that are yes.
	// nil: the texts of those signs.
	Says func(subject fact.Subject, yes []SignState) string
	// Weigh gives the severity now, from the signs that are yes. nil: Severity.
	Weigh func(yes []SignState) Severity
}

// Playbook is the file name of the cause's playbook, without ".md".
func (c *Cause) Playbook() string { return c.ID }

// InBranch is the branch that a cause shows in.
func (c *Cause) InBranch() Branch {
	if c.Branch != "" {
		return c.Branch
	}
	return Branch(c.Fault.Category)
}

// Box is one box of the flowchart.
type Box struct {
	ID, Title string
	Branch    Branch // empty: on the common path
	Signs     []*Sign
	Doc       string // what is gathered there, in one sentence
	// State is that of a box of the common path and of a plan, from the verdict
	// so far. nil: from its signs.
	State func(*Session, *Verdict) State
}

// Catalogue is all that can be concluded: lists by hand, in the order shown.
type Catalogue struct {
	Signs  []*Sign
	Causes []*Cause
	Boxes  []*Box
	Alerts []Alert
	// None is the cause that wins when nothing in the catalogue explains what
	// is seen.
	None *Cause
}
