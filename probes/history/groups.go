package history

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// Groups is what the local partitions of __consumer_offsets tell. A group is
// here when its partition is on this node, led or followed.
type Groups struct {
	Reading
	by     map[string]*Group
	only   string
	keep   time.Duration // offsets.retention.minutes; 0: not known
	names  map[string]string
	keys   map[string]*Offset // the raw key of a commit to what it is of
	events []groupEvent
	lost   int // events that were too many
	room   int // offsets and members that may still be kept
	k, v   values
}

// Bounds on what is kept, however much the logs hold.
const (
	mostKept        = 500_000 // offsets, members and generations of all groups
	mostGroups      = 50_000
	mostGroupEvents = 100_000
	mostGenerations = 200     // of each group, the newest
	mostKey         = 1 << 10 // bytes of a key: names of groups, topics and members that are longer are not of this world
)

// GroupState is how a group stands.
type GroupState string

// The states of a group. That of one whose record was not read is unknown.
const (
	GroupUnknown GroupState = "unknown"
	GroupStable  GroupState = "stable" // it has members
	GroupEmpty   GroupState = "empty"
	GroupDead    GroupState = "dead" // it was deleted
)

// Group is what a coordinator wrote of one group.
type Group struct {
	Name        string       `json:"name"`
	Partition   int32        `json:"partition"` // of __consumer_offsets
	Type        string       `json:"type"`      // classic, consumer, share, streams; "" where only offsets were read
	State       GroupState   `json:"state"`
	Generation  int32        `json:"generation"`       // or epoch; -1: not known
	Since       time.Time    `json:"since,omitzero"`   // of the generation, where its record was read
	Rebalances  int          `json:"rebalances"`       // changes of generation that were read
	Generations []Generation `json:"generations"`      // the newest 200, oldest first
	Members     []Member     `json:"members"`          // as last written
	Emptied     time.Time    `json:"emptied,omitzero"` // since when it has no members
	Deleted     time.Time    `json:"deleted,omitzero"`
	Offsets     []*Offset    `json:"offsets"` // by topic and partition
	Rewinds     int          `json:"rewinds"` // commits below the one before
	Commits     int64        `json:"commits"` // that were read
	LastCommit  time.Time    `json:"last_commit,omitzero"`

	batch   int64 // base offset of the batch that deleted it
	offsets map[topicPartition]*Offset
	members map[string]Member
}

// Generation is a generation of a group, or an epoch of one of the new protocol.
type Generation struct {
	At      time.Time `json:"at"`
	Number  int32     `json:"number"`
	Members int       `json:"members"`
}

// Member is a member of a group, as its coordinator wrote it.
type Member struct {
	ID       string `json:"id"`
	Instance string `json:"instance,omitempty"` // group.instance.id
	Client   string `json:"client_id"`
	Host     string `json:"host"`
}

type topicPartition struct {
	topic     string
	partition int32
}

