package pdfsig_test

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"pulih/internal/letter/corpus"
	"pulih/internal/letter/pdfsig"
)

var now = time.Now()

const year = 365 * 24 * time.Hour

type fixture struct {
	pki    *corpus.PKI
	signer *corpus.Signer
	roots  *x509.CertPool
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	pki, err := corpus.NewPKI("Akar Contoh", now.Add(-2*year), now.Add(5*year))
	must(t, err)
	s, err := pki.Issue("SLAMET RIYADI", now.Add(-year), now.Add(year))
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(pki.Root)
	return fixture{pki, s, roots}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func plain() []byte {
	return (&corpus.Doc{}).Center("DINAS CONTOH").Para("Kami mohon reset passphrase TTE.").PDF()
}

func (f fixture) signed(t *testing.T, o corpus.SignOptions) *corpus.PDFBuilder {
	t.Helper()
	b := corpus.NewPDFBuilder(plain())
	must(t, b.Sign(f.pki, f.signer, o))
	return b
}

func expect(t *testing.T, r pdfsig.Report, want pdfsig.Status, codes ...pdfsig.Code) {
	t.Helper()
	var have []pdfsig.Code
	have = append(have, r.Codes...)
	for _, s := range r.Signatures {
		have = append(have, s.Codes...)
	}
	if r.Status != want {
		t.Errorf("status %s %v, want %s", r.Status, have, want)
	}
	for _, c := range codes {
		if !slices.Contains(have, c) {
			t.Errorf("no code %s in %v", c, have)
		}
	}
}

func TestAnUnsignedFileHasNoSignature(t *testing.T) {
	t.Parallel()
	expect(t, pdfsig.Verify(plain(), nil, now), pdfsig.None)
	expect(t, pdfsig.Verify([]byte("bukan PDF"), nil, now), pdfsig.None)
	expect(t, pdfsig.Verify(nil, nil, now), pdfsig.None)
}

func TestASoundSignatureIsValidOnlyUnderAnInstalledRoot(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, format := range []string{"", "adbe.pkcs7.detached"} {
		b := f.signed(t, corpus.SignOptions{Format: format})
		r := pdfsig.Verify(b.Data, f.roots, now)
		expect(t, r, pdfsig.Valid, pdfsig.NoTimestamp, pdfsig.NoRevocation)
		if r.Signer != "SLAMET RIYADI" || !r.Signatures[0].Whole {
			t.Errorf("signer %q, whole %v", r.Signer, r.Signatures[0].Whole)
		}
		expect(t, pdfsig.Verify(b.Data, nil, now), pdfsig.Untrusted, pdfsig.NoRoot)
		other := newFixture(t)
		expect(t, pdfsig.Verify(b.Data, other.roots, now), pdfsig.Untrusted, pdfsig.NoRoot)
	}
}

func TestAChangedByteMakesASignatureInvalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.signed(t, corpus.SignOptions{})
	for _, mark := range []string{"/MediaBox", "/Type /Sig", "/Rect [0 0 0 0]"} {
		data := bytes.Clone(b.Data)
		i := bytes.LastIndex(data, []byte(mark))
		data[i+1] ^= 1
		if r := pdfsig.Verify(data, f.roots, now); r.Status == pdfsig.Valid || r.Status == pdfsig.Untrusted {
			t.Errorf("changed at %q: %s", mark, r.Status)
		}
	}
}

