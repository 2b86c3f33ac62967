package fact

import "time"

// Lists is many short lists of node ids in two flat slices: list i is
// Items[Ends[i-1]:Ends[i]]. A million partitions must fit in memory.
type Lists struct {
	Ends  []int32 `json:"e"`
	Items []int32 `json:"i"`
}

// Add appends one list.
func (l *Lists) Add(items []int32) {
	l.Items = append(l.Items, items...)
	l.Ends = append(l.Ends, int32(len(l.Items)))
}

// At is list i. The caller does not change it.
func (l Lists) At(i int) []int32 {
	if i < 0 || i >= len(l.Ends) {
		return nil
	}
	start := int32(0)
	if i > 0 {
		start = l.Ends[i-1]
	}
	end := l.Ends[i]
	if start < 0 || start > end || int(end) > len(l.Items) { // a damaged recording
		return nil
	}
	return l.Items[start:end]
}

// Reach is how far an attempt to speak with one broker came.
type Reach struct {
	Address string  `json:"address"` // host:port as tried
	Step    Step    `json:"step"`    // the step that ended it
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
	Seconds float64 `json:"seconds"` // until the outcome

	Times []StepTime `json:"times,omitempty"` // of the steps that were taken, in the order in which they were: SASL comes after ApiVersions

	// FromLogOf is the node whose metadata log the address is from, where nobody who
	// answers told it; -1 where that node's id is not known. nil: it is not from there.
	FromLogOf *int32 `json:"from_log_of,omitempty"`

	// Own is how far a connection to the address came that the broker advertises,
	// where it answered at another one. nil: it answered there, or nowhere.
	Own *OwnAddress `json:"own,omitempty"`
}

// OwnAddress is an attempt at the address that a broker advertises to its clients.
type OwnAddress struct {
	Address string  `json:"address"`
	Step    Step    `json:"step"`
	Outcome Outcome `json:"outcome"`
}

// StepTime is how long one step of a connection took.
type StepTime struct {
	Step    Step    `json:"step"`
	Seconds float64 `json:"seconds"`
}

// Step of a connection, in order.
type Step string

const (
	Resolve     Step = "dns"
	Connect     Step = "tcp"
	TLS         Step = "tls"
	SASL        Step = "sasl"
	APIVersions Step = "api-versions"
)

// Outcome of a step. Refused, timed out, closed and garbled are evidence, not
// failures of the probe.
type Outcome string

const (
	Answered     Outcome = "answered" // with Step APIVersions: it speaks Kafka
	Refused      Outcome = "refused"
	Silent       Outcome = "timed-out"
	Unresolvable Outcome = "unresolvable"
	Closed       Outcome = "closed"
	Garbled      Outcome = "garbled" // an answer that is no Kafka frame
	Denied       Outcome = "denied"  // TLS or SASL said no
	Unroutable   Outcome = "unroutable"
)

// BrokerAddress is a live broker as a Metadata answer lists it.
type BrokerAddress struct {
	ID   int32  `json:"id"`
	Host string `json:"host"`
	Port int32  `json:"port"`
	Rack string `json:"rack,omitempty"`
}

// Registration is a broker that the controller knows of, live or not.
type Registration struct {
	BrokerAddress
	Fenced bool `json:"fenced"`
}

// MetadataView is one broker's own answer to Metadata. Partition columns are
// indexed alike. Answers of two brokers can disagree: that is evidence.
type MetadataView struct {
	ClusterID  string          `json:"cluster_id"`
	Controller int32           `json:"controller"` // with KRaft any live broker: not the active controller
	Brokers    []BrokerAddress `json:"brokers"`    // live and unfenced, by id

	Topics   []string `json:"topics"` // sorted
	Internal []bool   `json:"internal"`

	Topic     []int32 `json:"topic"` // index into Topics
	Partition []int32 `json:"partition"`
	Leader    []int32 `json:"leader"` // -1: none
	Epoch     []int32 `json:"epoch"`
	Error     []int16 `json:"error"` // Kafka error code of the partition
	Replicas  Lists   `json:"replicas"`
	ISR       Lists   `json:"isr"`
	Offline   Lists   `json:"offline"`
}

// Lives says whether the view lists a broker as live.
func (m *MetadataView) Lives(id int32) bool {
	for _, b := range m.Brokers {
		if b.ID == id {
			return true
		}
	}
	return false
}

