package host

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Network reads what TCP and the network interfaces of each broker's network
// namespace count.
var Network = &probe.Probe{
	Name:    "host.network",
	Doc:     "TCP counters and network interfaces of the brokers' network namespaces, from /proc/PID/net and the queueing disciplines",
	Cost:    probe.Free,
	Every:   2 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  append(keysOf(tcpCounters, interfaceCounters, queueFigures), fact.NetSpeed, fact.NetUp),
	Observe: observeNetwork,
}

var (
	tcpCounters = []figure{
		{"Tcp OutSegs", fact.TCPSegmentsOut, 1}, {"Tcp RetransSegs", fact.TCPRetransmits, 1},
		{"Tcp AttemptFails", fact.TCPFailedConnects, 1}, {"Tcp EstabResets", fact.TCPResets, 1},
		{"TcpExt TCPDSACKRecv", fact.TCPDSACKs, 1}, {"TcpExt TCPLossProbes", fact.TCPLossProbes, 1},
		{"TcpExt TCPFastRetrans", fact.TCPFastRetransmits, 1}, {"TcpExt TCPTimeouts", fact.TCPTimeouts, 1},
		{"TcpExt TCPLostRetransmit", fact.TCPLostRetransmits, 1}, {"TcpExt ListenOverflows", fact.TCPListenOverflows, 1},
		{"TcpExt ListenDrops", fact.TCPListenDrops, 1}, {"TcpExt SyncookiesSent", fact.TCPSYNCookies, 1},
		{"TcpExt TCPToZeroWindowAdv", fact.TCPZeroWindows, 1}, {"TcpExt TCPAbortOnMemory", fact.TCPMemoryAborts, 1},
		{"TcpExt TCPBacklogDrop", fact.TCPBacklogDrops, 1},
	}
	interfaceCounters = []figure{
		{"rx bytes", fact.NetRxBytes, 1}, {"tx bytes", fact.NetTxBytes, 1}, {"rx packets", fact.NetRxPackets, 1}, {"tx packets", fact.NetTxPackets, 1},
		{"rx errs", fact.NetRxErrors, 1}, {"tx errs", fact.NetTxErrors, 1}, {"rx drop", fact.NetRxDrops, 1}, {"tx drop", fact.NetTxDrops, 1},
	}
	queueFigures = []figure{
		{"backlog", fact.NetBacklog, 1}, {"overlimits", fact.NetOverlimits, 1}, {"drops", fact.NetQueueDrops, 1},
	}
)

// shownInterfaces is how many interfaces of a namespace are told of: a host of
// containers has one for each of them.
const shownInterfaces = 32

func observeNetwork(_ context.Context, t *probe.Target) ([]fact.Observation, error) {
	n := namespacesOf(t)
	n.mu.Lock()
	defer n.mu.Unlock()
	told := map[uint64]bool{}
	var interfaces []fact.Observation
	seen, err := eachProcess(t, keysOf(tcpCounters), func(s fact.Subject, b fact.LocalBroker) []fact.Observation {
		ns, err := namespaceOf(t, b.PID)
		if err != nil {
			return all(s, keysOf(tcpCounters), probe.Because(err))
		}
		if !told[ns] {
			told[ns] = true
			interfaces = append(interfaces, n.interfaces(t, ns, b)...)
		}
		numbers, err := tcpNumbers(t, b.PID)
		return observe(s, tcpCounters, "net/netstat", numbers, err)
	})
	if len(told) == 0 {
		because := gone
		if len(t.Brokers()) == 0 {
			because = NoBroker
		}
		interfaces = Nowhere(append(keysOf(interfaceCounters, queueFigures), fact.NetSpeed, fact.NetUp), because)
	}
	return append(seen, interfaces...), err
}

func tcpNumbers(t *probe.Target, pid int) (map[string]float64, error) {
	numbers := map[string]float64{}
	for _, name := range []string{"net/snmp", "net/netstat"} {
		file, err := t.ReadFile(t.Proc(pid, name), 1<<20)
		var of map[string]float64
		if err == nil {
			of, err = ParsePairs(name, file)
		}
		if err != nil {
			return nil, fmt.Errorf("read TCP counters: %w", err)
		}
		for k, v := range of {
			numbers[k] = v
		}
	}
	return numbers, nil
}

