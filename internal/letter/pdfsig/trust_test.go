package pdfsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"pulih/internal/letter/corpus"
	"pulih/internal/letter/pdfsig"
)

func rsaKey(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return key
}

// person is a certificate as an authority for signatures gives it, with some change.
func (f fixture) person(t *testing.T, key crypto.Signer, change func(*x509.Certificate)) *corpus.Signer {
	t.Helper()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "SLAMET RIYADI"}, NotBefore: now.Add(-year), NotAfter: now.Add(year),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment}
	if key == nil {
		var err error
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		must(t, err)
	}
	if change != nil {
		change(c)
	}
	s, err := f.pki.Certify(key, c)
	must(t, err)
	return s
}

func (f fixture) signedBy(t *testing.T, s *corpus.Signer, o corpus.SignOptions) *corpus.PDFBuilder {
	t.Helper()
	b := corpus.NewPDFBuilder(plain())
	must(t, b.Sign(f.pki, s, o))
	return b
}

func TestSignaturesOfEachAlgorithm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	big, small := rsaKey(t, 2048), rsaKey(t, 1024)
	for name, c := range map[string]struct {
		key  crypto.Signer
		cms  corpus.CMS
		want pdfsig.Status
	}{
		"RSA":              {big, corpus.CMS{}, pdfsig.Valid},
		"RSA, SHA-384":     {big, corpus.CMS{Hash: crypto.SHA384}, pdfsig.Valid},
		"RSA-PSS":          {big, corpus.CMS{PSS: true}, pdfsig.Valid},
		"RSA-PSS, SHA-512": {big, corpus.CMS{PSS: true, Hash: crypto.SHA512}, pdfsig.Valid},
		"ECDSA":            {nil, corpus.CMS{Hash: crypto.SHA384}, pdfsig.Valid},
		"Ed25519":          {ed, corpus.CMS{}, pdfsig.Valid},
		"no attributes":    {big, corpus.CMS{NoAttrs: true}, pdfsig.Valid},
		"unnamed signer":   {big, corpus.CMS{NoESS: true}, pdfsig.Valid},
		"SHA-1":            {big, corpus.CMS{Hash: crypto.SHA1}, pdfsig.Indeterminate},
		"RSA of 1024 bits": {small, corpus.CMS{}, pdfsig.Indeterminate},
	} {
		b := f.signedBy(t, f.person(t, c.key, nil), corpus.SignOptions{CMS: c.cms})
		r := pdfsig.Verify(b.Data, f.roots, now)
		if r.Status != c.want {
			t.Errorf("%s: %s %v", name, r.Status, r.Signatures[0].Codes)
		}
		b.Data[20] ^= 1
		if r := pdfsig.Verify(b.Data, f.roots, now); r.Status != pdfsig.Invalid {
			t.Errorf("%s with a changed byte: %s", name, r.Status)
		}
	}
}

func TestSignedAttributesMustFitWhatIsSigned(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := f.person(t, nil, nil)
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{CMS: corpus.CMS{Digest: make([]byte, 32)}}).Data, f.roots, now), pdfsig.Invalid, pdfsig.DigestDiffers)
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{CMS: corpus.CMS{ESSOf: other.Cert}}).Data, f.roots, now), pdfsig.Invalid, pdfsig.BadSignature)
	// The certificate of another takes the signer's place within the CMS: same name and number, another key.
	twin := *f.signer
	twin.Key = other.Key
	expect(t, pdfsig.Verify(f.signedBy(t, &twin, corpus.SignOptions{}).Data, f.roots, now), pdfsig.Invalid, pdfsig.BadSignature)
}

func TestACertificateMustBeForSigning(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   pdfsig.Status
	}{
		"signing":  {nil, pdfsig.Valid},
		"no limit": {func(c *x509.Certificate) { c.KeyUsage = 0 }, pdfsig.Valid},
		"mail":     {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }, pdfsig.Valid},
		"a use of its own": {func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, []int{1, 3, 6, 1, 5, 5, 7, 3, 36})
		}, pdfsig.Valid},
		"encryption": {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, pdfsig.Untrusted},
		"a server":   {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, pdfsig.Untrusted},
	} {
		r := pdfsig.Verify(f.signedBy(t, f.person(t, nil, c.change), corpus.SignOptions{}).Data, f.roots, now)
		if r.Status != c.want {
			t.Errorf("%s: %s %v", name, r.Status, r.Signatures[0].Codes)
		}
	}
}

