// Package pdfsig checks the electronic signatures of a PDF offline: integrity, what was changed after signing, the chain to roots that the
// operator installed, the time of the timestamp, embedded revocation data. It parses strangers' files and therefore runs in a child
// process only; it is pure and does no I/O.
package pdfsig

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"
)

// Status is the verdict on one signature, or on all of a file.
type Status string

// The verdicts, best first.
const (
	None          Status = "none"
	Valid         Status = "valid"
	Indeterminate Status = "indeterminate" // sound, but something could not be decided
	Untrusted     Status = "untrusted"     // sound, but no installed root vouches for the signer
	Invalid       Status = "invalid"       // changed, forged, revoked or broken
)

// Code says why a verdict is not "valid", or what else is worth knowing.
type Code string

// The codes.
const (
	ChangedAfter   Code = "changed-after-signing" // unsigned bytes or changed objects after the signature
	BadRange       Code = "bad-byte-range"        // the ByteRange leaves out more than the signature itself
	DigestDiffers  Code = "digest-differs"        // the signed bytes were changed
	BadSignature   Code = "bad-signature"
	BrokenCMS      Code = "broken-cms"
	Weak           Code = "weak-algorithm" // SHA-1, or an RSA key below 2048 bits
	NoRoot         Code = "no-trusted-root"
	WrongUse       Code = "wrong-key-usage"  // the certificate isn't for signing
	OutOfValidity  Code = "outside-validity" // signed before or after the certificate was valid
	ExpiredNoStamp Code = "expired-without-timestamp"
	Revoked        Code = "revoked"
	NoRevocation   Code = "no-revocation-data"
	NoTimestamp    Code = "no-timestamp"
	BadTimestamp   Code = "bad-timestamp"
	StampUntrusted Code = "timestamp-untrusted"
	Unsupported    Code = "unsupported-format"
	NotInForm      Code = "not-in-form" // a signature that no form field holds
	BrokenFile     Code = "broken-file"
	Encrypted      Code = "encrypted" // parts of the file can't be seen
)

// Signature is the verdict on one signature field.
type Signature struct {
	Signer    string // common name in the certificate
	Issuer    string // common name of who issued it, as the certificate says
	Status    Status
	Codes     []Code
	Time      time.Time // of a trusted timestamp; zero without one
	Claimed   time.Time // what the signer's own clock said; proves nothing
	Timestamp bool      // a document timestamp (ETSI.RFC3161), not a person's signature
	Whole     bool      // covers the file to its end
}

func (s *Signature) worse(st Status, c Code) {
	order := map[Status]int{Valid: 0, Indeterminate: 1, Untrusted: 2, Invalid: 3}
	if order[st] > order[s.Status] {
		s.Status = st
	}
	s.Codes = append(s.Codes, c)
}

// Report is the verdict on a file.
type Report struct {
	Status     Status
	Signer     string // of the last signature by a person
	Signatures []Signature
	Codes      []Code // on the file itself
}

// Verify checks all signatures of a PDF. roots may be nil; now is the time at which a signature without a trusted timestamp is judged.
func Verify(pdf []byte, roots *x509.CertPool, now time.Time) Report {
	var r Report
	if roots == nil {
		roots = x509.NewCertPool()
	}
	f, err := open(pdf)
	broken := err != nil
	if broken {
		f = &file{b: pdf, objstm: map[[2]int]map[int]any{}}
		r.Codes = append(r.Codes, BrokenFile)
	}
	found := f.fields()
	if len(found) == 0 {
		found = f.loose()
		switch encrypted := !broken && f.revisions[0].trailer["Encrypt"] != nil; {
		case len(found) == 0 || broken:
		case encrypted:
			r.Codes = append(r.Codes, Encrypted) // the form may lie in a stream that can't be read
		default:
			r.Codes = append(r.Codes, NotInForm)
		}
	}
	if len(found) == 0 {
		r.Status = None
		return r
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].end() < found[j].end() })
	store := f.securityStore()
	for i, s := range found {
		v := f.verify(s, store, roots, now)
		if broken {
			v.worse(Indeterminate, BrokenFile)
		}
		f.changes(&v, s, i == len(found)-1, slices.ContainsFunc(found[i+1:], field.byPerson))
		r.Signatures = append(r.Signatures, v)
	}
	r.sum()
	return r
}

