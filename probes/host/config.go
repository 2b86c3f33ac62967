package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/magiconair/properties"

	"github.com/ktriage/ktriage/probes/probe"
)

// maxProperties bounds how much of a properties file is read.
const maxProperties = 1 << 20

// Config is what discovery needs of a broker's server.properties.
type Config struct {
	NodeID    int32    // -1: not said here, meta.properties may
	Roles     string   // process.roles; empty with ZooKeeper
	Listeners []string // host:port of each listener that clients may use
	LogDirs   []string // as configured, made absolute where the cwd is known
	MetaDir   string   // metadata.log.dir as configured; empty: the first log dir
	Quorum    []string // controllers, "ID@HOST:PORT", or "HOST:PORT" where the id is not said

	OffsetsRetention time.Duration // offsets.retention.minutes, Kafka's own default where it is not set; 0: no broker, or no number
}

// usualOffsetsRetention is Kafka's default of offsets.retention.minutes.
const usualOffsetsRetention = 7 * 24 * time.Hour

// offsetsRetention is offsets.retention.minutes as a time, of a century at most; 0
// where it is no number that Kafka takes.
func offsetsRetention(minutes string) time.Duration {
	if minutes == "" {
		return usualOffsetsRetention
	}
	n, err := strconv.ParseInt(minutes, 10, 32)
	if err != nil || n < 1 {
		return 0
	}
	return time.Duration(min(n, 100*365*24*60)) * time.Minute
}

// ParseConfig reads a server.properties; overrides win. Values are taken as
// they stand: nothing is expanded. Relative log dirs are relative to cwd.
func ParseConfig(file []byte, overrides map[string]string, cwd string) (Config, error) {
	loader := &properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}
	p, err := loader.LoadBytes(file)
	if err != nil {
		return Config{NodeID: -1}, fmt.Errorf("server properties: %w", err)
	}
	value := func(keys ...string) string {
		for _, key := range keys {
			if v, ok := overrides[key]; ok {
				return v
			}
			if v, ok := p.Get(key); ok {
				return strings.TrimSpace(v)
			}
		}
		return ""
	}
	c := Config{NodeID: parseID(value("node.id", "broker.id")), Roles: strings.ReplaceAll(value("process.roles"), " ", "")}
	dirs := value("log.dirs", "log.dir")
	if dirs == "" {
		dirs = "/tmp/kafka-logs"
	}
	for _, dir := range list(dirs) {
		c.LogDirs = append(c.LogDirs, absolute(path.Clean(dir), cwd))
	}
	if dir := value("metadata.log.dir"); dir != "" {
		c.MetaDir = absolute(path.Clean(dir), cwd)
	}
	if c.IsBroker() {
		c.OffsetsRetention = offsetsRetention(value("offsets.retention.minutes"))
	}
	listeners := value("listeners")
	if listeners == "" && c.IsBroker() {
		port := value("port")
		if port == "" {
			port = "9092"
		}
		listeners = "PLAINTEXT://" + value("host.name") + ":" + port
	}
	own := list(value("controller.listener.names"))
	c.Listeners = clientListeners(listeners, own)
	c.Quorum = slices.Concat(list(value("controller.quorum.voters")), list(value("controller.quorum.bootstrap.servers")))
	for _, address := range controllerListeners(listeners, own) {
		if c.NodeID >= 0 {
			address = fmt.Sprintf("%d@%s", c.NodeID, address)
		}
		c.Quorum = append(c.Quorum, address)
	}
	return c, nil
}

// IsBroker says whether the node serves clients: it may be a controller alone.
func (c Config) IsBroker() bool {
	return c.Roles == "" || slices.Contains(strings.Split(c.Roles, ","), "broker")
}

func list(value string) []string {
	var all []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// parseID is a node id, -1 for what is none: missing, -1 (to be generated), or
// a placeholder that only the broker can resolve.
func parseID(value string) int32 {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return int32(n)
}

// clientListeners is the addresses of the listeners that are not the
// controllers' own. A listener on all interfaces is found on loopback.
func clientListeners(value string, controllers []string) []string {
	return listeners(value, func(name string) bool { return !names(controllers, name) })
}

// controllerListeners is the addresses of the controllers' own.
func controllerListeners(value string, controllers []string) []string {
	return listeners(value, func(name string) bool { return names(controllers, name) })
}

func names(all []string, name string) bool {
	return slices.ContainsFunc(all, func(c string) bool { return strings.EqualFold(c, name) })
}

// listeners is the addresses of the listeners whose names are wanted.
func listeners(value string, wanted func(name string) bool) []string {
	var all []string
	for _, listener := range list(value) {
		name, address, ok := strings.Cut(listener, "://")
		if !ok || !wanted(name) {
			continue
		}
		host, port, err := net.SplitHostPort(address)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
			continue
		}
		all = append(all, net.JoinHostPort(probe.OnThisHost(host), port))
	}
	return all
}

// readConfig reads the properties file that a process calls path.
func readConfig(t *probe.Target, pid int, path string, overrides map[string]string, cwd string) (Config, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	name := t.PathOf(pid, path)
	file, err := probe.Within(ctx, t, "read "+name, func() ([]byte, error) { return t.ReadFile(name, maxProperties) })
	if err != nil {
		return Config{NodeID: -1}, fmt.Errorf("read the broker's properties: %w", err)
	}
	c, err := ParseConfig(file, overrides, cwd)
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if c.NodeID < 0 {
		c.NodeID = storedID(t, discovery, pid, c.LogDirs)
	}
	return c, nil
}

// stored is what a meta.properties says of the node that its dir belongs to.
type stored struct {
	node    int32 // -1: nothing
	cluster string
}

// storedID is the node id that meta.properties of one of the log dirs holds; -1
// where none does. reader is the name of the probe that asks.
func storedID(t *probe.Target, reader string, pid int, dirs []string) int32 {
	return storedMeta(t, reader, pid, dirs).node
}

// patience is how long the disk that a file of a broker lies on is waited for.
const patience = time.Second

// discovery is the name of the probe Brokers where it reads.
const discovery = "host.brokers"

type storedKey struct{}

// storedMeta is what meta.properties of the first log dir says that has one. Of a
// dir that does not answer it is what was last read there: that its disk is dead
// does not make it another node's.
func storedMeta(t *probe.Target, reader string, pid int, dirs []string) stored {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	before := probe.Shared(t, storedKey{}, func() *sync.Map { return new(sync.Map) })
	for _, dir := range dirs {
		name := t.PathOf(pid, path.Join(dir, "meta.properties"))
		// Two probes may read one file at the same time: neither hangs for that.
		file, err := probe.Within(ctx, t, reader+" reads "+name, func() ([]byte, error) { return t.ReadFile(name, 64<<10) })
		if errors.Is(err, context.DeadlineExceeded) {
			if meta, ok := before.Load(name); ok {
				return meta.(stored)
			}
		}
		if err != nil {
			continue
		}
		if meta := parseMeta(file); meta.node >= 0 {
			before.Store(name, meta)
			return meta
		}
	}
	return stored{node: -1}
}

// parseMeta reads a meta.properties, of either version.
func parseMeta(file []byte) stored {
	p, err := (&properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}).LoadBytes(file)
	if err != nil {
		return stored{node: -1}
	}
	value := func(key string) string { return strings.TrimSpace(p.GetString(key, "")) }
	meta := stored{parseID(value("node.id")), value("cluster.id")}
	if meta.node < 0 {
		meta.node = parseID(value("broker.id"))
	}
	return meta
}
