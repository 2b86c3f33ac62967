package kafka

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// stores is what testdata/stores/make.sh made with keytool and openssl.
const stores = "testdata/stores/"

func stored(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(stores + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// trusting is settings with a trust store, and more over them.
func trusting(more map[string]string) map[string]string {
	m := map[string]string{"security.protocol": "SSL", "ssl.truststore.location": stores + "trust.jks", "ssl.truststore.password": "trust-word"}
	maps.Copy(m, more)
	return m
}

func keyStore(kind, file, password, keyPassword string) map[string]string {
	m := trusting(map[string]string{"ssl.keystore.type": kind, "ssl.keystore.location": stores + file})
	for name, value := range map[string]string{"ssl.keystore.password": password, "ssl.key.password": keyPassword} {
		if value != "" {
			m[name] = value
		}
	}
	return m
}

// mutual is a cluster that wants certificates of its clients.
func mutual(t *testing.T) *kfake.Cluster {
	t.Helper()
	pair, err := tls.X509KeyPair(stored(t, "broker.pem"), stored(t, "broker.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(stored(t, "ca.pem"))
	return fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}))
}

// Every kind of store opens the way to a broker that wants a client's
// certificate.
func TestStores(t *testing.T) {
	cluster := mutual(t)
	for what, properties := range map[string]map[string]string{
		"JKS with a password of the key":  keyStore("", "key.jks", "store-word", "key-word"),
		"PKCS12 said to be JKS":           keyStore("JKS", "key.p12", "store-word", ""),
		"PKCS12":                          keyStore("PKCS12", "key.p12", "store-word", "store-word"),
		"PKCS12 with an authority":        keyStore("PKCS12", "both.p12", "store-word", ""),
		"PEM":                             keyStore("PEM", "client.pem", "", ""),
		"PEM, encrypted by AES":           keyStore("PEM", "client-aes.pem", "", "key-word"),
		"PEM, encrypted by DES-EDE3":      keyStore("PEM", "client-des3.pem", "", "key-word"),
		"trust store PKCS12":              trustOf("PKCS12", "trust.p12", "trust-word"),
		"trust store PKCS12 with a key":   trustOf("PKCS12", "both.p12", "store-word"),
		"trust store JKS with a key":      trustOf("JKS", "key.jks", "store-word"),
		"trust store JKS, not verified":   trustOf("JKS", "trust.jks", ""),
		"trust store PEM, and a chain in": trustOf("PEM", "ca.pem", ""),
	} {
		target := aim(t, cluster.ListenAddrs()[0])
		target.ClientConfig = properties
		seen, err := look(t, target, Reach)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if r, _ := seen[0].Value.(fact.Reach); r.Outcome != fact.Answered {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

func trustOf(kind, file, password string) map[string]string {
	m := keyStore("PEM", "client.pem", "", "")
	m["ssl.truststore.type"], m["ssl.truststore.location"], m["ssl.truststore.password"] = kind, stores+file, password
	return m
}

func TestStoreErrors(t *testing.T) {
	for _, c := range []struct {
		what       string
		properties map[string]string
		want       string
	}{
		{"JKS, wrong password", keyStore("JKS", "key.jks", "canary-1", "key-word"), "ssl.keystore.location: JKS store testdata/stores/key.jks: the password does not fit, look at ssl.keystore.password"},
		{"JKS, wrong password of the key", keyStore("JKS", "key.jks", "store-word", "canary-1"), `entry "client": the password does not fit, look at ssl.key.password`},
		{"JKS, no password of the key", keyStore("JKS", "key.jks", "store-word", ""), "look at ssl.keystore.password"},
		{"PKCS12, wrong password", keyStore("PKCS12", "key.p12", "canary-1", ""), "PKCS12 store testdata/stores/key.p12: the password does not fit"},
		{"PKCS12, no key", keyStore("PKCS12", "trust.p12", "trust-word", ""), "private key missing"},
		{"JKS, no key", keyStore("JKS", "trust.jks", "trust-word", ""), "no private key in it"},
		{"PKCS12 trust, wrong password", trustOf("PKCS12", "trust.p12", "canary-1"), "look at ssl.truststore.password"},
		{"PEM said to be JKS", keyStore("JKS", "client.pem", "canary-1", ""), "client.pem is a PEM store, expected ssl.keystore.type=PEM"},
		{"JKS said to be PEM", keyStore("PEM", "key.jks", "canary-1", ""), "key.jks is a JKS store, expected ssl.keystore.type=JKS"},
		{"PEM, wrong password", keyStore("PEM", "client-aes.pem", "", "canary-1"), "the password does not fit, look at ssl.key.password"},
		{"PEM, no password", keyStore("PEM", "client-aes.pem", "", ""), "expected ssl.key.password"},
		{"PEM, the old way", keyStore("PEM", "client-old.pem", "", "key-word"), "openssl pkcs8 -topk8"},
		{"PEM, no key", keyStore("PEM", "ca.pem", "", ""), "no private key"},
		{"PEM, key of another", trusting(map[string]string{"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": string(stored(t, "ca.pem")), "ssl.keystore.key": string(stored(t, "client.pem"))}), "no certificate belongs to its key"},
		{"a directory", keyStore("JKS", "", "canary-1", ""), "no regular file"},
		{"no store", keyStore("JKS", "make.sh", "canary-1", ""), "JKS store testdata/stores/make.sh: no JKS store"},
		{"unknown type", keyStore("BKS", "key.jks", "canary-1", ""), `ssl.keystore.type: "BKS", expected JKS, PKCS12 or PEM`},
	} {
		if err := CheckClientConfig(c.properties); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary-1") {
			t.Errorf("%s: %v, %q is expected", c.what, err, c.want)
		}
	}
}

func FuzzParseJKS(f *testing.F) {
	f.Add(stored(f, "trust.jks"), "trust-word")
	f.Add(stored(f, "key.jks"), "")
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\xff\xff\xff\xff\x00\x00\x00\x01\x00\x01a"), "")
	f.Fuzz(func(t *testing.T, content []byte, password string) {
		entries, err := parseJKS(content, password)
		size := 0
		for _, e := range entries {
			size += len(e.key) + len(bytes.Join(e.chain, nil))
			if e.key != nil {
				e.open(password)
			}
		}
		if err != nil && entries != nil || size > len(content) {
			t.Errorf("%d bytes in %d, error %v", size, len(content), err)
		}
	})
}

func FuzzPKCS12(f *testing.F) {
	f.Add(stored(f, "trust.p12"))
	f.Add(stored(f, "both.p12"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if trusted, err := pkcs12Trust(content, "trust-word"); err == nil && len(trusted) == 0 {
			t.Error("neither a certificate nor an error")
		}
		if pair, err := pkcs12Key(content, "store-word"); err == nil && pair.PrivateKey == nil {
			t.Error("neither a key nor an error")
		}
	})
}

func FuzzPEMKey(f *testing.F) {
	for _, name := range []string{"client.pem", "client-aes.pem", "client-des3.pem", "client-old.pem"} {
		f.Add(stored(f, name), "key-word")
	}
	f.Fuzz(func(t *testing.T, text []byte, password string) {
		if key, err := pemKey(text, password); (key == nil) == (err == nil) {
			t.Errorf("key %T, error %v", key, err)
		}
	})
}
