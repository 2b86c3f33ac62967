package metrics

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// scalar is a metric that is one number of a broker.
type scalar struct {
	kind, name string
	key        fact.Of[float64]
	of         []string // which numbers of it may be taken, the first that is there
	labels     [2]string
	scale      float64 // to base units; 0: 1
	among      func(a, b float64) float64
}

var (
	level = []string{"value", ""}
	total = []string{"count", ""} // some rule files write a count without suffix
)

func gauge(kind, name string, key fact.Of[float64]) scalar {
	return scalar{kind: kind, name: name, key: key, of: level}
}

func counter(kind, name string, key fact.Of[float64]) scalar {
	return scalar{kind: kind, name: name, key: key, of: total}
}

func sum(a, b float64) float64 { return a + b }

// scalars is every metric that becomes a fact by itself.
var scalars = []scalar{
	{kind: "process", name: "started", key: fact.MetricStarted, of: level},
	gauge("requestchannel", "requestqueuesize", fact.MetricQueue),
	{kind: "kafkarequesthandlerpool", name: "brokerrequesthandleravgidle", key: fact.MetricHandlerIdle, of: []string{"rate1"}},
	{kind: "kafkarequesthandlerpool", name: "requesthandleravgidle", key: fact.MetricHandlerIdle, of: []string{"rate1"}},
	{kind: "kafkarequesthandlerpool", name: "brokerrequesthandleravgidle", key: fact.MetricHandlerIdleSeconds, of: []string{"count"}, scale: 1e-9},
	{kind: "kafkarequesthandlerpool", name: "requesthandleravgidle", key: fact.MetricHandlerIdleSeconds, of: []string{"count"}, scale: 1e-9},
	gauge("socketserver", "networkprocessoravgidle", fact.MetricNetworkIdle),
	{kind: "processor", name: "idle", key: fact.MetricNetworkLeastIdle, of: level, among: math.Min},

	gauge("replicamanager", "underreplicatedpartitions", fact.MetricUnderReplicated),
	gauge("replicamanager", "underminisrpartitioncount", fact.MetricUnderMinISR),
	gauge("replicamanager", "atminisrpartitioncount", fact.MetricAtMinISR),
	gauge("replicamanager", "offlinereplicacount", fact.MetricOfflineReplicas),
	counter("replicamanager", "isrshrinks", fact.MetricISRShrinks),
	counter("replicamanager", "isrexpands", fact.MetricISRExpands),
	counter("replicamanager", "failedisrupdates", fact.MetricISRUpdatesFailed),
	{kind: "replicafetchermanager", name: "maxlag", key: fact.MetricMaxLag, of: level, among: math.Max},
	gauge("replicafetchermanager", "failedpartitionscount", fact.MetricFailedPartitions),
	gauge("replicafetchermanager", "deadthreadcount", fact.MetricDeadFetchers),
	gauge("kafkacontroller", "activecontrollercount", fact.MetricActiveController),
	gauge("kafkacontroller", "offlinepartitionscount", fact.MetricOfflinePartitions),
	counter("controllerstats", "uncleanleaderelections", fact.MetricUncleanElections),

	gauge("logmanager", "offlinelogdirectorycount", fact.MetricOfflineLogDirs),
	{kind: "logcleanermanager", name: "uncleanablepartitionscount", key: fact.MetricUncleanable, of: level, among: sum},
	gauge("logcleaner", "deadthreadcount", fact.MetricDeadCleaners),
	{kind: "delayedoperationpurgatory", name: "numdelayedoperations", key: fact.MetricDelayedProduce, of: level, labels: [2]string{"delayedoperation", "Produce"}},
	{kind: "delayedoperationpurgatory", name: "numdelayedoperations", key: fact.MetricDelayedFetch, of: level, labels: [2]string{"delayedoperation", "Fetch"}},

	counter("brokertopicmetrics", "totalproducerequests", fact.MetricProduceRequests),
	counter("brokertopicmetrics", "totalfetchrequests", fact.MetricFetchRequests),
	counter("brokertopicmetrics", "failedproducerequests", fact.MetricFailedProduce),
	counter("brokertopicmetrics", "failedfetchrequests", fact.MetricFailedFetch),
	counter("brokertopicmetrics", "messagesin", fact.MetricMessagesIn),
	counter("brokertopicmetrics", "bytesin", fact.MetricBytesIn),
	counter("brokertopicmetrics", "bytesout", fact.MetricBytesOut),
	counter("brokertopicmetrics", "bytesrejected", fact.MetricBytesRejected),
	counter("brokertopicmetrics", "replicationbytesin", fact.MetricReplicationIn),
	counter("brokertopicmetrics", "replicationbytesout", fact.MetricReplicationOut),
	counter("brokertopicmetrics", "producemessageconversions", fact.MetricProduceConversions),
	counter("brokertopicmetrics", "fetchmessageconversions", fact.MetricFetchConversions),
	counter("brokertopicmetrics", "invalidmessagecrcrecords", fact.MetricInvalidCRC),

	{kind: "socketservermetrics", name: "connectioncount", key: fact.MetricConnections, of: []string{"", "value"}, among: sum},
	{kind: "socketservermetrics", name: "connectioncreation", key: fact.MetricConnectionsMade, of: total, among: sum},
	{kind: "socketservermetrics", name: "failedauthentication", key: fact.MetricFailedAuthentication, of: total, among: sum},
	gauge("kafkaserver", "brokerstate", fact.MetricBrokerState),
}

