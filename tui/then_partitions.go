package tui

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// partitionFieldsThen is of partitions as a metadata log has them: it does not hold
// what is written.
var partitionFieldsThen = []field{{head: "partition"}, {head: "leader", wide: 6, right: true}, {head: "replicas", wide: 9, least: 70}, {head: "ISR", wide: 9}, {head: "min ISR", wide: 7, right: true, least: 96}, {head: "ELR", wide: 9, least: 70}, {head: "state", wide: 17}}

// viewThen is the partitions of a metadata log in the form of a broker's view. The
// columns are shared.
func viewThen(c *fact.LastCluster) *fact.MetadataView {
	return &fact.MetadataView{Topics: c.Topics, Topic: c.Topic, Partition: c.Partition, Leader: c.Leader, Epoch: c.LeaderEpoch, Replicas: c.Replicas, ISR: c.ISR}
}

const minInSync = "min.insync.replicas"

// minISRThen is min.insync.replicas by topic, where it was set while the cluster
// ran: 0 elsewhere, for files and defaults are in no log.
func minISRThen(c *fact.PastCluster) []int32 {
	all := make([]int32, len(c.Topics))
	usual, _ := c.Setting("broker", "", minInSync)
	for i := range c.Settings {
		if s := &c.Settings[i]; s.Scope == "broker" && s.Name != "" && s.Key == minInSync {
			usual = "" // brokers differ: it depends on who leads
		}
	}
	for i, topic := range c.Topics {
		value, ok := c.Setting("topic", topic, minInSync)
		if !ok {
			value = usual
		}
		if n, err := strconv.ParseInt(value, 10, 32); err == nil {
			all[i] = int32(n)
		}
	}
	return all
}

// entryThen is the line of a partition as a metadata log has it: who is eligible to
// lead beside the ISR, and what is not known.
func (p *partitions) entryThen(e entry, i int) entry {
	elr, last := idList(p.then.ELR.At(i)), idList(p.then.LastELR.At(i))
	e.cells[5] = elr
	if elr != "" {
		e.say[0] += ", eligible to lead (ELR) " + elr
	}
	if last != "" {
		e.say[0] += ", last known to be eligible " + last
	}
	if slices.Contains(p.then.Recovering, int32(i)) {
		e.say[0] += "; its leader was elected unclean"
	}
	e.say[0] += fmt.Sprintf("; leader epoch %d", p.view.Epoch[i])
	switch {
	case p.last != nil:
		e.say = append(e.say, "as of "+clock(p.last.Copy.Last)+", "+age(p.last.Age)+" ago: no broker answers")
	case p.min(i) == 0:
		e.say = append(e.say, "min.insync.replicas was not set while the cluster ran: what files and defaults said then is in no log")
	}
	return e
}
