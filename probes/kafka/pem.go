package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxPEM bounds in bytes what is read of a key or trust store.
const maxPEM = 4 << 20

// readTrust is the certificate authorities that brokers are trusted by; nil for
// those of the system.
func readTrust(properties map[string]string) (*x509.CertPool, error) {
	text, from, err := readStore(properties, "ssl.truststore", "ssl.truststore.certificates")
	if err != nil || text == "" {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, fmt.Errorf("%s: no certificate, expected -----BEGIN CERTIFICATE-----", from)
	}
	return pool, nil
}

// readKey is the client's own certificate; none without a key store.
func readKey(properties map[string]string) ([]tls.Certificate, error) {
	text, from, err := readStore(properties, "ssl.keystore", "ssl.keystore.certificate.chain")
	if err != nil {
		return nil, err
	}
	key := text // a file holds both
	if inline := properties["ssl.keystore.key"]; inline != "" {
		key, from = inline, "ssl.keystore.key"
	}
	if text == "" && key == "" {
		return nil, nil
	}
	if text == "" {
		return nil, errors.New("ssl.keystore.certificate.chain: absent, expected beside ssl.keystore.key")
	}
	if properties["ssl.key.password"] != "" || strings.Contains(key, "ENCRYPTED") {
		return nil, fmt.Errorf("%s: encrypted private keys are not supported yet, expected -----BEGIN PRIVATE KEY----- and no ssl.key.password", from)
	}
	pair, err := tls.X509KeyPair([]byte(inLines(text)), []byte(inLines(key)))
	if err != nil {
		return nil, fmt.Errorf("%s: read the certificate and its key: %w", from, err)
	}
	return []tls.Certificate{pair}, nil
}

// readStore is the text of a PEM store, given inline or as a file, and the
// property that it came from.
func readStore(properties map[string]string, store, inline string) (text, from string, err error) {
	kind := strings.ToUpper(strings.TrimSpace(properties[store+".type"]))
	location := properties[store+".location"]
	if properties[inline] == "" && location == "" {
		return "", inline, nil
	}
	if kind != "PEM" {
		if kind == "" {
			kind = "JKS" // Java's default
		}
		return "", "", fmt.Errorf("%s.type: %s is not supported yet, expected PEM (keytool and openssl convert)", store, kind)
	}
	if properties[inline] != "" {
		return inLines(properties[inline]), inline, nil
	}
	from = store + ".location"
	f, err := os.Open(location)
	if err != nil {
		return "", from, fmt.Errorf("%s: %w", from, err)
	}
	defer f.Close()
	read, err := io.ReadAll(io.LimitReader(f, maxPEM))
	if err != nil {
		return "", from, fmt.Errorf("%s: read %s: %w", from, location, err)
	}
	return string(read), from, nil
}

// inLines brings back the lines of a PEM block that a properties file holds in
// one line, as Kafka's own parser accepts it.
func inLines(text string) string {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return text
	}
	text = strings.ReplaceAll(text, "-----BEGIN ", "\n-----BEGIN ")
	text = strings.ReplaceAll(text, "-----END ", "\n-----END ")
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "-----BEGIN "); ok {
			label, body, _ := strings.Cut(rest, "-----")
			b.WriteString("-----BEGIN " + label + "-----\n" + strings.Join(strings.Fields(body), "\n"))
			continue
		}
		if rest, ok := strings.CutPrefix(line, "-----END "); ok {
			label, _, _ := strings.Cut(rest, "-----")
			b.WriteString("\n-----END " + label + "-----\n")
			continue
		}
		b.WriteString(strings.Join(strings.Fields(line), "\n"))
	}
	return b.String()
}
