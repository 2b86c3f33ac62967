package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes of load: what is asked of a broker, and how.

var handlerSaturation = &Cause{
	ID: "request-handler-saturation", Title: "request handlers saturated", Fault: highLatency, Severity: Major, On: fact.Broker, Prior: 0.005,
	Doc: "All request handlers are busy: requests of every kind wait for one. Too few of them, or each request holds one too long.",
	Signs: []Link{
		{Sign: handlersBusy, Strength: Always, Decisive: true, Must: true},
		{Sign: requestsQueue, Strength: Often},
		{Sign: handlersAtCores, Strength: Sometimes, Decisive: true},
		{Sign: handlersBurn, Strength: Sometimes, Follows: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("request handlers of broker %s are saturated: %s", s.Name, gist(yes, handlersBusy, handlersAtCores, requestsQueue))
	},
}

var networkSaturation = &Cause{
	ID: "network-thread-saturation", Title: "network threads saturated", Fault: highLatency, Severity: Major, On: fact.Broker, Prior: 0.004,
	Doc: "A network thread is busy all the time: what its connections send and get waits. Large answers, TLS, or too few threads for a listener.",
	Signs: []Link{
		{Sign: networkThreadBusy, Strength: Always, Must: true},
		{Sign: responsesWait, Strength: Always, Decisive: true},
		{Sign: networkThreadAtCore, Strength: Often},
		{Sign: networkThreadsBurn, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{readsColdData, cpuThrottled},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("network threads of broker %s are saturated: %s", s.Name, gist(yes, networkThreadBusy, networkThreadAtCore, responsesWait))
	},
}

var quotaThrottle = &Cause{
	ID: "quota-throttle", Title: "clients held back by quotas", Fault: highLatency, Severity: Minor, On: fact.Broker, Prior: 0.006,
	Doc: "Clients exceed a quota and the broker makes them wait. That is what quotas are for; whether it is meant for this client, its owner knows.",
	Signs: []Link{
		{Sign: clientsThrottled, Strength: Always, Decisive: true},
	},
	Weigh: func(yes []SignState) Severity {
		if st := find(yes, clientsThrottled); st != nil && st.Value >= throttledLong {
			return Major
		}
		return Minor
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s holds clients back: %s", s.Name, gist(yes, clientsThrottled))
	},
}

var requestOverload = &Cause{
	ID: "request-overload", Title: "overloaded with requests", Fault: highCPU, Severity: Major, On: fact.Process, Prior: 0.004,
	Doc: "Request handlers burn the CPU: more is asked than the broker's processors can do. A storm of metadata requests, retries, many small requests.",
	Signs: []Link{
		{Sign: handlersBurn, Strength: Always, Decisive: true, Must: true},
		{Sign: processBusy, Strength: Often, Follows: true},
		{Sign: requestsQueue, Strength: Sometimes, Follows: true},
	},
	RulesOut: []*Sign{gcTimeShare},
	Leads:    []*Cause{handlerSaturation},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s is overloaded: %s", s.Name, gist(yes, handlersBurn, processBusy))
	},
}

var messageConversion = &Cause{
	ID: "message-conversion", Title: "messages are converted", Fault: highCPU, Severity: Minor, On: fact.Broker, Prior: 0.005,
	Doc: "The broker takes batches apart and makes them anew: a topic's compression.type differs from the producers', or clients speak an old format. It costs CPU and memory, and zero-copy.",
	Signs: []Link{
		{Sign: messagesConverted, Strength: Always, Decisive: true},
		{Sign: oldFormatOnDisk, Strength: Sometimes},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s makes batches anew: %s", s.Name, gist(yes, messagesConverted))
	},
}

var smallBatches = &Cause{
	ID: "small-batches", Title: "small batches", Fault: lowThroughput, Severity: Minor, On: fact.Broker, Prior: 0.006,
	Doc: "Producers send each record in a request of its own: the broker works for requests, not for data. linger.ms=0 with many partitions, or a flush after each record.",
	Signs: []Link{
		{Sign: batchesSmall, Strength: Always, Decisive: true},
		{Sign: singlesOnDisk, Strength: Often},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("producers of broker %s send records one by one: %s", s.Name, gist(yes, batchesSmall))
	},
}

var tlsHandshakes = &Cause{
	ID: "tls-handshakes", Title: "TLS handshakes", Fault: highCPU, Severity: Major, On: fact.Broker, Prior: 0.003,
	Doc: "Clients connect anew all the time, and each connection costs a handshake in a network thread: its CPU goes into keys.",
	Signs: []Link{
		{Sign: connectionsMade, Strength: Always, Must: true},
		{Sign: networkThreadsBurn, Strength: Always, Decisive: true, Must: true, Follows: true}, // heavy traffic does it too
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s is busy with new connections: %s", s.Name, gist(yes, connectionsMade, networkThreadsBurn))
	},
}

var slowFollower = &Cause{
	ID: "slow-follower", Title: "a follower is slow", Fault: highLatency, Severity: Major, On: fact.Broker, Prior: 0.004,
	Doc: "The follower cannot keep up with its leaders: producers with acks=all wait for it until it leaves the ISR, and again when it comes back.",
	Signs: []Link{
		{Sign: slowToFollow, Strength: Often, Decisive: true}, // not while each fetch ends in time
		{Sign: followersWaitedFor, Strength: Always, Decisive: true},
		{Sign: leftISR, Strength: Sometimes, Follows: true},
	},
	RulesOut: []*Sign{brokerNotLive},
	Leads:    []*Cause{underMinISR},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s follows too slowly: %s", s.Name, gist(yes, slowToFollow, followersWaitedFor))
	},
}

var humongousAllocation = &Cause{
	ID: "humongous-allocation", Title: "humongous allocations", Fault: memoryPressure, Severity: Major, On: fact.Process, Prior: 0.003,
	Doc: "Objects larger than half a region of G1 (large batches, large messages) are made so often that most collections are for them: a larger region makes them ordinary.",
	Signs: []Link{
		{Sign: humongousPauses, Strength: Always, Decisive: true, Must: true},
		{Sign: gcTimeShare, Strength: Sometimes, Follows: true},
	},
	RulesOut: []*Sign{heapFullAfterGC},
	Leads:    []*Cause{gcPause},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("the heap of broker %s is busy with humongous objects: %s", s.Name, gist(yes, humongousPauses))
	},
}

var allocationStorm = &Cause{
	ID: "allocation-storm", Title: "allocation storm", Fault: memoryPressure, Severity: Major, On: fact.Process, Prior: 0.004,
	Doc: "Objects are made and dropped so fast that young collections follow each other, while little survives: a small young generation, or a flood of requests.",
	Signs: []Link{
		{Sign: youngPausesPile, Strength: Always, Decisive: true, Must: true},
		{Sign: gcTimeShare, Strength: Often, Follows: true},
	},
	RulesOut: []*Sign{heapFullAfterGC, fullGCsRepeat, humongousPauses},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s collects without pause: %s", s.Name, gist(yes, youngPausesPile, gcTimeShare))
	},
}
