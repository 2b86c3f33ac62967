//go:build lab

package kafka_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Every way into a real broker but Kerberos, and what it says when one is
// closed.
func TestLabSecurity(t *testing.T) {
	_, jmx, _ := strings.Cut(freePort(t), ":")
	c := startSecured(t,
		[]string{"-Dcom.sun.management.jmxremote.port=" + jmx, "-Dcom.sun.management.jmxremote.authenticate=false", "-Dcom.sun.management.jmxremote.ssl=false", "-Dcom.sun.management.jmxremote.host=127.0.0.1"},
		map[string]string{"TLS": "SSL", "MUTUAL": "SSL", "SASL": "SASL_PLAINTEXT", "BOTH": "SASL_SSL"},
		map[string]string{
			"ssl.keystore.type": "PEM", "ssl.keystore.location": absolute(t, "broker.pem"),
			"ssl.truststore.type": "PEM", "ssl.truststore.location": absolute(t, "ca.pem"),
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
	elsewhere := strings.Replace(c.at["TLS"], "127.0.0.1", "localhost", 1)
	fails(t, "another name", elsewhere, trust, fact.TLS, "names 127.0.0.1 and not localhost")
	arrives(t, "another name, not checked", elsewhere, with(trust, "ssl.endpoint.identification.algorithm", ""))
	fails(t, "TLS to plain text", plain, trust, fact.TLS, "security.protocol PLAINTEXT")
	fails(t, "plain text to TLS", c.at["TLS"], nil, fact.APIVersions, "security.protocol SSL")
	fails(t, "JMX", "127.0.0.1:"+jmx, nil, fact.APIVersions, "JMX")

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
