package history

import (
	"fmt"
	"slices"
	"time"
)

// Broker is what the metadata log says of a broker.
type Broker struct {
	ID         int32
	Epoch      int64
	Endpoints  []string // NAME://host:port
	protocols  []int16  // of these, Kafka's number
	Rack       string
	Fenced     bool
	Controlled bool // in controlled shutdown
	Planned    bool // the last fencing followed a controlled shutdown
	LogDirs    int  // that are online; -1: not told (before Kafka 3.7)
	Since      time.Time
	seen       UUID // incarnation
	dirs       []UUID
	starting   bool // it has registered, and was neither unfenced nor fenced since
}

// topic is a topic, also one that is gone: events refer to it.
type topic struct {
	name    string
	id      UUID
	rows    map[int32]int32 // partition to row; nil where they are 0, 1, 2… from first on
	first   int32
	dense   int32 // how many
	gone    bool
	created int64 // offset of the batch; -1: before the log begins
	told    int   // number of the event that told of it, for the count of partitions
	added   int   // the same of the last partitions-added
	grown   int64 // offset of the batch of that
}

// Cluster is the state that records add up to, as of one moment.
type Cluster struct {
	Brokers    map[int32]*Broker
	Features   map[string]int16
	Controller int32 // -1: not known
	Epoch      int32 // of the controller

	lists   *lists
	topics  []topic
	byName  map[string]int32
	byID    map[UUID]int32
	free    []int32 // rows of deleted partitions
	rows    columnsOf
	configs map[[2]string]map[string]string // of {scope, name}
	quotas  map[string]float64
	acls    map[UUID]string
	users   map[string]bool

	at     int64 // milliseconds, of the record being applied
	batch  int64 // base offset of its batch
	offset int64
	quiet  bool // no events: a snapshot is being read
	from   int64
	events []event
	moved  int64 // grows with each record that changes something
	lost   int   // events that were too many

	now   standing
	stood []standing // oldest first
}

// columnsOf is partitions, in columns by row. Lists are numbers in Cluster.lists.
type columnsOf struct {
	topic, partition                []int32
	leader, epoch, change           []int32
	replicas, isr, adding, removing []int32
	elr, lastELR                    []int32
	since                           []int64 // milliseconds, of the last change of leader or ISR; 0: before the log begins
	recovering                      []bool
}

// mostEvents are kept: a million changed leaders are told, and a log that holds
// more is told from where it does not.
const mostEvents = 2 << 20

func newCluster() *Cluster {
	return &Cluster{Brokers: map[int32]*Broker{}, Features: map[string]int16{}, Controller: -1, Epoch: -1, lists: newLists(), byName: map[string]int32{}, byID: map[UUID]int32{},
		configs: map[[2]string]map[string]string{}, quotas: map[string]float64{}, acls: map[UUID]string{}, users: map[string]bool{}}
}

// say adds an event.
func (c *Cluster) say(e event) int {
	if c.quiet || c.at < c.from {
		return -1
	}
	if len(c.events) >= mostEvents {
		c.lost += len(c.events) / 2
		c.events = append(c.events[:0], c.events[len(c.events)/2:]...)
		for i := range c.topics {
			c.topics[i].told, c.topics[i].added = -1, -1
		}
	}
	e.at, e.offset = c.at, c.offset
	c.events = append(c.events, e)
	return len(c.events) - 1
}

// tell adds an event that is not one of a partition.
func (c *Cluster) tell(kind Kind, subject Subject, topic, broker int32, before, after, text string) int {
	return c.say(event{kind: kind, topic: topic, partition: -1, broker: broker, said: &said{subject, before, after, text}})
}

// apply changes the state as a record says.
func (c *Cluster) apply(typ int, v *values) {
	c.moved++
	switch typ {
	case topicRecord:
		c.addTopic(v)
	case removeTopic:
		c.removeTopic(v.uuid[topicID])
	case partitionRecord:
		c.addPartition(v)
	case partitionChange:
		c.changePartition(v)
	case clearELR:
		c.clearELR(v.text[name])
	case configRecord:
		c.setConfig(v)
	case clientQuota:
		c.setQuota(v)
	case aclAdded, aclRemoved:
		c.setACL(typ, v)
	case scramCredential, scramRemoved:
		c.setUser(typ == scramCredential, v)
	case featureLevel:
		c.setFeature(v)
	default:
		c.applyBroker(typ, v)
	}
	switch typ {
	case removeTopic, partitionRecord, partitionChange:
		c.stand(false)
	case registerBroker, unregisterBroker, registrationChange, fenceBroker, unfenceBroker:
		c.stand(true)
	}
}

func (c *Cluster) addTopic(v *values) {
	id, called := v.uuid[topicID], v.text[name]
	if i, ok := c.byID[id]; ok && !c.topics[i].gone {
		return
	}
	i := int32(len(c.topics))
	t := topic{name: called, id: id, created: c.batch, told: -1, added: -1, grown: -1}
	c.topics = append(c.topics, t)
	c.byID[id], c.byName[called] = i, i
	c.topics[i].told = c.tell(TopicCreated, Subject{"topic", called}, i, -1, "", "", "")
}

