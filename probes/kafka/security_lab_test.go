//go:build lab

package kafka_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// Every way into a real broker but Kerberos, and what it says when one is
// closed.
func TestLabSecurity(t *testing.T) {
	_, jmx, _ := strings.Cut(freePort(t), ":")
	oldStore, oldTrust := filepath.Join(t.TempDir(), "old.pem"), filepath.Join(t.TempDir(), "trust.pem")
	if err := lab.WriteStores(oldStore, oldTrust, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	c := startSecured(t,
		[]string{"-Dcom.sun.management.jmxremote.port=" + jmx, "-Dcom.sun.management.jmxremote.authenticate=false", "-Dcom.sun.management.jmxremote.ssl=false", "-Dcom.sun.management.jmxremote.host=127.0.0.1"},
		map[string]string{"TLS": "SSL", "OLD": "SSL", "MUTUAL": "SSL", "SASL": "SASL_PLAINTEXT", "BOTH": "SASL_SSL"},
		map[string]string{
			"ssl.keystore.type": "PEM", "ssl.keystore.location": absolute(t, "broker.pem"),
			"ssl.truststore.type": "PEM", "ssl.truststore.location": absolute(t, "ca.pem"),
			"listener.name.old.ssl.keystore.type": "PEM", "listener.name.old.ssl.keystore.location": oldStore,
			"listener.name.mutual.ssl.client.auth":                              "required",
			"listener.name.sasl.sasl.enabled.mechanisms":                        "PLAIN,SCRAM-SHA-512,OAUTHBEARER",
			"listener.name.sasl.plain.sasl.jaas.config":                         loginOf("plain.PlainLoginModule", `user_alice="alice-word"`),
			"listener.name.sasl.scram-sha-512.sasl.jaas.config":                 loginOf("scram.ScramLoginModule", ""),
			"listener.name.sasl.oauthbearer.sasl.jaas.config":                   loginOf("oauthbearer.OAuthBearerLoginModule", `unsecuredLoginStringClaim_sub="broker"`),
			"listener.name.sasl.oauthbearer.sasl.server.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler",
			"listener.name.both.sasl.enabled.mechanisms":                        "PLAIN",
			"listener.name.both.plain.sasl.jaas.config":                         loginOf("plain.PlainLoginModule", `user_alice="alice-word"`),
		})
	began := time.Now()
	plain := c.Node(2).Address()

	trust := map[string]string{"security.protocol": "SSL", "ssl.truststore.location": absolute(t, "trust.jks"), "ssl.truststore.password": "trust-word"}
	jks := with(trust, "ssl.keystore.location", absolute(t, "key.jks"), "ssl.keystore.password", "store-word", "ssl.key.password", "key-word")
	pkcs12 := with(trust, "ssl.truststore.location", absolute(t, "trust.p12"), "ssl.truststore.type", "PKCS12",
		"ssl.keystore.type", "PKCS12", "ssl.keystore.location", absolute(t, "both.p12"), "ssl.keystore.password", "store-word")
	arrives(t, "SSL, trust store JKS", c.at["TLS"], trust)
	arrives(t, "mutual TLS, JKS", c.at["MUTUAL"], jks)
	arrives(t, "mutual TLS, PKCS12", c.at["MUTUAL"], pkcs12)
	arrives(t, "mutual TLS, encrypted PEM", c.at["MUTUAL"], with(trust, "ssl.keystore.type", "PEM", "ssl.keystore.location", absolute(t, "client-aes.pem"), "ssl.key.password", "key-word"))
	fails(t, "mutual TLS, no certificate", c.at["MUTUAL"], trust, fact.TLS, "set ssl.keystore.location")
	fails(t, "unknown authority", c.at["TLS"], map[string]string{"security.protocol": "SSL"}, fact.TLS, "ssl.truststore.location")
	old := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": oldTrust}
	fails(t, "expired certificate", c.at["OLD"], old, fact.TLS, "expired on 2026-01-31 12:00 UTC: renew it")
	elsewhere := strings.Replace(c.at["TLS"], "127.0.0.1", "localhost", 1)
	fails(t, "another name", elsewhere, trust, fact.TLS, "names 127.0.0.1 and not localhost")
	arrives(t, "another name, not checked", elsewhere, with(trust, "ssl.endpoint.identification.algorithm", ""))
	fails(t, "TLS to plain text", plain, trust, fact.TLS, "security.protocol PLAINTEXT")
	fails(t, "plain text to TLS", c.at["TLS"], nil, fact.APIVersions, "security.protocol SSL")
	fails(t, "JMX", "127.0.0.1:"+jmx, nil, fact.APIVersions, "JMX")
	fails(t, "TLS to JMX", "127.0.0.1:"+jmx, trust, fact.TLS, "another port")
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	fails(t, "HTTP", answersHTTP(t), nil, fact.APIVersions, "speaks HTTP")
	fails(t, "TLS to HTTP", web.Listener.Addr().String(), trust, fact.TLS, "speaks HTTP without TLS")
	seesCertificates(t, c)

	user := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": loginOf("plain.PlainLoginModule", `username="alice" password="alice-word"`)}
	arrives(t, "PLAIN", c.at["SASL"], user)
	arrives(t, "PLAIN over TLS", c.at["BOTH"], with(user, "security.protocol", "SASL_SSL", "ssl.truststore.location", absolute(t, "trust.p12"), "ssl.truststore.password", "trust-word"))
	fails(t, "PLAIN, wrong password", c.at["SASL"], with(user, "sasl.jaas.config", loginOf("plain.PlainLoginModule", `username="alice" password="canary-word"`)), fact.SASL, "user name or the password")
	fails(t, "no SASL to a listener with", c.at["SASL"], nil, fact.SASL, "SASL_")
	fails(t, "SASL to a listener without", plain, user, fact.SASL, "does not use SASL")

	addScram(t, plain)
	scram := with(user, "sasl.mechanism", "SCRAM-SHA-512", "sasl.jaas.config", loginOf("scram.ScramLoginModule", `username="bob" password="bob-word"`))
	arrives(t, "SCRAM-SHA-512", c.at["SASL"], scram)
	fails(t, "SCRAM-SHA-512, wrong password", c.at["SASL"], with(scram, "sasl.jaas.config", loginOf("scram.ScramLoginModule", `username="bob" password="canary-word"`)), fact.SASL, "user name or the password")
	fails(t, "SCRAM-SHA-256, not offered", c.at["SASL"], with(scram, "sasl.mechanism", "SCRAM-SHA-256"), fact.SASL, "it offers ")

	token := with(user, "sasl.mechanism", "OAUTHBEARER", "sasl.jaas.config", loginOf("oauthbearer.OAuthBearerLoginModule", `unsecuredLoginStringClaim_sub="carol"`))
	arrives(t, "OAUTHBEARER, no endpoint", c.at["SASL"], token)
	endpoint := tokenEndpoint(t)
	client := with(token, "sasl.oauthbearer.token.endpoint.url", endpoint+"/token", "sasl.jaas.config", loginOf("oauthbearer.OAuthBearerLoginModule", `clientId="carol" clientSecret="carol-word" scope="read"`))
	arrives(t, "OAUTHBEARER, endpoint", c.at["SASL"], client)
	fails(t, "OAUTHBEARER, wrong secret", c.at["SASL"], with(client, "sasl.jaas.config", loginOf("oauthbearer.OAuthBearerLoginModule", `clientId="carol" clientSecret="canary-word"`)), fact.SASL, "clientSecret is wrong")
	fails(t, "OAUTHBEARER, rejected token", c.at["SASL"], with(token, "sasl.jaas.config", loginOf("oauthbearer.OAuthBearerLoginModule", `token="a.b.c"`)), fact.SASL, "rejects the token")
	t.Logf("all ways took %.1f s", time.Since(began).Seconds())
}

// answersHTTP is the address of a web server that, unlike Go's own, refuses a
// request at its first bytes, as nginx does, and does not wait for the line's end.
func answersHTTP(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 512))
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.Close()
		}
	}()
	return l.Addr().String()
}

