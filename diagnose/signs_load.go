package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs that a broker's metrics give. Most brokers have no endpoint to read: then
// they are unknown, and say so.

// Limits of what metrics show.
const (
	handlersBusyLimit = 0.3  // idle share below which handlers or network threads are short
	youngSeconds      = 65.0 // idle shares of a younger broker mean nothing yet
	phaseSlow         = 0.02 // seconds of a phase, on average, from where it is worth a name
	flushSlow         = 0.1  // seconds of an fsync of a segment, on average
	convertedShare    = 0.1  // of messages
	throttledLong     = 0.1  // seconds that a client is held back, on average
)

// young says whether the sign's broker is too young for its idle shares to mean
// anything; a start that is not exported is taken for long ago.
func young(v *View) bool {
	started, ok := fact.MetricStarted.Latest(v, v.Subject)
	return ok && float64(v.Now().Unix())-started < youngSeconds
}

// phase is the mean of one phase of a type of request; -1: not exported.
func phase(v *View, request string, of fact.Phase) float64 {
	all, _ := fact.MetricRequests.Latest(v, v.Subject)
	for _, r := range all {
		if mean, ok := r.Phases[of]["mean"]; ok && r.Request == request {
			return mean
		}
	}
	return -1
}

// largestPhase is the phase that takes most of a type of request, on average.
func largestPhase(v *View, request string) (of fact.Phase, mean float64) {
	all, _ := fact.MetricRequests.Latest(v, v.Subject)
	times, _ := timesOf(all, request)
	return longestPhase(times)
}

// longestPhase is the phase that takes most of some requests, on average.
func longestPhase(times fact.RequestTimes) (of fact.Phase, mean float64) {
	for _, p := range []fact.Phase{fact.PhaseQueue, fact.PhaseLocal, fact.PhaseRemote, fact.PhaseResponseQueue, fact.PhaseSend} {
		if m := times.Phases[p]["mean"]; m > mean {
			of, mean = p, m
		}
	}
	return of, mean
}

var handlersBusy = &Sign{
	ID: "handlers-busy", Title: "its request handlers are all busy", On: fact.Broker, Trouble: true, Leak: 0.002,
	Doc:   "Request handlers are idle less than 30% of the time, on a broker that has been up for more than a minute: over the last minute, or between two looks while requests wait for one.",
	Needs: []fact.Key{fact.MetricHandlerIdle},
	Uses:  []fact.Key{fact.MetricStarted, fact.MetricHandlerIdleSeconds, fact.MetricQueue},
	Test: func(v *View) Reading {
		idle, _ := fact.MetricHandlerIdle.Latest(v, v.Subject)
		if young(v) {
			return notYet("it has just started: idle shares are not settled")
		}
		// The gauge follows a minute behind.
		by, over, counted := fact.Growth(fact.MetricHandlerIdleSeconds, v, v.Subject, hostWindow)
		if waiting, _ := fact.MetricQueue.Latest(v, v.Subject); counted && over >= 2 && waiting >= 1 && by/over < idle {
			return atMost(by/over, handlersBusyLimit, "request handlers idle %s of the last %s, %.0f requests wait", percent(by/over), duration(over), waiting)
		}
		return atMost(idle, handlersBusyLimit, "request handlers idle %s of the time", percent(idle))
	},
}

// atMost is yes where a share is below its limit.
func atMost(value, limit float64, format string, args ...any) Reading {
	r := Reading{Outcome: No, Text: fmt.Sprintf(format, args...), Value: value, Unit: fact.Ratio, Limit: limit, Below: true}
	if value < limit {
		r.Outcome = Yes
	}
	return r
}

