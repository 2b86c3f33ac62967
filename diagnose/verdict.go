package diagnose

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Status is the verdict in one word.
type Status string

const (
	StatusFault      Status = "fault"      // a confirmed or likely root of severity major or critical
	StatusIncomplete Status = "incomplete" // none such, but something that a fault could hide in was not seen
	StatusAdvice     Status = "advice"     // all seen, only minor or info roots
	StatusClear      Status = "clear"      // all seen, nothing
)

// Band says how sure a finding is.
type Band string

const (
	Confirmed  Band = "confirmed"
	Likely     Band = "likely"
	Possible   Band = "possible"
	CannotTell Band = "cannot-tell"
)

// Sure says whether a band is one to act on.
func (b Band) Sure() bool { return b == Confirmed || b == Likely }

// Role of a finding.
type Role string

const (
	Root        Role = "root"
	Consequence Role = "consequence"
)

// Verdict is what the batches so far say.
type Verdict struct {
	At       time.Time // of the newest batch
	Status   Status
	Branch   Branch // of the first root; empty when there is none
	Headline string
	Cluster  ClusterState
	Findings []*Finding // roots first, by severity, then probability; each root's consequences follow in Under
	Context  []Context
	Changed  []ChangedBefore // what was changed before the first roots began, nearest first
	Copy     *Standing       // of the metadata log on this host; nil: none is read
	LastSeen *LastSeen       // where no broker answers and a metadata log on this host tells; else nil
	Alerts   []AlertState
	Coverage Coverage
	Runs     []fact.Run // newest run of each probe, by name
	Flow     []BoxState // in the catalogue's order
	Next     *NextLook
	Signs    []SignState // every sign on every subject, in the catalogue's order
	RuledOut []RuledOut
	// Unexplained is the trouble that no finding accounts for: while there is
	// any, nothing is clear.
	Unexplained []SignState
}

// Finding is a cause on a subject.
type Finding struct {
	Cause         *Cause
	Subject       fact.Subject
	Role          Role
	Severity      Severity
	Band          Band
	Probability   float64
	ConsequenceOf *Finding
	Under         []*Finding // its consequences, only for roots
	Since         time.Time
	Until         time.Time // of the newest event that speaks for it, where all of them are past: it was, and is perhaps no more; zero: it is
	Says          string
	Evidence      []Evidence // the ledger, by weight: why and why not
	Unknown       []Missing  // signs of this cause that could not be read, and those of Behind
	Behind        []*Cause   // what may have brought it about and was not looked for, because nobody asked
	Affected      Affected
	Alternatives  []string // "planned-shutdown: no, no controlled shutdown logged"

	early   bool      // it may have begun before Since: its signs were yes at the first look
	explain []float64 // of its group's variables: how likely it makes each
	none    bool      // it is "none of these"
}

// Evidence is what one sign says for (weight above 0) or against a finding.
type Evidence struct {
	SignState
	Weight   float64 // change of the log odds when the sign is left out
	Decisive bool
}

// Missing is a sign that could not be read.
type Missing struct {
	Sign    *Sign
	Subject fact.Subject
	Because *fact.Unknown
	Moves   bool // its answer could move the band
}

// Context is planned work or a circumstance to know before the findings.
type Context struct {
	ID, Text string
}

// Coverage says how much was seen, counted in signs: one counts as seen when
// it is known on every subject it applies to. What nobody could see from here
// (the host side of a broker on another host) does not count, and is named once
// in Elsewhere.
type Coverage struct {
	Seen, Total int
	Unknown     []Missing      // one for each sign and reason; Subject is the first
	Elsewhere   []fact.Subject // brokers whose host, JVM or logs are not in sight
}

// BoxState is a box of the flowchart now.
type BoxState struct {
	Box         *Box
	State       State
	Seen, Total int
	Found       int  // signs that are yes
	Recommended bool // look here next
}

// State of a box.
type State string

const (
	Pending   State = "pending"     // not looked at
	Looking   State = "looking"     // some of its signs are not yet in
	Done      State = "done"        // looked, and nothing found
	Found     State = "found"       // a sign is yes
	CannotSee State = "cannot-tell" // nothing found, but not all was seen
)

// NextLook is the unknown sign most worth an operator's effort.
type NextLook struct {
	Sign *Sign
	Box  *Box
	Text string // "GC pauses of broker 2: run as the broker's user, or root"
}

// RuledOut is a cause that was considered and dropped, and why.
type RuledOut struct {
	Cause   *Cause
	Subject fact.Subject
	By      SignState
}

// ClusterState is who is there, for headers and reports.
type ClusterState struct {
	ID         string
	Version    string // newest that a broker advertises
	Mode       string // "kraft", "zookeeper" or "" when unknown
	Controller int32  // active controller; -1 unknown
	Brokers    []BrokerState
	Partitions int // -1 unknown
	Groups     int // -1 unknown
	Local      []fact.LocalBroker
}

// BrokerState is one broker of the cluster.
type BrokerState struct {
	ID        int32
	Host      string
	Port      int32
	Rack      string
	Reachable bool
}

// Change says how a sign on a subject moved between two moments.
type Change string

const (
	Fixed     Change = "FIXED"
	Improved  Change = "IMPROVED"
	Unchanged Change = "UNCHANGED"
	Worse     Change = "WORSE"
	New       Change = "NEW"
)

// Moved is one line of a comparison.
type Moved struct {
	Sign          *Sign
	Subject       fact.Subject
	Change        Change
	Before, After SignState
}
