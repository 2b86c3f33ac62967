package host

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

const (
	shownPeers = 20
	maxPeers   = 1 << 16 // addresses that are told apart
)

// tally adds up the sockets of one broker.
type tally struct {
	listeners []*listener
	owned     map[uint32]bool // inodes of its sockets; nil: not known
	states    [len(tcpStates)]int
	peers     map[peer]*fact.Peer
	left      int // connections of peers beyond maxPeers

	established, closeWait, resent int
	unsent, unread                 float64
}

type listener struct {
	at netip.AddrPort
	fact.Listener
	states [len(tcpStates)]int
}

type peer struct {
	address  netip.AddrPort // port 0: it connects to us
	outgoing bool
}

// newTally is of a broker that has these listening sockets.
func newTally(listening []Socket, owned map[uint32]bool) *tally {
	t := &tally{owned: owned, peers: map[peer]*fact.Peer{}}
	for _, s := range listening {
		t.listeners = append(t.listeners, &listener{at: s.Local, Listener: fact.Listener{Address: shown(s.Local), Queue: int(s.Unread), Limit: int(s.Unsent)}})
	}
	return t
}

// shown is an address as ss writes it.
func shown(a netip.AddrPort) string {
	if a.Addr().IsUnspecified() {
		return "*:" + itoa(int(a.Port()))
	}
	return a.String()
}

// add adds a socket that does not listen, if it is one of the broker's.
func (t *tally) add(s *Socket) {
	if int(s.State) >= len(tcpStates) {
		return
	}
	l := t.listenerOf(s.Local)
	if l == nil && !t.owned[s.Inode] {
		return
	}
	unread := float64(s.Unread)
	if s.State == closeWait && unread > 0 {
		unread-- // the peer's FIN counts as a byte
	}
	t.states[s.State]++
	t.unsent += float64(s.Unsent)
	t.unread += unread
	if s.Resent {
		t.resent++
	}
	if l != nil {
		l.states[s.State]++
		l.Unsent += float64(s.Unsent)
		l.Unread += unread
		l.Retransmits += float64(s.Retransmits)
	}
	switch s.State {
	case established:
		t.established++
		t.addPeer(s, l == nil)
	case closeWait:
		t.closeWait++
	}
}

// listenerOf is the listener that a connection came in by: on its port, and bound
// to its address if there is one so bound.
func (t *tally) listenerOf(local netip.AddrPort) *listener {
	var wide *listener
	for _, l := range t.listeners {
		switch {
		case l.at == local:
			return l
		case l.at.Port() == local.Port() && l.at.Addr().IsUnspecified():
			wide = l
		}
	}
	return wide
}

func (t *tally) addPeer(s *Socket, outgoing bool) {
	key := peer{netip.AddrPortFrom(s.Remote.Addr(), 0), outgoing}
	if outgoing {
		key.address = s.Remote
	}
	p := t.peers[key]
	if p == nil {
		if len(t.peers) >= maxPeers {
			t.left++
			return
		}
		p = &fact.Peer{Outgoing: outgoing}
		t.peers[key] = p
	}
	p.Connections++
	p.Unsent += float64(s.Unsent)
	p.RoundTrip = max(p.RoundTrip, float64(s.RoundTrip)/1e6)
	p.Retransmits += float64(s.Retransmits)
	p.Lost += float64(s.Lost)
}

// table is the sum.
func (t *tally) table(detailed bool) fact.SocketTable {
	all := fact.SocketTable{Owned: t.owned != nil, Detailed: detailed, States: statesOf(t.states), Listeners: []fact.Listener{}, Peers: []fact.Peer{}}
	for _, l := range t.listeners {
		l.States = statesOf(l.states)
		all.Listeners = append(all.Listeners, l.Listener)
	}
	slices.SortFunc(all.Listeners, func(a, b fact.Listener) int { return cmp.Compare(a.Address, b.Address) })
	for key, p := range t.peers {
		p.Address = key.address.Addr().String()
		if key.outgoing {
			p.Address = key.address.String()
		}
		all.Peers = append(all.Peers, *p)
	}
	slices.SortFunc(all.Peers, func(a, b fact.Peer) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(a.Address, b.Address))
	})
	if n := len(all.Peers); n > shownPeers {
		all.Peers, all.More = all.Peers[:shownPeers:shownPeers], n-shownPeers
	}
	all.More += t.left
	return all
}

func statesOf(counts [len(tcpStates)]int) []fact.StateOf {
	byName := map[string]int{}
	for state, n := range counts {
		if n > 0 {
			byName[tcpStates[state]] += n
		}
	}
	all := []fact.StateOf{}
	for name, n := range byName {
		all = append(all, fact.StateOf{State: name, Count: n})
	}
	slices.SortFunc(all, func(a, b fact.StateOf) int { return cmp.Compare(a.State, b.State) })
	return all
}

// nearest is the listener whose accept queue is nearest its limit; false without
// any.
func (t *tally) nearest() (fact.Listener, bool) {
	if len(t.listeners) == 0 {
		return fact.Listener{}, false
	}
	full := func(l *listener) float64 { return float64(l.Queue) / float64(max(l.Limit, 1)) }
	l := slices.MaxFunc(t.listeners, func(a, b *listener) int { return cmp.Compare(full(a), full(b)) })
	return l.Listener, true
}
