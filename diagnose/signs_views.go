package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of brokers that are there, and that others see otherwise: fenced, cut
// off, or advertised at an address that leads nowhere.

var fencedButAnswers = &Sign{
	ID: "fenced-but-answers", Title: "it answers and is fenced", On: fact.Broker, Trouble: true, Leak: 0.001,
	For:      15 * time.Second, // a broker that starts is fenced until it has caught up with the metadata
	Doc:      "The broker answers on a new connection, and the controller has fenced it for 15 s or more: clients are not sent to it, and it leads nothing.",
	Uses:     []fact.Key{fact.Registered, fact.BrokerReach, fact.Metadata, fact.LocalBrokers, fact.LogFenced, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		reach, reached := fact.BrokerReach.Latest(v, v.Subject)
		if reached && reach.Outcome != fact.Answered {
			return no("it does not answer: %s", came(reach))
		}
		all, known := fact.Registered.Latest(v, fact.TheCluster)
		if !known {
			return cannotTell(v.Why(fact.Registered, fact.TheCluster))
		}
		i := slices.IndexFunc(all, func(r fact.Registration) bool { return r.ID == id })
		switch {
		case i < 0:
			return no("it is not registered")
		case !all[i].Fenced:
			return no("not fenced")
		case !reached:
			return cannotTell(v.Why(fact.BrokerReach, v.Subject))
		}
		r := yes("it answers in %s, and the controller has fenced it", duration(reach.Seconds))
		if lines, ok := fact.LogFenced.Latest(v, v.Subject); ok && lines.Count > 0 {
			r.Text += " at " + clock(lines.Last)
			r.Since = lines.Last
		}
		r.Affected.Brokers = []int32{id}
		return r
	},
}

var isrUpdatesFail = &Sign{
	ID: "isr-updates-fail-logged", Title: "its changes of ISRs are not taken", On: fact.Broker, Leak: 0.01,
	Doc:   "Five or more times within ten minutes the controller (or ZooKeeper) did not take a new ISR from the broker, the last time within two: it leads by what it last knew, and others have moved on.",
	Needs: []fact.Key{fact.LogISRUpdateFailed},
	Test: func(v *View) Reading {
		r := often(v, fact.LogISRUpdateFailed, 5, "a new ISR was not taken")
		if lines, _ := fact.LogISRUpdateFailed.Latest(v, v.Subject); r.Outcome == Yes && v.Now().Sub(lines.Last) > 2*time.Minute {
			r.Outcome = No
		}
		return r
	},
}

var viewDisagrees = &Sign{
	ID: "view-disagrees", Title: "it sees another cluster than the others", On: fact.Broker, Trouble: true, Leak: 0.001,
	For:      10 * time.Second, // a change of leaders takes a moment to reach everyone
	Doc:      "The broker answers and calls itself live, most of the others do not list it, for 10 s or more: it is cut off from the controllers and works from what it last knew. Records that it takes meanwhile can be lost.",
	Uses:     []fact.Key{fact.Metadata, fact.BrokerReach},
	Subjects: func(v *View) []fact.Subject { return fact.Metadata.Subjects(v) },
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		if reach, known := fact.BrokerReach.Latest(v, v.Subject); known && reach.Outcome != fact.Answered {
			return notApplicable("it does not answer")
		}
		own, known := fact.Metadata.Latest(v, v.Subject)
		if !known {
			return cannotTell(v.Why(fact.Metadata, v.Subject))
		}
		listed, asked := 0, 0
		for _, b := range fact.Metadata.Subjects(v) {
			if view, known := fact.Metadata.Latest(v, b); known && b != v.Subject {
				asked++
				if view.Lives(id) {
					listed++
				}
			}
		}
		switch {
		case asked == 0:
			return notApplicable("no other broker answers: nothing to compare with")
		case !own.Lives(id):
			return no("it does not call itself live")
		case 2*listed >= asked:
			return no("%d of %d other brokers list it too", listed, asked)
		}
		best, _ := clusterView(v)
		claims := claimed(own, best, id)
		r := yes("it calls itself live and leader of %s that others lead by now; %d of %d others list it", plural(claims, "partition"), listed, asked)
		r.Affected.Brokers, r.Affected.Partitions = []int32{id}, claims
		return r
	},
}

