package logs

import (
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// controllerPatterns is what controllers tell of the cluster.
var controllerPatterns = []pattern{
	{text: "UNCLEAN partition change for ", note: (*scan).uncleanElection},
	{text: "Becoming the active controller", key: fact.LogBecameActive.Def(), note: (*scan).ready},
	{text: "Renouncing the leadership", key: fact.LogRenounced.Def()},
	{text: "marked offline, remaining directories", key: fact.LogDirsOffline.Def(), names: after("in broker ")},
	{text: "Exceptionally slow controller event", key: fact.LogControllerSlow.Def()},
	{text: "controller event queue overloaded", key: fact.LogControllerSlow.Def()},
}

// ready: what a controller writes from now on is news.
func (s *scan) ready(hit) { s.starting = false }

// replayWithin is how long after its start a controller that stays inactive
// may still read its past. An active one says when it has.
const replayWithin = 10 * time.Second

// maxUnclean bounds how many unclean elections are told from their replays.
const maxUnclean = 1000

// uncleanElection tells an election from the line that a controller writes
// again, with the time of now, when it reads its past after a restart. Those of
// one log are known by topic id and epochs.
func (s *scan) uncleanElection(h hit) {
	key := fact.LogUncleanElection
	which := string(cut(h.line, maxLine))
	if _, rest, ok := strings.Cut(which, "UNCLEAN partition change for "); ok {
		which = rest
	}
	if first, again := s.unclean[which]; again && !first.Equal(h.at) {
		h.at, key = first, fact.LogUncleanReplayed
	} else if s.starting && h.at.Sub(s.since) < replayWithin {
		key = fact.LogUncleanReplayed
	}
	if len(s.unclean) < maxUnclean {
		s.unclean[which] = h.at
	}
	nameIn(s.count(key.Def(), "", h), after("partition change for ")(h), h.at)
}

// clientPatterns is what brokers tell of their clients. Most are of level INFO.
var clientPatterns = []pattern{
	{text: "ailed authentication with", not: "SSL handshake failed", key: fact.LogAuthenticationFailed.Def(), names: address},
	{text: "ailed re-authentication with", not: "SSL handshake failed", key: fact.LogAuthenticationFailed.Def(), names: address},
	{text: "SSL handshake failed", key: fact.LogTLSFailed.Def(), names: address},
	{text: " is Denied ", key: fact.LogDenied.Def(), names: denied},
	{text: "Invalid receive (size = ", key: fact.LogInvalidReceive.Def(), names: received},
	{text: "Rejected connection from", key: fact.LogConnectionRejected.Def(), names: address},
	{text: "Preparing to rebalance group ", key: fact.LogRebalances.Def(), names: after("rebalance group "), note: (*scan).rebalance},
	{text: "Preparing to rebalance group ", key: fact.LogRebalanceReasons.Def(), names: reason},
	// Up to 3.x the line of the rebalance has the reason too: one event, one line.
	{text: "client reason: consumer poll timeout has expired", not: "Preparing to rebalance group ", key: fact.LogPollExpired.Def(), names: after("[Group ", "left group ", "in group ")},
	{text: "has failed, removing it from the group", key: fact.LogMemberFailed.Def(), names: after("in group ")},
	{text: "fenced from the group because", key: fact.LogMemberFailed.Def(), names: after("[GroupId ")},
}

// maxRebalances is how many rebalances are kept apart.
const maxRebalances = 64

// rebalance notes when a coordinator began one, and of which group.
func (s *scan) rebalance(h hit) {
	group := wordAfter(h.line, "rebalance group ")
	if group == "" {
		return
	}
	if len(s.rebalances) == maxRebalances {
		s.rebalances = append(s.rebalances[:0], s.rebalances[1:]...)
	}
	s.rebalances = append(s.rebalances, fact.Rebalance{At: h.at, Group: group})
}