func TestWhatFollowsASignatureMustBeSignedToo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := func(b *corpus.PDFBuilder) (int, string) { return b.Root() }
	for name, change := range map[string]func(*corpus.PDFBuilder){
		"bytes without a revision": func(b *corpus.PDFBuilder) {
			b.Data = append(b.Data, "\n% tambahan yang tidak ditandatangani sama sekali oleh siapa pun, cukup panjang\n"...)
		},
		"another page content": func(b *corpus.PDFBuilder) { b.Append(map[int]string{4: "<< /Length 0 >>\nstream\n\nendstream"}) },
		"a page replaced":      func(b *corpus.PDFBuilder) { b.Append(map[int]string{3: "<< /Type /Page /MediaBox [0 0 1 1] >>"}) },
		"a catalog replaced": func(b *corpus.PDFBuilder) {
			n, _ := root(b)
			b.Append(map[int]string{n: "<< /Type /Catalog /Pages 99 0 R >>", 99: "<< /Type /Pages /Kids [] /Count 0 >>"})
		},
		"the form taken away": func(b *corpus.PDFBuilder) {
			n, c := root(b)
			b.Append(map[int]string{n: "<<" + c + ">>"})
		},
	} {
		b := f.signed(t, corpus.SignOptions{})
		change(b)
		r := pdfsig.Verify(b.Data, f.roots, now)
		if r.Status == pdfsig.Valid || r.Status == pdfsig.Untrusted || r.Status == pdfsig.None {
			t.Errorf("%s: %s %v", name, r.Status, r.Codes)
		}
	}
}

func TestLaterSignedRevisionsAndValidationDataLeaveASignatureValid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	second, err := f.pki.Issue("SITI AMINAH", now.Add(-year), now.Add(year))
	must(t, err)
	b := f.signed(t, corpus.SignOptions{})
	must(t, b.Sign(f.pki, second, corpus.SignOptions{}))
	r := pdfsig.Verify(b.Data, f.roots, now)
	expect(t, r, pdfsig.Valid)
	if len(r.Signatures) != 2 || r.Signer != "SITI AMINAH" || r.Signatures[0].Signer != "SLAMET RIYADI" {
		t.Fatalf("signatures %+v", r)
	}
	crl, err := f.pki.Revoke(now.Add(-time.Hour))
	must(t, err)
	b.AddValidation(crl)
	r = pdfsig.Verify(b.Data, f.roots, now)
	expect(t, r, pdfsig.Valid)
	for _, s := range r.Signatures {
		if slices.Contains(s.Codes, pdfsig.NoRevocation) {
			t.Errorf("the revocation list isn't found: %v", s.Codes)
		}
	}
	must(t, b.StampDocument(f.pki, now))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
}

func TestTheWorstVerdictCounts(t *testing.T) {
	t.Parallel()
	f, stranger := newFixture(t), newFixture(t)
	b := f.signed(t, corpus.SignOptions{})
	must(t, b.Sign(stranger.pki, stranger.signer, corpus.SignOptions{}))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Untrusted, pdfsig.NoRoot)
}

func TestAnOldSignatureIsJudgedAtItsTimestamp(t *testing.T) {
	t.Parallel()
	then := now.Add(-3 * year)
	pki, err := corpus.NewPKI("Akar Lama", then.Add(-year), then.Add(year))
	must(t, err)
	s, err := pki.Issue("SLAMET RIYADI", then.Add(-year), then.Add(year/2))
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(pki.Root)
	b := corpus.NewPDFBuilder(plain())
	must(t, b.Sign(pki, s, corpus.SignOptions{Stamp: then}))
	r := pdfsig.Verify(b.Data, roots, now)
	expect(t, r, pdfsig.Valid)
	if !r.Signatures[0].Time.Equal(then.UTC().Truncate(time.Second)) {
		t.Errorf("time %v, want %v", r.Signatures[0].Time, then)
	}
	bare := corpus.NewPDFBuilder(plain())
	must(t, bare.Sign(pki, s, corpus.SignOptions{}))
	if r := pdfsig.Verify(bare.Data, roots, now); r.Status == pdfsig.Valid {
		t.Error("an expired certificate without a timestamp must not be valid")
	}
	forged, err := corpus.NewPKI("Akar Palsu", then.Add(-year), now.Add(year))
	must(t, err)
	backdated := corpus.NewPDFBuilder(plain())
	must(t, backdated.Sign(pki, s, corpus.SignOptions{Stamp: then, StampBy: forged}))
	if r := pdfsig.Verify(backdated.Data, roots, now); r.Status == pdfsig.Valid {
		t.Error("a timestamp that no root vouches for must not save an expired certificate")
	}
}