// claimed is how many partitions a broker's own view says that it leads, and a
// view of later elections gives to another.
func claimed(own fact.MetadataView, best *clusterViewOf, id int32) (n int) {
	type place struct {
		topic     string
		partition int32
	}
	leads := map[place]int32{}
	for p := range best.Partition {
		leads[place{best.topic(p), best.Partition[p]}] = best.Leader[p]
	}
	for p := range own.Partition {
		if int(own.Topic[p]) >= len(own.Topics) || own.Leader[p] != id {
			continue
		}
		if leader, ok := leads[place{own.Topics[own.Topic[p]], own.Partition[p]}]; ok && leader != id {
			n++
		}
	}
	return n
}

var liveButUnreachable = &Sign{
	ID: "advertised-unreachable", Title: "the address it advertises leads nowhere", On: fact.Broker, Trouble: true, Leak: 0.001,
	For:      30 * time.Second, // a broker that died is live until its session times out
	Doc:      "The broker is live for the cluster, for 30 s or more unless it answers at another address, and the address that it advertises is refused, cannot be resolved or does not answer from here: clients that find it through another broker fail.",
	Uses:     []fact.Key{fact.Metadata, fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		if len(fact.Metadata.Subjects(v)) == 0 {
			return cannotTell(v.why(fact.Metadata))
		}
		reach, ok := fact.BrokerReach.Latest(v, v.Subject)
		if !ok {
			return cannotTell(v.Why(fact.BrokerReach, v.Subject))
		}
		at := fact.OwnAddress{Address: reach.Address, Step: reach.Step, Outcome: reach.Outcome}
		if reach.Own != nil {
			at = *reach.Own
		}
		if at.Outcome == fact.Answered {
			return no("%s answers", at.Address)
		}
		// Who answers at another address speaks for itself: it may be the only broker.
		if !listedByOthers(v, id) && (reach.Own == nil || !listsItself(v, id)) {
			return no("the cluster does not list it as live")
		}
		leadsNowhere := at.Step == fact.Resolve || at.Step == fact.Connect
		if !leadsNowhere {
			return no("%s is reached: %s at %s", at.Address, at.Outcome, at.Step)
		}
		r := yes("the cluster lists it as live at %s, and that is %s from here", at.Address, at.Outcome)
		if reach.Own != nil {
			r.Text += "; it answers at " + reach.Address
			r.Lasting = true // who answers has not died
		}
		r.Affected.Brokers = []int32{id}
		return r
	},
}

// listsItself says whether a broker counts itself among the live.
func listsItself(v *View, id int32) bool {
	view, known := fact.Metadata.Latest(v, v.Subject)
	return known && view.Lives(id)
}

// listedByOthers says whether a broker other than the one with an id lists it as live.
func listedByOthers(v *View, id int32) bool {
	return slices.ContainsFunc(fact.Metadata.Subjects(v), func(b fact.Subject) bool {
		view, known := fact.Metadata.Latest(v, b)
		return known && b != fact.BrokerOf(id) && view.Lives(id)
	})
}

var wrongProtocol = &Sign{
	ID: "wrong-protocol", Title: "its port speaks something else", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "The port answers with bytes that are no Kafka frame (a TLS alert, HTTP), or does not speak TLS where it was spoken to, or does not offer the SASL mechanism: security.protocol or sasl.mechanism of the client do not fit the listener.",
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *View) Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		about := reach.Detail
		if about == "" {
			about = came(reach)
		}
		switch {
		case reach.Outcome == fact.Garbled:
			return yes("%s answers, and not as Kafka: %s", reach.Address, about)
		case reach.Outcome == fact.Closed && reach.Step == fact.TLS:
			return yes("%s closes at the first bytes of TLS", reach.Address)
		case reach.Outcome == fact.Denied && reach.Step == fact.SASL && (strings.Contains(about, "does not offer the mechanism") || strings.Contains(about, "does not use SASL")):
			return yes("%s: %s", reach.Address, about)
		case reach.Outcome == fact.Closed && strings.Contains(about, "security.protocol SASL_"):
			return yes("%s: %s", reach.Address, about)
		}
		return no("%s: %s", reach.Address, came(reach))
	},
}

var credentialsRejected = &Sign{
	ID: "credentials-rejected", Title: "it rejects our credentials", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "SASL or TLS authentication of this console with the broker fails, while the protocol and mechanism fit: user, password, ticket or certificate are not accepted.",
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *View) Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		denied := reach.Outcome == fact.Denied && (reach.Step == fact.SASL || reach.Step == fact.TLS)
		if !denied || strings.Contains(reach.Detail, "does not offer the mechanism") || strings.Contains(reach.Detail, "does not use SASL") {
			return no("%s: %s", reach.Address, came(reach))
		}
		about := reach.Detail
		if about == "" {
			about = came(reach)
		}
		return yes("%s: %s", reach.Address, about)
	},
}
