package letter_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pulih/internal/letter"
	"pulih/internal/letter/corpus"
)

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Passphrase lama: Rahasia#2024 mohon":                                    "Passphrase lama: [disamarkan]",
		"password : hunter22":                                                    "password : [disamarkan]",
		"kata sandi=abc12345.":                                                   "kata sandi=[disamarkan].",
		"Pasphrase TTE saya adalah Kucing99!":                                    "Pasphrase TTE saya adalah [disamarkan]",
		"1. Passphrase : Kucing Manis 99\nNama : X":                              "1. Passphrase : [disamarkan]\nNama : X",
		"mohon, password: abc123, terima kasih":                                  "mohon, password: [disamarkan], terima kasih",
		"OTP: 123456":                                                            "OTP: [disamarkan]",
		"PIN = 9911":                                                             "PIN = [disamarkan]",
		"passphrase saya yaitu \"Bunga_2020\"":                                   "passphrase saya yaitu \"[disamarkan]\"",
		"Hal : Permohonan Reset Passphrase":                                      "Hal : Permohonan Reset Passphrase",
		"Passphrase : lupa":                                                      "Passphrase : lupa",
		"passphrase adalah rahasia":                                              "passphrase adalah rahasia",
		"Passphrase : ..........":                                                "Passphrase : ..........",
		"tidak ada apa-apa":                                                      "tidak ada apa-apa",
		"pasfrase lama saya: Kucing Manis":                                       "pasfrase lama saya: [disamarkan]",
		"pw : Bunga2020":                                                         "pw : [disamarkan]",
		"sandi: merdeka":                                                         "sandi: [disamarkan]",
		"user/password : budi / Bunga2020":                                       "user/password : [disamarkan]",
		"passphrase saya Kucing99 tidak bisa":                                    "passphrase saya [disamarkan] tidak bisa",
		"OTP 445566 jangan disebar":                                              "OTP [disamarkan] jangan disebar",
		"kode verifikasi 4455":                                                   "kode verifikasi [disamarkan]",
		"PIN-nya 9911":                                                           "PIN-nya [disamarkan]",
		"passprase tte sy = Kucing99":                                            "passprase tte sy = [disamarkan]",
		"dengan passphrase “Negeri Indah”.":                                      "dengan passphrase “[disamarkan]”.",
		"Passphrase TTE lama\nKucing99\nNama : A":                                "Passphrase TTE lama\n[disamarkan]\nNama : A",
		"Passphrase:\nKucing Manis\n\nNama : A":                                  "Passphrase:\n[disamarkan]\n\nNama : A",
		"Passphrase\tKucing99":                                                   "Passphrase\t[disamarkan]",
		"No\tNama\tPassphrase\n1\tAni\tmerdeka":                                  "No\tNama\tPassphrase\n1\tAni\t[disamarkan]",
		"No  Nama   Passphrase\n1   Ani    Merdeka17":                            "No  Nama   Passphrase\n1   Ani    [disamarkan]",
		"mohon reset passphrase TTE:\nNama : Rudi":                               "mohon reset passphrase TTE:\nNama : Rudi",
		"reset passphrase TTE:\n\n1. Rudi Hartono":                               "reset passphrase TTE:\n\n1. Rudi Hartono",
		"Hal : Reset\n      Passphrase TTE\n\nKepada Yth.":                       "Hal : Reset\n      Passphrase TTE\n\nKepada Yth.",
		"reset passphrase a.n. Rudi NIP 198001012005011003":                      "reset passphrase a.n. Rudi NIP 198001012005011003",
		"Reset passphrase 2 (dua) orang":                                         "Reset passphrase 2 (dua) orang",
		"passphrase (kata sandi) sertifikat":                                     "passphrase (kata sandi) sertifikat",
		"passphrase dikirim ke rudi@contoh.go.id":                                "passphrase dikirim ke rudi@contoh.go.id",
		"passphrase yang biasa dipakai: Kucing99":                                "passphrase yang biasa dipakai: [disamarkan]",
		"reset passphrase dengan NIP: 19800101 200501 1 003":                     "reset passphrase dengan NIP: 19800101 200501 1 003",
		"Kendala : passphrase salah terus":                                       "Kendala : passphrase salah terus",
		"Passphrase lupa, sudah dicoba Melati2024! tapi salah.":                  "Passphrase lupa, sudah dicoba [disamarkan] tapi salah.",
		"Sudah kami coba pakai Melati#24 tetapi\ngagal. Mohon reset passphrase.": "Sudah kami coba pakai [disamarkan] tetapi\ngagal. Mohon reset passphrase.",
		"Passphrase seingat beliau Melati24, mohon direset.":                     "Passphrase seingat beliau [disamarkan], mohon direset.",
		"Passphrase lupa, kalau tidak salah\nMelati24, mohon direset":            "Passphrase lupa, kalau tidak salah\n[disamarkan], mohon direset",
		"passphrase yang kami ingat adalah Melati24 namun ditolak":               "passphrase yang kami ingat adalah [disamarkan] namun ditolak",
		"passphrase baru kalau bisa Melati#24 saja":                              "passphrase baru kalau bisa [disamarkan] saja",
		"lupa passphrase. Email dinas beliau: ani@contoh.go.id":                  "lupa passphrase. Email dinas beliau: ani@contoh.go.id",
		"lupa passphrase. Yang dipakai: ani@contoh.go.id":                        "lupa passphrase. Yang dipakai: ani@contoh.go.id",
		"sudah dicoba, lupa passphrase Camat\nNIP 198001012005011003":            "sudah dicoba, lupa passphrase Camat\nNIP 198001012005011003",
		"passphrase dicoba pada 12-11-2026 pukul 10.30":                          "passphrase dicoba pada 12-11-2026 pukul 10.30",
		"Passphrase : (dikosongkan)":                                             "Passphrase : (dikosongkan)",
	} {
		if got := letter.Mask(in); got != want {
			t.Errorf("Mask(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestMaskingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9#@!]{6,20}[0-9]`).Draw(t, "secret")
		label := rapid.SampledFrom([]string{"passphrase", "Password", "kata sandi", "PIN", "OTP", "Passphrase TTE lama"}).Draw(t, "label")
		text := "Yth. tim,\n" + label + rapid.SampledFrom([]string{": ", " : ", "="}).Draw(t, "sign") + secret + "\nTerima kasih"
		once := letter.Mask(text)
		if strings.Contains(once, secret) {
			t.Fatalf("%q still shows the secret", once)
		}
		if letter.Mask(once) != once {
			t.Fatalf("%q masked again is %q", once, letter.Mask(once))
		}
	})
}

