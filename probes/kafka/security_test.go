package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ktriage/ktriage/diagnose/fact"
)

const secret = "s3cr3t;\"=x"

func jaas(module string) string {
	return "org.apache.kafka.common.security." + module + ` required username="alice" password="s3cr3t;\"=x";`
}

func bearer(options string) string {
	return "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required " + options + ";"
}

func TestClientConfigErrors(t *testing.T) {
	for _, c := range []struct {
		what       string
		properties map[string]string
		want       string // in the error; "": none
	}{
		{"nothing", nil, ""},
		{"plain text", map[string]string{"security.protocol": "PLAINTEXT", "client.id": "x"}, ""},
		{"system's authorities", map[string]string{"security.protocol": "SSL"}, ""},
		{"PLAIN", map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": jaas("plain.PlainLoginModule")}, ""},
		{"SCRAM", map[string]string{"security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512", "sasl.jaas.config": jaas("scram.ScramLoginModule")}, ""},
		{"unknown protocol", map[string]string{"security.protocol": "TLS"}, `security.protocol: "TLS", expected PLAINTEXT`},
		{"default mechanism", map[string]string{"security.protocol": "SASL_SSL"}, "sasl.jaas.config: empty"},
		{"OAUTHBEARER", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}, "sasl.jaas.config: empty"},
		{"unknown mechanism", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "EXTERNAL"}, "sasl.mechanism: \"EXTERNAL\" is not supported"},
		{"no endpoint", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "sasl.jaas.config": bearer("")}, "sasl.oauthbearer.token.endpoint.url: absent"},
		{"no client", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": "https://u:s3cr3t@idp.invalid/", "sasl.jaas.config": bearer("")}, "clientId"},
		{"odd endpoint", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": "ftp://u:s3cr3t@idp.invalid/", "sasl.jaas.config": bearer("")}, "expected https://"},
		{"no keytab", map[string]string{"security.protocol": "SASL_SSL", "sasl.jaas.config": `com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true;`}, "keyTab"},
		{"own login handler", map[string]string{"sasl.login.callback.handler.class": "com.example.Handler"}, "sasl.login.callback.handler.class: not supported"},
		{"no credentials", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, "sasl.jaas.config: empty"},
		{"module of another mechanism", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": jaas("scram.ScramLoginModule")}, "PlainLoginModule"},
		{"no password", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": `a.PlainLoginModule required username="alice";`}, "password"},
		{"no such file", map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": "/nowhere.pem"}, "ssl.truststore.location: stat /nowhere.pem"},
		{"no certificate", map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": secret}, "ssl.truststore.certificates: no certificate"},
		{"malformed key", map[string]string{"security.protocol": "SSL", "ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": "x", "ssl.keystore.key": "-----BEGIN PRIVATE KEY-----\nczNjcjN0\n-----END PRIVATE KEY-----", "ssl.key.password": secret}, "ssl.keystore.key: the private key is malformed"},
		{"cipher suites", map[string]string{"ssl.cipher.suites": "TLS_AES_128_GCM_SHA256"}, "ssl.cipher.suites: not supported"},
		{"name check", map[string]string{"security.protocol": "SSL", "ssl.endpoint.identification.algorithm": "ldaps"}, "ssl.endpoint.identification.algorithm"},
		{"provider", map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": "${file:/etc/s:jaas}"}, "sasl.jaas.config: ${file:/etc/s:jaas}: stat /etc/s: no such file"},
		{"TLS versions", map[string]string{"security.protocol": "SSL", "ssl.enabled.protocols": "TLSv1.2,SSLv3"}, `ssl.enabled.protocols: "SSLv3"`},
	} {
		err := CheckClientConfig(c.properties)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, %q is expected", c.what, err, c.want)
		case err != nil && strings.Contains(err.Error(), "s3cr3t"):
			t.Errorf("%s: the error tells a secret: %v", c.what, err)
		}
	}
}

func TestParseJAAS(t *testing.T) {
	l, err := parseJAAS(jaas("plain.PlainLoginModule"))
	if err != nil || l.options["username"] != "alice" || l.options["password"] != secret {
		t.Errorf("%+v, %v", l, err)
	}
	for _, text := range []string{"", ";", "a.B", "a.B required", "a.B required x=;", "a.B required x y;", `a.B required x="s3cr3t`, "a.B perhaps x=y;", `a.B required password="s3cr3t" user;`} {
		if l, err := parseJAAS(text); err == nil {
			t.Errorf("%q: %+v", text, l)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: the error tells a secret: %v", text, err)
		}
	}
}

func FuzzParseJAAS(f *testing.F) {
	f.Add(jaas("plain.PlainLoginModule"))
	f.Add(`a.B required x='y' ;`)
	f.Add(`"a" = ;`)
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := parseJAAS(text); err == nil && (l.module == "" || l.options == nil) {
			t.Errorf("%q: %+v", text, l)
		}
	})
}

func FuzzInLines(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE----- MIIB AAAA -----END CERTIFICATE-----")
	f.Add("-----BEGIN A-----\n-----END A----- -----BEGIN ")
	f.Fuzz(func(t *testing.T, text string) { inLines(text) })
}

// authority is a certificate authority with one broker certificate for
// 127.0.0.1 and one for a name that no broker has.
type authority struct{ pem, good, misnamed string }

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	sign := func(c *x509.Certificate, k *ecdsa.PrivateKey) string {
		der, err := x509.CreateCertificate(rand.Reader, c, root, k.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	leaf := func(c *x509.Certificate) string {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(2), root.NotBefore, root.NotAfter
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return sign(c, k) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	return authority{sign(root, key), leaf(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}), leaf(&x509.Certificate{DNSNames: []string{"other.invalid"}})}
}

func serving(t *testing.T, pair string) kfake.Opt {
	t.Helper()
	c, err := tls.X509KeyPair([]byte(pair), []byte(pair))
	if err != nil {
		t.Fatal(err)
	}
	return kfake.TLS(&tls.Config{Certificates: []tls.Certificate{c}})
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	file := filepath.Join(t.TempDir(), "trust.pem")
	if err := os.WriteFile(file, []byte(ca.pem), 0o600); err != nil {
		t.Fatal(err)
	}
	good, misnamed := fake(t, serving(t, ca.good)), fake(t, serving(t, ca.misnamed))
	trust := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": file}
	oneLine := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": strings.ReplaceAll(ca.pem, "\n", " ")}
	noName := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": file, "ssl.endpoint.identification.algorithm": ""}
	other := newAuthority(t)
	noNameOther := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": other.pem, "ssl.endpoint.identification.algorithm": ""}
	for _, c := range []struct {
		what       string
		cluster    *kfake.Cluster
		properties map[string]string
		step       fact.Step
		outcome    fact.Outcome
	}{
		{"trusted", good, trust, fact.APIVersions, fact.Answered},
		{"trusted, certificate in one line", good, oneLine, fact.APIVersions, fact.Answered},
		{"not trusted", good, map[string]string{"security.protocol": "SSL"}, fact.TLS, fact.Denied},
		{"another name", misnamed, trust, fact.TLS, fact.Denied},
		{"another name, not checked", misnamed, noName, fact.APIVersions, fact.Answered},
		{"name not checked, authority still", misnamed, noNameOther, fact.TLS, fact.Denied},
	} {
		address := c.cluster.ListenAddrs()[0]
		target := aim(t, address)
		target.ClientConfig = c.properties
		reach := must(t, target, Reach)
		subject := fact.BrokerOf(0)
		if c.outcome != fact.Answered {
			subject = fact.Subject{Scope: fact.Broker, Name: address}
		}
		r := value(t, reach, fact.BrokerReach, subject)
		if r.Step != c.step || r.Outcome != c.outcome {
			t.Errorf("%s: %+v", c.what, r)
		}
		if c.outcome == fact.Answered {
			value(t, must(t, target, Metadata), fact.Metadata, fact.BrokerOf(2))
		}
	}
}

func TestTLSToAListenerWithout(t *testing.T) {
	for text, outcome := range map[string]fact.Outcome{"": fact.Closed, "HTTP/1.1 400 Bad Request\r\n\r\n": fact.Garbled} {
		address := listen(t, func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, text)
		})
		target := aim(t, address)
		target.ClientConfig = map[string]string{"security.protocol": "SSL"}
		r := value(t, must(t, target, Reach), fact.BrokerReach, fact.Subject{Scope: fact.Broker, Name: address})
		if r.Step != fact.TLS || r.Outcome != outcome {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func TestSASL(t *testing.T) {
	for mechanism, module := range map[string]string{"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule"} {
		cluster := fake(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "alice", secret))
		good := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism, "sasl.jaas.config": jaas(module)}
		target := aim(t, cluster.ListenAddrs()[0])
		target.Timeout, target.ClientConfig = 5*time.Second, good
		if r := value(t, must(t, target, Reach), fact.BrokerReach, fact.BrokerOf(1)); r.Outcome != fact.Answered {
			t.Errorf("%s: %+v", mechanism, r)
		}
		value(t, must(t, target, Metadata), fact.Metadata, fact.BrokerOf(1))
		moveAll(t, cluster, "orders", 6) // so that the client that follows leaders has to log in as well
		if o := value(t, must(t, target, Partitions), fact.PartitionEnds, fact.TheCluster); slices.Contains(o.HighWatermark, -1) {
			t.Errorf("%s: %+v", mechanism, o)
		}

		// With the wrong password it is tried once, and the password is told to nobody.
		address := fact.Subject{Scope: fact.Broker, Name: cluster.ListenAddrs()[0]}
		wrong := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism,
			"sasl.jaas.config": strings.Replace(jaas(module), "s3cr3t", "guess", 1)}
		target = aim(t, cluster.ListenAddrs()[0])
		target.ClientConfig = wrong
		for range 3 {
			r := value(t, must(t, target, Reach), fact.BrokerReach, address)
			if r.Step != fact.SASL || r.Outcome != fact.Denied && r.Outcome != fact.Closed || strings.Contains(r.Detail, "guess") {
				t.Errorf("%s, wrong password: %+v", mechanism, r)
			}
		}
		tries := 0
		for _, e := range target.Ledger.Entries() {
			if strings.HasPrefix(e.Object, "SASLHandshake") {
				tries += e.Count
			}
		}
		if tries != 1 {
			t.Errorf("%s: the wrong password was tried %d times", mechanism, tries)
		}

		// Without credentials the listener answers ApiVersions and nothing more.
		target = aim(t, cluster.ListenAddrs()[0])
		r := value(t, must(t, target, Reach), fact.BrokerReach, address)
		if r.Step != fact.SASL || r.Outcome != fact.Closed || !strings.Contains(r.Detail, "SASL") {
			t.Errorf("%s, no credentials: %+v", mechanism, r)
		}
	}
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
