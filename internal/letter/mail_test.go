package letter_test

import (
	"strings"
	"testing"

	"pulih/internal/letter"
)

func parse(t *testing.T, lines ...string) *letter.Mail {
	t.Helper()
	m, err := letter.ParseMail([]byte(strings.Join(lines, "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestHeadersAreReadHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	m := parse(t, "From: =?utf-8?Q?Dinas_Pendidikan?= <Dindik@contoh.go.id>", "To: a@contoh.go.id, \"B, C\" <b@contoh.go.id>", "baris tanpa titik dua",
		"Subject: =?iso-8859-1?Q?Caf=E9?= =?utf-8?B?IHN1cmF0?=", "References: <a.1@x> sampah <b.2@x>", "In-Reply-To: <b.2@x>", "Message-ID: <c.3@x>", "Date: Fri, 20 Nov 2026 08:15:00 +0700",
		"X-Lipat: satu", "  dua", "", "isi")
	if m.Subject != "Café surat" || m.MessageID != "c.3@x" || len(m.References) != 2 || m.InReplyTo[0] != "b.2@x" {
		t.Errorf("%+v", m)
	}
	if len(m.From) != 1 || m.From[0].Name != "Dinas Pendidikan" || m.From[0].Address != "Dindik@contoh.go.id" || len(m.To) != 2 || m.To[1].Name != "B, C" {
		t.Errorf("from %v to %v", m.From, m.To)
	}
	if m.Get("x-lipat") != "satu dua" || len(m.Problems) != 1 || m.Text != "isi" || m.Date.UTC().Hour() != 1 {
		t.Errorf("%q %q %q %v", m.Get("x-lipat"), m.Problems, m.Text, m.Date)
	}
}

func TestQuotedMailIsSetApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, fresh, quoted, forwarded string }{
		"marks":        {"Baik.\n\n> Mohon reset.\n> Slamet\n\nSiap", "Baik.\n\n\nSiap", "Mohon reset.\nSlamet", ""},
		"Gmail":        {"Baik.\n\nPada Kam, 19 Nov 2026 pukul 08.00 Tim <t@x.id> menulis:\n> Mohon", "Baik.", "Mohon", ""},
		"two lines":    {"Baik.\n\nOn Thu, Nov 19, 2026 at 8:00 AM Tim Verifikator\n<t@x.id> wrote:\n> Mohon", "Baik.", "Mohon", ""},
		"Outlook":      {"Baik.\n\nFrom: Tim <t@x.id>\nSent: Thursday\nTo: S\nSubject: Reset\n\nMohon", "Baik.", "From: Tim <t@x.id>\nSent: Thursday\nTo: S\nSubject: Reset\n\nMohon", ""},
		"original":     {"Baik.\n-----Pesan Asli-----\nMohon", "Baik.", "Mohon", ""},
		"forward":      {"Tindaklanjuti.\n\n---------- Pesan terusan ---------\nDari: X\n\nKami mohon", "Tindaklanjuti.", "", "Dari: X\n\nKami mohon"},
		"nothing":      {"Nama : Slamet\nDari : Dinas", "Nama : Slamet\nDari : Dinas", "", ""},
		"own sentence": {"Pada hari ini kami menulis surat.", "Pada hari ini kami menulis surat.", "", ""},
	} {
		m := parse(t, "From: a@x.id", "Subject: s", "", strings.ReplaceAll(c.text, "\n", "\r\n"))
		if m.Text != c.fresh || m.Quoted != c.quoted || m.Forwarded != c.forwarded {
			t.Errorf("%s:\n text %q\n quoted %q\n forwarded %q", name, m.Text, m.Quoted, m.Forwarded)
		}
	}
}

