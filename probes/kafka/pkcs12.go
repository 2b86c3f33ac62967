package kafka

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// storePatience bounds how long a store is computed on: a file may ask for any
// number of rounds.
const storePatience = 10 * time.Second

// pkcs12Trust is the certificates of a PKCS12 trust store: those marked as
// trusted, and where the store also holds a key, all.
func pkcs12Trust(store []byte, password string) ([]*x509.Certificate, error) {
	return bounded(func() ([]*x509.Certificate, error) {
		trusted, err := pkcs12.DecodeTrustStore(store, password)
		if err == nil && len(trusted) > 0 {
			return trusted, nil
		}
		if errors.Is(err, pkcs12.ErrIncorrectPassword) {
			return nil, errPassword
		}
		_, first, others, mixed := pkcs12.DecodeChain(store, password)
		if mixed == nil {
			return append(others, first), nil
		}
		if err == nil {
			err = errors.New("no certificate in it")
		}
		return nil, fmt.Errorf("%w; certificates that Java trusts are expected, as keytool -importcert makes them", err)
	})
}

// pkcs12Key is the key of a PKCS12 key store with its certificate in front of
// the others.
func pkcs12Key(store []byte, password string) (tls.Certificate, error) {
	return bounded(func() (pair tls.Certificate, err error) {
		key, first, others, err := pkcs12.DecodeChain(store, password)
		if errors.Is(err, pkcs12.ErrIncorrectPassword) {
			err = errPassword
		}
		if err != nil {
			return pair, err
		}
		return pairOf(key, append([]*x509.Certificate{first}, others...))
	})
}

// pairOf puts the certificate of a key in front of the others.
func pairOf(key any, certificates []*x509.Certificate) (pair tls.Certificate, err error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return pair, errors.New("its key cannot sign")
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return pair, errors.New("its key is of no kind that is known")
	}
	pair.PrivateKey = key
	for _, c := range certificates {
		if pair.Leaf == nil && public.Equal(c.PublicKey) {
			pair.Leaf = c
			pair.Certificate = append([][]byte{c.Raw}, pair.Certificate...)
			continue
		}
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	if pair.Leaf == nil {
		return pair, errors.New("no certificate belongs to its key")
	}
	return pair, nil
}

// bounded calls what works on a store. A computation that takes too long is left
// behind, and one that panics on a malformed store is an error.
func bounded[T any](work func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if recover() != nil {
				a.err = errors.New("malformed")
			}
			done <- a
		}()
		a.value, a.err = work()
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-time.After(storePatience):
		var none T
		return none, fmt.Errorf("not opened in %s", storePatience)
	}
}
