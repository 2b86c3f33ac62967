package kafka

import (
	"context"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Where no known address answers, the brokers that a metadata log on this host
// names are tried too: with all brokers of this host dead, others may lead.

// firstShare is the part of the patience with one broker after which others are
// tried: one of this host that hangs would use up the time for all.
const firstShare = 4

// turnToRoll waits until the known addresses have failed or keep silent, and tries
// those of the roll. Once somebody answers that is not needed: who answers tells of
// all. Such an address is tried once a round, that is when a survey is made anew.
func (s *survey) turnToRoll(ctx context.Context, age time.Duration) {
	r := s.roster
	if !slices.ContainsFunc(r.target.Brokers(), func(b fact.LocalBroker) bool { return b.Roles != "" }) || s.answeredWithin(ctx, r.patience/firstShare) {
		return
	}
	from, all := r.target.Roll.Await(ctx)
	if s.answeredWithin(ctx, 0) {
		return
	}
	s.try(ctx, r.enlist(from, all, age)...)
}

// answeredWithin waits until a broker has answered, all that are being tried have
// failed, or time has passed, and says whether one has answered.
func (s *survey) answeredWithin(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		s.mu.Lock()
		open, answered := s.open, s.answered
		s.mu.Unlock()
		if open == 0 || answered {
			return answered
		}
		select {
		case <-s.news:
		case <-timer.C:
			return answered
		case <-ctx.Done():
			return answered
		}
	}
}

// enlist notes the address of each broker of the roll that has none yet, and is
// those to try now: not those that were tried less than an age ago.
func (r *roster) enlist(from int32, all []probe.Registration, age time.Duration) (addresses []string) {
	by := r.door.by().protocol()
	r.mu.Lock()
	defer r.mu.Unlock()
	names := r.spoken(all, by)
	for _, b := range all {
		name := strconv.Itoa(int(b.ID))
		p := r.peers[name]
		if p != nil && slices.ContainsFunc(p.own, func(a string) bool { return !r.isEnlisted(a) }) {
			continue // known otherwise
		}
		address := choose(b.Endpoints, by, names)
		if p != nil {
			p.own = slices.DeleteFunc(p.own, func(a string) bool {
				if a != address {
					delete(r.enlisted, a)
				}
				return a != address
			})
		}
		if address == "" || p != nil && slices.Contains(p.own, address) && time.Since(p.tried) < age {
			continue
		}
		r.learn(b.ID, address)
		r.enlisted[address] = from
		addresses = append(addresses, address)
	}
	return addresses
}

// isEnlisted says whether only a metadata log names an address.
func (r *roster) isEnlisted(address string) bool {
	_, is := r.enlisted[address]
	return is
}

// spoken is the names of the listeners that are spoken to: those that brokers of
// the roll have at the ports of addresses known otherwise, in the order of these.
func (r *roster) spoken(all []probe.Registration, protocol string) (names []string) {
	for _, p := range r.sorted() {
		for _, address := range p.own {
			_, port, err := net.SplitHostPort(address)
			if err != nil || r.isEnlisted(address) {
				continue
			}
			for _, b := range all {
				if b.ID != p.id {
					continue
				}
				for _, e := range b.Endpoints {
					if _, at, err := net.SplitHostPort(e.Address); err == nil && at == port && e.Protocol == protocol && !slices.Contains(names, e.Listener) {
						names = append(names, e.Listener)
					}
				}
			}
		}
	}
	return names
}

// choose is the address of a broker that this console can speak to: with its
// security protocol, rather at a listener of the names that it speaks to already.
// Others may not be meant to be reached from here. "" where there is none.
func choose(endpoints []probe.Endpoint, protocol string, names []string) (address string) {
	rank := len(names) + 1
	for _, e := range endpoints {
		at := slices.Index(names, e.Listener)
		if at < 0 {
			at = len(names)
		}
		if e.Protocol == protocol && at < rank {
			address, rank = e.Address, at
		}
	}
	return address
}

// dismiss forgets the addresses of the roll, where brokers answer that tell their
// own. The roster's lock is held.
func (r *roster) dismiss() {
	if len(r.enlisted) == 0 {
		return
	}
	for name, p := range r.peers {
		p.own = slices.DeleteFunc(p.own, func(a string) bool { return r.isEnlisted(a) && !slices.Contains(p.told, a) })
		if len(p.own) == 0 && p.id >= 0 && p.reach.Outcome != fact.Answered { // not registered any more
			p.hangUp()
			delete(r.peers, name)
		}
	}
	clear(r.enlisted)
}