func TestPartsAreKeptWithTheirNames(t *testing.T) {
	t.Parallel()
	m := parse(t, "From: a@x.id", "Subject: s", "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable", "", "Caf=E9", "-- ", "Slamet",
		"--b", "Content-Type: application/pdf; name*=utf-8''surat%20permohonan.pdf", "Content-Disposition: attachment", "Content-Transfer-Encoding: base64", "", "JVBERi0=",
		"--b", "Content-Type: application/octet-stream; name=\"../../etc/passwd\"", "", "x",
		"--b", "Content-Type: message/rfc822", "", "Subject: dalam", "From: c@x.id", "", "isi dalam",
		"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; x", "",
		"--b", "Content-Type: application/ms-tnef; name=winmail.dat", "", "x", "--b--", "")
	if m.Text != "Café" || m.Sign != "Slamet" {
		t.Errorf("text %q, sign %q", m.Text, m.Sign)
	}
	if len(m.Parts) != 5 {
		t.Fatalf("%d parts", len(m.Parts))
	}
	if p := m.Parts[0]; p.Name != "surat permohonan.pdf" || string(p.Data) != "%PDF-" {
		t.Errorf("part %+v", p)
	}
	if m.Parts[1].Name != "passwd" {
		t.Errorf("a path became a name: %q", m.Parts[1].Name)
	}
	if in := m.Parts[2].Mail; in == nil || in.Subject != "dalam" || in.Text != "isi dalam" {
		t.Errorf("nested %+v", in)
	}
	if m.Parts[3].MIME != "message/delivery-status" || !strings.Contains(string(m.Parts[3].Data), "Reporting-MTA") {
		t.Errorf("report %+v", m.Parts[3])
	}
	if len(m.Problems) == 0 {
		t.Error("winmail.dat isn't named")
	}
}

func TestTablesOfHTMLKeepTheirCells(t *testing.T) {
	t.Parallel()
	m := parse(t, "From: a@x.id", "Content-Type: text/html; charset=utf-8", "", "<p style='display:none'>tersembunyi</p><table><tr><td>Nama</td><td>NIP</td></tr><tr><td><p>Slamet<br>Riyadi</p></td><td>19&nbsp;70</td></tr></table><blockquote type=cite>lama</blockquote>")
	if m.Text != "Nama\tNIP\nSlamet Riyadi\t19 70" || m.Quoted != "lama" {
		t.Errorf("%q %q", m.Text, m.Quoted)
	}
}

// Broken mails give a reading of what is there, with problems named.
func TestBrokenMailsAreStillMails(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 3000)
	for name, raw := range map[string]string{
		"only a body":       "hanya teks",
		"no blank line":     "Subject: x",
		"unknown charset":   "Content-Type: text/plain; charset=bukan-apa-apa\r\n\r\nisi",
		"unknown encoding":  "Content-Type: text/plain\r\nContent-Transfer-Encoding: rahasia\r\n\r\nisi",
		"broken base64":     "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naXNp!!!aXNp",
		"no boundary":       "Content-Type: multipart/mixed\r\n\r\nisi",
		"no closing":        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nisi",
		"deep":              deep,
		"100,000 parts":     "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n\r\n", 100_000),
		"long line":         "Subject: " + strings.Repeat("x", 1<<20) + "\r\n\r\nisi",
		"bytes of 8 bits":   "Subject: caf\xe9\r\n\r\ncaf\xe9",
		"nul bytes":         "Subject: \x00\r\n\r\n\x00\x00",
		"many froms":        "From: a@x\r\nFrom: b@x\r\n\r\nx",
		"address of rubble": "From: <<<>>>,,,;;; a@x.id \"\r\n\r\nx",
	} {
		m, err := letter.ParseMail([]byte(raw))
		if err != nil || m == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, raw := range []string{"", " \r\n"} {
		if _, err := letter.ParseMail([]byte(raw)); err == nil {
			t.Errorf("%q: no error", raw)
		}
	}
}

func FuzzParseMail(f *testing.F) {
	f.Add([]byte("From: a@x.id\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<table><tr><td>x\r\n--b--"))
	f.Add([]byte("Subject: =?utf-8?B?!!!?=\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := letter.ParseMail(raw)
		if err == nil && m == nil {
			t.Fatal("neither mail nor error")
		}
	})
}
