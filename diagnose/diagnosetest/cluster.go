package diagnosetest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// clusterLines is what the lines live, partition and view have built up.
type clusterLines struct {
	live       []int32
	partitions []partitionLine // by topic, then number
	unknown    map[int32]*fact.Unknown
	given      bool // this batch speaks of it
}

type partitionLine struct {
	topic                  string
	number                 int32
	leader, epoch          int32
	err                    int16
	replicas, isr, offline []int32
	internal               bool
}

// leaderNotAvailable is what Metadata says of a partition without a leader.
const leaderNotAvailable = 5

// live reads "1 2 3": the brokers that every live broker lists.
func (p *parser) live(args []string) error {
	c := &p.short.cluster
	c.live, c.given = nil, true
	for _, a := range args {
		id, err := number(a)
		if err != nil {
			return err
		}
		c.live = append(c.live, id)
		delete(c.unknown, id)
	}
	return nil
}

// view reads "ID unknown REASON [detail]": that broker's own view.
func (p *parser) view(args []string) error {
	if len(args) < 3 || args[1] != "unknown" {
		return fmt.Errorf("expected \"view ID unknown REASON [detail]\"")
	}
	id, err := number(args[0])
	if err != nil {
		return err
	}
	because, err := unknown(join(args[2:]))
	if err != nil {
		return err
	}
	c := &p.short.cluster
	if c.unknown == nil {
		c.unknown = map[int32]*fact.Unknown{}
	}
	c.unknown[id], c.given = because, true
	return nil
}

// partition reads "orders-0 leader 1 replicas 1,2,3 isr 1,2,3 [offline 3]
// [epoch 4] [internal]"; leader and lists may be "none".
func (p *parser) partition(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("expected a partition like orders-0")
	}
	var line partitionLine
	var err error
	if line.topic, line.number, err = topicPartition(args[0]); err != nil {
		return err
	}
	given := map[string]bool{}
	for args = args[1:]; len(args) > 0; {
		word := args[0]
		if given[word] {
			return fmt.Errorf("%s twice", word)
		}
		given[word] = true
		if word == "internal" {
			line.internal, args = true, args[1:]
			continue
		}
		if len(args) < 2 {
			return fmt.Errorf("expected a value after %q", word)
		}
		if err := line.set(word, args[1]); err != nil {
			return err
		}
		args = args[2:]
	}
	for _, word := range []string{"leader", "replicas", "isr"} {
		if !given[word] {
			return fmt.Errorf("partition without %s", word)
		}
	}
	if line.leader < 0 {
		line.err = leaderNotAvailable
	}
	p.short.cluster.put(line)
	return nil
}

func (l *partitionLine) set(word, value string) (err error) {
	switch word {
	case "leader":
		if value == "none" {
			l.leader = -1
			return nil
		}
		l.leader, err = number(value)
	case "epoch":
		l.epoch, err = number(value)
	case "replicas":
		l.replicas, err = numbers(value)
	case "isr":
		l.isr, err = numbers(value)
	case "offline":
		l.offline, err = numbers(value)
	default:
		return fmt.Errorf("unknown word %q of a partition", word)
	}
	return err
}

func (c *clusterLines) put(line partitionLine) {
	c.given = true
	i, found := slices.BinarySearchFunc(c.partitions, line, func(a, b partitionLine) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.number, b.number))
	})
	if found {
		c.partitions[i] = line
	} else {
		c.partitions = slices.Insert(c.partitions, i, line)
	}
}

// flush observes the view of each live broker, and why others are unknown.
func (c *clusterLines) flush(p *parser) {
	if !c.given {
		return
	}
	c.given = false
	for _, id := range c.live {
		if c.unknown[id] == nil {
			p.see(fact.Metadata.Is(fact.BrokerOf(id), c.metadata()))
		}
	}
	ids := make([]int32, 0, len(c.unknown))
	for id := range c.unknown {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		p.see(fact.Metadata.Unknown(fact.BrokerOf(id), c.unknown[id]))
	}
}

func (c *clusterLines) metadata() fact.MetadataView {
	m := fact.MetadataView{ClusterID: "Fx2tC3rTQ1mU0s9h4b7wKg", Controller: -1}
	for _, id := range c.live {
		m.Controller = id
		m.Brokers = append(m.Brokers, fact.BrokerAddress{ID: id, Host: fmt.Sprintf("b%d", id), Port: 9092})
	}
	for _, l := range c.partitions {
		if n := len(m.Topics); n == 0 || m.Topics[n-1] != l.topic {
			m.Topics, m.Internal = append(m.Topics, l.topic), append(m.Internal, l.internal)
		}
		m.Topic = append(m.Topic, int32(len(m.Topics)-1))
		m.Partition = append(m.Partition, l.number)
		m.Leader = append(m.Leader, l.leader)
		m.Epoch = append(m.Epoch, l.epoch)
		m.Error = append(m.Error, l.err)
		m.Replicas.Add(l.replicas)
		m.ISR.Add(l.isr)
		m.Offline.Add(l.offline)
	}
	return m
}
