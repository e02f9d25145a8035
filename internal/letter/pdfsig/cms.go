package pdfsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // hashes that signatures and timestamps use
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/smallstep/pkcs7"
)

var (
	oidData       = pkcs7.OIDData
	oidTSTInfo    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidTimestamp  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningV1  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningV2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidRevocation = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	oidPSS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	hashes        = map[string]crypto.Hash{"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512}
)

func hashOf(alg pkix.AlgorithmIdentifier) (crypto.Hash, bool) {
	h, ok := hashes[alg.Algorithm.String()]
	return h, ok
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// soundness checks the one signer of a CMS: the digest of its content, its signed attributes, and the signature over them, without any
// chain (RFC 5652 section 5.4). An empty code means sound. What this program can't compute is Unsupported, never bad.
//
// The library's own check knows neither RSA-PSS nor Ed25519, and takes a clock that was wrong at signing for a forged signature.
func soundness(p7 *pkcs7.PKCS7, contentType asn1.ObjectIdentifier) Code {
	si := p7.Signers[0]
	cert := p7.GetOnlySigner()
	if cert == nil {
		return BrokenCMS
	}
	h, ok := hashOf(si.DigestAlgorithm)
	if !ok {
		return Unsupported
	}
	signed := p7.Content
	if len(si.AuthenticatedAttributes) > 0 {
		if code := attributesMatch(p7, cert, h, contentType); code != "" {
			return code
		}
		der, err := asn1.MarshalWithParams(si.AuthenticatedAttributes, "set")
		if err != nil {
			return BrokenCMS
		}
		signed = der
	}
	return checkSignature(cert.PublicKey, si.DigestEncryptionAlgorithm, h, signed, si.EncryptedDigest)
}

// attributesMatch holds the signed attributes against what is signed: content type, digest, and the certificate that the signer named
// (RFC 5035), so that no other certificate of the same key can be put in its place.
func attributesMatch(p7 *pkcs7.PKCS7, cert *x509.Certificate, h crypto.Hash, contentType asn1.ObjectIdentifier) Code {
	seen := map[string]bool{}
	for _, a := range p7.Signers[0].AuthenticatedAttributes {
		if oid := a.Type.String(); seen[oid] {
			return BrokenCMS // readers differ on which one counts
		} else {
			seen[oid] = true
		}
	}
	var want []byte
	var kind asn1.ObjectIdentifier
	if p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeMessageDigest, &want) != nil || p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &kind) != nil {
		return BrokenCMS
	}
	if !bytes.Equal(want, digest(h, p7.Content)) {
		return DigestDiffers
	}
	if !kind.Equal(contentType) {
		return BadSignature
	}
	if named, ok := namedCertificate(p7, cert); named && !ok {
		return BadSignature
	}
	return ""
}

// namedCertificate tells whether the signed attributes name a certificate, and whether it is this one.
func namedCertificate(p7 *pkcs7.PKCS7, cert *x509.Certificate) (named, ok bool) {
	var v2 struct {
		Certs []struct {
			Hash         pkix.AlgorithmIdentifier `asn1:"optional"`
			CertHash     []byte
			IssuerSerial asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if p7.UnmarshalSignedAttribute(oidSigningV2, &v2) == nil && len(v2.Certs) > 0 {
		h := crypto.SHA256
		if v2.Certs[0].Hash.Algorithm != nil {
			h, ok = hashOf(v2.Certs[0].Hash)
			if !ok {
				return true, false
			}
		}
		return true, bytes.Equal(v2.Certs[0].CertHash, digest(h, cert.Raw))
	}
	var v1 struct {
		Certs []struct {
			CertHash     []byte
			IssuerSerial asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if p7.UnmarshalSignedAttribute(oidSigningV1, &v1) == nil && len(v1.Certs) > 0 {
		return true, bytes.Equal(v1.Certs[0].CertHash, digest(crypto.SHA1, cert.Raw))
	}
	return false, false
}

func checkSignature(key any, alg pkix.AlgorithmIdentifier, h crypto.Hash, signed, signature []byte) Code {
	var good bool
	switch k := key.(type) {
	case *rsa.PublicKey:
		if alg.Algorithm.Equal(oidPSS) {
			good = rsa.VerifyPSS(k, h, digest(h, signed), signature, nil) == nil
		} else {
			good = rsa.VerifyPKCS1v15(k, h, digest(h, signed), signature) == nil
		}
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(k, digest(h, signed), signature)
	case ed25519.PublicKey:
		good = ed25519.Verify(k, signed, signature)
	default:
		return Unsupported
	}
	if !good {
		return BadSignature
	}
	return ""
}

// weak tells algorithms that a forger may break: their signatures prove too little to act upon.
func weak(p7 *pkcs7.PKCS7, cert *x509.Certificate) bool {
	if h, ok := hashOf(p7.Signers[0].DigestAlgorithm); ok && h == crypto.SHA1 {
		return true
	}
	k, ok := cert.PublicKey.(*rsa.PublicKey)
	return ok && k.N.BitLen() < 2048
}
