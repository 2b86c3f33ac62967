package lab

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lossy is the share of packets lost, each way.
const lossy = 0.1

var packetLoss = &Fault{
	Name:    "packet-loss",
	Doc:     "one in ten packets to and from broker 2 is lost on the way",
	Shape:   Shape{Namespaces: true},
	Prepare: func(ctx context.Context, c *Cluster) error { return ordersAt(ctx, c, 200, 0) },
	Inject:  func(_ context.Context, c *Cluster) error { return c.network.lose(2, lossy) },
	Oracle: func(_ context.Context, c *Cluster) (string, error) {
		lost, err := c.network.lost(2)
		if err != nil {
			return "", err
		}
		n := c.Node(2)
		resent, err := n.counted("Tcp", "RetransSegs")
		if err != nil {
			return "", err
		}
		needless, err := n.counted("TcpExt", "TCPDSACKRecv")
		if err == nil && (lost < 100 || resent-needless < 50) {
			err = fmt.Errorf("%d packets were lost, broker 2 has resent %d segments, %d of them for nothing", lost, resent, needless)
		}
		return fmt.Sprintf("%d packets lost on the way; broker 2 has resent %d segments, %d of them for nothing", lost, resent, needless), err
	},
	Heal: func(ctx context.Context, c *Cluster) error {
		if err := c.network.lose(2, 0); err != nil {
			return err
		}
		return c.Restart(ctx) // nothing to start, but the wait for the rest
	},
	Expect:    []Expect{{"packet-loss", "process 2"}},
	Branch:    "performance",
	Later:     true,
	Forbidden: []string{"broker-crashed", "broker-hung", "broker-isolated", "broker-link-cut", "bandwidth-cap"},
	Facts: []Sight{
		{"host.tcp.retransmits", "process 2", "value moves"},
		{"host.tcp.segments.out", "process 2", "value moves"},
		{"host.tcp.loss-probes", "process 2", "value moves"},
	},
}

// lose makes a share of the packets to and from a node get lost at the far end
// of its link, where its own kernel does not know of it; 0: none.
//
// There is no netem everywhere: a filter of four instructions of classic BPF
// draws a number for each packet and drops it (2) or lets it pass (-1).
func (n *network) lose(id int32, share float64) error {
	link := fmt.Sprintf("n%d", id)
	if share == 0 {
		_, err := command(n.hub, "tc", "qdisc", "del", "dev", link, "clsact")
		return err
	}
	if _, err := command(n.hub, "tc", "qdisc", "replace", "dev", link, "clsact"); err != nil {
		return err
	}
	drop := lossFilter(share)
	for _, way := range []string{"ingress", "egress"} {
		if _, err := command(n.hub, "tc", "filter", "add", "dev", link, way, "protocol", "all", "bpf", "da", "bytecode", drop); err != nil {
			return err
		}
	}
	return nil
}

// lossFilter is that filter as tc takes it: load a random number; above the
// share jump over the next; return 2; return -1.
func lossFilter(share float64) string {
	const random = 0xfffff000 + 56 // ancillary data of a packet
	return fmt.Sprintf("4,32 0 0 %d,37 1 0 %d,6 0 0 2,6 0 0 4294967295", uint32(random), uint32(share*(1<<32)))
}

// lost is how many packets lose has dropped.
func (n *network) lost(id int32) (int64, error) {
	out, err := command(n.hub, "tc", "-s", "qdisc", "show", "dev", fmt.Sprintf("n%d", id))
	if err != nil {
		return 0, err
	}
	return parseDropped(out, "clsact")
}

// parseDropped reads what tc -s prints of a qdisc of a kind:
//
//	qdisc clsact ffff: parent ffff:fff1
//	 Sent 16800 bytes 200 pkt (dropped 101, overlimits 0 requeues 0)
func parseDropped(out, kind string) (int64, error) {
	_, rest, found := strings.Cut(out, "qdisc "+kind)
	_, rest, counted := strings.Cut(rest, "(dropped ")
	number, _, _ := strings.Cut(rest, ",")
	if !found || !counted {
		return 0, fmt.Errorf("no count of a %s in %q", kind, out)
	}
	return strconv.ParseInt(number, 10, 64)
}

// counted is a counter of TCP in a node's network namespace: group "Tcp" of
// /proc/PID/net/snmp, or "TcpExt" of netstat beside it.
func (n *Node) counted(group, name string) (int64, error) {
	file := "snmp"
	if group == "TcpExt" {
		file = "netstat"
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", n.PID(), file))
	if err != nil {
		return 0, fmt.Errorf("read the counters of node %d: %w", n.ID, err)
	}
	return parseCounter(string(text), group, name)
}

// parseCounter finds a counter in the kernel's pairs of lines, names and values.
func parseCounter(text, group, name string) (int64, error) {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != group+":" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i, value := range f {
			if i < len(names) && names[i] == name {
				return strconv.ParseInt(value, 10, 64)
			}
		}
	}
	return 0, fmt.Errorf("no counter %s of %s", name, group)
}
