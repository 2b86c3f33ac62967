package kafka

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// roster is what the probes of this package keep between runs: which brokers
// there are, how to reach them and the connections to them.
type roster struct {
	target   *probe.Target
	door     *door
	refused  error         // settings that connections cannot be made with
	patience time.Duration // with one broker
	adopted  adopted

	mu       sync.Mutex
	given    []string             // addresses from flags, and of brokers of this host without an id
	peers    map[string]*peer     // by name: "3", or "host:port" while the id is not known
	places   map[string]place     // of addresses
	fronts   map[string]int32     // which broker was last found behind an address that is not its own
	enlisted map[string]int32     // addresses that only a metadata log names, and the node whose it is
	nameless map[string]time.Time // addresses whose broker would not say which one it is
	rejected map[string]rejection // addresses where the credentials were not accepted
	surveyed time.Time
	running  chan struct{} // closed when the survey that runs has ended; nil: none runs
	view     *fact.MetadataView
	denials  map[string]denial
	electors map[string]int32 // addresses of controllers, and which one it is; -1: not known
	trials   map[fact.Right]trial
	logdirs  map[string][]string // paths last seen, by name of broker
	groups   map[string]listing  // groups last seen, by id
	listed   bool                // a broker has listed its groups
	held     *[]partition        // where the last stable offset is held back, the most first; nil: not known

	doubts  []question         // leader epochs that commits put in question
	doubted *fact.MetadataView // the view that doubts index; nil: no commits are known
	glances *[]glance          // partitions where groups lag most; nil: no commits are known
	onDisk  map[string]bool    // topics that are known not to be in tiered storage

	endsBefore *logEnds // of the round before; nil: not known

	closed bool

	trying chan struct{} // has room for who tries a right
}

// peer is one broker as it is known.
type peer struct {
	name  string
	id    int32    // -1: not known
	own   []string // its addresses: advertised, or listeners in its own configuration
	told  []string // those of them that the cluster tells clients
	reach fact.Reach
	tried time.Time // when reach was seen; zero: never
	door  *door     // nil in tests
	taken error     // why reach says nothing of it: who else answers at its address, or what this host lacks; nil: it does
	idle  []*link

	controls bool // it is asked as a controller, at another listener than a broker's

	software string // "4.3", when it last answered
	apis     *fact.APIRanges
	features *fact.Features
}

// place is where an address leads: equal places are the same socket.
type place struct {
	name string
	at   time.Time
}

// rejection is how credentials fared that are not tried again for a while.
type rejection struct {
	err   *stepError
	until time.Time
}

// denial is a request that was denied lately.
type denial struct {
	because *fact.Unknown
	until   time.Time
}

type rosterKey struct{}

// rosterOf is the target's roster, with the brokers that are known by now.
func rosterOf(t *probe.Target) (*roster, error) {
	r := probe.Shared(t, rosterKey{}, func() *roster { return newRoster(t) })
	if r.refused != nil {
		return nil, r.refused
	}
	r.adopt(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range t.Bootstrap {
		r.give(a)
	}
	for _, b := range t.Brokers() {
		if b.Roles == "controller" {
			continue
		}
		for _, a := range r.adopted.entrances(b) {
			if b.NodeID < 0 {
				r.give(a)
			} else {
				r.learn(b.NodeID, a)
			}
		}
	}
	return r, nil
}

func newRoster(t *probe.Target) *roster {
	r := &roster{target: t, patience: patience(t), peers: map[string]*peer{}, places: map[string]place{},
		fronts: map[string]int32{}, enlisted: map[string]int32{}, nameless: map[string]time.Time{}, rejected: map[string]rejection{},
		denials: map[string]denial{}, trials: map[fact.Right]trial{}, trying: make(chan struct{}, 1), logdirs: map[string][]string{}, electors: map[string]int32{}, groups: map[string]listing{}}
	s, err := readSecurity(t.ClientConfig)
	if err != nil {
		r.refused = probe.Fail(fact.NotSupported, "client properties: "+err.Error(), "")
		return r
	}
	r.door = &door{version: t.Version, ledger: t.Ledger, exists: r.exists}
	r.door.security.Store(s)
	return r
}

// patience is how long one broker is waited for. It is less than the timeout of
// a probe, so that there is time left to ask another one and to say what was
// seen.
func patience(t *probe.Target) time.Duration {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	return timeout * 3 / 5
}

// Close closes every connection.
func (r *roster) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, p := range r.peers {
		p.hangUp()
	}
	return nil
}

