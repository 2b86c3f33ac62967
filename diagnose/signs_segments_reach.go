package diagnose

import (
	"fmt"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of what damaged messages mean to the cluster: who else has them, and who
// will come to them.

// inLogs are the kinds of damage that concern messages, not what stands beside them.
var inLogs = []string{"crc-mismatch", "bad-batch-header", "bad-record", "offset-order", "torn-tail", "missing-file"}

// damagedLog is the offsets of one partition that are damaged in a log dir.
type damagedLog struct {
	topic       string
	partition   int32
	first, last int64 // last is first where it is not known
}

func (d damagedLog) String() string { return fmt.Sprintf("%s-%d", d.topic, d.partition) }

// offsets is "offset 281" or "offsets 281 to 600".
func (d damagedLog) offsets() string {
	if d.last > d.first {
		return fmt.Sprintf("offsets %d to %d", d.first, d.last)
	}
	return fmt.Sprintf("offset %d", d.first)
}

// damagedLogs is what of the messages in a log dir is damaged, by partition in the
// order of the facts: the gravest first.
func damagedLogs(v *View) (logs []damagedLog) {
	all, _ := fact.SegmentsDamage.Latest(v, v.Subject)
	for _, d := range all {
		topic, partition, ok := fact.ParsePartition(d.Partition)
		if !ok || d.BaseOffset < 0 || !slices.Contains(inLogs, d.Kind) {
			continue
		}
		log := damagedLog{topic, partition, d.BaseOffset, max(d.BaseOffset, d.LastOffset)}
		at := slices.IndexFunc(logs, func(l damagedLog) bool { return l.topic == log.topic && l.partition == log.partition })
		if at < 0 {
			logs = append(logs, log)
			continue
		}
		logs[at].first, logs[at].last = min(logs[at].first, log.first), max(logs[at].last, log.last)
	}
	return logs
}

// damagedHere is what of the messages in the sign's log dir is damaged, whose dir it
// is, and the cluster; reading is set where there is nothing to ask of it.
func damagedHere(v *View) (logs []damagedLog, id int32, view *clusterViewOf, reading *Reading) {
	logs = damagedLogs(v)
	id, ok := ownerID(v.Subject)
	if len(logs) == 0 || !ok {
		r := notApplicable("no message is damaged in it")
		return nil, 0, nil, &r
	}
	if view, ok = clusterView(v); !ok {
		r := cannotTell(v.why(fact.Metadata))
		return nil, 0, nil, &r
	}
	return logs, id, view, nil
}

// ownerID is the node id of the broker that a log dir belongs to.
func ownerID(dir fact.Subject) (int32, bool) {
	broker, ok := dir.Owner()
	if !ok {
		return 0, false
	}
	return nodeID(broker)
}

// endsOf is where a partition's log begins and what consumers take for its end, as
// its leader tells them; -1: not known.
func endsOf(v *View, topic string, partition int32) (start, high int64) {
	if ends, ok := fact.PartitionEnds.Latest(v, fact.TheCluster); ok {
		if i := ends.At(topic, partition); i >= 0 {
			return ends.LogStart[i], ends.HighWatermark[i]
		}
	}
	for _, group := range fact.Offsets.Subjects(v) {
		if o, ok := fact.Offsets.Latest(v, group); ok {
			if i := (offsets{o}).index(topic, partition); i >= 0 {
				return o.LogStart[i], o.LogEnd[i]
			}
		}
	}
	return -1, -1
}

var damageWithoutCopy = &Sign{
	ID: "damage-without-copy", Title: "no other replica has whole what is damaged in it", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "Messages are damaged in the log dir, and of their partition no other replica is in sync. One in sync has fetched these offsets: as they were before the damage, unless it fetched them after; ktriage segments on its host says so.",
	Needs: []fact.Key{fact.SegmentsDamage},
	Uses:  []fact.Key{fact.Metadata, fact.ReplicaLogs},
	Test: func(v *View) Reading {
		logs, id, view, reading := damagedHere(v)
		if reading != nil {
			return *reading
		}
		var alone, copied []string
		r := no("")
		for _, d := range logs {
			p := view.At(d.topic, d.partition)
			if p < 0 {
				continue
			}
			others := slices.DeleteFunc(slices.Clone(view.ISR.At(p)), func(b int32) bool { return b == id || d.covered(v, b) == No })
			if len(others) > 0 {
				copied = append(copied, fmt.Sprintf("%s of %s should be whole on %s, in sync", d.offsets(), d, brokersText(others)))
				continue
			}
			text := "no other replica of " + d.String() + " that has them is in sync"
			text += d.elsewhere(v, view, p, id)
			alone = append(alone, text)
			r.Affected.add(Affected{Topics: []string{d.topic}, Partitions: len(alone)})
		}
		switch {
		case len(alone) > 0:
			r.Outcome, r.Text = Yes, listed(alone)
		case len(copied) > 0:
			r.Text = listed(copied)
		default:
			return notApplicable("the cluster does not know the partitions that are damaged")
		}
		return r
	},
}

// covered says whether a broker's own log has the damaged offsets, as it tells
// itself; Unknown: it did not tell.
func (d damagedLog) covered(v *View, broker int32) Outcome {
	all, ok := fact.ReplicaLogs.Latest(v, fact.TheCluster)
	if !ok {
		return Unknown
	}
	switch i := all.At(d.topic, d.partition, broker); {
	case i < 0:
		return Unknown
	case all.Start[i] <= d.first && all.End[i] > d.last:
		return Yes
	}
	return No
}

// elsewhere is which replicas that are not in sync have the damaged offsets, or may.
func (d damagedLog) elsewhere(v *View, view *clusterViewOf, p int, id int32) string {
	var have, may []int32
	for _, b := range view.Replicas.At(p) {
		switch {
		case b == id:
		case d.covered(v, b) == Yes:
			have = append(have, b)
		case d.covered(v, b) == Unknown:
			may = append(may, b)
		}
	}
	text := ""
	if len(have) > 0 {
		text += " (" + brokersText(have) + " has them and is behind)"
	}
	if len(may) > 0 {
		text += " (" + brokersText(may) + " may have older records)"
	}
	return text
}

// brokersText is "broker 1", "brokers 1 and 2".
func brokersText(all []int32) string {
	if len(all) == 1 {
		return "broker " + ids(all)
	}
	return "brokers " + ids(all)
}

var damageAhead = &Sign{
	ID: "damage-ahead-of-readers", Title: "readers will come to what is damaged in it", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "Messages are damaged between the log start and the high watermark of a partition that is led from here, and a group's commit stands before them, or a replica that is not in sync must fetch them. A partition led elsewhere is read from there, unless consumers fetch from followers.",
	Needs: []fact.Key{fact.SegmentsDamage},
	Uses:  []fact.Key{fact.Metadata, fact.PartitionEnds, fact.Offsets, fact.Groups},
	Test: func(v *View) Reading {
		logs, id, view, reading := damagedHere(v)
		if reading != nil {
			return *reading
		}
		var coming, calm []string
		r := no("")
		unsure := false
		for _, d := range logs {
			p := view.At(d.topic, d.partition)
			if p < 0 {
				continue
			}
			who, groups, sure := readersOf(v, view, d, p, id)
			if who != "" {
				coming = append(coming, d.String()+" is led from here: "+who)
				r.Affected.add(Affected{Topics: []string{d.topic}, Partitions: len(coming), Groups: groups})
				continue
			}
			unsure = unsure || !sure
			calm = append(calm, calmText(v, view, d, p, id))
		}
		switch {
		case len(coming) > 0:
			r.Outcome, r.Text = Yes, listed(coming)
		case len(calm) == 0:
			return notApplicable("the cluster does not know the partitions that are damaged")
		case unsure:
			return cannotTell(v.why(fact.Offsets))
		default:
			r.Text = listed(calm)
		}
		return r
	},
}

// readersOf is who will come to damaged offsets of a partition that is led from
// the damaged log dir: what to say of them, and the groups among them. sure is
// false where nobody knows the groups.
func readersOf(v *View, view *clusterViewOf, d damagedLog, p int, id int32) (text string, groups []string, sure bool) {
	start, high := endsOf(v, d.topic, d.partition)
	if view.Leader[p] != id || start > d.last || high >= 0 && d.first >= high {
		return "", nil, true
	}
	var all []string
	subjects := fact.Offsets.Subjects(v)
	for _, group := range subjects {
		o, ok := fact.Offsets.Latest(v, group)
		if !ok {
			continue
		}
		i := (offsets{o}).index(d.topic, d.partition)
		if i < 0 || o.Committed[i] < 0 || o.Committed[i] > d.last {
			continue
		}
		groups = append(groups, group.Name)
		if away := d.first - o.Committed[i]; away > 0 {
			all = append(all, fmt.Sprintf("group %s comes to offset %d in %d records", group.Name, d.first, away))
		} else {
			all = append(all, fmt.Sprintf("group %s stands in it, at %d", group.Name, o.Committed[i]))
		}
	}
	behind := slices.DeleteFunc(slices.Clone(view.Replicas.At(p)), func(b int32) bool { return slices.Contains(view.ISR.At(p), b) })
	if len(behind) > 0 {
		all = append(all, brokersText(behind)+" must fetch it to be in sync, if not past it")
	}
	if len(all) > 0 {
		return listed(all), groups, true
	}
	known, ok := fact.Groups.Latest(v, fact.TheCluster)
	return "", nil, len(subjects) > 0 || ok && len(known) == 0
}

// calmText says why nobody comes to damaged offsets.
func calmText(v *View, view *clusterViewOf, d damagedLog, p int, id int32) string {
	start, high := endsOf(v, d.topic, d.partition)
	switch leader := view.Leader[p]; {
	case leader >= 0 && leader != id:
		return fmt.Sprintf("%s is led by broker %d: nobody reads this copy until it leads", d, leader)
	case leader < 0:
		return d.String() + " has no leader: nobody reads it"
	case start > d.last:
		return fmt.Sprintf("%s begins at %d by now, after the damage", d, start)
	case high >= 0 && d.first >= high:
		return fmt.Sprintf("%s of %s is not readable yet: the high watermark is %d", d.offsets(), d, high)
	}
	return d.String() + " is led from here, and every group that commits is past the damage: only who begins anew meets it"
}