func TestNIKsAreMaskedAndNIPsAreNot(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"NIK 3303012345670001 ada":         "NIK 3303********0001 ada",
		"NIK : 3303 0123 4567 0001":        "NIK : 3303********0001",
		"NIP 19700101 199003 1 001":        "NIP 19700101 199003 1 001",
		"NIP 197001011990031001, NIK x":    "NIP 197001011990031001, NIK x",
		"0281 891012 dan 500.12.10/1/2026": "0281 891012 dan 500.12.10/1/2026",
	} {
		if got := letter.MaskNIK(in); got != want {
			t.Errorf("MaskNIK(%q) = %q, want %q", in, got, want)
		}
	}
}

// A secret in a letter is masked in everything that is shown, and said.
func TestASecretInALetterIsShownNowhere(t *testing.T) {
	t.Parallel()
	body := "Hal : Permohonan Reset Passphrase\n\nMohon reset passphrase TTE.\nNama : Slamet Riyadi\nNIP : 197001011990031001\nPassphrase lama : Kucing#99Manis\n"
	r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte(body))
	if r.Kind != letter.ResetRequest || !hasCode(r.Findings, "secret-masked") {
		t.Errorf("%s", codes(r))
	}
	if r.Attachments[0].Text == nil || strings.Contains(*r.Attachments[0].Text, "Kucing") {
		t.Errorf("attachment text %v", r.Attachments[0].Text)
	}
	for _, e := range r.Evidence {
		if strings.Contains(e.Text, "Kucing") {
			t.Errorf("evidence %+v", e)
		}
	}
}

