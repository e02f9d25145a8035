package config

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// Signer is the private key, of a kind that RFC 6376 and RFC 8463 know. Parse has called it once: on a checked configuration it has no error.
func (d *DKIM) Signer() (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(d.Key.Reveal()))
	if block == nil {
		return nil, errors.New("no private key in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("no readable private key") // the library's words may quote the key
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, errors.New("a private key of another kind")
}