// seesCertificates reads all certificates of broker 2 as on its host, and none of
// the others, and leaves no failed handshake in its log.
func seesCertificates(t *testing.T, c secured) {
	t.Helper()
	n := c.Node(2)
	before, err := os.ReadFile(filepath.Join(n.LogsDir(), "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	target := &probe.Target{Bootstrap: []string{n.Address()}, Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: n.PID(), Running: true, Config: filepath.Join(n.Dir, "server.properties"), Listeners: []string{n.Address()}}})
	ctx, cancel := context.WithTimeout(t.Context(), target.Timeout)
	defer cancel()
	seen, err := kafka.Certificates.Observe(ctx, target)
	if err != nil || len(seen) != 1 {
		t.Fatalf("certificates: %v, %v", seen, err)
	}
	byName := map[string]fact.ListenerCertificate{}
	for _, one := range seen[0].Value.([]fact.ListenerCertificate) {
		byName[one.Listener] = one
	}
	t.Logf("certificates: %+v", byName)
	if len(byName) != 4 || byName["OLD"].NotAfter.Year() != 2026 || byName["TLS"].Subject == "" || byName["BOTH"].Subject == "" || byName["MUTUAL"].Untold == "" {
		t.Errorf("certificates: %+v", byName)
	}
	time.Sleep(200 * time.Millisecond) // what the broker makes of it
	after, err := os.ReadFile(filepath.Join(n.LogsDir(), "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	if added := string(after[len(before):]); strings.Contains(added, "Failed authentication") {
		t.Errorf("the broker logs a failed handshake: %s", added)
	}
}

// addScram creates a user, with a client that is not part of ktriage.
func addScram(t *testing.T, address string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	got, err := kadm.NewClient(client).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: "bob", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "bob-word"}})
	if err == nil {
		err = got.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // until broker 2 has it
}

// tokenEndpoint gives carol tokens without a signature.
func tokenEndpoint(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "carol" || secret != "carol-word" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "read" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "%s is wrong"}`, secret)
			return
		}
		encode := base64.RawURLEncoding.EncodeToString
		now := time.Now().Unix()
		text := encode([]byte(`{"alg":"none"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":"carol","iat":%d,"exp":%d}`, now, now+300)) + "."
		fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer", "expires_in": 300}`, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
