package corpus

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"
)

// PKI is a certificate authority made up for tests; it vouches for nobody.
type PKI struct {
	Root     *x509.Certificate
	rootKey  crypto.Signer
	TSA      *Signer
	serial   atomic.Int64
	From, To time.Time
}

// Signer is a certificate with its key.
type Signer struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// NewPKI makes a root and a timestamp authority that are valid in that span.
func NewPKI(name string, from, to time.Time) (*PKI, error) {
	p := &PKI{From: from, To: to}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a test root: %w", err)
	}
	p.rootKey = key
	t := &x509.Certificate{SerialNumber: p.next(), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if p.Root, err = create(t, t, key.Public(), key); err != nil {
		return nil, err
	}
	p.TSA, err = p.issue("TSA "+name, from, to, x509.ExtKeyUsageTimeStamping)
	return p, err
}

func (p *PKI) next() *big.Int { return big.NewInt(p.serial.Add(1)) }

func create(t, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, key)
	if err != nil {
		return nil, fmt.Errorf("making a test certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Issue makes a person's certificate.
func (p *PKI) Issue(name string, from, to time.Time) (*Signer, error) {
	return p.issue(name, from, to, x509.ExtKeyUsageEmailProtection)
}

func (p *PKI) issue(name string, from, to time.Time, use x509.ExtKeyUsage) (*Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a test key: %w", err)
	}
	return p.Certify(key, &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use}})
}

// Certify makes a certificate of any shape for a key.
func (p *PKI) Certify(key crypto.Signer, t *x509.Certificate) (*Signer, error) {
	t.SerialNumber = p.next()
	cert, err := create(t, p.Root, key.Public(), p.rootKey)
	return &Signer{cert, key}, err
}

// Under is a PKI whose root is an authority below this one's.
func (p *PKI) Under(name string) (*PKI, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a test key: %w", err)
	}
	s, err := p.Certify(key, &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: p.From, NotAfter: p.To, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign})
	if err != nil {
		return nil, err
	}
	return &PKI{Root: s.Cert, rootKey: key, TSA: p.TSA, From: p.From, To: p.To}, nil
}

// Answer makes an OCSP answer, signed by the authority itself or by another.
func (p *PKI) Answer(cert *x509.Certificate, r ocsp.Response, by *Signer) ([]byte, error) {
	r.SerialNumber = cert.SerialNumber
	if by == nil {
		return ocsp.CreateResponse(p.Root, p.Root, r, p.rootKey)
	}
	r.Certificate = by.Cert
	return ocsp.CreateResponse(p.Root, by.Cert, r, by.Key)
}

// Revoke makes a list that revokes the certificates from that time on.
func (p *PKI) Revoke(at time.Time, certs ...*x509.Certificate) ([]byte, error) {
	l := &x509.RevocationList{Number: p.next(), ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour)}
	for _, c := range certs {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: at})
	}
	return x509.CreateRevocationList(rand.Reader, l, p.Root, p.rootKey)
}

// SignOptions shape one signature.
type SignOptions struct {
	CMS
	Stamp   time.Time // of a signature timestamp; zero for none
	StampBy *PKI      // nil means the signer's own PKI
	StampOf []byte    // stamp these bytes instead of the signature
	Chain   []*x509.Certificate
	Format  string // SubFilter; empty means ETSI.CAdES.detached
	Slack   string // stands behind the signature within the gap of the ByteRange: what a forger needs
	Entries string // more entries of the signature's dictionary
	Widget  string // entries of the widget; empty means an invisible one
}

// PDFBuilder adds revisions to a PDF that fpdf wrote.
type PDFBuilder struct {
	Data    []byte
	fields  []int
	form    string
	dss     int // object of the security store; 0 for none
	catalog string
	root    int
	size    int
	sealed  string // the trailer's entries on encryption
}

var (
	rootRef       = regexp.MustCompile(`/Root (\d+) 0 R`)
	sizeEntry     = regexp.MustCompile(`/Size (\d+)`)
	sealedEntries = regexp.MustCompile(`(?s)/Encrypt .*?/ID\s*\[.*?\]`)
	startxrefs    = regexp.MustCompile(`startxref\s+(\d+)`)
)

// NewPDFBuilder takes fpdf's output.
func NewPDFBuilder(pdf []byte) *PDFBuilder {
	b := &PDFBuilder{Data: append([]byte(nil), pdf...)}
	b.root, _ = strconv.Atoi(string(rootRef.FindSubmatch(pdf)[1]))
	b.size, _ = strconv.Atoi(string(sizeEntry.FindSubmatch(pdf)[1]))
	b.sealed = string(sealedEntries.Find(pdf))
	obj := regexp.MustCompile(fmt.Sprintf(`(?s)\n%d 0 obj\s*<<(.*?)>>\s*endobj`, b.root)).FindSubmatch(pdf)
	b.catalog = string(obj[1])
	return b
}

// Append adds a revision with the given objects.
func (b *PDFBuilder) Append(objects map[int]string) *PDFBuilder {
	prev := startxrefs.FindAllSubmatch(b.Data, -1)
	last := string(prev[len(prev)-1][1])
	offsets := map[int]int{}
	var w bytes.Buffer
	w.Write(b.Data)
	w.WriteByte('\n')
	for n, body := range objects {
		offsets[n] = w.Len()
		fmt.Fprintf(&w, "%d 0 obj\n%s\nendobj\n", n, body)
		b.size = max(b.size, n+1)
	}
	at := w.Len()
	w.WriteString("xref\n")
	for n, o := range offsets {
		fmt.Fprintf(&w, "%d 1\n%010d 00000 n \n", n, o)
	}
	fmt.Fprintf(&w, "trailer\n<< /Size %d /Root %d 0 R /Prev %s %s >>\nstartxref\n%d\n%%%%EOF\n", b.size, b.root, last, b.sealed, at)
	b.Data = w.Bytes()
	return b
}

