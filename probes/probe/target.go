package probe

import (
	"io"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Target is what the probes look at and with which settings. Its fields are
// set before the first probe runs; only Brokers changes later.
type Target struct {
	Bootstrap    []string          // host:port, from --bootstrap-server
	ClientConfig map[string]string // Java client properties, from --command-config
	BrokerConfig string            // server.properties, from --broker-config
	PID          int               // from --pid; 0: every broker on this host
	LogDirs      []string          // from --log-dir
	LogsDir      string            // from --kafka-logs
	MetricsURLs  []string          // from --metrics-url, each as metrics.ParseURL takes it
	GCLog        string            // from --gc-log
	Iostat       []byte            // what --iostat-file holds; nil: this host's disks are looked at
	Jstat        []byte            // what --jstat-file holds, in place of perf data; nil: nothing was captured
	Scan         int64             // from --scan: bytes of each log dir's segments to verify; 0: none, below 0: all
	Timeout      time.Duration     // for each broker and probe, from --timeout
	Root         string            // in front of /proc, /sys and /tmp: "" but in tests
	Version      string            // of ktriage, as it presents itself to brokers
	Now          func() time.Time  // the clock: time.Now but in tests
	Ledger       *Ledger           // what was sent, opened and run
	Suspects     Suspects          // partitions that something points at, to be looked into first
	Roll         Roll              // brokers as a log on this host has them, to be tried where none answers

	mu      sync.Mutex
	brokers []fact.LocalBroker
	rivals  []fact.LocalBroker
	shared  map[any]any
	closers []io.Closer
}

// Brokers is the brokers of this host as discovery last saw them, those that
// died since included.
func (t *Target) Brokers() []fact.LocalBroker {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.brokers
}

// SetBrokers is for discovery alone.
func (t *Target) SetBrokers(brokers []fact.LocalBroker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.brokers = brokers
}

// Rivals is the running processes of this host that bear one node id without
// being one broker: those of several clusters, between which PID must choose.
func (t *Target) Rivals() []fact.LocalBroker {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rivals
}

// SetRivals is for discovery alone.
func (t *Target) SetRivals(rivals []fact.LocalBroker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rivals = rivals
}

// Shared is the value that a package of probes keeps for a target between runs
// (connections, read positions): made at first use, one for each key. A value
// that is an io.Closer is closed with the target.
func Shared[T any](t *Target, key any, make func() T) T {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.shared[key]; ok {
		return v.(T)
	}
	if t.shared == nil {
		t.shared = map[any]any{}
	}
	v := make()
	t.shared[key] = v
	if c, ok := any(v).(io.Closer); ok {
		t.closers = append(t.closers, c)
	}
	return v
}

// Close lets go of what the probes keep.
func (t *Target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.closers {
		c.Close()
	}
	t.closers, t.shared = nil, nil
	return nil
}

// OnThisHost is where a client on a broker's own host finds a listener that is
// bound to a host: one on all interfaces is on loopback.
func OnThisHost(bound string) string {
	switch bound {
	case "", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return bound
}