// sum takes the worst verdict; a document timestamp that nobody vouches for doesn't lessen a person's signature.
func (r *Report) sum() {
	order := []Status{Invalid, Untrusted, Indeterminate, Valid}
	r.Status = None
	for _, st := range order {
		for _, s := range r.Signatures {
			if s.Status == st && (!s.Timestamp || st == Invalid) && r.Status == None {
				r.Status = st
			}
		}
	}
	for _, s := range r.Signatures {
		if !s.Timestamp && s.Signer != "" {
			r.Signer = s.Signer
		}
	}
	if r.Status == Valid && (hasCode(r.Codes, NotInForm) || hasCode(r.Codes, Encrypted)) {
		r.Status = Indeterminate
	}
}

// field is a signature dictionary.
type field struct {
	dict dict
	rng  [4]int
	ok   bool // the ByteRange has four whole numbers
}

func newField(d dict) field {
	f := field{dict: d}
	a, _ := d["ByteRange"].(array)
	f.ok = len(a) == 4
	for i := range f.rng {
		if i < len(a) {
			n, ok := integer(a[i])
			f.rng[i], f.ok = n, f.ok && ok
		}
	}
	return f
}

// end is where the signed bytes end.
func (f field) end() int { return f.rng[2] + f.rng[3] }

// byPerson is false for document timestamps.
func (f field) byPerson() bool { return f.dict["SubFilter"] != name("ETSI.RFC3161") }

// fields walks the form's fields for signatures (ISO 32000-1 section 12.7).
func (f *file) fields() []field {
	if len(f.revisions) == 0 {
		return nil
	}
	catalog, _ := f.get(f.revisions[0].trailer["Root"]).(dict)
	form, _ := f.get(catalog["AcroForm"]).(dict)
	kids, _ := f.get(form["Fields"]).(array)
	var out []field
	seenRef, seenSig := map[int]bool{}, map[[4]int]bool{}
	var walk func(v any, kind any, depth int)
	walk = func(v any, kind any, depth int) {
		if r, ok := v.(ref); ok {
			if seenRef[r.num] {
				return
			}
			seenRef[r.num] = true
		}
		d, ok := f.get(v).(dict)
		if !ok || depth > 20 || len(out) > 100 {
			return
		}
		if ft := f.get(d["FT"]); ft != nil {
			kind = ft
		}
		if kind == name("Sig") {
			if sig, ok := f.get(d["V"]).(dict); ok {
				if s := newField(sig); !seenSig[s.rng] {
					seenSig[s.rng] = true
					out = append(out, s)
				}
			}
		}
		more, _ := f.get(d["Kids"]).(array)
		for _, k := range more {
			walk(k, kind, depth+1)
		}
	}
	for _, k := range kids {
		walk(k, nil, 0)
	}
	return out
}

// loose finds signature dictionaries by their ByteRange where no form leads to them.
func (f *file) loose() []field {
	var out []field
	for from := 0; len(out) < 20; {
		i := bytes.Index(f.b[from:], []byte("/ByteRange"))
		if i < 0 {
			return out
		}
		i += from
		from = i + 1
		window := f.b[max(0, i-70_000):i]
		obj := bytes.LastIndex(window, []byte(" obj"))
		if obj < 0 {
			continue
		}
		at := max(0, i-70_000) + obj
		for at > 0 && (isSpace(f.b[at-1]) || f.b[at-1] >= '0' && f.b[at-1] <= '9') && f.b[at-1] != '\n' && f.b[at-1] != '\r' {
			at--
		}
		if _, v, err := f.objectAt(at); err == nil {
			if d, ok := v.(dict); ok && d["ByteRange"] != nil {
				out = append(out, newField(d))
			}
		}
	}
	return out
}

// signedBytes checks that the ByteRange leaves out exactly the Contents string of this very dictionary: anything else is how a signature
// is wrapped around other content.
func (f *file) signedBytes(s field) ([]byte, []byte, error) {
	h, ok := s.dict["Contents"].(hexAt)
	if !ok || !s.ok {
		return nil, nil, errors.New("no contents or range")
	}
	a, b, c, d := s.rng[0], s.rng[1], s.rng[2], s.rng[3]
	if a != 0 || b <= 0 || c < b || d <= 0 || c+d > len(f.b) || h.start != b || h.end != c {
		return nil, nil, errors.New("range and contents disagree")
	}
	data := make([]byte, 0, b+d)
	data = append(data, f.b[:b]...)
	return append(data, f.b[c:c+d]...), h.data, nil
}