// Free adds a revision that deletes an object.
func (b *PDFBuilder) Free(num int) *PDFBuilder {
	b.Append(map[int]string{num: "null"})
	i := bytes.LastIndex(b.Data, []byte(" 00000 n"))
	copy(b.Data[i:], " 00001 f")
	return b
}

// Extend adds a revision with more entries in the catalog and in the form; later revisions keep them.
func (b *PDFBuilder) Extend(catalog, form string) *PDFBuilder {
	b.catalog += catalog
	b.form += form
	return b.Append(map[int]string{b.root: b.withForm("")})
}

// Next is a free object number.
func (b *PDFBuilder) Next() int { b.size++; return b.size - 1 }

// Root is the number of the catalog, Catalog its entries.
func (b *PDFBuilder) Root() (int, string) { return b.root, b.catalog }

const room = 24000 // hexadecimal digits for a signature

// Sign adds a revision with a signature field and fills it.
func (b *PDFBuilder) Sign(p *PKI, s *Signer, o SignOptions) error {
	return b.sign(o, func(data []byte) ([]byte, error) {
		if !o.Stamp.IsZero() {
			o.stamp = func(signature []byte) ([]byte, error) {
				by := o.StampBy
				if by == nil {
					by = p
				}
				if o.StampOf != nil {
					signature = o.StampOf
				}
				return by.Stamp(signature, o.Stamp)
			}
		}
		return o.sign(data, s, append([]*x509.Certificate{p.Root}, o.Chain...)...)
	})
}

// StampDocument adds a revision with a document timestamp.
func (b *PDFBuilder) StampDocument(p *PKI, at time.Time) error {
	return b.sign(SignOptions{Format: "ETSI.RFC3161"}, func(data []byte) ([]byte, error) { return p.Stamp(data, at) })
}

func (b *PDFBuilder) sign(o SignOptions, cms func([]byte) ([]byte, error)) error {
	if o.Format == "" {
		o.Format = "ETSI.CAdES.detached"
	}
	sig, fld := b.Next(), b.Next()
	b.fields = append(b.fields, fld)
	dss := ""
	if b.dss != 0 {
		dss = fmt.Sprintf("/DSS %d 0 R", b.dss)
	}
	mark := fmt.Sprintf("/ByteRange [0 %s]", strings.Repeat("         0 ", 2)+"         0")
	b.Append(map[int]string{
		sig:    fmt.Sprintf("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /%s %s %s /Contents <%s>%s >>", o.Format, o.Entries, mark, zeros(room), o.Slack),
		fld:    fmt.Sprintf("<< /FT /Sig /T (Tanda%d) /Type /Annot /Subtype /Widget %s /V %d 0 R >>", fld, cmp.Or(o.Widget, "/Rect [0 0 0 0]"), sig),
		b.root: b.withForm(dss),
	})
	at := bytes.LastIndex(b.Data, []byte(mark))
	open := at + bytes.IndexByte(b.Data[at:], '<')
	end := open + 2 + room + len(o.Slack)
	filled := fmt.Sprintf("/ByteRange [0 %10d %10d %10d]", open, end, len(b.Data)-end)
	if len(filled) != len(mark) {
		return fmt.Errorf("signing a test PDF: the range has %d bytes, not %d", len(filled), len(mark))
	}
	copy(b.Data[at:], filled)
	data := append(append([]byte(nil), b.Data[:open]...), b.Data[end:]...)
	der, err := cms(data)
	if err != nil {
		return err
	}
	if 2*len(der) > room {
		return fmt.Errorf("signing a test PDF: the signature has %d bytes", len(der))
	}
	hex.Encode(b.Data[open+1:], der)
	return nil
}

func zeros(n int) string { return string(bytes.Repeat([]byte("0"), n)) }

// AddValidation adds a document security store with revocation lists (PAdES B-LT).
func (b *PDFBuilder) AddValidation(crls ...[]byte) *PDFBuilder { return b.AddStore(crls, nil, nil) }

// AddStore adds a document security store with lists, answers and certificates, or writes the one that is there anew.
func (b *PDFBuilder) AddStore(crls, ocsps, certs [][]byte) *PDFBuilder {
	objects := map[int]string{}
	if b.dss == 0 {
		b.dss = b.Next()
		objects[b.root] = b.withForm(fmt.Sprintf("/DSS %d 0 R", b.dss))
	}
	entries := ""
	for key, list := range map[string][][]byte{"CRLs": crls, "OCSPs": ocsps, "Certs": certs} {
		entries += " /" + key + " ["
		for _, c := range list {
			n := b.Next()
			objects[n] = fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(c), c)
			entries += fmt.Sprintf("%d 0 R ", n)
		}
		entries += "]"
	}
	objects[b.dss] = "<< /Type /DSS" + entries + " >>"
	return b.Append(objects)
}

// withForm is the catalog with the form of all signatures so far.
func (b *PDFBuilder) withForm(more string) string {
	refs := ""
	for _, f := range b.fields {
		refs += fmt.Sprintf("%d 0 R ", f)
	}
	return fmt.Sprintf("<<%s /AcroForm << /Fields [%s] /SigFlags 3%s >> %s >>", b.catalog, refs, b.form, more)
}
