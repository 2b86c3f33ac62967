package lab

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// authority signs the certificates of a cluster.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	begins := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab authority"},
		NotBefore: begins, NotAfter: begins.AddDate(50, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{key, certificate}, err
}

// store is a PEM key store as Kafka takes it: a new key, then the certificate of
// a node that is valid until a time, and the authority's.
func (a *authority) store(n *Node, until time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a certificate of node %d: %w", n.ID, err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: fmt.Sprintf("broker %d", n.ID)},
		NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, form, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate of node %d: %w", n.ID, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate of node %d: %w", n.ID, err)
	}
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	b.Write(a.pem())
	return b.Bytes(), nil
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func (n *Node) keyStore() string { return filepath.Join(n.Dir, "broker.pem") }

// tlsSettings is where a node finds its certificate.
func tlsSettings(n *Node) map[string]string {
	return map[string]string{"ssl.keystore.type": "PEM", "ssl.keystore.location": n.keyStore()}
}

// Authority is a PEM trust store with the authority of the cluster's TLS
// listeners.
func (c *Cluster) Authority() string { return filepath.Join(c.Dir, "ca.pem") }

// certify gives a node a certificate that is valid for half a year.
func (c *Cluster) certify(n *Node) error {
	if c.authority == nil {
		a, err := newAuthority()
		if err != nil {
			return err
		}
		c.authority = a
		if err := os.WriteFile(c.Authority(), a.pem(), 0o644); err != nil {
			return fmt.Errorf("write the authority: %w", err)
		}
	}
	return c.writeStore(n, time.Now().AddDate(0, 6, 0))
}

// WriteStores writes a PEM key store of a broker on this host, valid until a
// time, and a PEM trust store with its authority, for a listener of one's own.
func WriteStores(keyStore, trustStore string, until time.Time) error {
	a, err := newAuthority()
	if err != nil {
		return err
	}
	store, err := a.store(&Node{ID: 1}, until)
	if err == nil {
		err = os.WriteFile(keyStore, store, 0o600)
	}
	if err == nil {
		err = os.WriteFile(trustStore, a.pem(), 0o644)
	}
	return err
}

func (c *Cluster) writeStore(n *Node, until time.Time) error {
	store, err := c.authority.store(n, until)
	if err == nil {
		err = os.WriteFile(n.keyStore(), store, 0o600)
	}
	return err
}

// trust is the settings of a client that checks certificates.
func (c *Cluster) trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(c.authority.certificate)
	return &tls.Config{RootCAs: roots}
}

// overTLS is how a client comes to a TLS listener.
func (c *Cluster) overTLS(listener string) []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(c.BootstrapAt(listener)...), kgo.DialTLSConfig(c.trust())}
}
