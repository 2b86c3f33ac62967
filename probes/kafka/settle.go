package kafka

import (
	"slices"
	"strconv"
	"time"
)

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
			p.apis, p.features = a.link.apis, a.link.features
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
