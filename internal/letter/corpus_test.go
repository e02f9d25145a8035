package letter_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

// The whole corpus is read with no reset opened wrongly, none lost, and nearly every field exact. `make eval-letters` prints the figures.
func TestTheCorpusIsReadAsACarefulClerkReadsIt(t *testing.T) {
	t.Parallel()
	letters := corpus.Letters()
	hand, err := corpus.Hand()
	if err != nil {
		t.Fatal(err)
	}
	letters = append(letters, hand...)
	reader := letter.NewReader(letter.Options{})
	if os.Getenv("PULIH_SOAK") != "" {
		scans, err := corpus.Scans(t.Context(), reader)
		if err != nil {
			t.Fatal(err)
		}
		letters = append(letters, scans...)
	}
	if len(letters) < 120 {
		t.Fatalf("only %d letters", len(letters))
	}
	layouts := map[string]bool{}
	var score corpus.Score
	for i, l := range letters {
		layouts[l.Layout] = true
		if letter.RaceEnabled && i%4 != 0 {
			continue // the race detector needs the paths, not every letter
		}
		r := reader.Read(t.Context(), letter.InputOf(l.File.Name, l.File.Data))
		for _, d := range score.Add(l, r) {
			t.Logf("%s %s: %s", l.ID, l.Layout, d)
		}
		for _, f := range withoutEvidence(r) {
			t.Errorf("%s %s: nothing tells where %s was found", l.ID, l.Layout, f)
		}
	}
	if len(layouts) < 40 {
		t.Errorf("only %d layouts", len(layouts))
	}
	if score.False > 0 || score.Lost > 0 {
		t.Errorf("%d resets opened wrongly, %d lost", score.False, score.Lost)
	}
	if kinds, fields := score.Shares(); kinds < 0.99 || fields < 0.99 {
		t.Errorf("kinds %.3f, fields %.3f: both should be 0.99 on letters that the rules were written with", kinds, fields)
	}
}

// withoutEvidence are the fields of a reading that no evidence points at.
func withoutEvidence(r letter.Reading) []string {
	shown := map[string]bool{}
	for _, e := range r.Evidence {
		shown[e.Field] = e.Part != "" && e.Text != "" && e.How != ""
	}
	fields := map[string]*string{"letter.number": r.Letter.Number, "letter.date": r.Letter.Date, "letter.subject": r.Letter.Subject, "letter.office": r.Letter.Office}
	if s := r.Letter.Signer; s != nil {
		fields["letter.signer.name"], fields["letter.signer.nip"], fields["letter.signer.position"] = s.Name, s.NIP, s.Position
	}
	for i, a := range r.Applicants {
		for key, v := range map[string]*string{"name": a.Name, "nip": a.NIP, "nik": a.NIK, "email": a.Email, "phone": a.Phone, "position": a.Position, "rank": a.Rank, "office": a.Office} {
			fields[fmt.Sprintf("applicants[%d].%s", i, key)] = v
		}
	}
	var out []string
	for f, v := range fields {
		if v != nil && !shown[f] {
			out = append(out, f)
		}
	}
	return out
}

// A printed and scanned letter is read by OCR, says so, and keeps its numbers.
func TestAScanIsReadAndMarkedToBeChecked(t *testing.T) {
	t.Parallel()
	reader := letter.NewReader(letter.Options{})
	x := corpus.Person{Name: "Slamet Riyadi, S.Pd.", NIP: "197001011990031001", Email: "slamet.riyadi@purbalinggakab.go.id"}
	doc := (&corpus.Doc{}).Pair("Hal", "Permohonan Reset Passphrase TTE").Blank().Para("Kami mohon reset passphrase TTE atas nama:").
		Pairs("Nama", x.Name, "NIP", corpus.SpacedNIP(x.NIP), "Email Dinas", x.Email)
	pages, err := reader.Pages(t.Context(), doc.PDF(), 1)
	if err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	r := read(t, reader, "surat.pdf", corpus.ScanPDF(pages...))
	if r.Kind != letter.ResetRequest || !hasCode(r.Findings, "ocr") {
		t.Fatalf("%s %v %v", r.Kind, r.Reasons, r.Findings)
	}
	if len(r.Applicants) != 1 || value(r.Applicants[0].NIP) != x.NIP || value(r.Applicants[0].Email) != x.Email {
		t.Errorf("applicants %+v", r.Applicants)
	}
	for _, e := range r.Evidence {
		if e.Field == "applicants[0].nip" && (e.How != "ocr" || e.Page != 1 || e.Part != "surat.pdf") {
			t.Errorf("evidence %+v", e)
		}
	}
	if r := read(t, letter.NewReader(letter.Options{NoOCR: true}), "surat.png", pages[0]); r.Kind != letter.Unclear {
		t.Errorf("an unread scan is %s, want unclear", r.Kind)
	}
}