// facts is what the samples of one scrape say of a broker. A key that is not in
// it is not exported.
func facts(all []sample) map[*fact.Def]any {
	of := map[[2]string][]sample{}
	for _, s := range all {
		k := [2]string{s.kind, s.name}
		of[k] = append(of[k], s)
	}
	found := map[*fact.Def]any{}
	for _, m := range scalars {
		if _, done := found[m.key.Def()]; done {
			continue
		}
		if v, ok := m.take(of[[2]string{m.kind, m.name}]); ok {
			found[m.key.Def()] = v
		}
	}
	if times := requestTimes(of); len(times) > 0 {
		found[fact.MetricRequests.Def()] = times
	}
	if n, ok := counts(of[[2]string{"requestmetrics", "requests"}], "request"); ok {
		found[fact.MetricRequestCount.Def()] = n
	}
	if n, ok := counts(of[[2]string{"requestmetrics", "errors"}], "request", "error"); ok {
		found[fact.MetricErrors.Def()] = slices.DeleteFunc(n, func(c fact.NamedCount) bool { return c.Count == 0 || hasNoError(c.Name) })
	}
	if flush := of[[2]string{"logflushstats", "logflushrateandtimems"}]; len(flush) > 0 {
		count, times := spread(flush)
		found[fact.MetricLogFlush.Def()] = fact.Timer{Count: count, Times: times}
	}
	if t, ok := throttles(of); ok {
		found[fact.MetricThrottled.Def()] = t
	}
	return found
}

// take is the metric's number among the samples of its name. One without a topic
// stands for all topics; where there is none, the topics are added up.
func (m scalar) take(all []sample) (float64, bool) {
	for _, of := range m.of {
		var whole, parts float64
		wholes, topics := 0, 0
		for _, s := range all {
			if s.of != of || m.labels[0] != "" && s.labels[m.labels[0]] != m.labels[1] {
				continue
			}
			if s.labels["topic"] != "" {
				parts += s.value
				topics++
				continue
			}
			switch {
			case wholes > 0 && m.among != nil:
				whole = m.among(whole, s.value)
			case wholes == 0:
				whole = s.value
			}
			wholes++
		}
		scale := m.scale
		if scale == 0 {
			scale = 1
		}
		switch {
		case wholes > 0:
			return whole * scale, true
		case topics > 0:
			return parts * scale, true
		}
	}
	return 0, false
}

// phases is what Kafka calls the times of a request.
var phases = map[string]fact.Phase{
	"requestqueuetimems": fact.PhaseQueue, "localtimems": fact.PhaseLocal, "remotetimems": fact.PhaseRemote, "throttletimems": fact.PhaseThrottle,
	"responsequeuetimems": fact.PhaseResponseQueue, "responsesendtimems": fact.PhaseSend, "totaltimems": fact.PhaseTotal,
}

