package corpus

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"
)

// PKI is a certificate authority made up for tests; it vouches for nobody.
type PKI struct {
	Root     *x509.Certificate
	rootKey  *ecdsa.PrivateKey
	TSA      *x509.Certificate
	tsaKey   *ecdsa.PrivateKey
	serial   int64
	From, To time.Time
}

// Signer is a certificate with its key.
type Signer struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// NewPKI makes a root and a timestamp authority that are valid in that span.
func NewPKI(name string, from, to time.Time) (*PKI, error) {
	p := &PKI{From: from, To: to}
	var err error
	if p.rootKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("making a test root: %w", err)
	}
	t := &x509.Certificate{SerialNumber: p.next(), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if p.Root, err = create(t, t, &p.rootKey.PublicKey, p.rootKey); err != nil {
		return nil, err
	}
	tsa, err := p.issue("TSA "+name, from, to, x509.ExtKeyUsageTimeStamping)
	if err != nil {
		return nil, err
	}
	p.TSA, p.tsaKey = tsa.Cert, tsa.Key
	return p, nil
}

func (p *PKI) next() *big.Int { p.serial++; return big.NewInt(p.serial) }

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
	t := &x509.Certificate{SerialNumber: p.next(), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use}}
	cert, err := create(t, p.Root, &key.PublicKey, p.rootKey)
	return &Signer{cert, key}, err
}

// Revoke makes a list that revokes the certificates from that time on.
func (p *PKI) Revoke(at time.Time, certs ...*x509.Certificate) ([]byte, error) {
	l := &x509.RevocationList{Number: p.next(), ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour)}
	for _, c := range certs {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: at})
	}
	return x509.CreateRevocationList(rand.Reader, l, p.Root, p.rootKey)
}

type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Alg    pkix.AlgorithmIdentifier
		Hashed []byte
	}
	Serial  *big.Int
	GenTime time.Time `asn1:"generalized"`
}

// Stamp is an RFC 3161 token over the data.
func (p *PKI) Stamp(data []byte, at time.Time) ([]byte, error) {
	i := tstInfo{Version: 1, Policy: asn1.ObjectIdentifier{1, 2, 3}, Serial: p.next(), GenTime: at.UTC().Truncate(time.Second)}
	sum := sha256.Sum256(data)
	i.Imprint.Alg.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	i.Imprint.Hashed = sum[:]
	der, err := asn1.Marshal(i)
	if err != nil {
		return nil, fmt.Errorf("making a test timestamp: %w", err)
	}
	sd, err := pkcs7.NewSignedData(der)
	if err != nil {
		return nil, fmt.Errorf("making a test timestamp: %w", err)
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := addSigner(sd, &Signer{p.TSA, p.tsaKey}, p.Root); err != nil {
		return nil, err
	}
	return sd.Finish()
}

// addSigner signs; the library writes its own clock's time into the attributes, so a certificate of the past can't be used with them: then
// the signature goes over the content itself.
func addSigner(sd *pkcs7.SignedData, s *Signer, root *x509.Certificate) error {
	now := time.Now() //nolint:forbidigo // the library that signs uses its own clock
	if now.Before(s.Cert.NotAfter) && now.After(s.Cert.NotBefore) {
		return sd.AddSignerChain(s.Cert, s.Key, []*x509.Certificate{root}, pkcs7.SignerInfoConfig{})
	}
	sd.AddCertificate(root)
	return sd.SignWithoutAttr(s.Cert, s.Key, pkcs7.SignerInfoConfig{})
}

// SignOptions shape one signature.
type SignOptions struct {
	Stamp   time.Time // of a signature timestamp; zero for none
	StampBy *PKI      // nil means the signer's own PKI
	Format  string    // SubFilter; empty means ETSI.CAdES.detached
	Slack   string    // stands behind the signature within the gap of the ByteRange: what a forger needs
}

// PDFBuilder adds revisions to a PDF that fpdf wrote.
type PDFBuilder struct {
	Data    []byte
	fields  []int
	catalog string
	root    int
	size    int
}

var (
	rootRef    = regexp.MustCompile(`/Root (\d+) 0 R`)
	sizeEntry  = regexp.MustCompile(`/Size (\d+)`)
	startxrefs = regexp.MustCompile(`startxref\s+(\d+)`)
)

// NewPDFBuilder takes fpdf's output.
func NewPDFBuilder(pdf []byte) *PDFBuilder {
	b := &PDFBuilder{Data: append([]byte(nil), pdf...)}
	b.root, _ = strconv.Atoi(string(rootRef.FindSubmatch(pdf)[1]))
	b.size, _ = strconv.Atoi(string(sizeEntry.FindSubmatch(pdf)[1]))
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
	fmt.Fprintf(&w, "trailer\n<< /Size %d /Root %d 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n", b.size, b.root, last, at)
	b.Data = w.Bytes()
	return b
}

// Next is a free object number.
func (b *PDFBuilder) Next() int { b.size++; return b.size - 1 }

// Root is the number of the catalog, Catalog its entries.
func (b *PDFBuilder) Root() (int, string) { return b.root, b.catalog }

const room = 24000 // hexadecimal digits for a signature

// Sign adds a revision with a signature field and fills it.
func (b *PDFBuilder) Sign(p *PKI, s *Signer, o SignOptions) error {
	return b.sign(o, func(data []byte) ([]byte, error) {
		sd, err := pkcs7.NewSignedData(data)
		if err != nil {
			return nil, fmt.Errorf("signing a test PDF: %w", err)
		}
		sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
		if err := addSigner(sd, s, p.Root); err != nil {
			return nil, fmt.Errorf("signing a test PDF: %w", err)
		}
		sd.Detach()
		if !o.Stamp.IsZero() {
			by := o.StampBy
			if by == nil {
				by = p
			}
			info := &sd.GetSignedData().SignerInfos[0]
			token, err := by.Stamp(info.EncryptedDigest, o.Stamp)
			if err != nil {
				return nil, err
			}
			if err := info.SetUnauthenticatedAttributes([]pkcs7.Attribute{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, Value: asn1.RawValue{FullBytes: token}}}); err != nil {
				return nil, fmt.Errorf("adding a test timestamp: %w", err)
			}
		}
		return sd.Finish()
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
	refs := ""
	for _, f := range b.fields {
		refs += fmt.Sprintf("%d 0 R ", f)
	}
	mark := fmt.Sprintf("/ByteRange [0 %s]", strings.Repeat("         0 ", 2)+"         0")
	b.Append(map[int]string{
		sig:    fmt.Sprintf("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /%s %s /Contents <%s>%s >>", o.Format, mark, zeros(room), o.Slack),
		fld:    fmt.Sprintf("<< /FT /Sig /T (Tanda%d) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /V %d 0 R >>", fld, sig),
		b.root: fmt.Sprintf("<<%s /AcroForm << /Fields [%s] /SigFlags 3 >> >>", b.catalog, refs),
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
func (b *PDFBuilder) AddValidation(crls ...[]byte) *PDFBuilder {
	objects := map[int]string{}
	list := ""
	for _, c := range crls {
		n := b.Next()
		objects[n] = fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(c), c)
		list += fmt.Sprintf("%d 0 R ", n)
	}
	refs := ""
	for _, f := range b.fields {
		refs += fmt.Sprintf("%d 0 R ", f)
	}
	objects[b.root] = fmt.Sprintf("<<%s /AcroForm << /Fields [%s] /SigFlags 3 >> /DSS << /Type /DSS /CRLs [%s] >> >>", b.catalog, refs, list)
	return b.Append(objects)
}
