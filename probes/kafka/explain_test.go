package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// validFrom is a certificate that signs itself, for 127.0.0.1.
func validFrom(t *testing.T, from, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func inPEM(c tls.Certificate) string {
	return certificatePEM(c.Certificate[0])
}

// Every way in which a handshake ends says which step and what to do.
func TestHandshakesThatFail(t *testing.T) {
	hour := time.Hour
	expired := validFrom(t, time.Now().Add(-2*hour), time.Now().Add(-hour))
	early := validFrom(t, time.Now().Add(hour), time.Now().Add(2*hour))
	good := validFrom(t, time.Now().Add(-hour), time.Now().Add(hour))
	speak := func(c tls.Certificate, more ...func(*tls.Config)) string {
		conf := &tls.Config{Certificates: []tls.Certificate{c}}
		for _, f := range more {
			f(conf)
		}
		return fake(t, kfake.NumBrokers(1), kfake.TLS(conf)).ListenAddrs()[0]
	}
	trusts := func(c tls.Certificate) map[string]string {
		return map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": inPEM(c)}
	}
	plain := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": jaas("plain.PlainLoginModule")}
	token := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "sasl.jaas.config": bearer(`unsecuredLoginStringClaim_sub="a"`)}
	onlyOld := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }
	client := with1(keyStore("", "key.jks", "store-word", "key-word"), "ssl.truststore.type", "PEM", "ssl.truststore.certificates", inPEM(good), "ssl.truststore.location", "")
	for _, c := range []struct {
		what, address string
		properties    map[string]string
		step          fact.Step
		outcome       fact.Outcome
		words         []string
	}{
		{"expired", speak(expired), trusts(expired), fact.TLS, fact.Denied, []string{`"broker" expired on`, "renew it"}},
		{"not yet valid", speak(early), trusts(early), fact.TLS, fact.Denied, []string{"valid from", "clock"}},
		{"expired, name not checked", speak(expired), with1(trusts(expired), "ssl.endpoint.identification.algorithm", ""), fact.TLS, fact.Denied, []string{"expired on"}},
		{"unknown authority", speak(good), trusts(expired), fact.TLS, fact.Denied, []string{"authority that is not trusted", "ssl.truststore.location"}},
		{"wants a certificate", speak(good, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), trusts(good), fact.TLS, fact.Denied, []string{"set ssl.keystore.location"}},
		{"wants a certificate, TLS 1.2", speak(good, onlyOld, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), trusts(good), fact.TLS, fact.Denied, []string{"set ssl.keystore.location"}},
		{"wants another certificate", speak(good, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool() }), client, fact.TLS, fact.Denied, []string{"certificate in ssl.keystore.location"}},
		{"no common version", speak(good, onlyOld), with1(trusts(good), "ssl.enabled.protocols", "TLSv1.3"), fact.TLS, fact.Denied, []string{"ssl.enabled.protocols"}},
		{"wrong password", answering(t, 0, kerr.SaslAuthenticationFailed.Code), plain, fact.SASL, fact.Denied, []string{"user name or the password of sasl.jaas.config", "PLAIN"}},
		{"closed instead", answering(t, 0, 0), plain, fact.SASL, fact.Closed, []string{"sasl.jaas.config"}},
		{"no SASL", answering(t, kerr.IllegalSaslState.Code, 0), plain, fact.SASL, fact.Denied, []string{"does not use SASL", "security.protocol PLAINTEXT"}},
		{"mechanism not enabled", answering(t, kerr.UnsupportedSaslMechanism.Code, 0), token, fact.SASL, fact.Denied, []string{"does not offer the mechanism OAUTHBEARER, it offers SCRAM-SHA-512, GSSAPI"}},
	} {
		target := aim(t, c.address)
		target.Timeout, target.ClientConfig = 3*time.Second, c.properties
		r := value(t, must(t, target, Reach), fact.BrokerReach, fact.Subject{Scope: fact.Broker, Name: c.address})
		if r.Step != c.step || r.Outcome != c.outcome {
			t.Errorf("%s: %+v", c.what, r)
		}
		for _, w := range c.words {
			if !strings.Contains(r.Detail, w) {
				t.Errorf("%s: %q is not in %q", c.what, w, r.Detail)
			}
		}
	}
}

// answering is a broker that answers to SASL with error codes, as Kafka does; it
// closes the connection instead of authenticating when both are 0.
func answering(t *testing.T, handshake, authenticate int16) string {
	t.Helper()
	cluster := fake(t, kfake.NumBrokers(1))
	cluster.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		answer.ErrorCode, answer.SupportedMechanisms = handshake, []string{"SCRAM-SHA-512", "GSSAPI"}
		return answer, nil, true
	})
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if answer.ErrorCode = authenticate; authenticate == 0 {
			return nil, io.EOF, true // closes
		}
		return answer, nil, true
	})
	return cluster.ListenAddrs()[0]
}

func with1(m map[string]string, more ...string) map[string]string {
	for i := 0; i < len(more); i += 2 {
		if m[more[i]] = more[i+1]; more[i+1] == "" && strings.HasSuffix(more[i], "location") {
			delete(m, more[i])
		}
	}
	return m
}

// What prints a setting in a panic prints no secret.
func TestSettingsPrintNoSecret(t *testing.T) {
	s, err := readSecurity(map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": jaas("plain.PlainLoginModule")})
	if err != nil {
		t.Fatal(err)
	}
	l, err := parseJAAS(jaas("plain.PlainLoginModule"))
	if err != nil {
		t.Fatal(err)
	}
	d := &door{}
	d.security.Store(s)
	for _, v := range []any{s, l, d, s.hidden, []any{s, l}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "s3cr3t") || strings.Contains(text, "733363723374") {
				t.Errorf("%s of %T: %s", verb, v, text)
			}
		}
	}
	if got := s.hidden.hide("bad password " + secret + " and " + fmt.Sprintf("%q", secret)); strings.Contains(got, "s3cr3t") {
		t.Error(got)
	}
}
