package pdfsig

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/ocsp"
)

// store is the document security store (ETSI EN 319 142-1 section 5.4): certificates, revocation lists, OCSP answers.
type store struct {
	certs []*x509.Certificate
	crls  []*x509.RevocationList
	ocsps [][]byte
}

func (f *file) securityStore() *store {
	s := &store{}
	if len(f.revisions) == 0 {
		return s
	}
	catalog, _ := f.get(f.revisions[0].trailer["Root"]).(dict)
	dss, _ := f.get(catalog["DSS"]).(dict)
	for key, add := range map[name]func([]byte){"Certs": s.addCert, "CRLs": s.addCRL, "OCSPs": s.addOCSP} {
		list, _ := f.get(dss[key]).(array)
		for i, v := range list {
			st, ok := f.get(v).(*stream)
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

func (s *store) addOCSP(b []byte) { s.ocsps = append(s.ocsps, b) }

// with adds what one signature carries itself: Adobe's RevocationInfoArchival, and the CMS's own certificates and lists.
func (s *store) with(p7 *pkcs7.PKCS7) *store {
	all := &store{slices.Concat(p7.Certificates, s.certs), slices.Clone(s.crls), slices.Clone(s.ocsps)}
	var info struct {
		CRLs  []asn1.RawValue `asn1:"optional,explicit,tag:0"`
		OCSPs []asn1.RawValue `asn1:"optional,explicit,tag:1"`
	}
	if p7.UnmarshalSignedAttribute(oidRevocation, &info) == nil {
		for _, c := range info.CRLs {
			all.addCRL(c.FullBytes)
		}
		for _, o := range info.OCSPs {
			all.addOCSP(o.FullBytes)
		}
	}
	for _, c := range p7.CRLs {
		if der, err := asn1.Marshal(c); err == nil {
			all.addCRL(der)
		}
	}
	return all
}

// path leads from a certificate to its root: the chain that was trusted, or, without one, the issuers that the file itself carries.
func (s *store) path(cert *x509.Certificate, chain []*x509.Certificate) []*x509.Certificate {
	if len(chain) > 0 {
		return chain
	}
	path := []*x509.Certificate{cert}
	for len(path) < 8 {
		last := path[len(path)-1]
		i := slices.IndexFunc(s.certs, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(path, c.Equal) && last.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		path = append(path, s.certs[i])
	}
	return path
}

// standing is what the revocation data say about a certificate.
type standing int

const (
	unknown standing = iota
	good
	revoked
)

// of looks for a certificate in the lists and answers of its issuer. A revocation counts from its own date: what was signed before, by a
// trusted timestamp, stays good. That a certificate is good counts only if it was said for the time at which the signature is judged.
func (s *store) of(cert, issuer *x509.Certificate, at time.Time) standing {
	found := unknown
	for _, l := range s.crls {
		if l.CheckSignatureFrom(issuer) != nil {
			continue
		}
		if l.NextUpdate.IsZero() || !l.NextUpdate.Before(at) {
			found = good
		}
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(cert.SerialNumber) == 0 && !e.RevocationTime.After(at) {
				return revoked
			}
		}
	}
	for _, raw := range s.ocsps {
		r, err := ocsp.ParseResponseForCert(raw, cert, nil)
		if err != nil || answeredBy(r, issuer) != nil {
			continue
		}
		switch until := r.NextUpdate; {
		case r.Status == ocsp.Revoked && !r.RevokedAt.After(at):
			return revoked
		case r.Status == ocsp.Unknown:
		case until.IsZero() && !r.ThisUpdate.Before(at.Add(-24*time.Hour)), !until.IsZero() && !until.Before(at):
			found = good
		}
	}
	return found
}

// answeredBy checks that an OCSP answer was signed by the issuer, or by a responder that the issuer named (RFC 6960 section 4.2.2.2).
func answeredBy(r *ocsp.Response, issuer *x509.Certificate) error {
	by := r.Certificate
	if by == nil || by.Equal(issuer) {
		return r.CheckSignatureFrom(issuer)
	}
	if !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) || r.ProducedAt.Before(by.NotBefore) || r.ProducedAt.After(by.NotAfter) {
		return errors.New("not a responder")
	}
	if err := by.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	return r.CheckSignatureFrom(by)
}

// standingOf is the worst of a path, and that of its first certificate where none is revoked.
func (s *store) standingOf(path []*x509.Certificate, at time.Time) standing {
	first := unknown
	for i := 0; i+1 < len(path); i++ {
		st := s.of(path[i], path[i+1], at)
		if st == revoked {
			return revoked
		}
		if i == 0 {
			first = st
		}
	}
	return first
}
