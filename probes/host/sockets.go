package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Sockets asks the kernel for the TCP connections of each broker, by socket
// diagnosis: a few answers of 32 KiB each, where lists in /proc would be text of
// many times that.
var Sockets = &probe.Probe{
	Name:    "host.sockets",
	Doc:     "TCP connections of the brokers by state, listener and peer, with queues, round trips and retransmits, by netlink socket diagnosis or from /proc/PID/net/tcp",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  socketKeys,
	Observe: observeSockets,
}

var socketKeys = []fact.Key{
	fact.Sockets, fact.SocketsEstablished, fact.SocketsCloseWait, fact.SocketsUnsent, fact.SocketsUnread,
	fact.SocketsAcceptQueue, fact.SocketsAcceptLimit, fact.SocketsRetransmitting,
}

// resident is a broker whose sockets are asked for.
type resident struct {
	subject fact.Subject
	broker  fact.LocalBroker
}

func observeSockets(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	n := namespacesOf(t)
	n.mu.Lock()
	defer n.mu.Unlock()
	in := map[uint64][]resident{}
	seen, err := eachProcess(t, socketKeys, func(s fact.Subject, b fact.LocalBroker) []fact.Observation {
		ns, err := namespaceOf(t, b.PID)
		if err != nil {
			return all(s, socketKeys, probe.Because(err))
		}
		in[ns] = append(in[ns], resident{s, b})
		return nil
	})
	used := slices.Sorted(maps.Keys(in))
	n.keep(used)
	for _, ns := range used {
		seen = append(seen, n.look(ctx, t, ns, in[ns])...)
	}
	return seen, err
}

// look observes the sockets of the brokers in one namespace: by netlink, and from
// files where that cannot be had.
func (n *namespaces) look(ctx context.Context, t *probe.Target, ns uint64, residents []resident) []fact.Observation {
	pid := residents[0].broker.PID
	detailed := true
	tallies, err := tallied(ctx, t, residents, func(states uint32, each func(*Socket)) error {
		fd, err := n.open(t, ns, pid, unix.NETLINK_SOCK_DIAG)
		if err != nil {
			return err
		}
		return dump(fd, states, n.buf, each)
	})
	if err != nil {
		n.drop(ns) // half an answer may wait in it
		detailed = false
		tallies, err = tallied(ctx, t, residents, func(states uint32, each func(*Socket)) error { return fromFiles(t, pid, states, each) })
	}
	var seen []fact.Observation
	for i, r := range residents {
		if err != nil {
			seen = append(seen, all(r.subject, socketKeys, probe.Because(err))...)
			continue
		}
		seen = append(seen, tallies[i].observe(r.subject, detailed)...)
	}
	return seen
}

// tallied adds up the sockets of each broker of one namespace.
func tallied(ctx context.Context, t *probe.Target, residents []resident, list func(states uint32, each func(*Socket)) error) ([]*tally, error) {
	var listeners []Socket
	if err := list(1<<listening, func(s *Socket) { listeners = append(listeners, *s) }); err != nil {
		return nil, err
	}
	var all []*tally
	for _, r := range residents {
		owned := owners(t).of(ctx, t, r.broker.PID, listeners)
		mine := slices.Clone(listeners)
		mine = slices.DeleteFunc(mine, func(s Socket) bool {
			return owned != nil && !owned[s.Inode] || owned == nil && !listensOn(r.broker, s)
		})
		all = append(all, newTally(mine, owned))
	}
	const others = 1<<13 - 1 - 1<<listening
	return all, list(others, func(s *Socket) {
		for _, tally := range all {
			tally.add(s)
		}
	})
}

// listensOn says whether a listening socket is on a port that the properties of a
// broker name.
func listensOn(b fact.LocalBroker, s Socket) bool {
	return slices.ContainsFunc(b.Listeners, func(l string) bool {
		_, port, err := net.SplitHostPort(l)
		return err == nil && port == strconv.Itoa(int(s.Local.Port()))
	})
}

