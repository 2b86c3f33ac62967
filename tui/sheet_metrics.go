package tui

import (
	"fmt"
	"slices"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// metricMeasures are what a broker's metrics endpoint tells.
var metricMeasures = []measure{
	{title: "request handlers idle", of: numbers{fact.MetricHandlerIdle}, unit: fact.Ratio, sign: "handlers-busy"},
	{title: "least idle network thread", of: numbers{fact.MetricNetworkLeastIdle}, unit: fact.Ratio, sign: "network-thread-busy"},
	{title: "network threads idle", of: numbers{fact.MetricNetworkIdle}, unit: fact.Ratio},
	{title: "requests in queue", of: numbers{fact.MetricQueue}, unit: fact.Count},
	{title: "produce in purgatory", of: numbers{fact.MetricDelayedProduce}, unit: fact.Count},
	{title: "fetch in purgatory", of: numbers{fact.MetricDelayedFetch}, unit: fact.Count},
	{title: "messages in", of: numbers{fact.MetricMessagesIn}, rate: true, unit: fact.Count},
	{title: "bytes in", of: numbers{fact.MetricBytesIn}, rate: true, unit: fact.Bytes},
	{title: "bytes out", of: numbers{fact.MetricBytesOut}, rate: true, unit: fact.Bytes},
	{title: "replication in", of: numbers{fact.MetricReplicationIn}, rate: true, unit: fact.Bytes},
	{title: "replication out", of: numbers{fact.MetricReplicationOut}, rate: true, unit: fact.Bytes},
	{title: "produce requests failed", of: numbers{fact.MetricFailedProduce}, rate: true, per: numbers{fact.MetricProduceRequests}, unit: fact.Ratio},
	{title: "fetch requests failed", of: numbers{fact.MetricFailedFetch}, rate: true, per: numbers{fact.MetricFetchRequests}, unit: fact.Ratio},
	{title: "converted of all messages", of: numbers{fact.MetricProduceConversions, fact.MetricFetchConversions}, rate: true, per: numbers{fact.MetricMessagesIn}, unit: fact.Ratio, sign: "messages-converted"},
	{title: "messages with a wrong CRC", of: numbers{fact.MetricInvalidCRC}, rate: true, unit: fact.Count},
	{title: "connections", of: numbers{fact.MetricConnections}, unit: fact.Count},
	{title: "connections made", of: numbers{fact.MetricConnectionsMade}, rate: true, unit: fact.Count, sign: "connections-made"},
	{title: "failed to authenticate", of: numbers{fact.MetricFailedAuthentication}, rate: true, unit: fact.Count},
	{title: "under-replicated partitions", of: numbers{fact.MetricUnderReplicated}, unit: fact.Count},
	{title: "partitions under min ISR", of: numbers{fact.MetricUnderMinISR}, unit: fact.Count},
	{title: "partitions at min ISR", of: numbers{fact.MetricAtMinISR}, unit: fact.Count},
	{title: "partitions without leader", of: numbers{fact.MetricOfflinePartitions}, unit: fact.Count},
	{title: "ISR shrinks since start", of: numbers{fact.MetricISRShrinks}, unit: fact.Count},
	{title: "ISR expands since start", of: numbers{fact.MetricISRExpands}, unit: fact.Count},
	{title: "messages behind, at most", of: numbers{fact.MetricMaxLag}, unit: fact.Count},
	{title: "partitions not followed", of: numbers{fact.MetricFailedPartitions}, unit: fact.Count},
	{title: "unclean elections", of: numbers{fact.MetricUncleanElections}, unit: fact.Count},
	{title: "log dirs offline", of: numbers{fact.MetricOfflineLogDirs}, unit: fact.Count},
	{title: "log cleaners dead", of: numbers{fact.MetricDeadCleaners}, unit: fact.Count},
	{title: "partitions not compacted", of: numbers{fact.MetricUncleanable}, unit: fact.Count},
}

// metricsSheet is what the brokers' metrics endpoints tell: requests by phase
// first.
func metricsSheet(s *material) sheet {
	var entries []entry
	endpoints := 0
	for _, on := range fact.MetricsSource.Subjects(s.facts) {
		if _, ok := fact.MetricsSource.Latest(s.facts, on); ok {
			endpoints++
		}
	}
	for _, on := range s.subjects(metricMeasures) {
		entries = append(entries, s.requestEntries(on)...)
		entries = append(entries, s.entriesOn(metricMeasures, on, processName(on))...)
	}
	if len(entries) == 0 {
		entries = append(entries, s.nobody("brokers", fact.MetricsSource))
	}
	return listed("METRICS", plural(endpoints, "endpoint"), "no metrics endpoint was read", measured, entries, measuredOrders(entries)...)
}

var phases = []fact.Phase{fact.PhaseTotal, fact.PhaseQueue, fact.PhaseLocal, fact.PhaseRemote, fact.PhaseThrottle, fact.PhaseResponseQueue, fact.PhaseSend}

// phaseSigns are the signs that look at a phase of Produce.
var phaseSigns = map[fact.Phase]string{fact.PhaseTotal: "produce-latency-high", fact.PhaseQueue: "requests-queue"}

// requestEntries is the times of requests to a broker, phase by phase.
func (s *material) requestEntries(on fact.Subject) []entry {
	all, ok := fact.MetricRequests.Latest(s.facts, on)
	if !ok {
		return nil
	}
	var entries []entry
	for _, r := range all {
		for _, phase := range phases {
			if len(r.Phases[phase]) == 0 {
				continue
			}
			sign := ""
			if r.Request == "Produce" {
				sign = phaseSigns[phase]
			}
			entries = append(entries, s.requestEntry(on, r, phase, sign))
		}
	}
	return entries
}

func (s *material) requestEntry(on fact.Subject, r fact.RequestTimes, phase fact.Phase, sign string) entry {
	what := measureOf(r.Phases[phase])
	title := fmt.Sprintf("%s %s %s", r.Request, phase, what)
	e := s.plain(on, title, number(r.Phases[phase][what], fact.Seconds))
	f, request := s.facts, r.Request
	points := func() []diagnose.Point { return phasePoints(f, on, request, phase, what) }
	limit := s.limitOf(sign, on, fact.Seconds)
	if limit != nil && limit.Limit > 0 {
		e.cells[3], e.rank[0] = number(limit.Limit, fact.Seconds), r.Phases[phase][what]/limit.Limit
	}
	if st := s.signOn(sign, on); st != nil {
		e.mark, e.found = s.markOf(st), st.Outcome == diagnose.Yes
		e.say = append(e.say, fmt.Sprintf("%s, %s: %s", st.Sign.Title, st.Outcome, signText(st)))
	}
	e.say = append(e.say, fmt.Sprintf("%s of the time that %s requests spend in phase %s, as the endpoint tells it: over the last five minutes or so, and old while none come (%s).", what, r.Request, phase, fact.MetricRequests.Def().Name))
	e.cells[4] = trend(points(), s.glyphs.steps, false)
	e.cells[5], _ = f.SeenBy(fact.MetricRequests.Def(), on)
	e.curve = &curve{title: title, on: on, unit: fact.Seconds, sign: limit, points: points}
	return e
}

// measureOf is which number of a spread to show: the 95th percentile where it is
// told.
func measureOf(s fact.Spread) string {
	for _, name := range []string{"p95", "p99", "mean", "max", "p50"} {
		if _, ok := s[name]; ok {
			return name
		}
	}
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	return slices.Min(names)
}

func phasePoints(f diagnose.Facts, on fact.Subject, request string, phase fact.Phase, what string) []diagnose.Point {
	var all []diagnose.Point
	for _, p := range f.Past(fact.MetricRequests.Def(), on) {
		times, _ := p.Value.([]fact.RequestTimes)
		at := slices.IndexFunc(times, func(r fact.RequestTimes) bool { return r.Request == request })
		if at < 0 {
			continue
		}
		if v, ok := times[at].Phases[phase][what]; ok {
			all = append(all, diagnose.Point{At: p.At, Value: v, Known: true})
		}
	}
	return all
}
