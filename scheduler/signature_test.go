package scheduler

import (
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"pulih/internal/demo/bsresim"
	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
	"pulih/internal/store"
)

// The agency's gateway is asked about each PDF of a letter, and says what it thinks of the signature; where it differs from our own verdict
// the verifier sees it beside the request.
func TestTheGatewaysVerdictOnASignatureIsHeldAgainstOurs(t *testing.T) {
	t.Parallel()
	says := func(conclusion string, count int, good bool) map[string]any {
		list := []any{}
		for range count {
			list = append(list, map[string]any{"signerName": "TRI HANDAYANI", "integrityValid": good, "certificateTrusted": good})
		}
		return map[string]any{"conclusion": conclusion, "signatureCount": count, "signatureInformations": list}
	}
	for _, c := range []struct {
		name   string
		sign   bool
		change bool // after signing
		roots  bool
		says   map[string]any
		heavy  letter.Severity // of the finding; empty for none
	}{
		{"both valid", true, false, true, says("VALID", 1, true), ""},
		{"we lack the root", true, false, false, says("TOTAL_PASSED", 1, true), ""},
		{"unsigned for both", false, false, true, says("NO_SIGNATURE", 0, false), ""},
		{"both invalid", true, true, true, says("INVALID", 1, false), ""},
		{"BSrE refuses a valid one", true, false, true, says("INVALID", 1, false), letter.Danger},
		{"BSrE refuses what we can't trust", true, false, false, says("TOTAL_FAILED", 1, false), letter.Danger},
		{"BSrE accepts a changed one", true, true, true, says("VALID", 1, true), letter.Danger},
		{"BSrE sees none", true, false, true, says("NO_SIGNATURE", 0, false), letter.Warning},
		{"BSrE sees more", false, false, true, says("VALID", 1, true), letter.Warning},
		{"the file isn't taken", true, false, true, map[string]any{"error": "Berkas tidak didukung 2031"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pki, err := corpus.NewPKI("Akar Uji", time.Now().Add(-2*365*24*time.Hour), time.Now().Add(2*365*24*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "akar.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.Root.Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			edit := func(yaml string) string { return yaml }
			if c.roots {
				edit = func(yaml string) string { return "signature_roots: " + folder + "\n" + yaml }
			}
			asked := 0
			p := openPortal(t, bsresim.Options{Verify: func(pdf []byte) map[string]any { asked++; return c.says }}, edit)
			l := p.mailWithPDF(letterOfTheHead(t, pki, c.sign, c.change))
			if err := (&signatureWorker{d: p.Daemon}).Work(t.Context(), &river.Job[askSignature]{Args: askSignature{LetterID: l.ID}}); err != nil {
				t.Fatal(err)
			}
			list, err := p.store.RequestsOfLetter(t.Context(), l.ID)
			if err != nil || len(list) != 1 {
				t.Fatalf("%d requests, %v", len(list), err)
			}
			s, err := p.store.State(t.Context(), list[0].Number)
			if err != nil {
				t.Fatal(err)
			}
			var got letter.Severity
			for _, f := range s.Findings {
				if f.Code == "signature-differs" {
					got = f.Severity
				}
			}
			if asked != 1 || got != c.heavy {
				t.Errorf("asked %d times, finding %q instead of %q: %+v", asked, got, c.heavy, s.Findings)
			}
		})
	}
}

// letterOfTheHead asks for a member of the office and is signed by its head.
func letterOfTheHead(t *testing.T, pki *corpus.PKI, sign, change bool) []byte {
	t.Helper()
	pdf := (&corpus.Doc{}).Center("PEMERINTAH KABUPATEN PURBALINGGA", "DINAS PENDIDIKAN DAN KEBUDAYAAN").Pair("Nomor", "500.12/77/2026").
		Pair("Hal", "Permohonan Reset Passphrase TTE").Para("Kami mohon reset passphrase TTE atas nama:").
		Pairs("Nama", "Wahyu Nugroho, S.Pd.", "NIP", wahyu, "Email", "wahyu.nugroho@purbalinggakab.go.id").
		Sign("Kepala Dinas Pendidikan dan Kebudayaan,", "", "", "Tri Handayani, S.Pd., M.M.", "NIP. "+head).PDF()
	if !sign {
		return pdf
	}
	s, err := pki.Issue("TRI HANDAYANI", time.Now().Add(-2*365*24*time.Hour), time.Now().Add(2*365*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	b := corpus.NewPDFBuilder(pdf)
	if err := b.Sign(pki, s, corpus.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	if change {
		b.Data[len(b.Data)-100] ^= 1
	}
	return b.Data
}

// mailWithPDF lays a mail into the inbox that shows its PDF within the text, as some programs send it.
func (p *portal) mailWithPDF(pdf []byte) store.Letter {
	p.t.Helper()
	text := "--batas\nContent-Type: text/plain; charset=utf-8\n\nTerlampir surat permohonan reset passphrase.\n--batas\nContent-Type: application/pdf; name=surat.pdf\n" +
		"Content-Disposition: inline; filename=surat.pdf\nContent-Transfer-Encoding: base64\n\n"
	code := base64.StdEncoding.EncodeToString(pdf)
	for len(code) > 76 {
		text, code = text+code[:76]+"\n", code[76:]
	}
	return p.mailAs("Dinas Pendidikan <tri.handayani@purbalinggakab.go.id>", "Permohonan Reset Passphrase TTE", strings.TrimSpace(text+code)+"\n--batas--", "multipart/mixed; boundary=batas")
}