// fromFiles lists sockets as netlink does, from the files of a process.
func fromFiles(t *probe.Target, pid int, states uint32, each func(*Socket)) error {
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		file, err := t.ReadFile(t.Proc(pid, name), 64<<20)
		if probe.Missing(err) && name == "net/tcp6" {
			continue // IPv6 is switched off
		}
		if err == nil {
			err = ParseNetTCP(name, file, func(s *Socket) {
				if s.State < 32 && states&(1<<s.State) != 0 {
					each(s)
				}
			})
		}
		if err != nil {
			return fmt.Errorf("list the TCP sockets: %w", err)
		}
	}
	return nil
}

// observe is what was added up.
func (t *tally) observe(s fact.Subject, detailed bool) []fact.Observation {
	seen := []fact.Observation{
		fact.Sockets.Is(s, t.table(detailed)),
		fact.SocketsEstablished.Is(s, float64(t.established)),
		fact.SocketsCloseWait.Is(s, float64(t.closeWait)),
		fact.SocketsUnsent.Is(s, t.unsent),
		fact.SocketsUnread.Is(s, t.unread),
		fact.SocketsRetransmitting.Is(s, float64(t.resent)),
	}
	l, ok := t.nearest()
	if !ok {
		return append(seen, all(s, []fact.Key{fact.SocketsAcceptQueue, fact.SocketsAcceptLimit}, &fact.Unknown{Reason: fact.Absent, Detail: "it listens on no port"})...)
	}
	seen = append(seen, fact.SocketsAcceptQueue.Is(s, float64(l.Queue)))
	if !detailed {
		return append(seen, fact.SocketsAcceptLimit.Unknown(s, &fact.Unknown{Reason: fact.NotAllowed, Detail: "only netlink tells the limit, and the broker's network namespace could not be entered", How: "run as root"}))
	}
	return append(seen, fact.SocketsAcceptLimit.Is(s, float64(l.Limit)))
}

// ownership remembers which sockets belong to a broker: to ask for each
// descriptor is dear.
type ownership struct {
	brokers map[int]*owned // by process id
}

type owned struct {
	at        time.Time
	listening []uint32 // inodes of all listeners of the namespace then
	inodes    map[uint32]bool
}

type ownersKey struct{}

func owners(t *probe.Target) *ownership {
	return probe.Shared(t, ownersKey{}, func() *ownership { return &ownership{map[int]*owned{}} })
}

// renewed is how old the list of a broker's descriptors may be: connections that
// it made since are not counted as its own until then.
const renewed = 15 * time.Second

// of is the inodes of the sockets of a process; nil where they may not be seen.
func (o *ownership) of(ctx context.Context, t *probe.Target, pid int, listeners []Socket) map[uint32]bool {
	now := make([]uint32, 0, len(listeners))
	for _, s := range listeners {
		now = append(now, s.Inode)
	}
	slices.Sort(now)
	if had := o.brokers[pid]; had != nil && time.Since(had.at) < renewed && slices.Equal(had.listening, now) {
		return had.inodes
	}
	for old := range o.brokers {
		if !slices.ContainsFunc(t.Brokers(), func(b fact.LocalBroker) bool { return b.PID == old }) {
			delete(o.brokers, old)
		}
	}
	inodes, err := socketsOf(ctx, t, pid)
	if err != nil {
		inodes = nil
	}
	o.brokers[pid] = &owned{time.Now(), now, inodes}
	return inodes
}

// socketsOf is the inodes of the sockets among the descriptors of a process.
func socketsOf(ctx context.Context, t *probe.Target, pid int) (map[uint32]bool, error) {
	begin := time.Now()
	dir, err := os.Open(t.Proc(pid, "fd"))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	inodes := map[uint32]bool{}
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		names, err := dir.Readdirnames(1000)
		for _, name := range names {
			n, err := unix.Readlinkat(int(dir.Fd()), name, buf)
			if err != nil { // closed meanwhile, or not ours to see
				if errors.Is(err, unix.EACCES) {
					return nil, err
				}
				continue
			}
			if number, ok := strings.CutPrefix(string(buf[:n]), "socket:["); ok {
				if v, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32); err == nil {
					inodes[uint32(v)] = true
				}
			}
		}
		if err != nil || len(names) == 0 {
			t.Ledger.Note("readlink", dir.Name()+"/*", int64(len(inodes)), time.Since(begin))
			return inodes, nil
		}
	}
	return nil, ctx.Err()
}
