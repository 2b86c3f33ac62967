package history

import "time"

// Kind is what changed, a word of ktriage.history/v1.
type Kind string

// The kinds of changes, as docs/history.schema.json lists them.
const (
	BrokerRegistered     Kind = "broker-registered"
	BrokerUnregistered   Kind = "broker-unregistered"
	BrokerFenced         Kind = "broker-fenced"
	BrokerUnfenced       Kind = "broker-unfenced"
	ControlledShutdown   Kind = "controlled-shutdown"
	LeaderChanged        Kind = "leader-changed"
	ISRShrunk            Kind = "isr-shrunk"
	ISRExpanded          Kind = "isr-expanded"
	UncleanElection      Kind = "unclean-election"
	ReassignmentStarted  Kind = "reassignment-started"
	ReassignmentFinished Kind = "reassignment-finished"
	TopicCreated         Kind = "topic-created"
	TopicDeleted         Kind = "topic-deleted"
	PartitionsAdded      Kind = "partitions-added"
	ConfigChanged        Kind = "config-changed"
	QuotaChanged         Kind = "quota-changed"
	ACLAdded             Kind = "acl-added"
	ACLRemoved           Kind = "acl-removed"
	UserChanged          Kind = "user-changed"
	FeatureChanged       Kind = "feature-changed"
	LogDirOffline        Kind = "log-dir-offline"
	ControllerChanged    Kind = "controller-changed"
	GenerationChanged    Kind = "generation-changed"
	OffsetRewound        Kind = "offset-rewound"
	OffsetsExpired       Kind = "offsets-expired"
	OffsetsDeleted       Kind = "offsets-deleted"
	OffsetsFrozen        Kind = "offsets-frozen"
	GroupDeleted         Kind = "group-deleted"
	TransactionOpen      Kind = "transaction-open"
)

// Kinds are all of them, in the order of the schema.
var Kinds = []Kind{BrokerRegistered, BrokerUnregistered, BrokerFenced, BrokerUnfenced, ControlledShutdown, LeaderChanged, ISRShrunk, ISRExpanded, UncleanElection,
	ReassignmentStarted, ReassignmentFinished, TopicCreated, TopicDeleted, PartitionsAdded, ConfigChanged, QuotaChanged, ACLAdded, ACLRemoved, UserChanged, FeatureChanged,
	LogDirOffline, ControllerChanged, GenerationChanged, OffsetRewound, OffsetsExpired, OffsetsDeleted, OffsetsFrozen, GroupDeleted, TransactionOpen}

// Subject is what a change is about.
type Subject struct {
	Scope string `json:"scope"` // cluster, broker, topic, partition, group, user, client, transaction
	Name  string `json:"name"`  // "2", "orders", "orders-3"; "" for the cluster
}

// Change is one thing that changed, or, with a Count above 1, several that
// changed alike and together.
type Change struct {
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"` // of the last of several
	Kind    Kind      `json:"kind"`
	Subject Subject   `json:"subject"`
	Before  string    `json:"before"` // "" where there was nothing
	After   string    `json:"after"`  // "" where there is nothing now
	Count   int       `json:"count"`
	Text    string    `json:"text"`
	Offset  int64     `json:"offset"`          // in the log that told it; of the first of several
	Parts   []Change  `json:"parts,omitempty"` // the several, 1000 at most

	Partition string `json:"partition,omitempty"` // "orders-3", whose committed offset it is

	Topic   string `json:"-"` // that it is about; "" for none
	Broker  int32  `json:"-"` // that it is about or that it happened for; -1 for none
	through int64  // offset of the last of several
	doubt   bool   // whether something expired or was deleted is not known
}

// event is a change as it is kept while a log is read: small, for there may be
// a million.
type event struct {
	at            int64 // milliseconds
	offset        int64
	kind          Kind
	topic         int32 // index into cluster.topics; -1: none
	partition     int32 // -1: none
	broker        int32 // that it is about, or for which it happened; -1: none
	led           int32 // of shrunk ISRs: the leader that put a follower out; -1: the controller did
	before, after int32 // of partitions: a list's number, or a node id with leaders
	said          *said // of all others
}

// said is what is told of a change that is not one of a partition.
type said struct {
	subject       Subject
	before, after string
	text          string
}