func (p *peer) hangUp() {
	for _, l := range p.idle {
		l.close()
	}
	p.idle = nil
}

// give adds an address whose broker is not known.
func (r *roster) give(address string) {
	if !slices.Contains(r.given, address) {
		r.given = append(r.given, address)
	}
}

// learn notes an address of a broker.
func (r *roster) learn(id int32, address string) {
	name := strconv.Itoa(int(id))
	p := r.peers[name]
	if p == nil {
		p = &peer{name: name, id: id, door: r.door}
		r.peers[name] = p
	}
	if !slices.Contains(p.own, address) {
		p.own = append(p.own, address)
	}
}

// hear notes an address of a broker that the cluster tells its clients.
func (r *roster) hear(id int32, address string) {
	r.learn(id, address)
	if p := r.peers[strconv.Itoa(int(id))]; !slices.Contains(p.told, address) {
		p.told = append(p.told, address)
	}
}

// addresses is every address there is to try; see turnToRoll for more.
func (r *roster) addresses() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.given)
	for _, p := range r.sorted() {
		for _, address := range p.own {
			if !r.isEnlisted(address) {
				all = append(all, address)
			}
		}
	}
	return all
}

// crew is the brokers as last surveyed, those with an id first.
func (r *roster) crew() []*peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(r.sorted(), func(p *peer) bool { return p.tried.IsZero() })
}

func (r *roster) sorted() []*peer {
	all := make([]*peer, 0, len(r.peers))
	for _, p := range r.peers {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *peer) int {
		// As unsigned numbers those without an id, -1, come last.
		return cmp.Or(cmp.Compare(uint32(a.id), uint32(b.id)), strings.Compare(a.name, b.name))
	})
	return all
}

// owners is the brokers that a place belongs to by what is known, sorted: more
// than one where all advertise the same address. The roster's lock is held.
func (r *roster) owners(where string) []*peer {
	return slices.DeleteFunc(r.sorted(), func(p *peer) bool {
		return p.id < 0 || !slices.ContainsFunc(p.own, func(own string) bool { return r.places[own].name == where })
	})
}

// owner is the one broker that a place belongs to; -1: none, or several.
func (r *roster) owner(where string) int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all := r.owners(where); len(all) == 1 {
		return all[0].id
	}
	return -1
}

// locate resolves an address, so that "localhost:9092" and "127.0.0.1:9092" are
// known to be one place. A name that cannot be resolved is a place of its own.
func (r *roster) locate(ctx context.Context, address string) string {
	r.mu.Lock()
	known, ok := r.places[address]
	r.mu.Unlock()
	if ok && time.Since(known.at) < time.Minute {
		return known.name
	}
	name := resolve(ctx, address)
	r.mu.Lock()
	r.places[address] = place{name, time.Now()}
	r.mu.Unlock()
	return name
}

func resolve(ctx context.Context, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return address
	}
	if slices.Contains(ips, "127.0.0.1") { // what else localhost resolves to is the same host
		ips = slices.DeleteFunc(ips, func(ip string) bool { return ip == "::1" })
	}
	slices.Sort(ips)
	return strings.Join(slices.Compact(ips), ",") + " " + port
}

// exists says whether a broker told of a topic.
func (r *roster) exists(topic string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view == nil {
		return false
	}
	_, found := slices.BinarySearch(r.view.Topics, topic)
	return found
}

// subject is the broker as facts name it.
func (p *peer) subject() fact.Subject { return fact.Subject{Scope: fact.Broker, Name: p.name} }

// String is the broker as sentences and the ledger name it.
func (p *peer) String() string {
	if p.controls {
		return "controller " + p.name
	}
	return "broker " + p.name
}

// down says why a broker cannot be asked, as the last survey saw it; nil when it
// can. It reads what the roster's lock guards.
func (p *peer) down() error {
	if p.taken != nil {
		return p.taken
	}
	if p.reach.Outcome == fact.Answered || time.Since(p.tried) > freshness {
		return nil
	}
	return p.unknown(p.reach)
}

// isDown says whether the last survey found a broker dead.
func (r *roster) isDown(p *peer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.down() != nil
}

// unknown is the error of whatever wanted a broker that could not be reached so.
func (p *peer) unknown(reach fact.Reach) error {
	e := stepError{step: reach.Step, outcome: reach.Outcome}
	detail := fmt.Sprintf("%s at %s: %s: %s", p, reach.Address, reach.Step, reach.Outcome)
	if reach.Detail != "" {
		detail += ": " + reach.Detail
	}
	return probe.Fail(e.reason(), detail, "")
}
