package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// expired is a certificate that ended, below an authority that ended before it.
func expired(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := func(name string, year int) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(int64(year)), Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}},
			NotBefore: time.Date(year-1, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	authority := form("authority", 2023)
	authority.IsCA, authority.BasicConstraintsValid = true, true
	top, err := x509.CreateCertificate(rand.Reader, authority, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own := form("b1", 2024)
	own.DNSNames, own.IPAddresses = []string{"b1.example"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf, err := x509.CreateCertificate(rand.Reader, own, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{leaf, top}, PrivateKey: key}
}

// onThisHost is a target with a running broker 1 of this host, with these
// settings.
func onThisHost(t *testing.T, settings string) *probe.Target {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.properties")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	target := aim(t)
	target.SetBrokers([]fact.LocalBroker{{NodeID: 1, Running: true, Config: file, Listeners: []string{closedPort(t)}}})
	return target
}

func TestCertificatesOfThisHost(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{expired(t)}}
	hands := make(chan error, 8)
	address := listen(t, func(c net.Conn) {
		hands <- tls.Server(c, config).Handshake()
		c.Read(make([]byte, 1))
	})
	plain := listen(t, func(c net.Conn) { c.Read(make([]byte, 1)) })
	target := onThisHost(t, fmt.Sprintf("listeners=PLAINTEXT://%s,SECURE://%s,CLOSED://%s,MUTUAL://%s\n"+
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CLOSED:SSL,MUTUAL:SSL\n"+
		"listener.name.mutual.ssl.client.auth=required\n", plain, address, closedPort(t), address))
	s := must(t, target, Certificates)
	all := value(t, s, fact.Certificates, fact.BrokerOf(1))
	byName := map[string]fact.ListenerCertificate{}
	for _, c := range all {
		byName[c.Listener] = c
	}
	got := byName["SECURE"]
	if len(all) != 3 || got.Address != address || got.Subject != "CN=b1,O=Example" || got.Issuer != "CN=authority,O=Example" || got.Untold != "" ||
		strings.Join(got.Names, " ") != "b1.example 127.0.0.1" || got.NotAfter.Year() != 2024 || got.NotBefore.Year() != 2023 || got.ChainEnds.Year() != 2023 {
		t.Errorf("%+v", all)
	}
	if c := byName["CLOSED"]; !strings.Contains(c.Untold, "refused") || !c.NotAfter.IsZero() {
		t.Errorf("a closed port: %+v", c)
	}
	if c := byName["MUTUAL"]; !strings.Contains(c.Untold, "ssl.keystore.location") {
		t.Errorf("a listener that wants a certificate: %+v", c)
	}
	if err := <-hands; err != nil || len(hands) > 0 {
		t.Errorf("the listener saw the handshake fail: %v; %d more", err, len(hands))
	}
}

// TestCertificatesOfOthers has brokers elsewhere, and properties that do not
// trust them.
func TestCertificatesOfOthers(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{expired(t)}}
	address := listen(t, func(c net.Conn) {
		tls.Server(c, config).Handshake()
		c.Read(make([]byte, 1))
	})
	target := aim(t, address)
	target.ClientConfig = map[string]string{"security.protocol": "SSL"}
	s := must(t, target, Certificates)
	all := value(t, s, fact.Certificates, fact.Subject{Scope: fact.Broker, Name: address})
	if len(all) != 1 || all[0].NotAfter.Year() != 2024 {
		t.Errorf("%+v", all)
	}
}

func TestNoCertificates(t *testing.T) {
	_, err := look(t, aim(t, fake(t).ListenAddrs()...), Certificates)
	if err == nil || probe.Because(err).Reason != fact.Absent {
		t.Errorf("without TLS: %v", err)
	}
	target := onThisHost(t, "")
	if err := os.Remove(target.Brokers()[0].Config); err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, target, Certificates); err == nil || probe.Because(err).Reason == fact.Absent {
		t.Errorf("a configuration that cannot be read: %v", err)
	}
}

func FuzzGates(f *testing.F) {
	f.Add([]byte("listeners=SSL://:1,B://[::]:2\nlistener.security.protocol.map=B:SASL_SSL,:\nssl.client.auth=required\nlistener.name.b.ssl.client.auth=none"))
	f.Add([]byte("listeners=SSL://,://:,SSL://x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		server, err := parseSettings(text)
		if err != nil {
			return
		}
		for _, g := range gatesIn(server) {
			if _, _, err := net.SplitHostPort(g.address); err != nil || g.listener == "" && g.address == "" {
				t.Errorf("gate %+v", g)
			}
		}
	})
}
