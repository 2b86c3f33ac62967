package metrics

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// endpoint is where the metrics of one broker are.
type endpoint struct {
	url     *url.URL
	node    int32 // whose it is; -1: not known before it has answered
	foundBy string
	jolokia bool
}

// ParseURL takes one --metrics-url apart: an address, with "3=" before it where
// the operator says whose it is. Errors never hold a password.
func ParseURL(text string) (node int32, address *url.URL, err error) {
	node = -1
	if id, rest, ok := strings.Cut(text, "="); ok {
		if n, bad := strconv.ParseInt(id, 10, 32); bad == nil && n >= 0 {
			node, text = int32(n), rest
		}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err // the error around it holds the address
		}
		return -1, nil, fmt.Errorf("metrics address: %w", hideUser(err, text))
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return -1, nil, fmt.Errorf("metrics address %q: http://HOST:PORT/metrics is expected", shown(u))
	}
	if u.Path == "" {
		u.Path = "/metrics"
	}
	return node, u, nil
}

// hideUser is an error without the part of an address that may hold a password.
func hideUser(err error, text string) error {
	if strings.Contains(text, "@") {
		return errors.New("it cannot be parsed")
	}
	return err
}

// shown is an address as it may be printed: without user, password and query.
func shown(u *url.URL) string {
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return clean.String()
}

// endpoints is those that the operator named, and the agents of this host's
// brokers that are not among them.
func endpoints(t *probe.Target) []endpoint {
	var all []endpoint
	for _, text := range t.MetricsURLs {
		node, u, err := ParseURL(text)
		if err != nil {
			continue // the command line has been checked
		}
		all = append(all, endpoint{url: u, node: node, foundBy: "--metrics-url", jolokia: isJolokia(u)})
	}
	for _, b := range t.Brokers() {
		if !b.Running {
			continue
		}
		cmdline, err := t.ReadFile(t.Proc(b.PID, "cmdline"), 2<<20)
		if err != nil || !ourNetwork(t, b.PID) {
			continue
		}
		for _, option := range host.ParseCommand(cmdline).Options {
			e, ok := agent(option)
			if !ok {
				continue
			}
			e.node = b.NodeID
			if i := same(all, e); i >= 0 {
				if all[i].node < 0 {
					all[i].node = b.NodeID
				}
				continue
			}
			all = append(all, e)
		}
	}
	return all
}

func isJolokia(u *url.URL) bool { return strings.Contains(u.Path, "/jolokia") }

// same is which of the endpoints is on the same port of this host; -1: none.
func same(all []endpoint, e endpoint) int {
	for i, one := range all {
		if one.url.Port() == e.url.Port() && (one.url.Hostname() == e.url.Hostname() || onLoopback(one.url.Hostname())) {
			return i
		}
	}
	return -1
}

func onLoopback(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// ourNetwork says whether a process is in our network namespace: the port of an
// agent in a container is not on our loopback.
func ourNetwork(t *probe.Target, pid int) bool {
	theirs, err := os.Readlink(t.Proc(pid, "ns/net"))
	if err != nil {
		return true
	}
	ours, err := os.Readlink(t.Root + "/proc/self/ns/net")
	return err != nil || ours == theirs
}

// agent reads one option of a JVM that may load an agent for metrics:
// -javaagent:/opt/jmx_prometheus_javaagent-1.0.1.jar=0.0.0.0:7071:/etc/kafka.yml
// or -javaagent:/opt/jolokia-jvm.jar=port=8778,host=0.0.0.0.
func agent(option string) (endpoint, bool) {
	option, ok := strings.CutPrefix(option, "-javaagent:")
	if !ok {
		return endpoint{}, false
	}
	jar, arguments, _ := strings.Cut(option, "=")
	switch name := path.Base(jar); {
	case strings.Contains(name, "jmx_prometheus_javaagent"):
		// The configuration is a path, and may hold colons itself.
		bound, port := "", ""
		for part := range strings.SplitSeq(arguments, ":") {
			if n, err := strconv.ParseUint(part, 10, 16); err == nil && n > 0 {
				bound, _, _ = strings.Cut(arguments, ":"+part+":")
				if strings.HasPrefix(arguments, part+":") {
					bound = ""
				}
				port = part
				break
			}
		}
		if port == "" {
			return endpoint{}, false
		}
		return found(net.JoinHostPort(probe.OnThisHost(strings.Trim(bound, "[]")), port), "/metrics", false)
	case strings.Contains(name, "jolokia"):
		bound, port := "127.0.0.1", "8778"
		for part := range strings.SplitSeq(arguments, ",") {
			switch key, value, _ := strings.Cut(part, "="); key {
			case "port":
				port = value
			case "host":
				bound = value
			}
		}
		if bound == "*" {
			bound = ""
		}
		return found(net.JoinHostPort(probe.OnThisHost(bound), port), "/jolokia", true)
	}
	return endpoint{}, false
}

func found(address, path string, jolokia bool) (endpoint, bool) {
	return endpoint{url: &url.URL{Scheme: "http", Host: address, Path: path}, node: -1, foundBy: "agent of the JVM", jolokia: jolokia}, true
}

// whose is the broker of an endpoint: as the operator or the broker's own flags
// say, as the metrics say, or the only broker here where the address is this
// host's; else the address stands for it.
func (e endpoint) whose(t *probe.Target, all []sample) fact.Subject {
	switch id := nodeID(all); {
	case e.node >= 0:
		return fact.BrokerOf(e.node)
	case id >= 0:
		return fact.BrokerOf(id)
	}
	if here := t.Brokers(); len(here) == 1 && here[0].NodeID >= 0 && onLoopback(e.url.Hostname()) {
		return fact.BrokerOf(here[0].NodeID)
	}
	return fact.Subject{Scope: fact.Broker, Name: e.url.Host}
}