func (c *Cluster) removeTopic(id UUID) {
	i, ok := c.byID[id]
	if !ok {
		return
	}
	t := &c.topics[i]
	n := 0
	c.each(i, func(row int32) {
		c.free = append(c.free, row)
		c.counts(row, -1)
		c.rows.topic[row] = -1
		n++
	})
	t.gone, t.rows, t.dense = true, nil, 0
	delete(c.byID, id)
	if c.byName[t.name] == i {
		delete(c.byName, t.name)
	}
	delete(c.configs, [2]string{"topic", t.name})
	c.tell(TopicDeleted, Subject{"topic", t.name}, i, -1, countOf(n, "partition"), "", fmt.Sprintf("topic %s was deleted, with %s", t.name, countOf(n, "partition")))
}

// each calls f with the rows of a topic's partitions.
func (c *Cluster) each(i int32, f func(row int32)) {
	t := &c.topics[i]
	for n := range t.dense {
		f(t.first + n)
	}
	for _, row := range t.rows {
		f(row)
	}
}

// row is where a partition is; false when it is not.
func (c *Cluster) row(t *topic, partition int32) (int32, bool) {
	if partition >= 0 && partition < t.dense {
		return t.first + partition, true
	}
	row, ok := t.rows[partition]
	return row, ok
}

// newRow makes room for a partition: next to the one before where that can be,
// so that a topic is a range, and no map.
func (c *Cluster) newRow(i, partition int32) int32 {
	t, r := &c.topics[i], &c.rows
	end := int32(len(r.leader))
	switch {
	case t.dense == 0 && partition == 0 && len(t.rows) == 0:
		t.first, t.dense = end, 1
	case partition == t.dense && t.first+t.dense == end:
		t.dense++
	default:
		if t.rows == nil {
			t.rows = map[int32]int32{}
		}
		if n := len(c.free); n > 0 {
			row := c.free[n-1]
			c.free = c.free[:n-1]
			t.rows[partition] = row
			r.topic[row], r.partition[row], r.recovering[row], r.since[row] = i, partition, false, 0
			return row
		}
		t.rows[partition] = end
	}
	r.grow(i, partition)
	return end
}

func (r *columnsOf) grow(topic, partition int32) {
	r.topic, r.partition = append(r.topic, topic), append(r.partition, partition)
	for _, column := range []*[]int32{&r.leader, &r.epoch, &r.change, &r.replicas, &r.isr, &r.adding, &r.removing, &r.elr, &r.lastELR} {
		*column = append(*column, 0)
	}
	r.since, r.recovering = append(r.since, 0), append(r.recovering, false)
}

func (c *Cluster) addPartition(v *values) {
	i, ok := c.byID[v.uuid[topicID]]
	p := int32(v.num[partitionID])
	if !ok || p < 0 {
		return
	}
	t := &c.topics[i]
	row, had := c.row(t, p)
	if had {
		c.counts(row, -1)
	} else {
		row = c.newRow(i, p)
	}
	r := &c.rows
	list := func(col column) int32 {
		if !v.is(col) {
			return none
		}
		return c.lists.of(v.ids[col])
	}
	r.leader[row], r.epoch[row], r.change[row] = int32(v.num[leader]), int32(v.num[leaderEpoch]), int32(v.num[partitionEpoch])
	r.replicas[row], r.isr[row], r.adding[row], r.removing[row] = list(replicas), list(isr), list(adding), list(removing)
	r.elr[row], r.lastELR[row] = list(elr), list(lastELR)
	r.recovering[row] = v.numberOr(recovery, 0) == 1
	c.counts(row, 1)
	if had || c.quiet {
		return
	}
	r.since[row] = c.at
	c.countPartition(i, v.ids[replicas])
}

// countPartition tells a topic that grows: with the topic itself where that is
// new, as partitions that were added otherwise.
func (c *Cluster) countPartition(i int32, on []int32) {
	t := &c.topics[i]
	all := int(t.dense) + len(t.rows)
	if t.created == c.batch {
		if t.told >= 0 {
			s := c.events[t.told].said
			s.after = fmt.Sprintf("%s, replication factor %d", countOf(all, "partition"), len(on))
			s.text = fmt.Sprintf("topic %s was created: %s", t.name, s.after)
		}
		return
	}
	if t.grown != c.batch {
		t.grown = c.batch
		t.added = c.tell(PartitionsAdded, Subject{"topic", t.name}, i, -1, countOf(all-1, "partition"), "", "")
	}
	if t.added >= 0 {
		s := c.events[t.added].said
		s.after = countOf(all, "partition")
		s.text = fmt.Sprintf("topic %s was given partitions: %s, before %s", t.name, s.after, s.before)
	}
}

func countOf(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func (c *Cluster) clearELR(called string) {
	clear := func(row int32) { c.rows.elr[row], c.rows.lastELR[row] = none, none }
	if i, ok := c.byName[called]; ok {
		c.each(i, clear)
	} else if called == "" { // all topics
		for row := range c.rows.elr {
			clear(int32(row))
		}
	}
}

// Topics are the names of the topics there are, sorted.
func (c *Cluster) Topics() []string {
	var all []string
	for called := range c.byName {
		all = append(all, called)
	}
	slices.Sort(all)
	return all
}
