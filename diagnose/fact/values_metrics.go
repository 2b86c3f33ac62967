package fact

// Spread is how a measure is spread, as a metrics endpoint tells it: "mean",
// "max", "p50", "p95", "p99", "p999" and their like, each only where it is
// exported. Kafka's histograms weigh the last five minutes or so, and keep old
// values while nothing new comes.
type Spread map[string]float64

// MetricsEndpoint is a metrics endpoint that was read.
type MetricsEndpoint struct {
	URL     string  `json:"url"`      // without user, password and query
	Format  string  `json:"format"`   // "prometheus" or "jolokia"
	FoundBy string  `json:"found_by"` // "--metrics-url", or the agent among the broker's JVM flags
	Samples int     `json:"samples"`  // how many of its samples are known
	Seconds float64 `json:"seconds"`  // how long it took to answer
}

// RequestTimes is the times of one type of request, in seconds.
type RequestTimes struct {
	Request string           `json:"request"`          // Produce, FetchConsumer, FetchFollower, Metadata
	Count   float64          `json:"count"`            // since the broker started; -1: not exported
	Phases  map[Phase]Spread `json:"phases,omitempty"` // those that are exported
}

// Phase is a part of the time that a broker spends on a request.
type Phase string

// The phases, in the order in which a request goes through them.
const (
	PhaseQueue         Phase = "request-queue"
	PhaseLocal         Phase = "local"
	PhaseRemote        Phase = "remote"
	PhaseThrottle      Phase = "throttle"
	PhaseResponseQueue Phase = "response-queue"
	PhaseSend          Phase = "response-send"
	PhaseTotal         Phase = "total"
)

// Timer is how often something was done and how long it took, in seconds.
type Timer struct {
	Count float64 `json:"count"` // since the broker started; -1: not exported
	Times Spread  `json:"times,omitempty"`
}

// Throttles is the clients that quotas hold back now.
type Throttles struct {
	Tracked int              `json:"tracked"` // clients with a series of their own
	Clients []ClientThrottle `json:"clients"` // those that wait, longest first, at most 100
}

// ClientThrottle is one client that is held back.
type ClientThrottle struct {
	Quota   string  `json:"quota"` // produce, fetch, request
	User    string  `json:"user,omitempty"`
	Client  string  `json:"client,omitempty"`
	Seconds float64 `json:"seconds"` // mean throttle time of its requests
}

// NamedCount is a counter of something that has a name.
type NamedCount struct {
	Name  string  `json:"name"`
	Count float64 `json:"count"`
}
