package history

import (
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Partition is a partition as the metadata log has it.
type Partition struct {
	Topic      string    `json:"topic"`
	Partition  int32     `json:"partition"`
	Leader     int32     `json:"leader"` // -1: none
	Epoch      int32     `json:"leader_epoch"`
	Replicas   []int32   `json:"replicas"`
	ISR        []int32   `json:"isr"`
	ELR        []int32   `json:"elr,omitempty"`
	LastELR    []int32   `json:"last_known_elr,omitempty"`
	Adding     []int32   `json:"adding,omitempty"`
	Removing   []int32   `json:"removing,omitempty"`
	Recovering bool      `json:"recovering,omitempty"` // after an unclean election
	Since      time.Time `json:"since,omitzero"`       // of leader and ISR; zero: from before what was read
}

// Whole says whether a partition has a leader, and all its replicas in sync.
func (p *Partition) Whole() bool {
	return p.Leader >= 0 && len(p.ISR) >= len(p.Replicas) && !p.Recovering
}

// Partitions calls f with each partition, by topic and number, until it says no.
func (c *Cluster) Partitions(f func(*Partition) bool) {
	for _, called := range c.Topics() {
		if !c.PartitionsOf(called, f) {
			return
		}
	}
}

// PartitionsOf is Partitions of one topic; false when f said no.
func (c *Cluster) PartitionsOf(called string, f func(*Partition) bool) bool {
	i, ok := c.byName[called]
	if !ok {
		return true
	}
	t, r := &c.topics[i], &c.rows
	numbers := make([]int32, 0, int(t.dense)+len(t.rows))
	c.each(i, func(row int32) { numbers = append(numbers, r.partition[row]) })
	slices.Sort(numbers)
	for _, n := range numbers {
		row, _ := c.row(t, n)
		p := Partition{Topic: called, Partition: n, Leader: r.leader[row], Epoch: r.epoch[row], Replicas: c.lists.ids(r.replicas[row]), ISR: c.lists.ids(r.isr[row]),
			ELR: c.lists.ids(r.elr[row]), LastELR: c.lists.ids(r.lastELR[row]), Adding: c.lists.ids(r.adding[row]), Removing: c.lists.ids(r.removing[row]), Recovering: r.recovering[row]}
		if r.since[row] > 0 {
			p.Since = time.UnixMilli(r.since[row]).UTC()
		}
		if !f(&p) {
			return false
		}
	}
	return true
}

// Knew says whether there is a topic of a name, or was one that the log tells of.
func (c *Cluster) Knew(called string) bool {
	return slices.ContainsFunc(c.topics, func(t topic) bool { return t.name == called })
}

// Places says whether a partition has a replica on a broker, registered or not.
func (c *Cluster) Places(id int32) bool {
	for row, t := range c.rows.topic {
		if t >= 0 && slices.Contains(c.lists.ids(c.rows.replicas[row]), id) {
			return true
		}
	}
	return false
}

// Config is a setting as the metadata log has it; secrets are hidden. scope is
// topic, broker, group or client-metrics; the name of all brokers is "".
func (c *Cluster) Config(scope, name, key string) (string, bool) {
	value, ok := c.configs[[2]string{scope, name}][key]
	return value, ok
}

// Counts of what there is.
type Counts struct {
	Topics     int `json:"topics"`
	Partitions int `json:"partitions"`
	Leaderless int `json:"without_leader"`
	Short      int `json:"short_isr"` // ISR smaller than the replicas
	Recovering int `json:"recovering"`
	ACLs       int `json:"acls"`
	Users      int `json:"scram_users"`
	Quotas     int `json:"quotas"`
	Configs    int `json:"configs"`
}

// Survey counts, and says who holds what: the members of ISR and ELR have all
// that was acknowledged, so one of them must come back first.
func (c *Cluster) Survey() (n Counts, holders []fact.Holder) {
	n.Topics, n.ACLs, n.Users, n.Quotas = len(c.byName), len(c.acls), len(c.users), len(c.quotas)
	for _, of := range c.configs {
		n.Configs += len(of)
	}
	by := fact.Holders{}
	var sure []int32
	for row, t := range c.rows.topic {
		if t < 0 {
			continue
		}
		n.Partitions++
		isr := c.lists.ids(c.rows.isr[row])
		if c.rows.leader[row] < 0 {
			n.Leaderless++
		}
		if len(isr) < len(c.lists.ids(c.rows.replicas[row])) {
			n.Short++
		}
		if c.rows.recovering[row] {
			n.Recovering++
		}
		sure = append(append(sure[:0], isr...), less(c.lists.ids(c.rows.elr[row]), isr)...)
		by.Add(sure)
	}
	return n, by.Ranked()
}

// Nodes are the brokers, by id.
func (c *Cluster) Nodes() []*Broker {
	var all []*Broker
	for _, b := range c.Brokers {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *Broker) int { return int(a.ID - b.ID) })
	return all
}

// StateText is how a broker stands, in a word or two.
func (b *Broker) StateText() string {
	words := []string{"serving"}
	if b.Fenced {
		words = []string{"fenced"}
		if b.Planned {
			words = append(words, "after a planned shutdown")
		}
	} else if b.Controlled {
		words = []string{"shutting down"}
	}
	return strings.Join(words, " ")
}
