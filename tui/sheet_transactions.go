package tui

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var transactionFields = []field{{head: "transaction"}, {head: "state", wide: 14}, {head: "open for", wide: 10, right: true}, {head: "timeout", wide: 9, right: true}, {head: "partitions", wide: 10, right: true, least: 70}, {head: "producer", wide: 12, right: true, least: 96}, {head: "coordinator", wide: 11, right: true, least: 96}}

// transactionsSheet is the open transactions, and the producers that hold back the
// last stable offset of a partition.
func transactionsSheet(s *material) sheet {
	open, ok := fact.Transactions.Latest(s.facts, fact.TheCluster)
	var entries []entry
	if !ok {
		entries = append(entries, s.nobodyKnows("transactions", fact.Transactions))
	}
	for i, id := range open.ID {
		since := s.since(open.Started[i])
		e := entry{key: id, mark: span{s.glyphs.neutral, plain}, rank: []float64{since}, cells: []string{id, open.State[i], ageOr(since), "", fmt.Sprint(open.Partitions[i]), fmt.Sprint(open.Producer[i]), fmt.Sprint(open.Coordinator[i])}}
		if open.Timeout[i] >= 0 {
			e.cells[3] = number(open.Timeout[i], fact.Seconds)
		}
		e.say = []string{fmt.Sprintf("transactional id %s, producer %d epoch %d, %s since %s, coordinator %d", id, open.Producer[i], open.Epoch[i], open.State[i], clock(open.Started[i]), open.Coordinator[i])}
		entries = append(entries, e)
	}
	held, ok := fact.OpenProducers.Latest(s.facts, fact.TheCluster)
	if !ok {
		entries = append(entries, s.nobodyKnows("producers", fact.OpenProducers))
	}
	for i, topic := range held.Topic {
		since := s.since(held.LastWrite[i])
		name := fmt.Sprintf("%s-%d", topic, held.Partition[i])
		entries = append(entries, entry{
			key: fmt.Sprintf("%s %d", name, held.Producer[i]), mark: span{s.glyphs.neutral, plain}, rank: []float64{since},
			cells: []string{name, "holds back", ageOr(since), "", "", fmt.Sprint(held.Producer[i]), ""},
			say:   []string{fmt.Sprintf("producer %d epoch %d has a transaction open in %s since offset %d, and wrote last at %s", held.Producer[i], held.Epoch[i], name, held.Started[i], clock(held.LastWrite[i]))},
		})
	}
	about := plural(len(open.ID), "open transaction")
	if open.Left > 0 {
		about += fmt.Sprintf(", %d more not listed", open.Left)
	}
	if n := len(open.Untold); n > 0 {
		about += ", nothing told by broker " + some(open.Untold)
	}
	return listed("TRANSACTIONS", about, "no transaction is open", transactionFields, entries,
		order{"the oldest first", func(a, b int) bool { return entries[a].rank[0] > entries[b].rank[0] }}, order{"by name", nil})
}

// since is the seconds since a time, by the newest batch; -1: the time is not told.
func (s *material) since(at time.Time) float64 {
	if at.IsZero() {
		return -1
	}
	return max(0, s.facts.Now().Sub(at).Seconds())
}

func ageOr(seconds float64) string {
	if seconds < 0 {
		return "not told"
	}
	return age(time.Duration(seconds * float64(time.Second)))
}

// nobodyKnows is nobody for sheets whose first column is the name.
func (s *material) nobodyKnows(what string, k fact.Key) entry {
	e := s.nobody(what, k)
	e.name, e.cells = 0, []string{what}
	return e
}
