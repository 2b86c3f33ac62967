package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/tui/text"
)

// toldHistory is what a metadata log told, and coordinators' logs.
type toldHistory struct {
	*history.Log // nil: there is none, as with ZooKeeper
	as           *asHistory
	node         int
	now          time.Time
	cut          error // why reading ended early
	committed    int64 // the quorum's high watermark; -1: nobody tells
	changes      []history.Change
	groups       toldGroups
}

// cluster is the state at the end; an empty one where no metadata log tells.
func (h *toldHistory) cluster() *history.Cluster {
	if h.Log == nil {
		return &history.Cluster{}
	}
	return h.Cluster
}

func (h *toldHistory) damage() []string {
	if h.Log == nil {
		return nil
	}
	return h.Log.Damage
}

// mostListed is how many partitions a state lists.
const mostListed = 50

func (h *toldHistory) state() (broken []history.Partition, left int) {
	add := func(p *history.Partition) bool {
		switch {
		case h.as.topic == "" && p.Whole():
		case len(broken) < mostListed || h.as.each:
			broken = append(broken, *p)
		default:
			left++
		}
		return true
	}
	if h.as.topic != "" {
		h.Cluster.PartitionsOf(h.as.topic, add)
	} else {
		h.Cluster.Partitions(add)
	}
	return broken, left
}

type jsonBroker struct {
	ID        int32     `json:"id"`
	State     string    `json:"state"`
	Fenced    bool      `json:"fenced"`
	Shutdown  bool      `json:"in_controlled_shutdown"`
	Endpoints []string  `json:"endpoints"`
	Rack      string    `json:"rack,omitempty"`
	Since     time.Time `json:"since"`
}

type jsonSpan struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Age  float64   `json:"last_record_age_seconds"`
	End  int64     `json:"end_offset"`

	Committed *int64 `json:"quorum_high_watermark"`
}

type jsonState struct {
	At         time.Time           `json:"at"`
	Controller int32               `json:"controller"`
	Brokers    []jsonBroker        `json:"brokers"`
	Counts     history.Counts      `json:"counts"`
	Features   map[string]int16    `json:"features"`
	Holders    []fact.Holder       `json:"holders"`
	Partitions []history.Partition `json:"partitions"`
	Left       int                 `json:"more_partitions"`
}

