package pdfsig

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/smallstep/pkcs7"
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

// stamped reads a timestamp token over some bytes: its time, whether it is sound, and whether a root vouches for it at its own time.
func stamped(token *pkcs7.PKCS7, over []byte, store *store, roots *x509.CertPool, now time.Time) (at time.Time, sound, trusted bool) {
	var info tstInfo
	if len(token.Signers) != 1 || len(token.Signers[0].AuthenticatedAttributes) == 0 { // RFC 3161 section 2.4.2 asks for them
		return at, false, false
	}
	if _, err := asn1.Unmarshal(token.Content, &info); err != nil || info.GenTime.After(now.Add(clockSkew)) {
		return at, false, false
	}
	h, ok := hashOf(info.MessageImprint.HashAlgorithm)
	if !ok || !bytes.Equal(digest(h, over), info.MessageImprint.HashedMessage) || soundness(token, oidTSTInfo) != "" {
		return at, false, false
	}
	cert := token.GetOnlySigner()
	all := store.with(token)
	chains, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: poolOf(all.certs), CurrentTime: info.GenTime, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	return info.GenTime, true, err == nil && all.standingOf(chains[0], info.GenTime) != revoked
}

// clockSkew is how far a timestamp may lie ahead of this machine's clock.
const clockSkew = 5 * time.Minute

func poolOf(certs []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool
}

// stampOf finds the timestamp of a signature: its own, or else that of a document timestamp over it. It sets v.Time if a root vouches
// for it.
func (f *file) stampOf(v *Signature, s field, p7 *pkcs7.PKCS7, store *store, roots *x509.CertPool, now time.Time) {
	for _, a := range p7.Signers[0].UnauthenticatedAttributes {
		if !a.Type.Equal(oidTimestamp) {
			continue
		}
		token, err := pkcs7.Parse(a.Value.Bytes)
		if err != nil {
			v.worse(Indeterminate, BadTimestamp)
			return
		}
		at, sound, trusted := stamped(token, p7.Signers[0].EncryptedDigest, store, roots, now)
		switch {
		case !sound:
			v.worse(Indeterminate, BadTimestamp)
			return
		case trusted:
			v.Time = at
			return
		}
		v.Codes = append(v.Codes, StampUntrusted)
	}
	if v.Time = f.documentStamp(s, store, roots, now); v.Time.IsZero() && !hasCode(v.Codes, StampUntrusted) {
		v.Codes = append(v.Codes, NoTimestamp)
	}
}

// documentStamp is the earliest trusted document timestamp that covers a signature: it proves that the signature existed then. One that
// was there before the signature proves nothing about it.
func (f *file) documentStamp(s field, store *store, roots *x509.CertPool, now time.Time) time.Time {
	var best time.Time
	for _, d := range f.fields() {
		if d.dict["SubFilter"] != name("ETSI.RFC3161") || d.rng[1] < s.end() {
			continue
		}
		data, contents, err := f.signedBytes(d)
		if err != nil {
			continue
		}
		token, err := pkcs7.Parse(derOf(contents))
		if err != nil {
			continue
		}
		if at, sound, trusted := stamped(token, data, store, roots, now); sound && trusted && (best.IsZero() || at.Before(best)) {
			best = at
		}
	}
	return best
}

// verifyStamp judges a document timestamp.
func (f *file) verifyStamp(v *Signature, token *pkcs7.PKCS7, data []byte, store *store, roots *x509.CertPool, now time.Time) {
	at, sound, trusted := stamped(token, data, store, roots, now)
	switch {
	case !sound:
		v.worse(Invalid, BadTimestamp)
	case !trusted:
		v.worse(Untrusted, StampUntrusted)
	default:
		v.Time = at
	}
}