// Letters that stand for digits are corrected only where the digits make a NIP or NIK, and never without saying so.
func TestACorrectedNumberIsOfferedAndFlagged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		label, written string
		want           string // the field's value
		code           string
		used           bool
	}{
		{"NIP", "198OO101 2005O1 l 003", "198001012005011003", "nip-correction", true},
		{"NIP", "19801301 2005O1 1 003", "198013012005O11003", "nip-correction", false}, // month 13: what was read stays
		{"NIP", "198001012005011003", "198001012005011003", "", false},
		{"NIK", "33O3O1O101800001", "3303010101800001", "nik-correction", true},
		{"NIK", "33O3013201800001", "33O3013201800001", "nik-correction", false}, // the 32nd
	} {
		r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte("Hal : Permohonan Reset Passphrase\nMohon reset passphrase TTE\nNama : Budi Santoso\n"+c.label+" : "+c.written+"\n"))
		if len(r.Applicants) != 1 {
			t.Fatalf("%s: %+v", c.written, r.Applicants)
		}
		got := r.Applicants[0].NIP
		if c.label == "NIK" {
			got = r.Applicants[0].NIK
		}
		if value(got) != c.want {
			t.Errorf("%s: %s, want %s", c.written, value(got), c.want)
		}
		if c.code == "" {
			if len(r.Corrections) > 0 || hasCode(r.Findings, "nip-correction") {
				t.Errorf("%s: corrected %+v", c.written, r.Corrections)
			}
			continue
		}
		if len(r.Corrections) != 1 || r.Corrections[0].Used != c.used || r.Corrections[0].Read != c.written || r.Corrections[0].Field != "applicants[0]."+strings.ToLower(c.label) || !hasCode(r.Findings, c.code) {
			t.Errorf("%s: %+v %+v", c.written, r.Corrections, r.Findings)
		}
	}
}

// OCR reads the I of a Roman month as 1. A month is put right and flagged; what may be another number is only offered.
func TestARomanMonthMisreadByOCRIsCorrectedAndFlagged(t *testing.T) {
	t.Parallel()
	reader := letter.NewReader(letter.Options{})
	for written, want := range map[string]string{"800/127/X1/2026": "800/127/XI/2026", "800/127/111/2026": "800/127/111/2026", "800/11/X/2026": "800/11/X/2026"} {
		doc := (&corpus.Doc{}).Pair("Nomor", written).Pair("Hal", "Permohonan Reset Passphrase TTE").Blank().Para("Kami mohon reset passphrase TTE atas nama:").
			Pairs("Nama", "Slamet Riyadi", "NIP", "197001011990031001")
		pages, err := reader.Pages(t.Context(), doc.PDF(), 1)
		if err != nil || len(pages) != 1 {
			t.Fatalf("%d pages, %v", len(pages), err)
		}
		r := read(t, reader, "surat.pdf", corpus.ScanPDF(pages...))
		if value(r.Letter.Number) != want {
			t.Errorf("%s: read %s, want %s", written, value(r.Letter.Number), want)
		}
		corrected := written == "800/127/X1/2026" || written == "800/127/111/2026"
		if corrected != (len(r.Corrections) == 1) || corrected != hasCode(r.Findings, "number-correction") {
			t.Errorf("%s: %+v %s", written, r.Corrections, codes(r))
		} else if corrected && (r.Corrections[0].Used != (want != written) || r.Corrections[0].Field != "letter.number") {
			t.Errorf("%s: %+v", written, r.Corrections)
		}
		// What a machine has written is as it is written.
		if r := read(t, reader, "surat.txt", []byte("Nomor : "+written+"\nHal : Permohonan Reset Passphrase TTE\n")); value(r.Letter.Number) != written || len(r.Corrections) > 0 {
			t.Errorf("%s as text: %s, %+v", written, value(r.Letter.Number), r.Corrections)
		}
	}
}

