package kafka

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxStore bounds in bytes what is read of a key or trust store.
const maxStore = 4 << 20

// readTrust is the certificate authorities that brokers are trusted by; nil for
// those of the system.
func readTrust(properties map[string]string) (*x509.CertPool, error) {
	s, err := openStore(properties, "ssl.truststore", "ssl.truststore.certificates")
	if err != nil || s.content == nil {
		return nil, err
	}
	trusted, err := s.trust(properties["ssl.truststore.password"])
	if err != nil {
		return nil, s.wrong(err, "ssl.truststore.password")
	}
	pool := x509.NewCertPool()
	for _, c := range trusted {
		pool.AddCert(c)
	}
	return pool, nil
}

// readKey is the client's own certificates; none without a key store.
func readKey(properties map[string]string) ([]tls.Certificate, error) {
	s, err := openStore(properties, "ssl.keystore", "ssl.keystore.certificate.chain")
	if err != nil {
		return nil, err
	}
	keyPassword, named := properties["ssl.key.password"], "ssl.key.password"
	if s.kind == pemStore || s.content == nil {
		return readPEMKey(properties, s)
	}
	password := properties["ssl.keystore.password"]
	if keyPassword == "" {
		keyPassword, named = password, "ssl.keystore.password"
	}
	if s.kind == pkcs12Store {
		pair, err := pkcs12Key(s.content, password)
		if err != nil {
			return nil, s.wrong(err, "ssl.keystore.password")
		}
		return []tls.Certificate{pair}, nil
	}
	entries, err := parseJKS(s.content, password)
	if err != nil {
		return nil, s.wrong(err, "ssl.keystore.password")
	}
	pairs, err := jksPairs(entries, keyPassword)
	if err != nil {
		return nil, s.wrong(err, named)
	}
	return pairs, nil
}

// jksPairs is the keys of a JKS store, which must have one at least.
func jksPairs(entries []jksEntry, password string) ([]tls.Certificate, error) {
	var pairs []tls.Certificate
	for _, e := range entries {
		if e.key == nil {
			continue
		}
		key, err := e.open(password)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.alias, err)
		}
		chain, err := x509.ParseCertificates(slices.Concat(e.chain...))
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.alias, err)
		}
		pair, err := pairOf(key, chain)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.alias, err)
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 0 {
		return nil, errors.New("no private key in it")
	}
	return pairs, nil
}

type storeKind string

const (
	pemStore    storeKind = "PEM"
	jksStore    storeKind = "JKS"
	pkcs12Store storeKind = "PKCS12"
)

// store is a key or trust store as it was given.
type store struct {
	content []byte // nil: none is given
	kind    storeKind
	from    string // the property that it came from
	file    string // "" for one given inline
}

// wrong is an error of what is in a store. The password is named, never told.
func (s store) wrong(err error, password string) error {
	if errors.Is(err, errPassword) {
		err = fmt.Errorf("%w, look at %s", err, password)
	}
	if s.file == "" {
		return fmt.Errorf("%s: %w", s.from, err)
	}
	return fmt.Errorf("%s: %s store %s: %w", s.from, s.kind, s.file, err)
}

// trust is the certificates of a trust store, which must have one at least.
func (s store) trust(password string) (trusted []*x509.Certificate, err error) {
	switch s.kind {
	case pemStore:
		return pemCertificates(s.content)
	case pkcs12Store:
		return pkcs12Trust(s.content, password)
	}
	entries, err := parseJKS(s.content, password)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if len(e.chain) == 0 {
			continue
		}
		c, err := x509.ParseCertificate(e.chain[0]) // of a key too, as Java does
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.alias, err)
		}
		trusted = append(trusted, c)
	}
	if len(trusted) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return trusted, nil
}

// openStore reads a store, given inline or as a file. Java opens a store of type
// JKS that is PKCS12 in fact, and the other way round; so the bytes decide.
func openStore(properties map[string]string, name, inline string) (s store, err error) {
	declared := storeKind(strings.ToUpper(strings.TrimSpace(properties[name+".type"])))
	switch declared {
	case "":
		declared = jksStore // Java's default
	case pemStore, jksStore, pkcs12Store:
	default:
		return s, fmt.Errorf("%s.type: %.20q, expected JKS, PKCS12 or PEM", name, declared)
	}
	if text := properties[inline]; text != "" {
		if declared != pemStore {
			return s, fmt.Errorf("%s: given inline, expected %s.type=PEM", inline, name)
		}
		return store{content: []byte(inLines(text)), kind: pemStore, from: inline}, nil
	}
	s = store{from: name + ".location", file: properties[name+".location"]}
	if s.file == "" {
		s.from = inline
		return s, nil
	}
	if s.content, err = readSmall(s.file, maxStore); err != nil {
		return s, fmt.Errorf("%s: %w", s.from, err)
	}
	switch {
	case bytes.HasPrefix(s.content, jksMagic):
		s.kind = jksStore
	case bytes.HasPrefix(s.content, jceksMagic):
		return s, fmt.Errorf("%s: %s is a JCEKS store, expected JKS, PKCS12 or PEM (keytool -importkeystore converts)", s.from, s.file)
	case bytes.Contains(s.content, []byte("-----BEGIN ")):
		s.kind = pemStore
	case len(s.content) > 0 && s.content[0] == 0x30: // a sequence in DER
		s.kind = pkcs12Store
	default:
		s.kind = declared // its parser says what is wrong
	}
	if (s.kind == pemStore) != (declared == pemStore) {
		return s, fmt.Errorf("%s: %s is a %s store, expected %s.type=%s", s.from, s.file, s.kind, name, s.kind)
	}
	return s, nil
}

// readSmall reads a regular file of the operator, at most limit bytes of it: a
// longer one, a pipe or a device is an error.
func readSmall(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%s: more than the %d bytes expected of it", name, limit)
	}
	if err == nil && len(content) == 0 {
		err = fmt.Errorf("%s: empty", name)
	}
	return content, err
}