// interfaces observes the interfaces of the namespace of a broker.
func (n *namespaces) interfaces(t *probe.Target, ns uint64, b fact.LocalBroker) []fact.Observation {
	file, err := t.ReadFile(t.Proc(b.PID, "net/dev"), 4<<20)
	var all []NetInterface
	if err == nil {
		all, err = ParseNetDev(file)
	}
	if err != nil {
		return Nowhere(append(keysOf(interfaceCounters, queueFigures), fact.NetSpeed, fact.NetUp), probe.Because(fmt.Errorf("read the network interfaces: %w", err)))
	}
	own, err := inode(t, t.Root+"/proc/thread-self/net/tcp")
	here := err == nil && own == ns
	queues, queueErr := n.queues(t, ns, b.PID)
	var seen []fact.Observation
	for _, i := range busiest(all) {
		s := fact.Subject{Scope: fact.Device, Name: i.Name}
		if !here { // as log dirs do: several namespaces have an eth0
			s.Name = SubjectOf(b).Name + ":" + i.Name
		}
		seen = append(seen, observe(s, interfaceCounters, "net/dev", i.numbers, nil)...)
		seen = append(seen, observe(s, queueFigures, "list of queueing disciplines", queues[i.Name], queueErr)...)
		seen = append(seen, link(t, s, i.Name, b.PID, here)...)
	}
	return seen
}

// busiest is the interfaces that ever carried a packet, those with most bytes if
// they are many, by name.
func busiest(all []NetInterface) []NetInterface {
	all = slices.DeleteFunc(all, func(i NetInterface) bool { return i.numbers["rx packets"]+i.numbers["tx packets"] == 0 })
	bytes := func(i NetInterface) float64 { return i.numbers["rx bytes"] + i.numbers["tx bytes"] }
	slices.SortFunc(all, func(a, b NetInterface) int {
		return cmp.Or(cmp.Compare(bytes(b), bytes(a)), cmp.Compare(a.Name, b.Name))
	})
	all = all[:min(len(all), shownInterfaces)]
	slices.SortFunc(all, func(a, b NetInterface) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// link observes speed and state of an interface, which /sys alone tells. The one
// that is mounted for a process tells of its own namespace, ours of ours.
func link(t *probe.Target, s fact.Subject, name string, pid int, here bool) []fact.Observation {
	dir := t.Root + "/sys/class/net/" + name
	if !here {
		theirs := t.PathOf(pid, "/sys/class/net/"+name)
		if theirs == "/sys/class/net/"+name {
			return all(s, []fact.Key{fact.NetSpeed, fact.NetUp}, &fact.Unknown{Reason: fact.NotSupported, Detail: "no /sys of the broker's network namespace is mounted where it lives"})
		}
		dir = theirs
	}
	var seen []fact.Observation
	state, err := t.ReadFile(dir+"/operstate", 4<<10)
	if err != nil {
		seen = append(seen, fact.NetUp.Unknown(s, probe.Because(err)))
	} else {
		seen = append(seen, fact.NetUp.Is(s, cut(string(bytes.TrimSpace(state)), 40)))
	}
	speed, err := t.ReadFile(dir+"/speed", 4<<10) // in Mbit/s; an error or -1 where there is none
	megabits, bad := strconv.ParseFloat(string(bytes.TrimSpace(speed)), 64)
	if err != nil || bad != nil || megabits <= 0 {
		return append(seen, fact.NetSpeed.Unknown(s, &fact.Unknown{Reason: fact.NotSupported, Detail: "the driver of " + name + " gives no speed"}))
	}
	return append(seen, fact.NetSpeed.Is(s, megabits*1e6/8))
}

// NetInterface is a network interface and what it counts.
type NetInterface struct {
	Name    string
	numbers map[string]float64
}

// ParseNetDev reads /proc/net/dev:
//
//	Inter-|   Receive                                                |  Transmit
//	 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
//	  eth0: 29388423   24331    0    0    0     0          0         0  1862310   10133    0    0    0     0       0          0
func ParseNetDev(file []byte) ([]NetInterface, error) {
	var all []NetInterface
	n := 0
	for line := range strings.Lines(string(file)) {
		n++
		if n <= 2 {
			continue
		}
		name, rest, ok := strings.Cut(line, ":")
		words := strings.Fields(rest)
		if !ok || len(words) < 16 {
			return nil, fmt.Errorf("net/dev, line %d: expected a name and 16 numbers, there are %d", n, len(words))
		}
		i := NetInterface{strings.TrimSpace(name), map[string]float64{}}
		for at, column := range []string{0: "rx bytes", 1: "rx packets", 2: "rx errs", 3: "rx drop", 8: "tx bytes", 9: "tx packets", 10: "tx errs", 11: "tx drop"} {
			if column == "" {
				continue
			}
			v, err := strconv.ParseUint(words[at], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("net/dev, line %d: %s: expected a number: %q", n, column, words[at])
			}
			i.numbers[column] = float64(v)
		}
		all = append(all, i)
	}
	return all, nil
}
