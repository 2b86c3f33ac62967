package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// pemCertificates is the certificates of a PEM text, one at least.
func pemCertificates(text []byte) (all []*x509.Certificate, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("no certificate, expected -----BEGIN CERTIFICATE-----")
	}
	return all, nil
}

// readPEMKey is the client's certificate from a PEM file that also holds the
// key, or from the key given inline beside it.
func readPEMKey(properties map[string]string, s store) ([]tls.Certificate, error) {
	text := s.content
	if inline := properties["ssl.keystore.key"]; inline != "" {
		if s.content == nil {
			return nil, errors.New("ssl.keystore.certificate.chain: absent, expected beside ssl.keystore.key")
		}
		text = []byte(inLines(inline))
		s.from, s.file = "ssl.keystore.key", ""
	}
	if text == nil {
		return nil, nil
	}
	key, err := pemKey(text, properties["ssl.key.password"])
	if err != nil {
		return nil, s.wrong(err, "ssl.key.password")
	}
	chain, err := pemCertificates(s.content)
	if err != nil {
		return nil, s.wrong(err, "")
	}
	pair, err := pairOf(key, chain)
	if err != nil {
		return nil, s.wrong(err, "")
	}
	return []tls.Certificate{pair}, nil
}

// pemKey is the first private key of a PEM text.
func pemKey(text []byte, password string) (any, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			return keyOf(x509.ParsePKCS8PrivateKey(block.Bytes))
		case "ENCRYPTED PRIVATE KEY":
			if password == "" {
				return nil, errors.New("the private key is encrypted, expected ssl.key.password")
			}
			return bounded(func() (any, error) { return openPKCS8(block.Bytes, password) })
		case "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, errors.New("the private key is encrypted in OpenSSL's old way, expected PKCS#8 (openssl pkcs8 -topk8 converts)")
			}
			if block.Type[0] == 'E' {
				return keyOf(x509.ParseECPrivateKey(block.Bytes))
			}
			return keyOf(x509.ParsePKCS1PrivateKey(block.Bytes))
		}
	}
	return nil, errors.New("no private key, expected -----BEGIN PRIVATE KEY-----")
}

// keyOf is a parsed key; an error of the parser could tell of what is in it.
func keyOf[K any](key K, err error) (any, error) {
	if err != nil {
		return nil, errors.New("the private key is malformed")
	}
	return key, nil
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