func TestTheChainLeadsThroughAuthoritiesBelowTheRoot(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	under, err := f.pki.Under("Penerbit Contoh")
	must(t, err)
	s, err := under.Issue("SLAMET RIYADI", now.Add(-year), now.Add(year))
	must(t, err)
	b := corpus.NewPDFBuilder(plain())
	must(t, b.Sign(under, s, corpus.SignOptions{}))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
	onlyUnder := x509.NewCertPool()
	onlyUnder.AddCert(under.Root)
	expect(t, pdfsig.Verify(b.Data, onlyUnder, now), pdfsig.Valid)
	// The authority between is in the security store alone.
	bare := corpus.NewPDFBuilder(plain())
	must(t, bare.Sign(f.pki, s, corpus.SignOptions{}))
	expect(t, pdfsig.Verify(bare.Data, f.roots, now), pdfsig.Untrusted, pdfsig.NoRoot)
	expect(t, pdfsig.Verify(bare.AddStore(nil, nil, [][]byte{under.Root.Raw}).Data, f.roots, now), pdfsig.Valid)
	// It was revoked.
	crl, err := f.pki.Revoke(now.Add(-time.Hour), under.Root)
	must(t, err)
	expect(t, pdfsig.Verify(b.AddValidation(crl).Data, f.roots, now), pdfsig.Invalid, pdfsig.Revoked)
}

func TestASelfMadeCertificateIsTrustedOnlyIfInstalled(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := rsaKey(t, 2048)
	c := &x509.Certificate{SerialNumber: f.signer.Cert.SerialNumber, Subject: pkix.Name{CommonName: "SLAMET RIYADI"}, NotBefore: now.Add(-year), NotAfter: now.Add(year)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	b := f.signedBy(t, &corpus.Signer{Cert: cert, Key: key}, corpus.SignOptions{})
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Untrusted, pdfsig.NoRoot)
	f.roots.AddCert(cert)
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
}

func TestOCSPAnswersCountWhenTheIssuerOrItsResponderSignedThem(t *testing.T) {
	t.Parallel()
	f, stranger := newFixture(t), newFixture(t)
	responder := f.person(t, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	colleague := f.person(t, nil, nil)
	answer := func(pki *corpus.PKI, status int, by *corpus.Signer) []byte {
		r, err := pki.Answer(f.signer.Cert, ocsp.Response{Status: status, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), RevokedAt: now.Add(-2 * time.Hour)}, by)
		must(t, err)
		return r
	}
	for name, c := range map[string]struct {
		answer []byte
		want   pdfsig.Status
		known  bool
	}{
		"good":                      {answer(f.pki, ocsp.Good, nil), pdfsig.Valid, true},
		"good, by the responder":    {answer(f.pki, ocsp.Good, responder), pdfsig.Valid, true},
		"good, by a colleague":      {answer(f.pki, ocsp.Good, colleague), pdfsig.Valid, false},
		"good, by a stranger":       {answer(stranger.pki, ocsp.Good, nil), pdfsig.Valid, false},
		"unknown":                   {answer(f.pki, ocsp.Unknown, nil), pdfsig.Valid, false},
		"revoked":                   {answer(f.pki, ocsp.Revoked, nil), pdfsig.Invalid, true},
		"revoked, by the responder": {answer(f.pki, ocsp.Revoked, responder), pdfsig.Invalid, true},
		"revoked, by a stranger":    {answer(stranger.pki, ocsp.Revoked, nil), pdfsig.Valid, false},
		"nonsense":                  {[]byte("bukan OCSP"), pdfsig.Valid, false},
	} {
		r := pdfsig.Verify(f.signed(t, corpus.SignOptions{}).AddStore(nil, [][]byte{c.answer}, nil).Data, f.roots, now)
		if known := !hasAny(r, pdfsig.NoRevocation); r.Status != c.want || known != c.known {
			t.Errorf("%s: %s %v", name, r.Status, r.Signatures[0].Codes)
		}
	}
	// Signed before the revocation, by a trusted timestamp.
	b := f.signed(t, corpus.SignOptions{Stamp: now.Add(-3 * time.Hour)}).AddStore(nil, [][]byte{answer(f.pki, ocsp.Revoked, nil)}, nil)
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
}

