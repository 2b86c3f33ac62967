package kafka

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// settle turns attempts into what is known of each broker.
func (r *roster) settle(attempts []attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	best := map[string]attempt{}
	for _, tried := range attempts {
		for _, a := range r.shares(tried) {
			name := a.address
			if a.id >= 0 {
				name = strconv.Itoa(int(a.id))
			}
			if other, met := best[name]; met {
				a = r.better(other, a)
			}
			best[name] = a
		}
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
			p = &peer{name: name, id: a.id, door: r.door}
			r.peers[name] = p
		}
		p.reach, p.tried, p.taken = a.reach, time.Now(), a.taken
		if p.taken != nil {
			p.hangUp() // whoever is there may be another one by now
		}
		if a.link != nil {
			a.link.broker, p.software = p.String(), a.link.software
			p.apis, p.features = a.link.apis, a.link.features
			r.keep(p, a.link)
		}
	}
}

// shares is an attempt as it speaks of each broker that it speaks of, as all
// that the survey learnt tells them. Where several brokers have one address, a
// failure is that of each; an answer comes from one, and says nothing of the
// others. An id of -1 is a broker that is not known.
func (r *roster) shares(a attempt) []attempt {
	own := r.owners(a.place)
	if len(own) == 0 { // its own address may lead elsewhere by now
		own = slices.DeleteFunc(r.sorted(), func(p *peer) bool { return p.id < 0 || !slices.Contains(p.own, a.address) })
	}
	switch {
	case len(own) == 1:
		a.id = own[0].id
		return []attempt{a}
	case len(own) == 0 && a.id >= 0:
		r.fronts[a.address] = a.id
	case len(own) == 0 && a.link == nil:
		if id, ok := r.fronts[a.address]; ok {
			a.id = id
		}
	}
	if len(own) == 0 {
		return []attempt{a}
	}
	var all []attempt
	for _, p := range own {
		one := a
		one.id = p.id
		if a.link != nil {
			one.link, one.taken = nil, taken(p, a)
		}
		if a.link == nil || p.id != a.id {
			all = append(all, one)
		}
	}
	if a.link != nil {
		all = append(all, a)
	}
	return all
}

// taken is why an answer at the address of a broker says nothing of it.
func taken(p *peer, a attempt) error {
	who := "one of several brokers"
	if a.id >= 0 {
		who = fmt.Sprintf("broker %d", a.id)
	}
	return probe.Fail(fact.Unreachable, fmt.Sprintf("%s answers at %s, which is the address of %s too", who, a.address, p),
		"give each broker an address of its own in advertised.listeners, or name it with --bootstrap-server")
}

// better is which of two attempts speaks for a broker: the one that answered, one
// that speaks of it at all, and of two alike the one at its own address. What the other met stands in the
// detail.
func (r *roster) better(a, b attempt) attempt {
	switch {
	case (a.link == nil) != (b.link == nil):
		if a.link == nil {
			a, b = b, a
		}
	case (a.taken == nil) != (b.taken == nil):
		if a.taken != nil {
			a, b = b, a
		}
	case r.isOwn(b.address) && !r.isOwn(a.address):
		a, b = b, a
	}
	if a.link != nil && b.link == nil && b.taken == nil && r.isTold(b.address) && !r.isTold(a.address) {
		a.reach.Own = &fact.OwnAddress{Address: b.address, Step: b.reach.Step, Outcome: b.reach.Outcome}
	}
	if a.link != nil && b.link != nil {
		b.link.close()
	} else if a.link != nil && b.taken != nil {
		a.reach.Detail = probe.Because(b.taken).Detail
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

// isTold says whether the cluster sends clients to an address. One that only the
// configuration of a broker of this host names is none of these.
func (r *roster) isTold(address string) bool {
	for _, p := range r.peers {
		if p.id >= 0 && slices.Contains(p.told, address) {
			return true
		}
	}
	return false
}
