package probe

import (
	"context"
	"sync"
	"time"
)

// Registration is a broker as a metadata log on this host last had it.
type Registration struct {
	ID        int32
	Endpoints []Endpoint
}

// Endpoint is a listener as a broker registered it.
type Endpoint struct {
	Listener string // its name, such as INTERNAL
	Protocol string // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; "": not known
	Address  string // host:port
}

// Roll is the brokers that are registered in this host's cluster, from a log on its
// disk: addresses to try where nobody answers who could tell any. Safe for use by
// several goroutines; the zero value has none, and nobody reads one.
type Roll struct {
	mu      sync.Mutex
	from    int32 // whose log, by node id; -1: not known
	all     []Registration
	reading chan struct{} // closed when who reads has ended; nil: nobody has begun
}

// Begin says that the roll is being read; the caller calls end when it has been
// read, or will not be.
func (r *Roll) Begin() (end func()) {
	done := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = done
	return sync.OnceFunc(func() { close(done) })
}

// Tell sets what was read, and from whose log.
func (r *Roll) Tell(from int32, all []Registration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from, r.all = from, all
}

// begins is how long a reader that starts at the same time is given to begin.
const begins = 200 * time.Millisecond

// Await is the roll, once nobody reads in it any more or the context ends. Where
// nobody begins to read it does not wait for long.
func (r *Roll) Await(ctx context.Context) (from int32, all []Registration) {
	look := func() (reading chan struct{}) {
		r.mu.Lock()
		defer r.mu.Unlock()
		from, all = r.from, r.all
		return r.reading
	}
	reading := look()
	for end := time.Now().Add(begins); reading == nil && time.Now().Before(end) && ctx.Err() == nil; reading = look() {
		time.Sleep(5 * time.Millisecond)
	}
	if reading != nil {
		select {
		case <-reading:
		case <-ctx.Done():
		}
		look()
	}
	return from, all
}