// The letter counts, not what the mail that brings it says; whoever is lost by that is told.
func TestAPersonNamedInTheMailAloneIsTold(t *testing.T) {
	t.Parallel()
	paper := (&corpus.Doc{}).Pair("Hal", "Permohonan Reset Passphrase TTE").Para("Kami mohon reset passphrase TTE atas nama:").
		Pairs("Nama", "Dedi Kurniawan", "NIP", "198501012010011005").Sign("Kepala Dinas Sosial,", "", "", "Drs. Slamet Riyadi", "NIP. 19700101 199003 1 001").PDF()
	for name, told := range map[string]bool{"Rina Astuti\nNIP : 198701012011012006": true, "Dedi Kurniawan\nNIP : 198501012010011005": false} {
		mail := corpus.Mail{Subject: "Reset passphrase TTE", Text: "Mohon reset passphrase TTE atas nama:\nNama : " + name + "\n", Files: []corpus.File{{Name: "surat.pdf", Data: paper}}}
		r := read(t, letter.NewReader(letter.Options{}), "surat.eml", mail.Bytes())
		if hasCode(r.Findings, "applicant-left-out") != told || len(r.Applicants) != 1 || value(r.Applicants[0].Name) != "Dedi Kurniawan" {
			t.Errorf("%q: %d applicants, %s", name, len(r.Applicants), codes(r))
		}
	}
}

// Where a page's columns aren't understood as a table, no one gets a value that may stand in another's row, and that is told.
func TestValuesOfAnotherRowAreLeftOut(t *testing.T) {
	t.Parallel()
	paper := "Hal : Permohonan Reset Passphrase\n\nMohon reset passphrase TTE karena lupa:\n\n" +
		"   Siapa              Sebagai        Alamat surat\n" +
		"1  Dedi Kurniawan     Bendahara      dedi@purbalinggakab.go.id\n   NIP 19850101 201001 1 005\n" +
		"2  Rina Astuti        Arsiparis      rina@purbalinggakab.go.id\n   NIP 19870101 201101 1 006\n"
	r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte(paper))
	if len(r.Applicants) != 2 || !hasCode(r.Findings, "table-unread") {
		t.Fatalf("%d applicants, %s", len(r.Applicants), codes(r))
	}
	for _, a := range r.Applicants {
		if value(a.Email)+value(a.Position) != "" {
			t.Errorf("%s has %s, %s", value(a.NIP), value(a.Email), value(a.Position))
		}
	}
}

// A signature begins below the list of those whom the letter is about, whatever of it stands right above.
func TestASignatureDoesNotReachIntoTheListAboveIt(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"NIP. ", "NIP, ", "NIP "} {
		r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte("Hal : Permohonan Reset Passphrase\n\nMohon reset passphrase TTE karena lupa:\n\n"+
			"1. Dedi Kurniawan\n   "+label+"19850101 201001 1 005\n   Bendahara\n2. Rina Astuti\n   "+label+"19870101 201101 2 006\n   Arsiparis\n\n"+
			"Kepala Dinas Sosial,\n\n\nDrs. Slamet Riyadi\n"+label+"19700101 199003 1 001\n"))
		if len(r.Applicants) != 2 || value(r.Applicants[0].Name) != "Dedi Kurniawan" || value(r.Applicants[1].Name) != "Rina Astuti" {
			t.Errorf("%q: applicants %+v", label, r.Applicants)
		}
		if s := r.Letter.Signer; s == nil || value(s.Name) != "Drs. Slamet Riyadi" || value(s.Position) != "Kepala Dinas Sosial" {
			t.Errorf("%q: signer %+v", label, s)
		}
	}
}

func read(t *testing.T, reader *letter.Reader, name string, data []byte) letter.Reading {
	t.Helper()
	return reader.Read(context.WithoutCancel(t.Context()), letter.InputOf(name, data))
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func hasCode(list []letter.Finding, code string) bool {
	for _, f := range list {
		if f.Code == code {
			return true
		}
	}
	return false
}