var requestsQueue = &Sign{
	ID: "requests-queue", Title: "requests wait for a handler", On: fact.Broker, Trouble: true, Leak: 0.005,
	Doc:   "Produce requests wait for a request handler for 20 ms or more on average, and that is their longest phase or as long as the local one: each connection has one request inside, so that few connections cannot queue for longer.",
	Needs: []fact.Key{fact.MetricRequests},
	Test: func(v *View) Reading {
		queue, local := phase(v, "Produce", fact.PhaseQueue), phase(v, "Produce", fact.PhaseLocal)
		if queue < 0 {
			return cannotTell(&fact.Unknown{Reason: fact.NotSupported, Detail: "the queue time of Produce is not exported"})
		}
		of, longest := largestPhase(v, "Produce")
		r := atLeast(queue, phaseSlow, fact.Seconds, "Produce waits %s for a handler; its longest phase is %s with %s", duration(queue), of, duration(longest))
		if queue < 0.8*max(local, longest) {
			r.Outcome = No
		}
		return r
	},
}

var networkThreadBusy = &Sign{
	ID: "network-thread-busy", Title: "a network thread is busy all the time", On: fact.Broker, Trouble: true, Leak: 0.002,
	Doc:   "The network thread that is idle least is idle less than 30% of the time, on a broker that has been up for more than a minute. The mean hides one of several listeners.",
	Needs: []fact.Key{fact.MetricNetworkLeastIdle},
	Uses:  []fact.Key{fact.MetricStarted},
	Test: func(v *View) Reading {
		idle, _ := fact.MetricNetworkLeastIdle.Latest(v, v.Subject)
		if young(v) {
			return notYet("it has just started: idle shares are not settled")
		}
		return atMost(idle, handlersBusyLimit, "one network thread idle %s of the time", percent(idle))
	},
}

var responsesWait = &Sign{
	ID: "responses-wait", Title: "answers wait to be sent", On: fact.Broker, Trouble: true, Leak: 0.005,
	Doc:   "For Produce or FetchConsumer, waiting for the network thread or sending takes longest, 10 ms or more on average.",
	Needs: []fact.Key{fact.MetricRequests},
	Test: func(v *View) Reading {
		worst, text := 0.0, ""
		for _, request := range []string{"Produce", "FetchConsumer"} {
			of, mean := largestPhase(v, request)
			if (of == fact.PhaseResponseQueue || of == fact.PhaseSend) && mean > worst {
				worst, text = mean, fmt.Sprintf("%s spends %s in %s", request, duration(mean), of)
			}
		}
		if text == "" {
			return no("answers are sent at once")
		}
		return atLeast(worst, 0.01, fact.Seconds, "%s", text)
	},
}

var networkThreadsBurn = &Sign{
	ID: "network-threads-burn", Title: "network threads use most of its CPU", On: fact.Process, Leak: 0.05,
	Doc:   "Half or more of the CPU time of the broker over the last minute was used by network threads, and a quarter of the host's processors or more.",
	Needs: []fact.Key{fact.JVMThreadRoles},
	Uses:  []fact.Key{fact.CPUs},
	Test:  func(v *View) Reading { return burning(v, "network", 0.25) },
}

var handlersBurn = &Sign{
	ID: "handlers-burn", Title: "request handlers use most of its CPU", On: fact.Process, Leak: 0.05,
	Doc:   "Half or more of the CPU time of the broker over the last minute was used by request handlers, and 40% of the host's processors or more.",
	Needs: []fact.Key{fact.JVMThreadRoles},
	Uses:  []fact.Key{fact.CPUs},
	Test:  func(v *View) Reading { return burning(v, "request-handler", 0.4) },
}

// burning says whether threads of a role use most of a process's CPU time, and at
// least a share of the host's.
func burning(v *View, role string, ofHost float64) Reading {
	const half = 0.5
	past := v.Past(fact.JVMThreadRoles.Def(), v.Subject)
	if len(past) < 2 {
		return notYet("wants two samples")
	}
	newest := past[len(past)-1]
	i := slices.IndexFunc(past, func(s fact.Sample) bool { return newest.At.Sub(s.At) <= hostWindow })
	over := newest.At.Sub(past[i].At).Seconds()
	if over <= 0 {
		return notYet("wants two samples")
	}
	sum, own := 0.0, 0.0
	now, _ := newest.Value.([]fact.ThreadRole)
	before, _ := past[i].Value.([]fact.ThreadRole)
	for _, r := range now {
		by := r.CPU
		if j := slices.IndexFunc(before, func(b fact.ThreadRole) bool { return b.Role == r.Role }); j >= 0 {
			by = max(0, by-before[j].CPU)
		}
		if sum += by; r.Role == role {
			own = by
		}
	}
	if sum == 0 {
		return no("it used no CPU")
	}
	r := atLeast(own/sum, half, fact.Ratio, "%s threads used %.2f of its %.2f CPUs", role, own/over, sum/over)
	cpus := 1.0
	if host, ok := theHost(v, fact.CPUs); ok {
		if n, known := fact.CPUs.Latest(v, host); known && n > 0 {
			cpus = n
		}
	}
	if own/over < ofHost*cpus {
		r.Outcome = No
	}
	return r
}