func hasAny(r pdfsig.Report, code pdfsig.Code) bool {
	for _, s := range r.Signatures {
		for _, c := range s.Codes {
			if c == code {
				return true
			}
		}
	}
	return false
}

func TestRevocationDataWithinTheSignatureCount(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	clean, err := f.pki.Revoke(now.Add(-time.Hour))
	must(t, err)
	dirty, err := f.pki.Revoke(now.Add(-time.Hour), f.signer.Cert)
	must(t, err)
	r := pdfsig.Verify(f.signed(t, corpus.SignOptions{CMS: corpus.CMS{Revocation: [][]byte{clean}}}).Data, f.roots, now)
	expect(t, r, pdfsig.Valid)
	if hasAny(r, pdfsig.NoRevocation) {
		t.Error("the list within the signature isn't found")
	}
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{CMS: corpus.CMS{Revocation: [][]byte{dirty}}}).Data, f.roots, now), pdfsig.Invalid, pdfsig.Revoked)
	// A list of last year tells nothing about today.
	old, err := f.pki.Revoke(now.Add(-year))
	must(t, err)
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{}).AddValidation(old).Data, f.roots, now), pdfsig.Valid, pdfsig.NoRevocation)
}

func TestATimestampMustBeOfThisSignature(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{Stamp: now, StampOf: []byte("lain")}).Data, f.roots, now), pdfsig.Indeterminate, pdfsig.BadTimestamp)
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{Stamp: now.Add(24 * time.Hour)}).Data, f.roots, now), pdfsig.Indeterminate, pdfsig.BadTimestamp)
	revoked, err := f.pki.Revoke(now.Add(-2*time.Hour), f.pki.TSA.Cert)
	must(t, err)
	expect(t, pdfsig.Verify(f.signed(t, corpus.SignOptions{Stamp: now.Add(-time.Hour)}).AddValidation(revoked).Data, f.roots, now), pdfsig.Valid, pdfsig.StampUntrusted)
}

// A document timestamp proves what was there before it. One that is older than the signature must not make an expired certificate good.
func TestADocumentTimestampProvesOnlyWhatIsBeforeIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	then := now.Add(-year)
	expired := f.person(t, nil, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*year), now.Add(-year/2) })
	before := corpus.NewPDFBuilder(plain())
	must(t, before.StampDocument(f.pki, then))
	must(t, before.Sign(f.pki, expired, corpus.SignOptions{}))
	if r := pdfsig.Verify(before.Data, f.roots, now); r.Status == pdfsig.Valid {
		t.Error("a timestamp of the empty form made an expired certificate good")
	}
	after := f.signedBy(t, expired, corpus.SignOptions{})
	must(t, after.StampDocument(f.pki, then))
	expect(t, pdfsig.Verify(after.Data, f.roots, now), pdfsig.Valid)
}

// Without a timestamp an expired certificate may have signed while it was valid, or not: the signer's own clock proves nothing.
func TestAnExpiredCertificateWithoutATimestamp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	expired := f.person(t, nil, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*year), now.Add(-year) })
	while := now.Add(-3 * year / 2)
	sign := func(o corpus.SignOptions) pdfsig.Report {
		return pdfsig.Verify(f.signedBy(t, expired, o).Data, f.roots, now)
	}
	expect(t, sign(corpus.SignOptions{CMS: corpus.CMS{SigningTime: while}}), pdfsig.Indeterminate, pdfsig.ExpiredNoStamp)
	expect(t, sign(corpus.SignOptions{Entries: "/M (D:" + while.UTC().Format("20060102150405") + "+00'00')"}), pdfsig.Indeterminate, pdfsig.ExpiredNoStamp)
	expect(t, sign(corpus.SignOptions{CMS: corpus.CMS{SigningTime: now}}), pdfsig.Untrusted, pdfsig.OutOfValidity)
	expect(t, sign(corpus.SignOptions{Stamp: now.Add(-time.Hour)}), pdfsig.Untrusted, pdfsig.OutOfValidity)
}