// timed is the requests whose times are kept: sixty others would cost more than
// they tell.
var timed = []string{"FetchConsumer", "FetchFollower", "Metadata", "Produce"}

func requestTimes(of map[[2]string][]sample) []fact.RequestTimes {
	var all []fact.RequestTimes
	for _, request := range timed {
		r := fact.RequestTimes{Request: request, Count: -1, Phases: map[fact.Phase]fact.Spread{}}
		for name, phase := range phases {
			var mine []sample
			for _, s := range of[[2]string{"requestmetrics", name}] {
				if s.labels["request"] == request {
					mine = append(mine, s)
				}
			}
			count, times := spread(mine)
			if phase == fact.PhaseTotal && count >= 0 {
				r.Count = count
			}
			if len(times) > 0 {
				r.Phases[phase] = times
			}
		}
		if len(r.Phases) > 0 || r.Count >= 0 {
			all = append(all, r)
		}
	}
	return all
}

// spread is the numbers of one histogram of milliseconds, in seconds, and its
// count; -1 without.
func spread(all []sample) (count float64, times fact.Spread) {
	count, times = -1, fact.Spread{}
	for _, s := range all {
		switch s.of {
		case "count", "":
			count = s.value
		case "mean", "max", "min", "p50", "p75", "p95", "p98", "p99", "p999":
			times[s.of] = math.Round(s.value*1000) / 1e6 // to a microsecond: longer numbers only fill recordings
		}
	}
	if len(times) == 0 {
		times = nil
	}
	return count, times
}

// maxCounts bounds how many named counters are kept.
const maxCounts = 200

// counts adds up counters by the values of some labels.
func counts(all []sample, labels ...string) ([]fact.NamedCount, bool) {
	by, seen := map[string]float64{}, false
	for _, s := range all {
		name := s.labels[labels[0]]
		if s.of != "count" && s.of != "" || name == "" {
			continue
		}
		for _, l := range labels[1:] {
			name += " " + s.labels[l]
		}
		by[name] += s.value
		seen = true
	}
	var sorted []fact.NamedCount
	for _, name := range slices.Sorted(maps.Keys(by)) {
		if len(sorted) < maxCounts {
			sorted = append(sorted, fact.NamedCount{Name: name, Count: by[name]})
		}
	}
	return sorted, seen
}

func hasNoError(name string) bool { return len(name) > 5 && name[len(name)-5:] == " NONE" }

// maxThrottled bounds how many clients that wait are named.
const maxThrottled = 100

// throttles is the clients that wait. A client that never had to has no number.
func throttles(of map[[2]string][]sample) (fact.Throttles, bool) {
	t := fact.Throttles{Clients: []fact.ClientThrottle{}}
	for _, quota := range []string{"produce", "fetch", "request"} {
		for _, s := range of[[2]string{quota, "throttletime"}] {
			t.Tracked++
			if s.value > 0 {
				t.Clients = append(t.Clients, fact.ClientThrottle{Quota: quota, User: s.labels["user"], Client: s.labels["clientid"], Seconds: s.value / 1000})
			}
		}
	}
	slices.SortFunc(t.Clients, func(a, b fact.ClientThrottle) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Quota, b.Quota), cmp.Compare(a.User, b.User), cmp.Compare(a.Client, b.Client))
	})
	if len(t.Clients) > maxThrottled {
		t.Clients = t.Clients[:maxThrottled]
	}
	return t, t.Tracked > 0
}

// nodeID is the node that the samples are of, as Kafka's app-info names it; -1
// where no rule exports that.
func nodeID(all []sample) int32 {
	for _, label := range []string{"id", "clientid"} {
		for _, s := range all {
			if s.kind != "appinfo" {
				continue
			}
			if n, err := strconv.ParseInt(s.labels[label], 10, 32); err == nil && n >= 0 {
				return int32(n)
			}
		}
	}
	return -1
}
