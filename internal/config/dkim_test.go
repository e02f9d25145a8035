package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

func TestDKIMTakesTheKeysThatTheRFCsKnow(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	for _, c := range []struct {
		name string
		pem  []byte
		ok   bool
	}{
		{"RSA, PKCS #1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}), true},
		{"RSA, PKCS #8", pkcs8(rsaKey), true},
		{"Ed25519 (RFC 8463)", pkcs8(edwards), true},
		{"ECDSA", pkcs8(elliptical), false},
		{"a certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1, 2, 3}}), false},
		{"no PEM", []byte("kunci"), false},
	} {
		key, err := (&DKIM{Key: NewSecret(string(c.pem))}).Signer()
		if (err == nil) != c.ok || (key != nil) != c.ok {
			t.Errorf("%s: key %t, error %v", c.name, key != nil, err)
		}
	}
}