// Quorum is DescribeQuorum's answer: the KRaft controllers.
type Quorum struct {
	Leader        int32           `json:"leader"` // -1: none
	Epoch         int32           `json:"epoch"`
	HighWatermark int64           `json:"high_watermark"`
	Voters        []QuorumReplica `json:"voters"`
	Observers     []QuorumReplica `json:"observers"`

	Nodes []BrokerAddress `json:"nodes,omitempty"` // where the voters listen, a listener each; Kafka 3.9 on
}

// VoterSaid is what one controller says itself, asked at its own listener.
type VoterSaid struct {
	ID    int32 `json:"id"` // -1: not known
	Reach Reach `json:"reach"`

	// Leads says whether it answers as the active controller. Only that one tells
	// epoch and high watermark; they are -1 of the others. A follower of a quorum
	// that is lost answers just as one of a healthy quorum.
	Leads         bool  `json:"leads"`
	Epoch         int32 `json:"epoch"`
	HighWatermark int64 `json:"high_watermark"`

	Leader  int32    `json:"leader"`            // whom it takes for the active controller, Kafka 3.7 on; -1: nobody, or not told
	Told    bool     `json:"told"`              // Leader is what it said
	Because *Unknown `json:"because,omitempty"` // why it said nothing, or not all
}

// CommittedBy is the offset before which the quorum has committed everything, as
// those that lead tell; -1 where nobody does. q is nil where it is not known.
func CommittedBy(q *Quorum, voters []VoterSaid) int64 {
	at := int64(-1)
	if q != nil && q.Leader >= 0 {
		at = max(at, q.HighWatermark)
	}
	for _, said := range voters {
		if said.Leads {
			at = max(at, said.HighWatermark)
		}
	}
	return at
}

// QuorumReplica is one voter or observer as the quorum's leader sees it.
type QuorumReplica struct {
	ID           int32     `json:"id"`
	Directory    string    `json:"directory,omitempty"` // id of its log dir, in hex; none with static voters
	LogEnd       int64     `json:"log_end"`
	LastFetch    time.Time `json:"last_fetch,omitzero"`
	LastCaughtUp time.Time `json:"last_caught_up,omitzero"`
}

// TopicConfigs is the settings of topics that signs need, in columns. A topic that
// is not listed was not told: its settings are unknown, which is not that it has
// no min.insync.replicas.
type TopicConfigs struct {
	Topics       []string `json:"topics"`
	MinISR       []int32  `json:"min_isr"`        // min.insync.replicas, effective
	MinISRSource []string `json:"min_isr_source"` // Kafka's own word: DYNAMIC_TOPIC_CONFIG, …
	Unclean      []bool   `json:"unclean"`        // unclean.leader.election.enable

	Others []SettingColumn `json:"others,omitempty"` // further settings, one column each
}

// EligibleLeaders is DescribeTopicPartitions' answer for the partitions whose
// ISR is short (KIP-966, Kafka 4.0 on), in columns.
type EligibleLeaders struct {
	Topic     []string `json:"topic"`
	Partition []int32  `json:"partition"`
	ELR       Lists    `json:"elr"`
	LastKnown Lists    `json:"last_known"`
}

// GroupOffsets is where a group stands, in columns. Log ends are those of
// read_uncommitted; -1 is "none" for Committed and "unknown" for the others.
type GroupOffsets struct {
	Topic      []string `json:"topic"`
	Partition  []int32  `json:"partition"`
	Committed  []int64  `json:"committed"`
	LogStart   []int64  `json:"log_start"`
	LogEnd     []int64  `json:"log_end"`     // high watermark
	LastStable []int64  `json:"last_stable"` // last stable offset

	// Of the commits; absent from recordings of older versions of ktriage.
	CommitEpoch   []int32 `json:"commit_epoch,omitempty"`   // leader epoch of the last record; -1: not told
	MetadataBytes []int32 `json:"metadata_bytes,omitempty"` // length of what the client wrote beside the offset
}

// Lag is the sum of log end minus committed offset over the partitions where
// both are known.
func (g *GroupOffsets) Lag() (lag float64, partitions int) {
	for i := range g.Committed {
		if g.Committed[i] < 0 || g.LogEnd[i] < 0 {
			continue
		}
		partitions++
		lag += float64(max(0, g.LogEnd[i]-g.Committed[i]))
	}
	return lag, partitions
}
