package pdfsig

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // hashes that timestamps use
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/ocsp"
)

// tstInfo is RFC 3161 section 2.4.2, as far as it is needed.
type tstInfo struct {
	Version        int
	Policy         asn1.ObjectIdentifier
	MessageImprint struct {
		HashAlgorithm pkix.AlgorithmIdentifier
		HashedMessage []byte
	}
	SerialNumber *big.Int
	GenTime      time.Time        `asn1:"generalized"`
	Accuracy     asn1.RawValue    `asn1:"optional"`
	Ordering     bool             `asn1:"optional"`
	Nonce        *big.Int         `asn1:"optional"`
	TSA          asn1.RawValue    `asn1:"optional,tag:0"`
	Extensions   []pkix.Extension `asn1:"optional,tag:1"`
}

var (
	oidTimestamp  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidRevocation = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	hashes        = map[string]crypto.Hash{"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512}
)

// stamped reads a timestamp token over some bytes: its time, whether it is sound, and whether a root vouches for it at its own time.
func stamped(token *pkcs7.PKCS7, over []byte, store *store, roots *x509.CertPool) (at time.Time, sound, trusted bool) {
	var info tstInfo
	if _, err := asn1.Unmarshal(token.Content, &info); err != nil {
		return at, false, false
	}
	h, ok := hashes[info.MessageImprint.HashAlgorithm.Algorithm.String()]
	if !ok || !h.Available() {
		return at, false, false
	}
	d := h.New()
	d.Write(over)
	if !bytes.Equal(d.Sum(nil), info.MessageImprint.HashedMessage) {
		return at, false, false
	}
	cert := token.GetOnlySigner()
	if _, ok := soundness(token); !ok || cert == nil {
		return at, false, false
	}
	between := x509.NewCertPool()
	for _, c := range append(token.Certificates, store.certs...) {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: info.GenTime, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	return info.GenTime, true, err == nil
}

// stampOf finds the signature's timestamp and returns the time at which the signature is judged: the timestamp's if it is trusted, else now.
func (f *file) stampOf(v *Signature, p7 *pkcs7.PKCS7, store *store, roots *x509.CertPool, now time.Time) time.Time {
	si := p7.Signers[0]
	for _, a := range si.UnauthenticatedAttributes {
		if !a.Type.Equal(oidTimestamp) {
			continue
		}
		token, err := pkcs7.Parse(a.Value.Bytes)
		if err != nil {
			v.worse(Indeterminate, BadTimestamp)
			return now
		}
		at, sound, trusted := stamped(token, si.EncryptedDigest, store, roots)
		switch {
		case !sound:
			v.worse(Indeterminate, BadTimestamp)
		case !trusted:
			v.Codes = append(v.Codes, StampUntrusted)
		case at.After(now.Add(5 * time.Minute)):
			v.worse(Indeterminate, BadTimestamp)
		default:
			v.Time = at
			return at
		}
		return now
	}
	if at, ok := f.documentStamp(store, roots); ok {
		v.Time = at
		return at
	}
	v.Codes = append(v.Codes, NoTimestamp)
	return now
}

// documentStamp is the earliest trusted document timestamp of the file: it proves that everything before it existed then.
func (f *file) documentStamp(store *store, roots *x509.CertPool) (time.Time, bool) {
	var best time.Time
	for _, s := range f.fields() {
		if s.dict["SubFilter"] != name("ETSI.RFC3161") {
			continue
		}
		data, contents, err := f.signedBytes(s)
		if err != nil {
			continue
		}
		token, err := pkcs7.Parse(derOf(contents))
		if err != nil || len(token.Signers) != 1 {
			continue
		}
		if at, sound, trusted := stamped(token, data, store, roots); sound && trusted && (best.IsZero() || at.Before(best)) {
			best = at
		}
	}
	return best, !best.IsZero()
}

// verifyStamp judges a document timestamp.
func (f *file) verifyStamp(v *Signature, token *pkcs7.PKCS7, data []byte, store *store, roots *x509.CertPool) {
	at, sound, trusted := stamped(token, data, store, roots)
	switch {
	case !sound:
		v.worse(Invalid, BadTimestamp)
	case !trusted:
		v.worse(Untrusted, StampUntrusted)
	default:
		v.Time = at
	}
}

// store is the document security store (ETSI EN 319 142-1 section 5.4): certificates, revocation lists, OCSP answers.
type store struct {
	certs []*x509.Certificate
	crls  []*x509.RevocationList
	ocsps []*ocsp.Response
}

func (f *file) securityStore() *store {
	s := &store{}
	if len(f.revisions) == 0 {
		return s
	}
	catalog, _ := f.get(f.revisions[0].trailer["Root"], 0).(dict)
	dss, _ := f.get(catalog["DSS"], 0).(dict)
	for key, add := range map[name]func([]byte){"Certs": s.addCert, "CRLs": s.addCRL, "OCSPs": s.addOCSP} {
		list, _ := f.get(dss[key], 0).(array)
		for i, v := range list {
			st, ok := f.get(v, 0).(*stream)
			if !ok || i > 200 {
				continue
			}
			if b, err := f.inflate(st); err == nil {
				add(b)
			}
		}
	}
	return s
}

func (s *store) addCert(b []byte) {
	if c, err := x509.ParseCertificate(b); err == nil {
		s.certs = append(s.certs, c)
	}
}

func (s *store) addCRL(b []byte) {
	if c, err := x509.ParseRevocationList(b); err == nil {
		s.crls = append(s.crls, c)
	}
}

func (s *store) addOCSP(b []byte) {
	if r, err := ocsp.ParseResponse(b, nil); err == nil {
		s.ocsps = append(s.ocsps, r)
	}
}

// revocationInfo is Adobe's RevocationInfoArchival.
type revocationInfo struct {
	CRLs  []asn1.RawValue `asn1:"optional,explicit,tag:0"`
	OCSPs []asn1.RawValue `asn1:"optional,explicit,tag:1"`
}

// revocation looks for the signer's certificate in the embedded lists and answers. A revocation counts from its own date: what was signed
// before, by a trusted timestamp, stays good.
func (v *Signature) revocation(cert *x509.Certificate, p7 *pkcs7.PKCS7, st *store, at time.Time) {
	all := *st
	var info revocationInfo
	if err := p7.UnmarshalSignedAttribute(oidRevocation, &info); err == nil {
		for _, c := range info.CRLs {
			all.addCRL(c.FullBytes)
		}
		for _, o := range info.OCSPs {
			all.addOCSP(o.FullBytes)
		}
	}
	issuers := append(append([]*x509.Certificate{}, p7.Certificates...), st.certs...)
	known := false
	for _, l := range all.crls {
		if !bytes.Equal(l.RawIssuer, cert.RawIssuer) || !signedBy(issuers, l.CheckSignatureFrom) {
			continue
		}
		known = true
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(cert.SerialNumber) == 0 && !e.RevocationTime.After(at) {
				v.worse(Invalid, Revoked)
				return
			}
		}
	}
	for _, r := range all.ocsps {
		if r.SerialNumber == nil || r.SerialNumber.Cmp(cert.SerialNumber) != 0 || !signedBy(issuers, func(c *x509.Certificate) error { return answeredBy(r, c) }) {
			continue
		}
		known = true
		if r.Status == ocsp.Revoked && !r.RevokedAt.After(at) {
			v.worse(Invalid, Revoked)
			return
		}
	}
	if !known {
		v.Codes = append(v.Codes, NoRevocation)
	}
}

// answeredBy checks that an OCSP answer was signed by the issuer, or by a responder that the issuer named (RFC 6960 section 4.2.2.2).
func answeredBy(r *ocsp.Response, issuer *x509.Certificate) error {
	if r.Certificate == nil {
		return r.CheckSignatureFrom(issuer)
	}
	if err := r.Certificate.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	return r.CheckSignatureFrom(r.Certificate)
}

func signedBy(issuers []*x509.Certificate, check func(*x509.Certificate) error) bool {
	for _, c := range issuers {
		if check(c) == nil {
			return true
		}
	}
	return false
}
