package kafka

import (
	"bytes"
	"crypto/sha1" // what the format is made of
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// jksMagic begins a key store of type JKS. One of type JCEKS begins otherwise.
var (
	jksMagic   = []byte{0xfe, 0xed, 0xfe, 0xed}
	jceksMagic = []byte{0xce, 0xce, 0xce, 0xce}
)

// jksEntry is one entry of a JKS store.
type jksEntry struct {
	alias string
	key   []byte   // a protected private key, DER; nil: a trusted certificate
	chain [][]byte // certificates, DER, the entry's own first
}

var errPassword = errors.New("the password does not fit")

// parseJKS reads a JKS store, versions 1 and 2. Its integrity is checked unless
// the password is empty, as Java does it. Errors name the entry and the field.
//
//	feedfeed 00000002 count { tag alias time … }* sha1
func parseJKS(store []byte, password string) ([]jksEntry, error) {
	r := jksReader{rest: store}
	magic, version, count := r.bytes(4), r.number(), r.number()
	if r.short || !bytes.Equal(magic, jksMagic) || version != 1 && version != 2 {
		return nil, errors.New("no JKS store: bytes fe ed fe ed and version 1 or 2 are expected")
	}
	var entries []jksEntry
	for i := range count {
		e, err := r.entry(version)
		if err != nil {
			return nil, fmt.Errorf("entry %d of %d: %w", i+1, count, err)
		}
		entries = append(entries, e)
	}
	body := store[:len(store)-len(r.rest)]
	if sum := r.bytes(sha1.Size); r.short || len(r.rest) > 0 {
		return nil, fmt.Errorf("after %d entries: a digest of %d bytes is expected", count, sha1.Size)
	} else if password != "" {
		h := sha1.New()
		h.Write(utf16Bytes(password))
		h.Write([]byte("Mighty Aphrodite")) // a constant of the format
		h.Write(body)
		if !bytes.Equal(sum, h.Sum(nil)) {
			return nil, errPassword
		}
	}
	return entries, nil
}

// jksReader reads big-endian fields. Nothing is allocated for what a length
// claims: fields are slices of what is there.
type jksReader struct {
	rest  []byte
	short bool
}

func (r *jksReader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.rest)) {
		r.short, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *jksReader) number() uint32 {
	if b := r.bytes(4); len(b) == 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *jksReader) text() string {
	if b := r.bytes(2); len(b) == 2 {
		return string(r.bytes(uint32(binary.BigEndian.Uint16(b))))
	}
	return ""
}

func (r *jksReader) entry(version uint32) (e jksEntry, err error) {
	tag := r.number()
	e.alias = r.text()
	r.bytes(8) // when it was made
	certificates := uint32(1)
	switch {
	case r.short:
		return e, errors.New("tag, alias and time are cut short")
	case tag == 1:
		e.key = r.bytes(r.number())
		certificates = r.number()
	case tag != 2:
		return e, fmt.Errorf("tag %d, 1 (a key) or 2 (a certificate) is expected", tag)
	}
	for i := uint32(0); i < certificates && !r.short; i++ {
		if version == 2 {
			if kind := r.text(); kind != "X.509" && !r.short {
				return e, fmt.Errorf("certificate %d: type %.20q, X.509 is expected", i+1, kind)
			}
		}
		e.chain = append(e.chain, r.bytes(r.number()))
	}
	if r.short {
		return e, errors.New("the file ends within it")
	}
	return e, nil
}

// jksProtection is the one algorithm that JKS protects keys by.
var jksProtection = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}

// open is the private key of an entry.
func (e jksEntry) open(password string) (any, error) {
	var info struct {
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Protected []byte
	}
	if rest, err := asn1.Unmarshal(e.key, &info); err != nil || len(rest) > 0 || !info.Algorithm.ID.Equal(jksProtection) {
		return nil, errors.New("the private key is not protected as JKS does it")
	}
	const edge = sha1.Size // a salt in front, a digest behind
	p := info.Protected
	if len(p) < 2*edge {
		return nil, errors.New("the private key is cut short")
	}
	secret, key := utf16Bytes(password), make([]byte, len(p)-2*edge)
	block := p[:edge]
	for i := range key {
		if i%edge == 0 {
			sum := sha1.Sum(append(bytes.Clone(secret), block...))
			block = sum[:]
		}
		key[i] = p[edge+i] ^ block[i%edge]
	}
	if sum := sha1.Sum(append(bytes.Clone(secret), key...)); !bytes.Equal(sum[:], p[len(p)-edge:]) {
		return nil, errPassword
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, errors.New("the private key is of no kind that is known")
	}
	return parsed, nil
}

// utf16Bytes is a password as Java's formats hash it.
func utf16Bytes(text string) (b []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}
