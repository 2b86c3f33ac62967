package tui

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// partitionFieldsThen is of a moment of the past: what was written then, nobody knows.
var partitionFieldsThen = []field{{head: "partition"}, {head: "leader", wide: 6, right: true}, {head: "replicas", wide: 9, least: 70}, {head: "ISR", wide: 9}, {head: "min ISR", wide: 7, right: true, least: 96}, {head: "ELR", wide: 9}, {head: "state", wide: 17}}

// viewThen is the partitions of a moment in the form of a broker's view. The
// columns are shared.
func viewThen(c *fact.PastCluster) *fact.MetadataView {
	return &fact.MetadataView{Topics: c.Topics, Topic: c.Topic, Partition: c.Partition, Leader: c.Leader, Epoch: c.LeaderEpoch, Replicas: c.Replicas, ISR: c.ISR}
}

// minISRThen is min.insync.replicas by topic, where it was set while the cluster
// ran: 0 elsewhere, for files and defaults are in no log.
func minISRThen(c *fact.PastCluster) []int32 {
	all := make([]int32, len(c.Topics))
	usual, _ := c.Setting("broker", "", "min.insync.replicas")
	for i, topic := range c.Topics {
		value, ok := c.Setting("topic", topic, "min.insync.replicas")
		if !ok {
			value = usual
		}
		if n, err := strconv.ParseInt(value, 10, 32); err == nil {
			all[i] = int32(n)
		}
	}
	return all
}

// entryThen is the line of a partition of a moment of the past: who was eligible to
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
	if p.min(i) == 0 {
		e.say = append(e.say, "min.insync.replicas was not set while the cluster ran: what files and defaults said then is in no log")
	}
	return e
}