// verify judges one signature by itself.
func (f *file) verify(s field, store *store, roots *x509.CertPool, now time.Time) Signature {
	v := Signature{Status: Valid}
	data, contents, err := f.signedBytes(s)
	if err != nil {
		v.worse(Invalid, BadRange)
		return v
	}
	v.Whole = onlyEOL(f.b[s.end():])
	format, _ := s.dict["SubFilter"].(name)
	p7, err := pkcs7.Parse(derOf(contents))
	if err != nil {
		v.worse(Invalid, BrokenCMS)
		return v
	}
	if len(p7.Signers) != 1 {
		v.worse(Indeterminate, Unsupported)
		return v
	}
	switch format {
	case "adbe.pkcs7.detached", "ETSI.CAdES.detached":
		p7.Content = data
	case "ETSI.RFC3161":
		v.Timestamp = true
		f.verifyStamp(&v, p7, data, store, roots, now)
		return v
	default:
		v.worse(Indeterminate, Unsupported)
		return v
	}
	cert := p7.GetOnlySigner()
	if cert == nil {
		v.worse(Invalid, BrokenCMS)
		return v
	}
	v.Signer, v.Issuer = cert.Subject.CommonName, cert.Issuer.CommonName
	switch code := soundness(p7, oidData); code {
	case "":
	case Unsupported:
		v.worse(Indeterminate, code)
		return v
	default:
		v.worse(Invalid, code)
		return v
	}
	if weak(p7, cert) {
		v.worse(Indeterminate, Weak)
	}
	if p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &v.Claimed) != nil {
		v.Claimed = pdfTime(s.dict["M"])
	}
	f.stampOf(&v, s, p7, store, roots, now)
	v.trust(cert, store.with(p7), roots, now)
	return v
}

// trust looks for a chain to an installed root, and for a revocation, at the time of the timestamp, or now without a trusted one.
func (v *Signature) trust(cert *x509.Certificate, store *store, roots *x509.CertPool, now time.Time) {
	at := v.Time
	if at.IsZero() {
		at = now
	}
	between := poolOf(store.certs)
	chain := func(t time.Time) []*x509.Certificate {
		chains, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: t, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil {
			return nil
		}
		return chains[0]
	}
	trusted := chain(at)
	switch {
	case trusted != nil:
	case v.Time.IsZero() && !v.Claimed.IsZero() && v.Claimed.Before(now) && chain(v.Claimed) != nil:
		v.worse(Indeterminate, ExpiredNoStamp)
	case chain(cert.NotBefore) != nil || chain(cert.NotAfter) != nil:
		v.worse(Untrusted, OutOfValidity)
	default:
		v.worse(Untrusted, NoRoot)
	}
	if !maySign(cert) {
		v.worse(Untrusted, WrongUse)
	}
	switch store.standingOf(store.path(cert, trusted), at) {
	case revoked:
		v.worse(Invalid, Revoked)
	case unknown:
		v.Codes = append(v.Codes, NoRevocation)
	}
}

// maySign: a certificate that limits its use must allow signing (RFC 5280 section 4.2.1.3), and one that is for servers, timestamps or
// OCSP alone isn't a person's.
func maySign(c *x509.Certificate) bool {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return false
	}
	for _, use := range c.ExtKeyUsage {
		if use != x509.ExtKeyUsageServerAuth && use != x509.ExtKeyUsageTimeStamping && use != x509.ExtKeyUsageOCSPSigning {
			return true
		}
	}
	return len(c.ExtKeyUsage) == 0 || len(c.UnknownExtKeyUsage) > 0
}

// pdfTime reads a date such as D:20260102030405+07'00' (ISO 32000-1 section 7.9.4); zero if it is none.
func pdfTime(v any) time.Time {
	t, _ := v.(text)
	s := strings.ReplaceAll(strings.TrimPrefix(string(t), "D:"), "'", "")
	for _, layout := range []string{"20060102150405-0700", "20060102150405Z", "20060102150405Z0000", "20060102150405"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at
		}
	}
	return time.Time{}
}

// derOf cuts the zero padding off a CMS blob.
func derOf(b []byte) []byte {
	if len(b) < 2 || b[0] != 0x30 {
		return b
	}
	n, head := int(b[1]), 2
	switch {
	case b[1] == 0x80:
		return b // indefinite length: the BER reader finds its end
	case b[1] > 0x80:
		k := int(b[1] & 0x7f)
		if k > 4 || len(b) < 2+k {
			return b
		}
		n, head = bigEndian(b[2:2+k]), 2+k
	}
	if head+n > len(b) {
		return b
	}
	return b[:head+n]
}

func onlyEOL(b []byte) bool {
	return len(b) < 64 && len(bytes.Trim(b, "\r\n \x00")) == 0
}
