package corpus

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // hashes that signatures use
	_ "crypto/sha512" //
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"
)

// The object identifiers of signed data (RFC 5652), of its attributes (RFC 5035, 3161), and of algorithms.
var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSigned     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidType       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTime       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidTSTInfo    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidStamp      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningV2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidRevocation = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidECDSA      = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidEd25519    = asn1.ObjectIdentifier{1, 3, 101, 112}
	digestOIDs    = map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA1: {1, 3, 14, 3, 2, 26}, crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
		crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3}}
)

// CMS shapes a signature of a test; the zero value is a usual one. What a forger would do has a field each.
type CMS struct {
	Hash        crypto.Hash       // zero means SHA-256, or SHA-512 with Ed25519
	PSS         bool              // RSA-PSS instead of PKCS #1 v1.5
	NoAttrs     bool              // sign the content itself, without signed attributes
	NoESS       bool              // leave the signing certificate unnamed
	ESSOf       *x509.Certificate // name this certificate instead of the signer's
	Digest      []byte            // claim this digest instead of the content's
	SigningTime time.Time         // zero leaves it out, as PAdES asks
	Revocation  [][]byte          // revocation lists in the signed attributes, as Adobe writes them
	contentType asn1.ObjectIdentifier
	content     []byte // within the CMS; nil for a detached signature
	stamp       func(signature []byte) ([]byte, error)
}

// sign makes the CMS of one signer over the data.
func (c CMS) sign(data []byte, s *Signer, chain ...*x509.Certificate) ([]byte, error) {
	if c.contentType == nil {
		c.contentType = oidData
	}
	if c.Hash == 0 {
		c.Hash = crypto.SHA256
		if _, ok := s.Key.Public().(ed25519.PublicKey); ok {
			c.Hash = crypto.SHA512 // RFC 8419
		}
	}
	signed := data
	var attrs []byte
	if !c.NoAttrs {
		attrs = c.attributes(data, s.Cert)
		signed = der(tagSet, attrs)
	}
	sig, alg, err := c.signature(signed, s.Key)
	if err != nil {
		return nil, fmt.Errorf("signing for a test: %w", err)
	}
	digestAlg := marshal(pkix.AlgorithmIdentifier{Algorithm: digestOIDs[c.Hash]})
	info := slices.Concat(marshal(1), der(tagSeq, s.Cert.RawIssuer, marshal(s.Cert.SerialNumber)), digestAlg)
	if attrs != nil {
		info = append(info, der(tagContext, attrs)...)
	}
	info = append(info, slices.Concat(marshal(pkix.AlgorithmIdentifier{Algorithm: alg}), marshal(sig))...)
	if c.stamp != nil {
		token, err := c.stamp(sig)
		if err != nil {
			return nil, err
		}
		info = append(info, der(tagContext+1, attribute(oidStamp, token))...)
	}
	content := marshal(c.contentType)
	if c.content != nil {
		content = append(content, der(tagContext, marshal(c.content))...)
	}
	certs := s.Cert.Raw
	for _, more := range chain {
		certs = slices.Concat(certs, more.Raw)
	}
	body := der(tagSeq, marshal(1), der(tagSet, digestAlg), der(tagSeq, content), der(tagContext, certs), der(tagSet, der(tagSeq, info)))
	return der(tagSeq, marshal(oidSigned), der(tagContext, body)), nil
}

// attributes are the signed attributes, in the order of a DER SET.
func (c CMS) attributes(data []byte, cert *x509.Certificate) []byte {
	sum := c.Digest
	if sum == nil {
		sum = hash(c.Hash, data)
	}
	list := [][]byte{attribute(oidType, marshal(c.contentType)), attribute(oidDigest, marshal(sum))}
	if !c.SigningTime.IsZero() {
		list = append(list, attribute(oidTime, marshal(c.SigningTime.UTC())))
	}
	if !c.NoESS {
		if c.ESSOf != nil {
			cert = c.ESSOf
		}
		list = append(list, attribute(oidSigningV2, der(tagSeq, der(tagSeq, der(tagSeq, marshal(hash(crypto.SHA256, cert.Raw)))))))
	}
	if len(c.Revocation) > 0 {
		list = append(list, attribute(oidRevocation, der(tagSeq, der(tagContext, der(tagSeq, c.Revocation...)))))
	}
	slices.SortFunc(list, bytes.Compare)
	return slices.Concat(list...)
}

// The tags of DER that a CMS needs.
const (
	tagSeq     = 0x30
	tagSet     = 0x31
	tagContext = 0xa0
)

// der writes one value of several parts.
func der(tag byte, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	n := len(body)
	head := []byte{tag, byte(n)}
	switch {
	case n > 0xffff:
		head = []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	case n > 0xff:
		head = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	case n > 0x7f:
		head = []byte{tag, 0x81, byte(n)}
	}
	return append(head, body...)
}

func attribute(oid asn1.ObjectIdentifier, value []byte) []byte {
	return der(tagSeq, marshal(oid), der(tagSet, value))
}

// marshal writes what the standard library can write without fail: numbers, names, times and octets.
func marshal(v any) []byte {
	b, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (c CMS) signature(signed []byte, key crypto.Signer) ([]byte, asn1.ObjectIdentifier, error) {
	alg, input, opts := oidECDSA, hash(c.Hash, signed), crypto.SignerOpts(c.Hash)
	switch key.Public().(type) {
	case *rsa.PublicKey:
		alg = oidRSA
		if c.PSS {
			alg, opts = oidPSS, &rsa.PSSOptions{Hash: c.Hash, SaltLength: rsa.PSSSaltLengthEqualsHash}
		}
	case ed25519.PublicKey:
		alg, input, opts = oidEd25519, signed, crypto.Hash(0)
	}
	sig, err := key.Sign(rand.Reader, input, opts)
	return sig, alg, err
}

// Stamp is an RFC 3161 token over the data.
func (p *PKI) Stamp(data []byte, at time.Time) ([]byte, error) {
	imprint := der(tagSeq, marshal(pkix.AlgorithmIdentifier{Algorithm: digestOIDs[crypto.SHA256]}), marshal(hash(crypto.SHA256, data)))
	when, err := asn1.MarshalWithParams(at.UTC().Truncate(time.Second), "generalized")
	if err != nil {
		return nil, fmt.Errorf("making a test timestamp: %w", err)
	}
	info := der(tagSeq, marshal(1), marshal(asn1.ObjectIdentifier{1, 2, 3}), imprint, marshal(p.next()), when)
	return CMS{contentType: oidTSTInfo, content: info}.sign(info, p.TSA, p.Root)
}

func hash(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
