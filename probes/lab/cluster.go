package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Shape is what a fault asks of the cluster that it is injected into.
type Shape struct {
	OwnController bool               // controllers are nodes of their own, so that brokers may die without the quorum
	Controllers   int                // how many of their own; 0: one
	TwoDirs       bool               // every broker has two log dirs
	SmallDisk     int                // MiB of a tmpfs under the log dir of broker 3; 0: none
	Volume        *Volume            // under a log dir of broker 3; nil: what SmallDisk says
	Memory        map[int32]int      // MiB that the memory cgroup of a broker may use, by id; others have none
	JVM           map[int32][]string // flags for the JVM of a broker, by id
	Settings      map[string]string  // of every server.properties, over those of the lab; $NODE is the node's directory
	Listeners     []Listener         // of every broker, beside PLAINTEXT for the brokers themselves and the lab
	Fronts        map[int32]string   // host:port that a second listener of a broker advertises, for a proxy before it
	Namespaces    bool               // each node has a network namespace and an address of its own, see Cut
	Metrics       bool               // every broker has a jmx_exporter without rules, see MetricsURL
	Jolokia       bool               // every broker has a Jolokia agent, see JolokiaURL
	ZooKeeper     bool               // instead of KRaft: for versions before 4.0
	Single        bool               // one broker in place of three, and one replica of everything
	JDK           string             // home of the JDK or JRE that nodes run on, see JDK; "": java of the PATH
	Version       string             // of Kafka, whatever is asked for otherwise; "": any
}

// Options of a cluster. The zero value is three combined nodes of
// DefaultVersion in a temporary directory.
type Options struct {
	Shape
	Version string
	Dir     string    // must not exist or be empty; removed with the cluster. "": a temporary one
	Say     io.Writer // progress, a line each; nil: silent
	Owner   string    // the command it is started for, as other commands see it
}

// Cluster is a running lab cluster.
type Cluster struct {
	Shape   Shape
	Version string
	Dir     string
	Nodes   []*Node // brokers by id, then controllers of their own or ZooKeeper, if there are

	install *Install
	say     io.Writer
	state   *stateFile
	network *network // nil: all on loopback
	disk    *disk    // of Shape.Volume; nil: it has none

	authority *authority // of the certificates of TLS listeners; nil: there are none

	mu      sync.Mutex
	clients []stopper // in the order they were started
	stopped bool
}

const (
	brokers      = 3   // unless Shape.Single
	controllerID = 100 // of the first one that is no broker
	zooKeeperID  = 200 // in the lab: ZooKeeper itself has none
)

// brokers is how many brokers a cluster of the shape has.
func (s Shape) brokers() int {
	if s.Single {
		return 1
	}
	return brokers
}

// Start starts a cluster and waits until every broker is in it. It first clears
// what an earlier process left behind.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if err := Sweep(); err != nil {
		return nil, err
	}
	o.Version = cmp.Or(o.Shape.Version, o.Version, DefaultVersion)
	if o.Say == nil {
		o.Say = io.Discard
	}
	if _, err := os.Stat(filepath.Join(cacheDir(), o.Version, "jars")); err != nil {
		fmt.Fprintf(o.Say, "Kafka %s: fetching its jars with Maven, once\n", o.Version)
	}
	install, err := find(ctx, o.Version, o.JDK)
	if err != nil {
		return nil, err
	}
	if o.ZooKeeper == install.kraft() && !(o.ZooKeeper && install.Major < 4) {
		return nil, fmt.Errorf("kafka version %s: KRaft is ready for production from 3.3.1 on, ZooKeeper is gone from 4.0 on", o.Version)
	}
	c := &Cluster{Shape: o.Shape, Version: o.Version, install: install, say: o.Say}
	if c.Dir, err = emptyDir(o.Dir); err != nil {
		return nil, err
	}
	if c.state, err = newState(c.Dir, o.Owner); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.Dir))
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	began := time.Now()
	if err := errors.Join(c.plan(), c.export(ctx)); err != nil {
		return err
	}
	id := newID()
	for _, n := range c.Nodes {
		if err := c.prepare(n, id); err != nil {
			return fmt.Errorf("prepare node %d: %w", n.ID, err)
		}
	}
	for _, n := range c.Nodes {
		if err := n.Start(); err != nil {
			return err
		}
	}
	if err := c.state.save(c); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := c.Ready(ready); err != nil {
		return err
	}
	c.state.Ready = true
	if err := c.state.write(); err != nil {
		return err
	}
	c.Say("Kafka %s: %d nodes up in %.1f s", c.Version, len(c.Nodes), time.Since(began).Seconds())
	return nil
}

// Say prints a line of progress.
func (c *Cluster) Say(format string, args ...any) {
	fmt.Fprintf(c.say, format+"\n", args...)
}

// Node with an id; a wrong id is a mistake in the lab itself.
func (c *Cluster) Node(id int32) *Node {
	i := slices.IndexFunc(c.Nodes, func(n *Node) bool { return n.ID == id })
	if i < 0 {
		panic(fmt.Sprintf("lab: no node %d", id))
	}
	return c.Nodes[i]
}

// Brokers is the nodes that serve clients; none of a cluster that nobody started.
func (c *Cluster) Brokers() []*Node { return c.Nodes[:min(len(c.Nodes), c.Shape.brokers())] }

// Bootstrap is the addresses of all brokers, dead or alive.
func (c *Cluster) Bootstrap() []string {
	var all []string
	for _, n := range c.Brokers() {
		all = append(all, n.Address())
	}
	return all
}

// Stop ends clients, brokers, mounts and directories. It may be called twice.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	c.stopped = true
	c.mu.Unlock()
	// Brokers first: a client that waits for one of them then ends at once.
	var all sync.WaitGroup
	for _, n := range c.Nodes {
		all.Go(n.kill)
	}
	all.Wait()
	if c.disk != nil && c.disk.slow != nil {
		c.Delay(0) // what is still to be written need not wait
	}
	c.StopClients()
	if c.network != nil {
		c.network.close()
	}
	return c.state.clear()
}

// emptyDir makes the directory of a cluster, or a temporary one for "".
func emptyDir(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "lab")
		if err != nil {
			return "", fmt.Errorf("make a directory for the cluster: %w", err)
		}
		return made, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("make a directory for the cluster: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a directory for the cluster: %w", err)
	}
	if inside, err := os.ReadDir(dir); err != nil || len(inside) > 0 {
		return "", fmt.Errorf("directory %s: an empty one is expected, it is removed with the cluster", dir)
	}
	return dir, nil
}

// freePorts finds ports on loopback that nothing listens on. They lie below the
// range that the kernel gives to outgoing connections: a broker that is down
// must find its port free when it comes back.
func freePorts(n int) ([]int, error) {
	var ports []int
	for p := 19092; p < 30000 && len(ports) < n; p++ {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		l.Close()
		ports = append(ports, p)
	}
	if len(ports) < n {
		return nil, fmt.Errorf("find %d free ports from 19092 on: only %d are free", n, len(ports))
	}
	return ports, nil
}
