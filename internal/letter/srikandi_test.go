package letter_test

import (
	"encoding/json"
	"testing"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

// A letter from Srikandi: what was registered outweighs what the PDF seems to say, the applicants come from the PDF.
func TestSrikandiLendsTheLettersOwnFields(t *testing.T) {
	t.Parallel()
	pdf := (&corpus.Doc{}).Pair("Nomor", "500.12/1/2026").Pair("Hal", "Permohonan Reset Passphrase").Para("Kami mohon reset passphrase TTE atas nama:").
		Pairs("Nama", "Siti Aminah, S.E.", "NIP", "198001012005012001", "Email", "siti@purbalinggakab.go.id").PDF()
	in := letter.Input{
		Meta: &letter.Meta{Number: "B/500.12.16.3/573/DINDIKBUD/XI/2026", Date: "2026-11-19", Subject: "Permohonan Lupa Passphrase Sertifikat Elektronik", Office: "Dinas Pendidikan dan Kebudayaan",
			Signer: letter.Signer{Name: s("Drs. Slamet Riyadi"), NIP: s("19700101 199003 1 001"), Position: s("Kepala Dinas")}},
		Files: []letter.File{{Name: "surat.pdf", Data: pdf}},
	}
	r := letter.NewReader(letter.Options{}).Read(t.Context(), in)
	if r.Kind != letter.ResetRequest || value(r.Letter.Number) != in.Meta.Number || value(r.Letter.Date) != "2026-11-19" || value(r.Letter.Signer.NIP) != "197001011990031001" {
		t.Errorf("%s %+v", r.Kind, r.Letter)
	}
	if len(r.Applicants) != 1 || value(r.Applicants[0].Email) != "siti@purbalinggakab.go.id" {
		t.Errorf("%+v", r.Applicants)
	}
	in.Meta.Subject, in.Files = "Undangan Rapat Koordinasi", nil
	if r := letter.NewReader(letter.Options{}).Read(t.Context(), in); r.Kind != letter.Other {
		t.Errorf("%s %v", r.Kind, r.Reasons)
	}
	in.Meta.Subject, in.Files = "Permohonan Lupa Passphrase Sertifikat Elektronik", []letter.File{{Name: "pindaian.pdf", Data: []byte("%PDF-1.4 rusak")}}
	if r := letter.NewReader(letter.Options{}).Read(t.Context(), in); r.Kind != letter.Unclear {
		t.Errorf("an unreadable scan: %s %v", r.Kind, r.Reasons)
	}
}

// The JSON has every key of issue 2, with null for what isn't there and [] for empty lists.
func TestTheJSONKeepsItsShape(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(letter.NewReader(letter.Options{}).Read(t.Context(), letter.Input{Files: []letter.File{{Name: "a.txt", Data: []byte("Nama : Slamet Riyadi\nNIP : 197001011990031001\n")}}}))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"reasons", "applicants", "attachments", "findings", "evidence", "corrections"} {
		if _, ok := got[key].([]any); !ok {
			t.Errorf("%s is %T", key, got[key])
		}
	}
	l, _ := got["letter"].(map[string]any)
	for _, key := range []string{"number", "date", "subject", "office", "signer"} {
		if _, ok := l[key]; !ok {
			t.Errorf("letter has no %s", key)
		}
	}
	a, _ := got["applicants"].([]any)[0].(map[string]any)
	for _, key := range []string{"name", "nip", "nik", "email", "phone", "position", "rank", "office"} {
		if _, ok := a[key]; !ok {
			t.Errorf("applicant has no %s", key)
		}
	}
	if a["nip"] != "197001011990031001" || a["nik"] != nil {
		t.Errorf("applicant %v", a)
	}
	if sig, _ := got["signature"].(map[string]any); sig["status"] != "none" {
		t.Errorf("signature %v", got["signature"])
	}
}
