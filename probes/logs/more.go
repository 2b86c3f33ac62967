package logs

import (
	"cmp"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// lineKeys is what any of a node's logs may tell of it.
var lineKeys = []fact.Key{
	fact.LogStartRefused, fact.LogMetadataFault, fact.LogTooManyFiles, fact.LogMapFailed, fact.LogReadOnly, fact.LogThreadDied, fact.LogHeartbeatFailed, fact.LogRegistrationFailed, fact.LogRequestError, fact.LogProcessorError, fact.LogRecovery, fact.LogRecoveryTruncated, fact.LogIndexRebuilt, fact.LogTimeIndexZero, fact.LogRetentionDeleted, fact.LogStray, fact.LogCleanerFailed, fact.LogShutdownTimedOut, fact.LogZooKeeperExpired, fact.LogUnsupportedVersion, fact.LogRecordTooLarge, fact.LogTransactionTimedOut,
	fact.LogISRShrunk, fact.LogISRLeft, fact.LogISRShrinks, fact.LogISRUpdated, fact.LogISRUpdateFailed, fact.LogTruncated, fact.LogTruncatedBelowHW, fact.LogOutOfRange, fact.LogMarkedFailed, fact.LogOlderEpoch, fact.LogFetcherError, fact.LogFetchFailed, fact.LogFetchNotStarted, fact.LogCorruptRecord, fact.LogPeerUnreachable, fact.LogPeerTimedOut, fact.LogLeadershipChanged,
	fact.LogUncleanElection, fact.LogUncleanReplayed, fact.LogDirsOffline, fact.LogBecameActive, fact.LogRenounced, fact.LogControllerSlow,
	fact.LogAuthenticationFailed, fact.LogTLSFailed, fact.LogDenied, fact.LogInvalidReceive, fact.LogConnectionRejected, fact.LogRebalances, fact.LogRebalanceReasons, fact.LogRebalanceTimes, fact.LogPollExpired, fact.LogMemberFailed,
}

// otherLogs is the logs beside server.log and controller.log, and what only
// they tell: while one cannot be read, that is not known.
var otherLogs = []struct {
	file string
	only []fact.Key
}{
	{"state-change.log", []fact.Key{fact.LogFetchNotStarted}},
	{"kafka-authorizer.log", []fact.Key{fact.LogDenied}},
	{"log-cleaner.log", []fact.Key{fact.LogCleanerFailed}},
}

// ofControllers is what only controllers log.
var ofControllers = []fact.Key{fact.LogUncleanElection, fact.LogUncleanReplayed, fact.LogDirsOffline, fact.LogBecameActive, fact.LogRenounced, fact.LogControllerSlow}

// more is what all of the node's logs together say of it. Lines of a kind count
// wherever they stand: who changes the logging may send all to one file.
func (n *node) more() []fact.Observation {
	all := append([]report{n.server, n.controller}, n.others...)
	var seen []fact.Observation
	s := n.subject()
	for _, k := range lineKeys {
		because := n.untold(k)
		if k == fact.Key(fact.LogISRShrinks) {
			if because != nil {
				seen = append(seen, fact.LogISRShrinks.Unknown(s, because))
			} else {
				seen = append(seen, fact.LogISRShrinks.Is(s, shrinksOf(all)))
			}
			continue
		}
		if k == fact.Key(fact.LogRebalanceTimes) {
			if because != nil {
				seen = append(seen, fact.LogRebalanceTimes.Unknown(s, because))
			} else {
				seen = append(seen, fact.LogRebalanceTimes.Is(s, rebalancesOf(all)))
			}
			continue
		}
		var l fact.LogLines
		for _, r := range all {
			if r.err == nil {
				l = merge(l, r.of(k, ""))
			}
		}
		if because != nil && l.Count == 0 {
			seen = append(seen, fact.Observation{Key: k.Def(), Subject: s, Because: because})
		} else {
			seen = append(seen, fact.Observation{Key: k.Def(), Subject: s, Value: l})
		}
	}
	return seen
}

// untold says why the node's logs do not tell of a kind of line; nil when they
// would.
func (n *node) untold(k fact.Key) *fact.Unknown {
	if slices.Contains(ofControllers, k) {
		switch {
		case !n.controls():
			return &fact.Unknown{Reason: fact.Absent, Detail: "the node is no controller", How: "run ktriage on a controller's host"}
		case n.controller.err != nil:
			return probe.Because(n.controller.err)
		case n.controller.since.IsZero():
			return &fact.Unknown{Reason: fact.Unreadable, Detail: "controller.log of node " + n.subject().Name + " has no line with a time", How: "--kafka-logs DIR, where controller.log is"}
		}
		return nil
	}
	for i, o := range otherLogs {
		if slices.Contains(o.only, k) && n.others[i].err != nil {
			return probe.Because(n.others[i].err)
		}
	}
	if n.server.err != nil {
		return probe.Because(n.server.err)
	}
	return nil
}

// shrinksOf is the newest lines of ISRs that shrank, oldest first.
func shrinksOf(all []report) []fact.ISRShrink {
	shrinks := []fact.ISRShrink{}
	for _, r := range all {
		shrinks = append(shrinks, r.shrinks...)
	}
	slices.SortStableFunc(shrinks, func(a, b fact.ISRShrink) int { return a.At.Compare(b.At) })
	return shrinks[max(0, len(shrinks)-maxShrinks):]
}

// rebalancesOf is the newest rebalances, oldest first.
func rebalancesOf(all []report) []fact.Rebalance {
	rebalances := []fact.Rebalance{}
	for _, r := range all {
		rebalances = append(rebalances, r.rebalances...)
	}
	slices.SortStableFunc(rebalances, func(a, b fact.Rebalance) int { return a.At.Compare(b.At) })
	return rebalances[max(0, len(rebalances)-maxRebalances):]
}

// mergeMinutes adds the counts of two logs, oldest minute first.
func mergeMinutes(a, b []fact.MinuteCount) []fact.MinuteCount {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y fact.MinuteCount) int { return x.At.Compare(y.At) })
	var sum []fact.MinuteCount
	for _, m := range all {
		if n := len(sum); n > 0 && sum[n-1].At.Equal(m.At) {
			sum[n-1].Count += m.Count
		} else {
			sum = append(sum, m)
		}
	}
	return sum[max(0, len(sum)-maxMinutes):]
}

// mergeNames adds what two logs speak of, the most frequent first where there
// are more than are kept.
func mergeNames(a, b fact.LogLines) ([]fact.NameCount, int) {
	names, others := slices.Clone(a.Names), a.Others+b.Others
	for _, more := range b.Names {
		if i := slices.IndexFunc(names, func(n fact.NameCount) bool { return n.Name == more.Name }); i >= 0 {
			names[i].Count += more.Count
			if more.Last.After(names[i].Last) {
				names[i].Last = more.Last
			}
			continue
		}
		names = append(names, more)
	}
	if len(names) > maxNames {
		slices.SortStableFunc(names, func(x, y fact.NameCount) int { return cmp.Compare(y.Count, x.Count) })
		for _, n := range names[maxNames:] {
			others += n.Count
		}
		names = names[:maxNames]
	}
	return names, others
}
