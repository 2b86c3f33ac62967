package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// network is a network namespace for each node of a cluster, joined by a bridge
// that this host has an address on too: the link between any two nodes can be
// cut, and everybody else goes on talking to both.
//
// The namespaces have no names. They live as long as this process holds them
// open or a node runs in them, and take bridge and links with them.
type network struct {
	prefix string // "10.213.7."
	home   *os.File
	hub    *os.File // where the bridge is
	nodes  map[int32]*os.File
}

// nowhere is a link address that nobody has.
const nowhere = "02:00:00:00:00:01"

// newNetwork makes namespaces for nodes.
func newNetwork(ids []int32) (n *network, err error) {
	n = &network{nodes: map[int32]*os.File{}}
	defer func() {
		if err != nil {
			n.close()
			err = fmt.Errorf("make network namespaces (root may): %w", err)
		}
	}()
	if n.prefix, err = freePrefix(); err != nil {
		return n, err
	}
	if n.home, err = os.Open("/proc/self/ns/net"); err != nil {
		return n, err
	}
	if n.hub, err = newNamespace(); err != nil {
		return n, err
	}
	// The name is of this process, so that two clusters do not meet.
	uplink := fmt.Sprintf("lab%d", os.Getpid())
	hub := []string{
		"link add br0 type bridge", "link set br0 up",
		"link add host type veth peer name " + uplink + " netns " + path(n.home),
		"link set host master br0 up",
	}
	for _, id := range ids {
		if n.nodes[id], err = newNamespace(); err != nil {
			return n, err
		}
		hub = append(hub, fmt.Sprintf("link add n%d type veth peer name eth0 netns %s", id, path(n.nodes[id])), fmt.Sprintf("link set n%d master br0 up", id))
	}
	if err := ip(n.hub, hub...); err != nil {
		return n, err
	}
	if err := ip(n.home, "addr add "+n.prefix+"254/24 dev "+uplink, "link set "+uplink+" up"); err != nil {
		return n, err
	}
	for _, id := range ids {
		if err := ip(n.nodes[id], "link set lo up", "addr add "+n.address(id)+"/24 dev eth0", "link set eth0 up"); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (n *network) address(id int32) string { return fmt.Sprint(n.prefix, id) }

// cut drops, silently, every frame between two nodes: each looks for the other
// at a link address that nobody has.
func (n *network) cut(a, b int32) error {
	return errors.Join(n.neighbour(a, b, "replace", " lladdr "+nowhere+" nud permanent"), n.neighbour(b, a, "replace", " lladdr "+nowhere+" nud permanent"))
}

// mend undoes cut.
func (n *network) mend(a, b int32) error {
	return errors.Join(n.neighbour(a, b, "del", ""), n.neighbour(b, a, "del", ""))
}

func (n *network) neighbour(at, other int32, verb, more string) error {
	return ip(n.nodes[at], "neigh "+verb+" "+n.address(other)+" dev eth0"+more)
}

func (n *network) close() {
	for _, f := range n.nodes {
		f.Close()
	}
	for _, f := range []*os.File{n.home, n.hub} {
		if f != nil {
			f.Close()
		}
	}
}

// path names an open file to another process.
func path(f *os.File) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()) }

// ip runs commands of ip(8) in a namespace.
func ip(in *os.File, commands ...string) error {
	_, err := commandWith(in, strings.Join(commands, "\n")+"\n", "ip", "-batch", "-")
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(commands, "; "), err)
	}
	return nil
}

// command runs a program in a namespace and returns what it printed.
func command(in *os.File, name string, args ...string) (string, error) {
	return commandWith(in, "", name, args...)
}

func commandWith(in *os.File, input, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	err := startIn(in, cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, lastLines(said.String(), 3))
	}
	return said.String(), nil
}

// newNamespace makes a network namespace that lives as long as the file is open.
func newNamespace() (made *os.File, err error) {
	aside := func() {
		err = away(func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("unshare: %w", err)
			}
			made, err = os.Open("/proc/thread-self/ns/net")
			return err
		})
	}
	onSpawner(aside)
	return made, err
}

// freePrefix finds a /24 that no interface of this host is in.
func freePrefix() (string, error) {
	taken, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
next:
	for i := range 250 {
		prefix := fmt.Sprintf("10.213.%d.", i)
		for _, a := range taken {
			if strings.HasPrefix(a.String(), prefix) {
				continue next
			}
		}
		return prefix, nil
	}
	return "", errors.New("all of 10.213.0.0/16 is taken")
}

// Cut drops everything between two nodes of a cluster with namespaces, silently
// and both ways.
func (c *Cluster) Cut(a, b int32) error { return c.network.cut(a, b) }

// Mend undoes Cut.
func (c *Cluster) Mend(a, b int32) error { return c.network.mend(a, b) }

// Isolate cuts a node off from all others. Kafka's tools are then kept away from
// it: what it says of the cluster is old.
func (c *Cluster) Isolate(id int32) error { return c.apart(id, true, c.Cut) }

// Rejoin undoes Isolate.
func (c *Cluster) Rejoin(id int32) error { return c.apart(id, false, c.Mend) }

func (c *Cluster) apart(id int32, apart bool, act func(a, b int32) error) error {
	n := c.Node(id)
	n.mu.Lock()
	n.apart = apart
	n.mu.Unlock()
	var errs []error
	for _, other := range c.Nodes {
		if other != n {
			errs = append(errs, act(id, other.ID))
		}
	}
	return errors.Join(errs...)
}