// json writes what docs/history.schema.json describes.
func (h *toldHistory) json(w io.Writer) error {
	span, dir, state, passed, records := jsonSpan{End: -1}, "", (*jsonState)(nil), int64(0), int64(0)
	if h.Log == nil {
		span.From, span.To = h.groups.span()
		if !span.To.IsZero() {
			span.Age = h.now.Sub(span.To).Seconds()
		}
	} else {
		span, dir, state = jsonSpan{From: h.First.UTC(), To: h.Last.UTC(), Age: h.Age(h.now).Seconds(), End: h.End}, h.Dir, h.stateJSON()
		if h.committed >= 0 {
			span.Committed = &h.committed
		}
		passed, records = h.Unknown+h.Newer+h.Undecoded, h.Records
	}
	out := struct {
		Schema  string            `json:"schema"`
		Tool    map[string]string `json:"tool"`
		Node    int               `json:"node"`
		Log     string            `json:"log"`
		Span    jsonSpan          `json:"span"`
		Changes []history.Change  `json:"changes"`
		State   *jsonState        `json:"state"`
		Records int64             `json:"records"`
		Passed  int64             `json:"records_not_understood"`
		Damage  []string          `json:"damage"`
		jsonCoordinators
	}{"ktriage.history/v1", map[string]string{"version": version()}, h.node, dir, span,
		append([]history.Change{}, h.changes...), state, records, passed, append([]string{}, h.damage()...), h.groups.json()}
	if h.cut != nil {
		out.Damage = append(out.Damage, oneLine(h.cut.Error()))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// stateJSON is what the changes led to.
func (h *toldHistory) stateJSON() *jsonState {
	counts, holders := h.Cluster.Survey()
	broken, left := h.state()
	state := &jsonState{h.Last.UTC(), h.Cluster.Controller, []jsonBroker{}, counts, h.Cluster.Features, append([]fact.Holder{}, holders...), append([]history.Partition{}, broken...), left}
	for _, b := range h.Cluster.Nodes() {
		state.Brokers = append(state.Brokers, jsonBroker{b.ID, b.StateText(), b.Fenced, b.Controlled, append([]string{}, b.Endpoints...), b.Rack, b.Since.UTC()})
	}
	return state
}

// text writes the changes for a ticket, newest last, then the state.
func (h *toldHistory) text(w io.Writer) error {
	var b strings.Builder
	h.sourceText(&b)
	h.groups.notes(&b)
	b.WriteString("\n")
	day := ""
	for _, c := range h.changes {
		if d := c.At.Format("2006-01-02"); d != day {
			b.WriteString(d + " UTC\n")
			day = d
		}
		b.WriteString(text.Wrap(c.At.Format("15:04:05")+"  ", "          ", text.Clean(c.Text)))
	}
	if len(h.changes) == 0 {
		b.WriteString("no change in this time\n")
	}
	h.groups.text(&b, h.as)
	if h.as.group == "" && h.Log != nil {
		h.stateText(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sourceText says what was read, and what of it could not be.
func (h *toldHistory) sourceText(b *strings.Builder) {
	who := "this node"
	if h.node >= 0 {
		who = fmt.Sprintf("node %d", h.node)
	}
	if h.Log == nil {
		first, last := h.groups.span()
		said := fmt.Sprintf("no metadata log on %s, as with ZooKeeper: what follows is of its groups and transactions alone", who)
		switch {
		case last.IsZero():
			said += ", and nothing was read of them"
		case h.as.then.IsZero():
			said += fmt.Sprintf(", %s to %s UTC; the newest record is %s old", stampText(first), stampText(last), ageText(h.now.Sub(last)))
		default:
			said += fmt.Sprintf(", from %s UTC, as of %s", stampText(first), stampText(h.as.then))
		}
		b.WriteString(text.Wrap("", "  ", said))
		return
	}
	newest := "its newest record is " + ageText(h.Age(h.now)) + " old"
	if !h.as.then.IsZero() {
		newest = "as of " + h.as.then.UTC().Format("2006-01-02 15:04:05")
	} else {
		newest += "; " + h.standing()
	}
	b.WriteString(text.Wrap("", "  ", fmt.Sprintf("metadata log of %s, %s to %s UTC; %s", who, stampText(h.First), stampText(h.Last), newest)))
	if h.as.then.IsZero() && h.Age(h.now) > time.Minute {
		b.WriteString(text.Wrap("  ", "  ", "Nothing was written since: no controller leads, or this node is cut off. What follows is the past."))
	}
	for _, d := range h.Log.Damage {
		b.WriteString(text.Wrap("  damaged: ", "    ", d))
	}
	if h.cut != nil {
		b.WriteString(text.Wrap("  not read to the end: ", "    ", oneLine(h.cut.Error())))
	}
	if n := h.Unknown + h.Newer; n > 0 {
		b.WriteString(text.Wrap("  ", "  ", fmt.Sprintf("%d records of a newer Kafka were passed over", n)))
	}
	if h.Undecoded > 0 {
		b.WriteString(text.Wrap("  ", "  ", fmt.Sprintf("%d records could not be decoded", h.Undecoded)))
	}
}

// stateText says what the changes led to.
func (h *toldHistory) stateText(b *strings.Builder) {
	fmt.Fprintf(b, "\nThe cluster at %s UTC\n", stampText(h.Last))
	if h.Cluster.Controller >= 0 {
		fmt.Fprintf(b, "  controller %d, epoch %d\n", h.Cluster.Controller, h.Cluster.Epoch)
	}
	for _, n := range h.Cluster.Nodes() {
		b.WriteString(text.Wrap("  ", "    ", text.Clean(fmt.Sprintf("broker %d %s since %s, %s", n.ID, n.StateText(), stampText(n.Since), strings.Join(n.Endpoints, " ")))))
	}
	counts, holders := h.Cluster.Survey()
	b.WriteString(text.Wrap("  ", "    ", fmt.Sprintf("%s, %s: %d without leader, %d with a short ISR", some(counts.Topics, "topic"), some(counts.Partitions, "partition"), counts.Leaderless, counts.Short)))
	if len(holders) > 0 && holders[0].Alone > 0 {
		for _, x := range holders {
			if x.Alone > 0 {
				b.WriteString(text.Wrap("  ", "    ", fmt.Sprintf("broker %d alone surely has all that was acknowledged of %s: without it, nothing else may lead them", x.Broker, some(x.Alone, "partition"))))
			}
		}
	}
	broken, left := h.state()
	for _, p := range broken {
		leader := "no leader"
		if p.Leader >= 0 {
			leader = fmt.Sprintf("leader %d", p.Leader)
		}
		line := fmt.Sprintf("%s-%d: %s, ISR %s of %s", p.Topic, p.Partition, leader, idsText(p.ISR), idsText(p.Replicas))
		if len(p.ELR) > 0 {
			line += ", eligible " + idsText(p.ELR)
		}
		if len(p.LastELR) > 0 {
			line += ", last known " + idsText(p.LastELR)
		}
		if p.Recovering {
			line += ", elected unclean"
		}
		b.WriteString(text.Wrap("  ", "    ", text.Clean(line)))
	}
	if left > 0 {
		fmt.Fprintf(b, "  and %d more: --each\n", left)
	}
}

func idsText(ids []int32) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", ",")
}

func stampText(t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// ageText is a time as an operator says it.
func ageText(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