// Offset is what a group committed for one partition.
type Offset struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`           // -1: only its deletion was read
	At        time.Time `json:"at"`               // of the newest commit
	Moved     time.Time `json:"moved"`            // of the oldest commit since which the offset is the same
	Commits   int64     `json:"commits"`          // that were read
	Rewound   time.Time `json:"rewound,omitzero"` // of the newest commit below the one before
	From      int64     `json:"rewound_from,omitempty"`
	To        int64     `json:"rewound_to,omitempty"`
	Gone      time.Time `json:"gone,omitzero"`            // expired or deleted
	TopicID   UUID      `json:"-"`                        // as committed; zero: not written (before Kafka 4.1)
	Stale     bool      `json:"of_predecessor,omitempty"` // committed for an earlier topic of that name; see Groups.Compare

	group *Group
	ended time.Time // when what was committed was gone before the commit at again, which began anew at begun
	again time.Time
	begun int64
	moves int     // commits that changed the offset
	marks [2]mark // the newest two moments that rates are counted from
}

// mark is a commit that a rate is counted from.
type mark struct {
	at     int64 // milliseconds; 0: none
	offset int64
}

// rateSpan is the least time that a rate is taken over, where there is as much.
const rateSpan = 5 * time.Minute

// Rate is how fast the offset grew over the last 5 to 10 minutes of its commits,
// in records a second, and over how long; -1 where one commit alone was read.
func (o *Offset) Rate() (perSecond float64, over time.Duration) {
	from := o.marks[0]
	if from.at == 0 {
		from = o.marks[1]
	}
	over = time.Duration(o.At.UnixMilli()-from.at) * time.Millisecond
	if from.at == 0 || over <= 0 || o.Offset < from.offset {
		return -1, 0
	}
	return float64(o.Offset-from.offset) / over.Seconds(), over
}

// ReadGroups reads the partitions of __consumer_offsets in some log dirs. The
// error is that of the context, or of a file that cannot be read; what was read
// before it is told, and damage is told in the Reading.
func ReadGroups(ctx context.Context, t *probe.Target, logDirs []string, o CoordinatorOptions) (*Groups, error) {
	g := newGroups(o)
	err := readCoordinator(ctx, t, OffsetsTopic, logDirs, o, &g.Reading, g.apply)
	for _, one := range g.by {
		one.settle()
		one.offsets, one.members = nil, nil
	}
	g.keys, g.names = nil, nil
	return g, err
}

func newGroups(o CoordinatorOptions) *Groups {
	return &Groups{by: map[string]*Group{}, only: o.Group, keep: o.Retention, names: map[string]string{}, keys: map[string]*Offset{}, room: mostKept}
}

// Named is a group; nil where none was read.
func (g *Groups) Named(name string) *Group { return g.by[name] }

// All are the groups by name, those that were deleted among them.
func (g *Groups) All() []*Group {
	var all []*Group
	for _, one := range g.by {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *Group) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Compare marks the offsets that were committed for an earlier topic of the same
// name than the one there is.
func (g *Groups) Compare(c *Cluster) {
	for _, one := range g.by {
		for _, o := range one.Offsets {
			i, there := c.byName[o.Topic]
			o.Stale = there && o.Gone.IsZero() && o.TopicID != UUID{} && c.topics[i].id != o.TopicID
		}
	}
}

// settle fills in, sorted, what is kept otherwise while reading.
func (one *Group) settle() {
	one.Offsets, one.Members = make([]*Offset, 0, len(one.offsets)), make([]Member, 0, len(one.members))
	for _, o := range one.offsets {
		one.Offsets = append(one.Offsets, o)
	}
	slices.SortFunc(one.Offsets, func(a, b *Offset) int {
		if a.Topic != b.Topic {
			return strings.Compare(a.Topic, b.Topic)
		}
		return int(a.Partition - b.Partition)
	})
	for _, m := range one.members {
		one.Members = append(one.Members, m)
	}
	slices.SortFunc(one.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	if one.Generations == nil {
		one.Generations = []Generation{}
	}
}

// named is a group while reading; nil where there is no room for another.
func (g *Groups) named(name string, partition int32) *Group {
	one := g.by[name]
	if one == nil {
		if len(g.by) >= mostGroups {
			g.Left++
			return nil
		}
		one = &Group{Name: name, Partition: partition, State: GroupUnknown, Generation: -1, offsets: map[topicPartition]*Offset{}, members: map[string]Member{}}
		g.by[name] = one
	}
	return one
}

// once is one and the same string for equal ones.
func (g *Groups) once(s string) string {
	if have, ok := g.names[s]; ok {
		return have
	}
	g.names[s] = s
	return s
}

// apply takes in one record.
func (g *Groups) apply(u *unit) {
	if o := g.keys[string(u.key)]; o != nil { // nearly all records are commits of a known partition
		g.offset(u, o)
		return
	}
	if len(u.key) > mostKey {
		g.Left++
		return
	}
	typ, what, err := decodeKey(groupRecords, &g.k, u.key)
	switch {
	case err != nil:
		g.Undecoded++
		return
	case what == unknownType:
		g.Unknown++
		return
	case g.only != "" && g.k.text[group] != g.only:
		return
	}
	one := g.named(g.k.text[group], u.partition)
	if one == nil {
		return
	}
	if typ == oldOffset || typ == offsetCommit {
		if o := g.offsetOf(one, u.key); o != nil {
			g.offset(u, o)
		}
		return
	}
	if u.value == nil {
		g.tombstone(u, one, typ)
		return
	}
	what, err = decodeValue(groupRecords, typ, &g.v, u.value)
	switch {
	case err != nil:
		g.Undecoded++
	case what == newerVersion:
		g.Newer++
	case what == decoded:
		g.group(u, one, typ)
	}
}

// offsetOf makes room for the offset that a key is of; nil where there is none.
func (g *Groups) offsetOf(one *Group, key []byte) *Offset {
	at := topicPartition{g.once(g.k.text[name]), int32(g.k.num[partitionID])}
	o := one.offsets[at]
	if o == nil {
		if g.room == 0 {
			g.Left++
			return nil
		}
		g.room--
		o = &Offset{Topic: at.topic, Partition: at.partition, Offset: -1, group: one}
		one.offsets[at] = o
	}
	g.keys[string(key)] = o
	return o
}

// offset takes in a commit, or the end of what was committed.
func (g *Groups) offset(u *unit, o *Offset) {
	if u.value == nil {
		g.gone(u, o)
		return
	}
	what, err := decodeValue(groupRecords, offsetCommit, &g.v, u.value)
	if err != nil {
		g.Undecoded++
		return
	}
	if what == newerVersion {
		g.Newer++
		return
	}
	to, at := g.v.num[committed], time.UnixMilli(u.at).UTC()
	var id UUID
	if g.v.is(topicID) {
		id = g.v.uuid[topicID]
	}
	another := id != UUID{} && o.TopicID != UUID{} && id != o.TopicID
	if o.Offset >= 0 && o.Gone.IsZero() && to < o.Offset {
		o.Rewound, o.From, o.To = at, o.Offset, to
		o.group.Rewinds++
		g.say(groupEvent{kind: OffsetRewound, group: o.group, offset: u.offset, at: u.at, batch: u.batch, of: o, before: o.Offset, after: to, another: another})
		o.marks = [2]mark{}
	}
	if !o.Gone.IsZero() {
		o.ended, o.again, o.begun = o.Gone, at, to
	}
	if to != o.Offset || !o.Gone.IsZero() {
		o.Moved = at
		o.moves++
	}
	if id != (UUID{}) {
		o.TopicID = id
	}
	o.Offset, o.At, o.Gone = to, at, time.Time{}
	o.Commits++
	o.group.Commits++
	if at.After(o.group.LastCommit) {
		o.group.LastCommit = at
	}
	if newest := &o.marks[1]; newest.at == 0 || u.at-newest.at >= rateSpan.Milliseconds() {
		o.marks = [2]mark{*newest, {u.at, to}}
	}
}
