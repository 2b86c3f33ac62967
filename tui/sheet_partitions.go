package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var partitionFields = []field{{head: "partition"}, {head: "leader", wide: 6, right: true}, {head: "replicas", wide: 9, least: 70}, {head: "ISR", wide: 9}, {head: "min ISR", wide: 7, right: true, least: 96}, {head: "records/s", wide: 9, right: true, least: 96}, {head: "state", wide: 17}}

// standing is how a partition stands, the gravest first.
type standing int8

const (
	noLeader standing = iota
	underMinISR
	underReplicated
	offlineReplica
	otherLeads
	asShould
)

var standingWords = [...]string{"no leader", "under min ISR", "under-replicated", "replica offline", "not its preferred", ""}

// partitions is what the sheet of partitions reads, in columns.
type partitions struct {
	view   *fact.MetadataView
	stands []standing
	minISR []int32 // by topic; 0: not told
	ends   fact.PartitionOffsets
	logs   fact.ReplicaEnds
	wrote  []int64            // of ends; nil: not known
	over   float64            // seconds
	then   *fact.LastCluster  // as a metadata log has them; nil: as brokers do
	last   *diagnose.LastSeen // where that is what is known last, and no broker answers; nil: otherwise
}

// partitionsSheet is every partition, those in trouble first, as the view has it
// that knows of most elections.
func partitionsSheet(s *material) sheet {
	p := &partitions{}
	switch view, ok := s.facts.Metadata(); {
	case s.past != nil && s.past.cluster != nil:
		p.then, p.minISR = &s.past.cluster.LastCluster, minISRThen(s.past.cluster)
		p.view = viewThen(p.then)
	case s.verdict.LastSeen != nil:
		p.last = s.verdict.LastSeen
		p.then = &p.last.LastCluster
		p.view = viewThen(p.then)
	case !ok:
		return listed("PARTITIONS", "", "", partitionFields, []entry{s.nobodyKnows("partitions", fact.Metadata)})
	default:
		p.view, p.minISR = view, make([]int32, len(view.Topics))
		p.readMinISR(s)
		p.readWritten(s)
		p.logs, _ = fact.ReplicaLogs.Latest(s.facts, fact.TheCluster)
	}
	p.stands = make([]standing, len(p.view.Partition))
	return p.sheet(s.glyphs)
}

// sheet is the lines, those in trouble first.
func (p *partitions) sheet(g glyphs) sheet {
	count := [len(standingWords)]int{}
	for i := range p.stands {
		p.stands[i] = p.standing(i)
		count[p.stands[i]]++
	}
	about := []string{plural(len(p.stands), "partition")}
	if p.last != nil {
		about[0] = "last known " + clock(p.last.Copy.Last) + ": " + about[0]
	}
	for i, word := range standingWords {
		if count[i] > 0 && word != "" {
			about = append(about, fmt.Sprintf("%d %s", count[i], word))
		}
	}
	all := sheet{
		title: "PARTITIONS", about: strings.Join(about, ", "), empty: "the cluster has no partition", columns: partitionFields, n: len(p.stands),
		at: func(i int) entry { return p.entry(g, i) }, key: p.name, text: p.text,
		found: func(i int) bool { return p.stands[i] < otherLeads },
		orders: []order{
			{"trouble first", func(a, b int) bool { return p.stands[a] < p.stands[b] }}, {"by name", nil},
			{"by leader", func(a, b int) bool { return p.leader(a) < p.leader(b) }},
			{"most written first", func(a, b int) bool { return p.written(a) > p.written(b) }},
		},
	}
	if p.then != nil {
		all.columns, all.orders = partitionFieldsThen, all.orders[:3]
		if p.then.Left > 0 {
			all.about += fmt.Sprintf("; %d more are not told", p.then.Left)
		}
	}
	return all
}

func (p *partitions) readMinISR(s *material) {
	configs, ok := fact.Configs.Latest(s.facts, fact.TheCluster)
	if !ok {
		return
	}
	for i, topic := range configs.Topics {
		if at, ok := slices.BinarySearch(p.view.Topics, topic); ok && i < len(configs.MinISR) {
			p.minISR[at] = configs.MinISR[i]
		}
	}
}

func (p *partitions) readWritten(s *material) {
	past := s.facts.Past(fact.PartitionEnds.Def(), fact.TheCluster)
	if len(past) == 0 {
		return
	}
	p.ends, _ = past[len(past)-1].Value.(fact.PartitionOffsets)
	if len(past) < 2 {
		return
	}
	before, ok := past[len(past)-2].Value.(fact.PartitionOffsets)
	if over := past[len(past)-1].At.Sub(past[len(past)-2].At); ok && over > time.Second {
		p.wrote, p.over = p.ends.Written(before), over.Seconds()
	}
}

