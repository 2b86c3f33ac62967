package kafka

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// errNobody is the error of every probe of this package when there is no
// address to try.
var errNobody = probe.Fail(fact.NotObserved, "no broker known", "name one with --bootstrap-server, or run on a broker's host")

// survey tries a new connection to every known address, asks those that answer
// whom they know and tries these too. A survey that runs is waited for, and one
// that is younger than age is good enough.
func (r *roster) survey(ctx context.Context, age time.Duration) error {
	r.await(ctx)
	r.mu.Lock()
	if running := r.running; running != nil {
		r.mu.Unlock()
		select {
		case <-running:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if len(r.peers) > 0 && time.Since(r.surveyed) < age {
		r.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	r.running = done
	r.mu.Unlock()

	// Others may be waiting for this survey: it does not end with its caller.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.patience)
	defer cancel()
	s := &survey{roster: r, tried: map[string]bool{}}
	s.try(limit, r.addresses()...)
	s.wait.Wait()
	r.settle(s.attempts)

	r.mu.Lock()
	r.running, r.surveyed = nil, time.Now()
	nobody := len(r.peers) == 0
	r.mu.Unlock()
	close(done)
	if nobody {
		return errNobody
	}
	return nil
}

// await gives discovery on this host, which runs at the same time, a moment to
// find brokers when no address was given.
func (r *roster) await(ctx context.Context) {
	for end := time.Now().Add(r.patience / 2); len(r.addresses()) == 0 && time.Now().Before(end) && ctx.Err() == nil; {
		if len(r.target.Brokers()) > 0 {
			rosterOf(r.target)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// survey is one pass over all addresses.
type survey struct {
	roster *roster
	wait   sync.WaitGroup

	mu       sync.Mutex
	tried    map[string]bool // places and addresses
	attempts []attempt
}

// attempt is how trying one address ended.
type attempt struct {
	address string
	place   string
	id      int32 // of the broker found there; -1: not known
	reach   fact.Reach
	link    *link // nil unless it answered
}

// claim says whether an address or a place is to be tried: not twice.
func (s *survey) claim(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.tried[what]
	s.tried[what] = true
	return first
}

func (s *survey) try(ctx context.Context, addresses ...string) {
	for _, address := range addresses {
		if !s.claim("address " + address) {
			continue
		}
		s.wait.Go(func() {
			place := s.roster.locate(ctx, address)
			if s.claim("place " + place) {
				a := s.roster.attempt(ctx, address)
				a.place = place
				if a.link != nil {
					s.identify(ctx, &a)
				}
				s.mu.Lock()
				s.attempts = append(s.attempts, a)
				s.mu.Unlock()
			}
		})
	}
}

// attempt opens a link to an address and times it. Where the credentials have
// just been rejected it is not tried again.
func (r *roster) attempt(ctx context.Context, address string) attempt {
	r.mu.Lock()
	no, rejected := r.rejected[address]
	r.mu.Unlock()
	if rejected && time.Now().Before(no.until) {
		return attempt{address: address, id: -1, reach: no.reach}
	}
	began := time.Now()
	l, err := r.door.open(ctx, address)
	a := attempt{address: address, id: -1, link: l, reach: fact.Reach{Address: address, Step: fact.APIVersions, Outcome: fact.Answered}}
	a.reach.Seconds = time.Since(began).Seconds()
	var step *stepError
	if errors.As(err, &step) {
		a.reach.Step, a.reach.Outcome, a.reach.Detail = step.step, step.outcome, step.err.Error()
	}
	if a.reach.Step == fact.SASL && a.reach.Outcome == fact.Denied {
		r.mu.Lock()
		r.rejected[address] = rejection{a.reach, time.Now().Add(backOff)}
		r.mu.Unlock()
	}
	return a
}

// identify learns from a broker which others there are, and then which one it
// is itself.
func (s *survey) identify(ctx context.Context, a *attempt) {
	r := s.roster
	others, err := whoIsThere(ctx, a.link)
	if err != nil {
		a.unwelcome(err, r.door.mechanism != nil)
		return
	}
	var addresses []string
	r.mu.Lock()
	for _, b := range others {
		address := addressOf(b)
		r.learn(b.ID, address)
		addresses = append(addresses, address)
	}
	r.mu.Unlock()
	s.try(ctx, addresses...)
	for _, address := range addresses {
		r.locate(ctx, address)
	}
	if a.id = r.owner(a.place); a.id < 0 && r.mayAsk(a.address) {
		if a.id = whoAreYou(ctx, a.link, others); a.id < 0 {
			r.mu.Lock()
			r.nameless[a.address] = time.Now()
			r.mu.Unlock()
		}
	}
}

// mayAsk says whether a broker that would not say which one it is may be asked
// again: the answer may have been a denial.
func (r *roster) mayAsk(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.nameless[address]) > backOff
}

// unwelcome corrects a reach: a listener that wants SASL answers ApiVersions to
// anyone and then closes the connection.
func (a *attempt) unwelcome(err error, sasl bool) {
	if e := failed(fact.SASL, err); e.outcome == fact.Closed && !sasl {
		a.reach.Step, a.reach.Outcome = e.step, e.outcome
		a.reach.Detail = "closed the connection at the first request: the listener may want security.protocol SASL_…"
		a.link.close()
		a.link = nil
	}
}

// whoIsThere asks a broker for all brokers, fenced ones included where it knows
// how to tell.
func whoIsThere(ctx context.Context, l *link) ([]fact.BrokerAddress, error) {
	var found []fact.BrokerAddress
	cluster := kmsg.NewPtrDescribeClusterRequest()
	if l.supports(cluster) < 0 {
		m := kmsg.NewPtrMetadataRequest()
		m.Topics = []kmsg.MetadataRequestTopic{} // no topics, nil would be all
		got, err := l.request(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, b := range got.(*kmsg.MetadataResponse).Brokers {
			found = append(found, fact.BrokerAddress{ID: b.NodeID, Host: b.Host, Port: b.Port})
		}
		return found, nil
	}
	cluster.IncludeFencedBrokers = true
	got, err := l.request(ctx, cluster)
	if err != nil {
		return nil, err
	}
	for _, b := range got.(*kmsg.DescribeClusterResponse).Brokers {
		found = append(found, fact.BrokerAddress{ID: b.NodeID, Host: b.Host, Port: b.Port})
	}
	return found, nil
}

// whoAreYou finds out which of the brokers is at the other end: a broker tells
// its own settings and refuses to tell those of another. -1: it would not say.
func whoAreYou(ctx context.Context, l *link, among []fact.BrokerAddress) int32 {
	ask := kmsg.NewPtrDescribeConfigsRequest()
	for _, b := range among {
		c := kmsg.NewDescribeConfigsRequestResource()
		c.ResourceType, c.ResourceName = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(b.ID))
		c.ConfigNames = []string{"node.id", "broker.id"}
		ask.Resources = append(ask.Resources, c)
	}
	got, err := l.request(ctx, ask)
	if err != nil {
		return -1
	}
	found := int32(-1)
	for _, c := range got.(*kmsg.DescribeConfigsResponse).Resources {
		if c.ErrorCode != 0 {
			continue
		}
		id, err := strconv.ParseInt(c.ResourceName, 10, 32)
		if err != nil || found >= 0 {
			return -1 // more than one: no telling
		}
		found = int32(id)
	}
	return found
}

// settle turns attempts into what is known of each broker.
func (r *roster) settle(attempts []attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	best := map[string]attempt{}
	for _, a := range attempts {
		a.id = r.identity(a)
		name := a.address
		if a.id >= 0 {
			name = strconv.Itoa(int(a.id))
		}
		other, met := best[name]
		if met {
			a = r.better(other, a)
		}
		best[name] = a
	}
	for name, p := range r.peers {
		if _, met := best[name]; !met && p.id < 0 { // it has a name by now
			p.hangUp()
			delete(r.peers, name)
		}
	}
	for name, a := range best {
		p := r.peers[name]
		if p == nil {
			p = &peer{name: name, id: a.id}
			r.peers[name] = p
		}
		p.reach, p.tried = a.reach, time.Now()
		if a.link != nil {
			a.link.broker, p.software = p.String(), a.link.software
			r.keep(p, a.link)
		}
	}
}

// identity is the broker that an attempt speaks of, as all that the survey
// learnt tells it; -1: not known.
func (r *roster) identity(a attempt) int32 {
	for _, p := range r.peers {
		if p.id >= 0 && slices.ContainsFunc(p.own, func(own string) bool { return own == a.address || r.places[own].name == a.place }) {
			return p.id
		}
	}
	if a.id >= 0 {
		r.fronts[a.address] = a.id
		return a.id
	}
	if a.link == nil {
		if id, ok := r.fronts[a.address]; ok {
			return id
		}
	}
	return -1
}

// better is which of two attempts speaks for a broker: the one that answered,
// and of two alike the one at its own address. What the other met stands in the
// detail.
func (r *roster) better(a, b attempt) attempt {
	if b.link != nil && a.link == nil || (a.link == nil) == (b.link == nil) && r.isOwn(b.address) && !r.isOwn(a.address) {
		a, b = b, a
	}
	if a.link != nil && b.link != nil {
		b.link.close()
	} else if a.link != nil && a.reach.Detail == "" {
		a.reach.Detail = b.address + ": " + string(b.reach.Step) + ": " + string(b.reach.Outcome)
	}
	return a
}

func (r *roster) isOwn(address string) bool {
	for _, p := range r.peers {
		if p.id >= 0 && slices.Contains(p.own, address) {
			return true
		}
	}
	return false
}