func TestARevokedCertificateIsInvalidFromItsRevocationOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	revoke := func(at time.Time) []byte {
		crl, err := f.pki.Revoke(at, f.signer.Cert)
		must(t, err)
		return crl
	}
	b := f.signed(t, corpus.SignOptions{Stamp: now.Add(-time.Hour)}).AddValidation(revoke(now.Add(-2 * time.Hour)))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Invalid, pdfsig.Revoked)
	b = f.signed(t, corpus.SignOptions{Stamp: now.Add(-3 * time.Hour)}).AddValidation(revoke(now.Add(-2 * time.Hour)))
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid)
	stranger := newFixture(t)
	crl, err := stranger.pki.Revoke(now.Add(-2*time.Hour), f.signer.Cert)
	must(t, err)
	b = f.signed(t, corpus.SignOptions{Stamp: now.Add(-time.Hour)}).AddValidation(crl)
	expect(t, pdfsig.Verify(b.Data, f.roots, now), pdfsig.Valid, pdfsig.NoRevocation)
}

// Signature wrapping: the gap of the ByteRange must be the signature's own Contents and nothing else.
func TestAWrappedSignatureIsInvalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.signed(t, corpus.SignOptions{})
	i := bytes.LastIndex(b.Data, []byte("/ByteRange"))
	end := i + bytes.IndexByte(b.Data[i:], ']')
	old := string(b.Data[i : end+1])
	for _, repl := range []string{
		strings.Replace(old, "[0", "[1", 1),
		"/ByteRange [0 10 20 30]" + strings.Repeat(" ", len(old)-len("/ByteRange [0 10 20 30]")),
		"/ByteRange [0 0 0 0]" + strings.Repeat(" ", len(old)-len("/ByteRange [0 0 0 0]")),
		"/ByteRange [0 -1 5 9]" + strings.Repeat(" ", len(old)-len("/ByteRange [0 -1 5 9]")),
		"/ByteRange [0]" + strings.Repeat(" ", len(old)-len("/ByteRange [0]")),
	} {
		data := bytes.Clone(b.Data)
		copy(data[i:], repl)
		expect(t, pdfsig.Verify(data, f.roots, now), pdfsig.Invalid)
	}
	// The cryptography is right, but the gap holds a value that anybody can change.
	slack := f.signed(t, corpus.SignOptions{Slack: " /Reason (aman) "})
	expect(t, pdfsig.Verify(slack.Data, f.roots, now), pdfsig.Invalid, pdfsig.BadRange)
	expect(t, pdfsig.Verify(bytes.Replace(slack.Data, []byte("(aman)"), []byte("(awas)"), 1), f.roots, now), pdfsig.Invalid, pdfsig.BadRange)
	// A gap that is widened to hold more than the signature.
	wide := bytes.Replace(b.Data, []byte("/Contents <"), []byte("/X (..) /Contents <"), 1)
	if r := pdfsig.Verify(wide, f.roots, now); r.Status != pdfsig.Invalid && r.Status != pdfsig.Indeterminate {
		t.Errorf("a shifted signature is %s", r.Status)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(plain())
	if pki, err := corpus.NewPKI("Akar", now.Add(-year), now.Add(year)); err == nil {
		if s, err := pki.Issue("X", now.Add(-year), now.Add(year)); err == nil {
			b := corpus.NewPDFBuilder(plain())
			if b.Sign(pki, s, corpus.SignOptions{}) == nil {
				f.Add(b.Data)
			}
		}
	}
	f.Add([]byte("%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Prev 9>>startxref\n9\n%%EOF"))
	f.Fuzz(func(t *testing.T, pdf []byte) {
		if r := pdfsig.Verify(pdf, nil, now); r.Status == pdfsig.Valid {
			t.Fatal("valid without any root")
		}
	})
}
