package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// What the metadata log on this host tells of the past: what was changed before
// something began, and the cluster as it was when nobody answers any more.

type (
	changed struct {
		At      time.Time    `json:"at"`
		Kind    string       `json:"kind"`
		Subject fact.Subject `json:"subject"`
		Before  string       `json:"before"`
		After   string       `json:"after"`
		Count   int          `json:"count"`
		Text    string       `json:"text"`
		Seconds float64      `json:"seconds_before"`
		Cause   string       `json:"cause"`
		Of      fact.Subject `json:"cause_subject"`
	}
	lastSeen struct {
		Node       int32           `json:"node"`
		At         time.Time       `json:"at"`
		Age        float64         `json:"age_seconds"`
		End        int64           `json:"end_offset"`
		Damage     *string         `json:"damage"`
		Controller int32           `json:"controller"`
		FirstBack  string          `json:"first_back"`
		Holders    []fact.Holder   `json:"holders"`
		Brokers    []lastBroker    `json:"brokers"`
		Partitions []lastPartition `json:"partitions"`
		More       int             `json:"more_partitions"`
		Gone       bool            `json:"all_gone"`
	}
	lastBroker struct {
		ID    int32      `json:"id"`
		Host  string     `json:"host"`
		Port  int32      `json:"port"`
		State string     `json:"state"`
		Since *time.Time `json:"since"`
	}
	lastPartition struct {
		Topic      string  `json:"topic"`
		Partition  int32   `json:"partition"`
		Leader     int32   `json:"leader"`
		Epoch      int32   `json:"leader_epoch"`
		Replicas   []int32 `json:"replicas"`
		ISR        []int32 `json:"isr"`
		ELR        []int32 `json:"elr"`
		LastELR    []int32 `json:"last_known_elr"`
		Recovering bool    `json:"recovering"`
	}
)

// mostPartitions are in the object; ktriage history has all.
const mostPartitions = 2000

// logCopy is how far the metadata log on this host has come.
type logCopy struct {
	Node      int32     `json:"node"`
	End       int64     `json:"end_offset"`
	At        time.Time `json:"at"`
	Age       float64   `json:"age_seconds"`
	Committed *int64    `json:"quorum_high_watermark"`
}

func logCopyOf(s *diagnose.Standing) *logCopy {
	if s == nil {
		return nil
	}
	out := &logCopy{Node: s.Node, End: s.End, At: utc(s.Last), Age: finite(s.Age.Seconds())}
	if s.Committed >= 0 {
		out.Committed = &s.Committed
	}
	return out
}

// standingLine says how far the copy has come that was told from: where changes
// are told, and where nobody answers.
func standingLine(b *strings.Builder, v *diagnose.Verdict) {
	if v.Copy != nil && (v.LastSeen != nil || len(v.Changed) > 0) {
		b.WriteString(wrap("", "  ", v.Copy.Text()))
	}
}

func changedOf(all []diagnose.ChangedBefore) []changed {
	out := make([]changed, 0, len(all))
	for _, c := range all {
		out = append(out, changed{utc(c.At), c.Kind, fact.Subject{Scope: fact.Scope(c.Scope), Name: c.Name}, c.Before, c.After, c.Count, c.Text, finite(c.By.Seconds()), c.Of.Cause.ID, c.Of.Subject})
	}
	return out
}

func lastSeenOf(l *diagnose.LastSeen) *lastSeen {
	if l == nil {
		return nil
	}
	out := &lastSeen{Node: l.Copy.Node, At: utc(l.Copy.Last), Age: finite(l.Age.Seconds()), End: l.Copy.End, Damage: word(l.Copy.Damage), Controller: l.Controller, FirstBack: l.FirstBack(),
		Holders: append([]fact.Holder{}, l.Holders...), Brokers: []lastBroker{}, Partitions: []lastPartition{}, More: l.Left, Gone: l.Gone}
	for _, b := range l.Brokers {
		out.Brokers = append(out.Brokers, lastBroker{b.ID, b.Host, b.Port, BrokerWord(b), moment(b.Since)})
	}
	recovering := map[int32]bool{}
	for _, row := range l.Recovering {
		recovering[row] = true
	}
	for p := range l.Partition {
		if p >= mostPartitions {
			out.More += len(l.Partition) - p
			break
		}
		list := func(of fact.Lists) []int32 { return append([]int32{}, of.At(p)...) }
		out.Partitions = append(out.Partitions, lastPartition{l.Topics[l.Topic[p]], l.Partition[p], l.Leader[p], l.LeaderEpoch[p], list(l.Replicas), list(l.ISR), list(l.ELR), list(l.LastELR), recovering[int32(p)]})
	}
	return out
}