func (p *partitions) topic(i int) string {
	if at := p.view.Topic[i]; at >= 0 && int(at) < len(p.view.Topics) {
		return p.view.Topics[at]
	}
	return "?"
}

func (p *partitions) name(i int) string {
	return fmt.Sprintf("%s-%d", p.topic(i), p.view.Partition[i])
}

func (p *partitions) leader(i int) int32 {
	if i < len(p.view.Leader) {
		return p.view.Leader[i]
	}
	return -1
}

func (p *partitions) min(i int) int32 {
	if at := p.view.Topic[i]; at >= 0 && int(at) < len(p.minISR) {
		return p.minISR[at]
	}
	return 0
}

// standing compares what the columns hold; whether it is a fault is for signs.
func (p *partitions) standing(i int) standing {
	replicas, isr := p.view.Replicas.At(i), p.view.ISR.At(i)
	switch {
	case p.leader(i) < 0:
		return noLeader
	case p.min(i) > 0 && len(isr) < int(p.min(i)):
		return underMinISR
	case len(isr) < len(replicas):
		return underReplicated
	case len(p.view.Offline.At(i)) > 0:
		return offlineReplica
	case len(replicas) > 0 && replicas[0] != p.leader(i):
		return otherLeads
	}
	return asShould
}

// written is records a second; -1: not known.
func (p *partitions) written(i int) float64 {
	if p.wrote == nil {
		return -1
	}
	at := p.ends.At(p.topic(i), p.view.Partition[i])
	if at < 0 || p.wrote[at] < 0 {
		return -1
	}
	return float64(p.wrote[at]) / p.over
}

func (p *partitions) text(i int) string {
	return p.name(i) + " leader " + fmt.Sprint(p.leader(i)) + " " + standingWords[p.stands[i]]
}

func (p *partitions) entry(g glyphs, i int) entry {
	e := entry{key: p.name(i), mark: span{g.found, red}, found: p.stands[i] < otherLeads}
	switch {
	case p.stands[i] == asShould && p.last == nil:
		e.mark = span{g.no, green}
	case p.stands[i] >= otherLeads:
		e.mark = span{g.neutral, plain}
	}
	leader, least, rate := "none", "?", ""
	if p.leader(i) >= 0 {
		leader = fmt.Sprint(p.leader(i))
	}
	if p.min(i) > 0 {
		least = fmt.Sprint(p.min(i))
	}
	if v := p.written(i); v >= 0 {
		rate = number(v, fact.Count)
	}
	replicas, isr := idList(p.view.Replicas.At(i)), idList(p.view.ISR.At(i))
	e.cells = []string{e.key, leader, replicas, isr, least, rate, standingWords[p.stands[i]]}
	e.say = append(e.say, fmt.Sprintf("%s: leader %s, replicas %s, in sync %s, min.insync.replicas %s", e.key, leader, replicas, isr, least))
	if p.then != nil {
		return p.entryThen(e, i)
	}
	if offline := p.view.Offline.At(i); len(offline) > 0 {
		e.say[0] += ", offline " + idList(offline)
	}
	if at := p.ends.At(p.topic(i), p.view.Partition[i]); at >= 0 {
		e.say = append(e.say, fmt.Sprintf("log start %d, high watermark %d, last stable offset %d", p.ends.LogStart[at], p.ends.HighWatermark[at], p.ends.LastStable[at]))
	}
	if text := p.replicaEnds(i); text != "" {
		e.say = append(e.say, text)
	}
	return e
}

// replicaEnds is where each replica's own log ends, beside the leader's; empty: none
// has told.
func (p *partitions) replicaEnds(i int) string {
	topic, number := p.topic(i), p.view.Partition[i]
	lead := p.logs.At(topic, number, p.leader(i))
	var all []string
	for _, id := range p.view.Replicas.At(i) {
		at := p.logs.At(topic, number, id)
		if at < 0 {
			continue
		}
		text := fmt.Sprintf("on broker %d at %d", id, p.logs.End[at])
		if lead >= 0 && at != lead {
			if by := p.logs.End[lead] - p.logs.End[at]; by > 0 {
				text += fmt.Sprintf(" (%d behind)", by)
			} else if by < 0 {
				text += fmt.Sprintf(" (%d ahead)", -by)
			}
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return ""
	}
	return "logs end " + strings.Join(all, ", ")
}

// idList is node ids with commas.
func idList(ids []int32) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, id)
	}
	return b.String()
}
