package letter_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

// A signed letter, end to end: the child checks it against the operator's folder, and the name in the certificate is held against the
// letter's signer.
func TestASignedLetterIsCheckedAgainstTheOperatorsRoots(t *testing.T) {
	t.Parallel()
	now := time.Now()
	pki, err := corpus.NewPKI("Akar Contoh", now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "akar.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.Root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	doc := (&corpus.Doc{}).Center("PEMERINTAH KABUPATEN PURBALINGGA", "DINAS KESEHATAN").Pair("Hal", "Permohonan Reset Passphrase TTE").
		Para("Kami mohon reset passphrase TTE atas nama:").Pairs("Nama", "Siti Aminah", "NIP", "198001012005012001").
		Sign("Kepala Dinas Kesehatan,", "", "", "Drs. Slamet Riyadi, M.Kes.", "NIP. 19700101 199003 1 001").PDF()
	sign := func(name string) *corpus.PDFBuilder {
		s, err := pki.Issue(name, now.Add(-time.Hour), now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		b := corpus.NewPDFBuilder(doc)
		if err := b.Sign(pki, s, corpus.SignOptions{}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	mine, none := letter.NewReader(letter.Options{Roots: dir}), letter.NewReader(letter.Options{})
	good := sign("SLAMET RIYADI")
	changed := append([]byte(nil), good.Data...)
	changed[len(doc)/2] ^= 1
	late := sign("SLAMET RIYADI")
	late.Append(map[int]string{4: "<< /Length 0 >>\nstream\n\nendstream"})
	for name, c := range map[string]struct {
		reader *letter.Reader
		data   []byte
		want   letter.SignatureStatus
		code   string
	}{
		"valid":             {mine, good.Data, letter.SignatureValid, ""},
		"no roots":          {none, good.Data, letter.SignatureUntrusted, "signature-untrusted"},
		"another's name":    {mine, sign("ORANG LAIN").Data, letter.SignatureValid, "signature-other-person"},
		"unsigned":          {mine, doc, letter.SignatureNone, ""},
		"changed afterward": {mine, late.Data, letter.SignatureInvalid, "pdf-changed-after-signing"},
	} {
		r := read(t, c.reader, "surat.pdf", c.data)
		if r.Signature.Status != c.want || c.code != "" && !hasCode(r.Findings, c.code) {
			t.Errorf("%s: %s, %s", name, r.Signature.Status, codes(r))
		}
		if c.want != letter.SignatureNone && value(r.Signature.Signer) == "" {
			t.Errorf("%s: no signer", name)
		}
		for _, one := range r.Signature.Each {
			if value(one.Issuer) != pki.Root.Subject.CommonName {
				t.Errorf("%s: issued by %q", name, value(one.Issuer))
			}
		}
	}
	if r := read(t, mine, "surat.pdf", changed); r.Signature.Status == letter.SignatureValid {
		t.Error("a changed byte went unnoticed")
	}
}