// BrokerWord is how the metadata log has a broker, in a word or two.
func BrokerWord(b fact.LastBroker) string {
	switch {
	case b.Leaving:
		return "shutting down"
	case b.Starting:
		return "starting"
	case b.Planned:
		return "fenced after a planned shutdown"
	case b.Fenced:
		return "fenced"
	}
	return "serving"
}

// before is how long before a finding a change was.
func before(c diagnose.ChangedBefore) string {
	if c.By < time.Second {
		return "just before"
	}
	return c.By.Round(time.Second).String() + " before"
}

// changedLines is what was changed before a finding began, what stands under an
// earlier one apart.
func changedLines(b *strings.Builder, v *diagnose.Verdict, f *diagnose.Finding) {
	for i, c := range v.Changed {
		if c.Of == f && !slices.ContainsFunc(v.Changed[:i], func(o diagnose.ChangedBefore) bool { return o.At.Equal(c.At) && o.Text == c.Text }) {
			b.WriteString(wrap("  ", "    ", fmt.Sprintf("changed before it began: %s (%s): %s", clock(c.At), before(c), c.Text)))
		}
	}
}

// mostLast partitions are in a ticket.
const mostLast = 20

// lastSeenLines is the cluster as it was when somebody last led it.
func lastSeenLines(b *strings.Builder, l *diagnose.LastSeen) {
	if l == nil {
		return
	}
	why := "no broker answers from here, others may lead by now"
	if l.Gone {
		why = "every broker is gone"
	} else if who := l.Unsettled(); who != "" {
		why = "no broker answers from here, " + who
	}
	b.WriteString(wrap("", "  ", "last known cluster ("+why+"): "+l.Headline()))
	if first := l.FirstBack(); first != "" {
		b.WriteString(wrap("  ", "    ", first))
	}
	var brokers []string
	for _, one := range l.Brokers {
		brokers = append(brokers, fmt.Sprintf("%d %s since %s", one.ID, BrokerWord(one), clock(one.Since)))
	}
	if len(brokers) > 0 {
		b.WriteString(wrap("  ", "    ", "brokers: "+listed(brokers, 12, ", ")))
	}
	rows := l.WorstFirst()
	for _, p := range rows[:min(len(rows), mostLast)] {
		b.WriteString(wrap("  ", "    ", PartitionLine(l, p)))
	}
	if n := len(l.Partition) + l.Left - mostLast; n > 0 {
		b.WriteString(wrap("  ", "    ", fmt.Sprintf("and %s: ktriage history --each", plural(n, "more partition"))))
	}
}

// PartitionLine is a partition as it was last.
func PartitionLine(l *diagnose.LastSeen, p int) string {
	leader := "no leader"
	if l.Leader[p] >= 0 {
		leader = fmt.Sprintf("leader %d", l.Leader[p])
	}
	line := fmt.Sprintf("%s %d: %s, ISR %s of %s", l.Topics[l.Topic[p]], l.Partition[p], leader, idList(l.ISR.At(p)), idList(l.Replicas.At(p)))
	if elr := l.ELR.At(p); len(elr) > 0 {
		line += ", ELR " + idList(elr)
	}
	if elr := l.LastELR.At(p); len(elr) > 0 {
		line += ", last known ELR " + idList(elr)
	}
	return line
}

func idList(all []int32) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(all), "[]"), " ", ",")
}

// reportLastSeen is the same for a report.
func reportLastSeen(b *strings.Builder, l *diagnose.LastSeen) {
	if l == nil {
		return
	}
	fmt.Fprintf(b, "### Last known cluster\n\n%s. %s\n\n", md(l.Headline()), md(l.FirstBack()))
	rows := l.WorstFirst()
	for _, p := range rows[:min(len(rows), mostLast)] {
		fmt.Fprintf(b, "- %s\n", md(PartitionLine(l, p)))
	}
	if n := len(l.Partition) + l.Left - mostLast; n > 0 {
		fmt.Fprintf(b, "- and %s\n", plural(n, "more partition"))
	}
	b.WriteString("\n")
}
