package kafka

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Certificates shakes hands with each TLS listener that it knows of: those that
// the other probes connect to, and every one in the configuration of a broker of
// this host. It only looks: nothing is sent to the listener, and the certificate
// need not be valid.
var Certificates = &probe.Probe{
	Name: "kafka.certificates", Doc: "the certificate of each TLS listener: of the brokers that are asked, and all of this host's",
	Cost: probe.Cheap, Every: 5 * time.Minute,
	Yields:  []fact.Key{fact.Certificates},
	Observe: observeCertificates,
}

// gate is a TLS listener of a broker.
type gate struct {
	broker   string // name of the subject
	address  string
	listener string
	wants    bool // a certificate of the client
}

func observeCertificates(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	var local []gate
	var unread error
	for _, b := range t.Brokers() {
		if b.Running && b.Config != "" && b.NodeID >= 0 {
			found, bad := localGates(t, b)
			local = append(local, found...)
			if bad != nil {
				unread = fmt.Errorf("listeners in %s: %w", b.Config, bad)
			}
		}
	}
	if err != nil && len(local) == 0 {
		return nil, err
	}
	gates := local
	var own []tls.Certificate
	if r != nil {
		gates = slices.Concat(local, r.gates(ctx, local))
		own = r.door.by().certificates()
	}
	if len(gates) == 0 {
		if unread != nil {
			return nil, unread
		}
		return nil, probe.Fail(fact.Absent, "no listener with TLS is known", "")
	}
	return shown(ctx, t, gates, own), unread
}

// gates is the TLS listeners that the other probes connect to, but those that
// are known as this host's already.
func (r *roster) gates(ctx context.Context, local []gate) (all []gate) {
	if r.door.by().tls == nil {
		return nil
	}
	places := map[string]bool{}
	for _, g := range local {
		places[r.locate(ctx, g.address)] = true
	}
	for _, p := range r.crew() {
		r.mu.Lock()
		g := gate{broker: p.name, address: p.reach.Address, wants: false}
		reached := p.taken == nil && (p.reach.Outcome == fact.Answered || p.reach.Step != fact.Resolve && p.reach.Step != fact.Connect)
		r.mu.Unlock()
		if reached && !places[r.locate(ctx, g.address)] {
			all = append(all, g)
		}
	}
	return all
}

// localGates reads the TLS listeners of a broker of this host from its
// configuration.
func localGates(t *probe.Target, b fact.LocalBroker) ([]gate, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	path := t.PathOf(b.PID, b.Config)
	text, err := probe.Within(ctx, t, "listeners in "+path, func() ([]byte, error) { return t.ReadFile(path, maxProvided) })
	if err != nil {
		return nil, err
	}
	settings, err := parseSettings(text)
	if err != nil {
		return nil, err
	}
	all := gatesIn(settings)
	for i := range all {
		all[i].broker = fact.BrokerOf(b.NodeID).Name
	}
	return all, nil
}

// gatesIn is the TLS listeners of a server.properties.
func gatesIn(server map[string]string) (all []gate) {
	for one := range strings.SplitSeq(server["listeners"], ",") {
		name, _, ok := strings.Cut(strings.TrimSpace(one), "://")
		if !ok || !strings.HasSuffix(strings.ToUpper(protocolOf(server, name)), "SSL") {
			continue
		}
		address := listenerAddress(server["listeners"], name)
		if address == "" {
			continue
		}
		auth := cmp.Or(server["listener.name."+strings.ToLower(name)+".ssl.client.auth"], server["ssl.client.auth"])
		all = append(all, gate{address: address, listener: name, wants: strings.EqualFold(strings.TrimSpace(auth), "required")})
	}
	return all
}

// protocolOf is the security protocol of a listener: what the map says, else its
// name.
func protocolOf(server map[string]string, name string) string {
	for pair := range strings.SplitSeq(server["listener.security.protocol.map"], ",") {
		if n, p, ok := strings.Cut(pair, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			return strings.TrimSpace(p)
		}
	}
	return name
}

// shown asks all gates at the same time, and is an observation a broker.
func shown(ctx context.Context, t *probe.Target, gates []gate, own []tls.Certificate) []fact.Observation {
	ctx, cancel := context.WithTimeout(ctx, patience(t))
	defer cancel()
	told := make([]fact.ListenerCertificate, len(gates))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, g := range gates {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			told[i] = g.look(ctx, t, own)
		})
	}
	all.Wait()
	byBroker := map[string][]fact.ListenerCertificate{}
	var order []string
	for i, g := range gates {
		if byBroker[g.broker] == nil {
			order = append(order, g.broker)
		}
		byBroker[g.broker] = append(byBroker[g.broker], told[i])
	}
	var seen []fact.Observation
	for _, name := range order {
		subject := fact.Subject{Scope: fact.Broker, Name: name}
		slices.SortFunc(byBroker[name], func(a, b fact.ListenerCertificate) int { return strings.Compare(a.Address, b.Address) })
		seen = append(seen, fact.Certificates.Is(subject, byBroker[name]))
	}
	return seen
}

// look shakes hands and hangs up.
func (g gate) look(ctx context.Context, t *probe.Target, own []tls.Certificate) fact.ListenerCertificate {
	c := fact.ListenerCertificate{Address: g.address, Listener: g.listener}
	if g.wants && len(own) == 0 {
		c.Untold = "it wants a certificate of the client (ssl.keystore.location), and would log a handshake without one as failed"
		return c
	}
	began := time.Now()
	chain, err := chainAt(ctx, g.address, own)
	t.Ledger.Note("request", "TLS handshake with broker "+g.broker, 0, time.Since(began))
	if err != nil {
		c.Untold = fmt.Sprintf("%.300s", failed(fact.TLS, err).Error())
		return c
	}
	leaf := chain[0]
	c.Subject, c.Issuer = short(leaf.Subject.String()), short(leaf.Issuer.String())
	c.NotBefore, c.NotAfter, c.ChainEnds = leaf.NotBefore.UTC(), leaf.NotAfter.UTC(), leaf.NotAfter.UTC()
	for _, other := range chain[1:] {
		if other.NotAfter.Before(c.ChainEnds) {
			c.ChainEnds = other.NotAfter.UTC()
		}
	}
	for _, name := range leaf.DNSNames {
		c.Names = append(c.Names, short(name))
	}
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	c.Names = c.Names[:min(len(c.Names), namesOfCertificate)]
	return c
}

// namesOfCertificate is how many names of a certificate are kept.
const namesOfCertificate = 32

// short is a name in a certificate: whoever made it can write a book.
func short(s string) string { return fmt.Sprintf("%.300s", strings.ToValidUTF8(s, "\uFFFD")) }

// chainAt is the certificates that a listener shows, its own first.
func chainAt(ctx context.Context, address string, own []tls.Certificate) ([]*x509.Certificate, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName: host, Certificates: own, MinVersion: tls.VersionTLS10,
		InsecureSkipVerify: true, // an expired one is what is looked for; nothing is sent over the connection
	}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: a handshake without a certificate", errGarbled)
	}
	return chain, nil
}