// OCR reads the point of "NIP." as a comma.
func TestANIPBehindAPointOrACommaIsRead(t *testing.T) {
	t.Parallel()
	for _, lines := range []string{
		"Nama : Budi Santoso\nNIP, 19800101 200501 1 003\nJabatan : Bendahara", "Nama : Budi Santoso\nNIP. 19800101 200501 1 003\nJabatan : Bendahara",
		"Nama      Budi Santoso\nNIP,      19800101 200501 1 003\nJabatan   Bendahara", "Nama : Budi Santoso\nNIP, : 19800101 200501 1 003\nJabatan : Bendahara",
	} {
		r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte("Hal : Permohonan Reset Passphrase\n\nMohon reset passphrase TTE karena lupa:\n\n"+lines+"\n"))
		if len(r.Applicants) != 1 || value(r.Applicants[0].NIP) != "198001012005011003" || value(r.Applicants[0].Name) != "Budi Santoso" || value(r.Applicants[0].Position) != "Bendahara" {
			t.Errorf("%s: %+v", lines, r.Applicants)
		}
	}
}

// One NIP under two names is no second copy of one person.
func TestTwoPeopleWithOneNIPStayTwo(t *testing.T) {
	t.Parallel()
	r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte("Mohon reset passphrase TTE\nNama : Budi Santoso\nNIP : 198001012005011003\n\nNama : Ani Lestari\nNIP : 198001012005011003\n"))
	if len(r.Applicants) != 2 || !hasCode(r.Findings, "nip-shared") {
		t.Errorf("%+v %+v", r.Applicants, r.Findings)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Hal : Permohonan Reset Passphrase\nNama : Slamet\nNIP : 19700101 199003 1 001\n")
	f.Add("[X] Reset [ ] Pembuatan Baru\n\tNo\tNama\tNIP\n1\tA\t1")
	f.Add("Kepala Dinas,\n\n\nSlamet\nNIP. 1")
	reader := letter.NewReader(letter.Options{NoOCR: true})
	f.Fuzz(func(t *testing.T, text string) {
		r := reader.Read(t.Context(), letter.Input{Files: []letter.File{{Name: "a.txt", MIME: "text/plain", Data: []byte("x " + text)}}})
		if r.Kind == "" || r.Reasons == nil || r.Findings == nil || r.Applicants == nil {
			t.Fatalf("%+v", r)
		}
		for _, a := range r.Applicants {
			if a.NIP != nil && (*a.NIP == "" || strings.ContainsAny(*a.NIP, " \t\n")) {
				t.Fatalf("NIP %q", *a.NIP)
			}
		}
	})
}

// A title that looks like a school's is no office, and an office is no person.
func TestWhomASentenceNames(t *testing.T) {
	t.Parallel()
	for named, want := range map[string]string{
		"Slamet Riyadi, S.Pd.SD": "Slamet Riyadi, S.Pd.SD", "Slamet Riyadi": "Slamet Riyadi", "SD Negeri Tiga": "", "Kepala Dinas Sosial": "",
	} {
		r := read(t, letter.NewReader(letter.Options{}), "surat.txt", []byte("Mohon reset passphrase TTE atas nama "+named+" karena lupa."))
		var got string
		for _, a := range r.Applicants {
			got += value(a.Name)
		}
		if got != want {
			t.Errorf("atas nama %s: read %q", named, got)
		}
	}
}
