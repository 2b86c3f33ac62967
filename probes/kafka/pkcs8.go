package kafka

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
)

// What a private key is encrypted by, as OpenSSL and Java write it: PBES2 with
// PBKDF2.
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	prfs = map[string]func() hash.Hash{
		"":                    sha1.New, // the default
		"1.2.840.113549.2.7":  sha1.New,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
	}
	ciphers = map[string]struct {
		bytes int // of the key
		block func([]byte) (cipher.Block, error)
	}{
		"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
		"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	}
)

// maxRounds bounds the work that an encrypted key asks for: a hundred times what
// OpenSSL and Java ask.
const maxRounds = 2_000_000

var errPKCS8 = errors.New("the private key is encrypted in a way that is not known, expected PBES2 with AES or DES-EDE3 in CBC mode")

// openPKCS8 decrypts a private key, an EncryptedPrivateKeyInfo in DER.
func openPKCS8(der []byte, password string) (any, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Encrypted []byte
	}
	var scheme struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	var kdf struct {
		Salt   []byte
		Rounds int
		Length int                      `asn1:"optional"`
		PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	var iv []byte
	if !all(der, &info) || !info.Algorithm.Algorithm.Equal(oidPBES2) ||
		!all(info.Algorithm.Parameters.FullBytes, &scheme) || !scheme.KDF.Algorithm.Equal(oidPBKDF2) ||
		!all(scheme.KDF.Parameters.FullBytes, &kdf) || !all(scheme.Cipher.Parameters.FullBytes, &iv) {
		return nil, errPKCS8
	}
	c, ok := ciphers[scheme.Cipher.Algorithm.String()]
	prf, known := prfs[kdf.PRF.Algorithm.String()]
	if !ok || !known || kdf.Rounds < 1 || kdf.Rounds > maxRounds {
		return nil, errPKCS8
	}
	key, err := pbkdf2.Key(prf, password, kdf.Salt, kdf.Rounds, c.bytes)
	if err != nil {
		return nil, errPKCS8
	}
	block, err := c.block(key)
	if err != nil || len(iv) != block.BlockSize() || len(info.Encrypted) == 0 || len(info.Encrypted)%block.BlockSize() != 0 {
		return nil, errPKCS8
	}
	plain := bytes.Clone(info.Encrypted)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, plain)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > block.BlockSize() || padding > len(plain) {
		return nil, errPassword
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain[:len(plain)-padding])
	if err != nil { // with a wrong password it is noise
		return nil, errPassword
	}
	return parsed, nil
}

// all parses DER that holds one value and nothing after it.
func all(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}