var clientsThrottled = &Sign{
	ID: "clients-throttled", Title: "quotas hold clients back", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "Clients that have a series of their own wait for a quota, 1 ms or more on average. The mean over all requests would hide them; a client that was never held back is not listed.",
	Needs: []fact.Key{fact.MetricThrottled},
	Uses:  []fact.Key{fact.Quotas},
	Test: func(v *View) Reading {
		t, _ := fact.MetricThrottled.Latest(v, v.Subject)
		quotas, _ := fact.Quotas.Latest(v, fact.TheCluster)
		var who []string
		longest := 0.0
		for _, c := range t.Clients {
			if c.Seconds < 0.001 {
				continue
			}
			name := c.Client
			if c.User != "" {
				name = c.User
			}
			who = append(who, fmt.Sprintf("%s (%s, %s%s)", name, c.Quota, duration(c.Seconds), quotaOf(c, quotas)))
			longest = max(longest, c.Seconds)
		}
		r := atLeast(longest, 0.001, fact.Seconds, "no client is held back by a quota")
		if len(who) > 0 {
			r.Text = "held back by a quota: " + listed(who)
		}
		return r
	},
}

// quotaKeys is the setting behind each kind of quota, as the metrics name them.
var quotaKeys = map[string]string{"produce": "producer_byte_rate", "fetch": "consumer_byte_rate", "request": "request_percentage"}

// quotaOf says which quota a client waits for. The metric has the user, the client
// id, or both, as the quota has that counts; of one with a name and a default, the
// one with the name counts.
func quotaOf(c fact.ClientThrottle, all []fact.ClientQuota) string {
	names := map[string]string{}
	if c.User != "" {
		names["user"] = c.User
	}
	if c.Client != "" {
		names["client-id"] = c.Client
	}
	text, best := "", -1
	for _, q := range all {
		named := 0
		for _, e := range q.Entity {
			switch name, has := names[e.Type]; {
			case has && e.Name == name && !e.Default:
				named++
			case !has || !e.Default:
				named = -10
			}
		}
		if q.Key != quotaKeys[c.Quota] || len(q.Entity) != len(names) || named <= best {
			continue
		}
		best, text = named, fmt.Sprintf(" for %s=%s/s", q.Key, size(q.Value))
		if c.Quota == "request" {
			text = fmt.Sprintf(" for %s=%g", q.Key, q.Value)
		}
	}
	return text
}

var messagesConverted = &Sign{
	ID: "messages-converted", Title: "it converts or compresses messages anew", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "10% or more of the messages produced over the last minute, at ten a second or more, were converted to another format or compressed anew; Kafka 4 counts both as one.",
	Needs: []fact.Key{fact.MetricProduceConversions, fact.MetricMessagesIn},
	Uses:  []fact.Key{fact.MetricFetchConversions},
	Test: func(v *View) Reading {
		produced, over, ok1 := rate(fact.MetricProduceConversions, v, v.Subject)
		all, _, ok2 := rate(fact.MetricMessagesIn, v, v.Subject)
		if !ok1 || !ok2 {
			return notYet("wants two samples")
		}
		fetched, _, _ := rate(fact.MetricFetchConversions, v, v.Subject)
		share := 0.0
		if all > 0 {
			share = (produced + fetched) / all
		}
		r := atLeast(share, convertedShare, fact.Ratio, "%.0f of %.0f messages/s converted or compressed anew, over %s", produced+fetched, all, duration(over))
		if produced+fetched < 10 {
			r.Outcome = No
		}
		return r
	},
}

