package kafka

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// adopted is the settings by which brokers of this host connect to each other,
// for an operator who names none.
type adopted struct {
	mu     sync.Mutex
	tried  map[string]bool   // paths of server.properties
	doors  map[string]string // by path, the address that is spoken to with these settings
	failed error             // why those of a broker do not suffice
}

// adopt takes the settings of the inter-broker listener from the brokers of this
// host, unless the operator gave settings, or addresses of other listeners. One
// that is PLAINTEXT changes nothing, and neither does one that cannot be read.
func (r *roster) adopt(t *probe.Target) {
	if len(t.ClientConfig) > 0 || r.refused != nil {
		return
	}
	a := &r.adopted
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range t.Brokers() {
		if b.Config == "" || b.Roles == "controller" || a.tried[b.Config] {
			continue
		}
		if a.tried == nil {
			a.tried, a.doors = map[string]bool{}, map[string]string{}
		}
		a.tried[b.Config] = true
		l, err := readListener(t, b)
		if err == nil && l.settings == nil || !l.among(t.Bootstrap) {
			continue
		}
		if err == nil {
			err = r.use(l, b.Config)
		}
		if err != nil {
			a.failed = fmt.Errorf("settings of the inter-broker listener in %s: %w", b.Config, err)
			continue
		}
		a.doors[b.Config] = l.address
	}
}

// use makes connections by the settings of a listener from now on. The first
// broker's serve for all: those of a cluster share them.
func (r *roster) use(l listener, from string) error {
	if len(r.adopted.doors) > 0 {
		return nil
	}
	s, err := readSecurity(l.settings)
	if err != nil {
		return err
	}
	s.from = from
	r.door.security.Store(s)
	return nil
}

// entrances is the addresses of a broker of this host that fit the settings.
func (a *adopted) entrances(b fact.LocalBroker) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if address := a.doors[b.Config]; address != "" {
		return []string{address}
	}
	return b.Listeners
}

// hint says why settings of this host's broker were not used; "" when none were
// wanted.
func (a *adopted) hint() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == nil {
		return ""
	}
	return "; " + a.failed.Error()
}

// readListener reads the inter-broker listener of a broker of this host.
func readListener(t *probe.Target, b fact.LocalBroker) (listener, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	path := t.PathOf(b.PID, b.Config)
	text, err := probe.Within(ctx, t, "settings in "+path, func() ([]byte, error) { return t.ReadFile(path, maxProvided) })
	if err != nil {
		return listener{}, err
	}
	settings, err := parseSettings(text)
	if err != nil {
		return listener{}, err
	}
	l := interBroker(settings)
	for name, value := range l.settings { // as the broker's process calls them
		if strings.HasSuffix(name, ".location") && value != "" {
			l.settings[name] = t.PathOf(b.PID, value)
		}
	}
	if l.settings["sasl.mechanism"] == "GSSAPI" && b.PID > 0 {
		if line, err := t.ReadFile(t.Proc(b.PID, "cmdline"), maxProvided); err == nil {
			for word := range strings.SplitSeq(string(line), "\x00") {
				if path, ok := strings.CutPrefix(word, "-D"+krb5Property+"="); ok {
					l.settings[krb5Property] = t.PathOf(b.PID, path)
				}
			}
		}
	}
	return l, nil
}

// listener is how brokers connect to one of their listeners.
type listener struct {
	settings map[string]string // client properties; nil: PLAINTEXT needs none
	address  string            // as advertised, else as bound; "": not said
	bound    string
}

// interBroker makes client properties from a server.properties.
func interBroker(server map[string]string) listener {
	get := func(name, absent string) string {
		if v := strings.TrimSpace(server[name]); v != "" {
			return v
		}
		return absent
	}
	name := get("inter.broker.listener.name", get("security.inter.broker.protocol", "PLAINTEXT"))
	protocol := protocolOf(server, name)
	l := listener{bound: listenerAddress(server["listeners"], name)}
	if l.address = listenerAddress(server["advertised.listeners"], name); l.address == "" {
		l.address = l.bound
	}
	if strings.EqualFold(protocol, "PLAINTEXT") || l.address == "" {
		return l
	}
	l.settings = map[string]string{}
	prefix := "listener.name." + strings.ToLower(name) + "."
	for _, from := range []string{"", prefix} { // those of the listener win
		for key, value := range server {
			if key, ok := strings.CutPrefix(key, from); ok && (strings.HasPrefix(key, "ssl.") || strings.HasPrefix(key, "sasl.") || strings.HasPrefix(key, "config.providers")) {
				l.settings[key] = value
			}
		}
	}
	delete(l.settings, "ssl.cipher.suites") // what the broker accepts; TLS agrees on one
	mechanism := get("sasl.mechanism.inter.broker.protocol", "GSSAPI")
	if own := l.settings[strings.ToLower(mechanism)+".sasl.jaas.config"]; own != "" {
		l.settings["sasl.jaas.config"] = own
	}
	if own := server[prefix+strings.ToLower(mechanism)+".sasl.jaas.config"]; own != "" {
		l.settings["sasl.jaas.config"] = own
	}
	maps.Copy(l.settings, map[string]string{"security.protocol": protocol, "sasl.mechanism": mechanism})
	return l
}

// listenerAddress is the address of a listener in a list of them:
//
//	PLAINTEXT://:9092,INTERNAL://b1.example:9093
func listenerAddress(list, name string) string {
	for one := range strings.SplitSeq(list, ",") {
		n, address, ok := strings.Cut(strings.TrimSpace(one), "://")
		host, port, err := net.SplitHostPort(address)
		if !ok || err != nil || port == "0" || !strings.EqualFold(n, name) {
			continue
		}
		return net.JoinHostPort(probe.OnThisHost(host), port)
	}
	return ""
}

// among says whether addresses that the operator gave lead to the listener; none
// given is fine.
func (l listener) among(given []string) bool {
	if len(given) == 0 {
		return true
	}
	here := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		here = append(here, name)
	}
	_, port, _ := net.SplitHostPort(l.bound)
	return slices.ContainsFunc(given, func(address string) bool {
		host, p, err := net.SplitHostPort(address)
		return err == nil && (address == l.address || address == l.bound || p == port && slices.Contains(here, host))
	})
}