var batchesSmall = &Sign{
	ID: "batches-small", Title: "its batches hold one record", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "Over the last minute there were hardly more messages than produce requests by partition (1.5 at most for each), 200 requests a second or more: producers send each record alone.",
	Needs: []fact.Key{fact.MetricProduceRequests, fact.MetricMessagesIn},
	Test: func(v *View) Reading {
		const alone, many = 1.5, 200
		requests, over, ok1 := rate(fact.MetricProduceRequests, v, v.Subject)
		messages, _, ok2 := rate(fact.MetricMessagesIn, v, v.Subject)
		if !ok1 || !ok2 {
			return notYet("wants two samples")
		}
		if requests == 0 {
			return no("nothing is produced")
		}
		r := no("%.1f messages for each produce request, %.0f requests/s over %s", messages/requests, requests, duration(over))
		r.Value, r.Unit, r.Limit, r.Below = messages/requests, fact.Count, alone, true
		if r.Value <= alone && requests >= many && messages > 0 {
			r.Outcome = Yes
		}
		return r
	},
}

var connectionsMade = &Sign{
	ID: "connections-made", Title: "connections are made all the time", On: fact.Broker, Trouble: true, Leak: 0.005,
	Doc:   "20 or more new connections a second over the last minute: clients that do not keep theirs, or that fail and try again.",
	Needs: []fact.Key{fact.MetricConnectionsMade},
	Test: func(v *View) Reading {
		made, over, ok := rate(fact.MetricConnectionsMade, v, v.Subject)
		if !ok {
			return notYet("wants two samples")
		}
		return atLeast(made, 20, fact.Count, "%.0f new connections/s over %s", made, duration(over))
	},
}

var logFlushSlow = &Sign{
	ID: "log-flush-slow", Title: "its fsyncs are slow", On: fact.Broker, Trouble: true, Leak: 0.003,
	Doc:   "An fsync of a log segment takes 100 ms or more on average, as the broker's metrics tell, and Produce spends most of its time in the local phase or in the queue before it.",
	Needs: []fact.Key{fact.MetricLogFlush, fact.MetricRequests},
	Test: func(v *View) Reading {
		flush, _ := fact.MetricLogFlush.Latest(v, v.Subject)
		mean, ok := flush.Times["mean"]
		if !ok {
			return cannotTell(&fact.Unknown{Reason: fact.NotSupported, Detail: "the mean of the flush time is not exported"})
		}
		of, longest := largestPhase(v, "Produce")
		r := atLeast(mean, flushSlow, fact.Seconds, "an fsync takes %s, Produce %s in its longest phase (%s)", duration(mean), duration(longest), of)
		if of != fact.PhaseLocal && of != fact.PhaseQueue || longest < phaseSlow {
			r.Outcome = No
		}
		return r
	},
}

var slowToFollow = &Sign{
	ID: "slow-to-follow", Title: "leaders wait for it", On: fact.Broker, Trouble: true, Leak: 0.003,
	Doc:      "Within ten minutes leaders put this live broker out of ISRs three times or more though it was past the high watermark and moving: it follows, too slowly.",
	Uses:     []fact.Key{fact.LogISRShrinks, fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.Metadata, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		const enough = 3
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		n := 0
		var first time.Time
		read := false
		for _, leader := range fact.LogISRShrinks.Subjects(v) {
			lines, known := fact.LogISRShrinks.Latest(v, leader)
			read = read || known
			for _, l := range lines {
				if l.Follower == id && l.FollowerEnd > l.HighWatermark && v.Now().Sub(l.At) <= recently {
					if n++; first.IsZero() || l.At.Before(first) {
						first = l.At
					}
				}
			}
		}
		if !read {
			return cannotTell(v.why(fact.LogISRShrinks))
		}
		r := atLeast(float64(n), enough, fact.Count, "put out of ISRs %d times in %s while it moved", n, recently)
		if view, known := clusterView(v); known && !view.Lives(id) {
			r.Outcome = No
		}
		if r.Outcome == Yes {
			r.Since = first
		}
		return r
	},
}
