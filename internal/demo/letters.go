package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"pulih/internal/agency"
)

// Paper is a letter of the play before it is sent: what it says, whichever way it goes.
type Paper struct {
	Office     *agency.Office
	Agency     *agency.Agency
	Number     string
	Date       time.Time
	Subject    string
	Applicants []agency.Official
	Email      string // in the letter; empty: the registered one
	Body       string // instead of the usual text
	NIK        func(nip string) string
}

var months = [...]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"}

func longDate(t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), months[t.Month()-1], t.Year())
}

// Lines is the letter as it would be typed.
func (p Paper) Lines() []string {
	head := p.Office.Head
	lines := []string{
		strings.ToUpper(p.Agency.Name), strings.ToUpper(p.Office.Name), "",
		"Nomor    : " + p.Number,
		"Tanggal  : " + longDate(p.Date),
		"Lampiran : -",
		"Hal      : " + p.Subject, "",
		"Yth. Kepala Dinas Komunikasi dan Informatika", "di Tempat", "",
	}
	if p.Body != "" {
		lines = append(lines, strings.Split(p.Body, "\n")...)
	} else {
		lines = append(lines, p.request()...)
	}
	return append(lines, "", "Demikian permohonan ini kami sampaikan, atas perhatian dan kerja samanya",
		"diucapkan terima kasih.", "", head.Position, "", "", head.Name, "NIP. "+spaced(head.NIP))
}

func (p Paper) request() []string {
	lines := []string{"Dengan hormat, bersama ini kami mengajukan permohonan reset passphrase", "Tanda Tangan Elektronik (TTE) bagi:", ""}
	for i, f := range p.Applicants {
		if len(p.Applicants) > 1 {
			lines = append(lines, fmt.Sprintf("%d.", i+1))
		}
		email := f.Email
		if p.Email != "" {
			email = p.Email
		}
		lines = append(lines, "Nama        : "+f.Name, "NIP         : "+spaced(f.NIP))
		if p.NIK != nil {
			lines = append(lines, "NIK         : "+p.NIK(f.NIP))
		}
		lines = append(lines, "Jabatan     : "+f.Position, "Unit Kerja  : "+p.Office.Name, "Email Dinas : "+email, "")
	}
	return append(lines, "karena yang bersangkutan lupa passphrase sertifikat elektroniknya.")
}

// spaced writes a NIP as offices do: 19850422 201001 1 912.
func spaced(nip string) string {
	if len(nip) != 18 {
		return nip
	}
	return nip[:8] + " " + nip[8:14] + " " + nip[14:15] + " " + nip[15:]
}

// PDF is the letter as an office prints it: the same bytes whenever it is made.
func (p Paper) PDF() []byte {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCreationDate(p.Date)
	doc.SetModificationDate(p.Date)
	doc.SetMargins(25, 20, 20)
	doc.AddPage()
	for i, line := range p.Lines() {
		style, align := "", "L"
		if i < 2 {
			style, align = "B", "C"
		}
		doc.SetFont("Courier", style, 10.5)
		doc.CellFormat(0, 5.4, line, "", 1, align, false, 0, "")
	}
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		panic(fmt.Sprintf("the demo's letter %s: %v", p.Number, err)) // core fonts and ASCII text: can't fail
	}
	return out.Bytes()
}

// Message is a mail of the play.
type Message struct {
	From, To, Subject string
	Text              string
	Name              string // of the attachment; empty for none
	Data              []byte
	At                time.Time
	InReplyTo         string
	Headers           []string
	Unauthentic       bool // the agency's own server says that the sender isn't who they say
}

// Raw is the mail as it comes out of the agency's own server, which has written down what it thinks of the sender (RFC 8601).
func (m Message) Raw() []byte {
	domain := m.To[strings.IndexByte(m.To, '@')+1:]
	verdict := "pass"
	if m.Unauthentic {
		verdict = "fail"
	}
	sum := sha256.Sum256([]byte(m.From + m.Subject + m.Text + m.At.String()))
	head := append([]string{
		fmt.Sprintf("Authentication-Results: mx.%s; spf=%s smtp.mailfrom=%s; dkim=%s header.d=%s; dmarc=%s header.from=%s", domain, verdict,
			m.From, verdict, m.From[strings.IndexByte(m.From, '@')+1:], verdict, m.From[strings.IndexByte(m.From, '@')+1:]),
		"From: <" + m.From + ">", "To: <" + m.To + ">", "Subject: " + m.Subject, "Date: " + m.At.Format(time.RFC1123Z),
		fmt.Sprintf("Message-ID: <%x@%s>", sum[:10], m.From[strings.IndexByte(m.From, '@')+1:]), "MIME-Version: 1.0",
	}, m.Headers...)
	if m.InReplyTo != "" {
		head = append(head, "In-Reply-To: <"+m.InReplyTo+">", "References: <"+m.InReplyTo+">")
	}
	text := strings.ReplaceAll(m.Text, "\n", "\r\n")
	if m.Data == nil {
		return []byte(strings.Join(append(head, "Content-Type: text/plain; charset=utf-8", "", text), "\r\n") + "\r\n")
	}
	const b = "=_batas-demo"
	body := []string{
		"Content-Type: multipart/mixed; boundary=\"" + b + "\"", "", "--" + b, "Content-Type: text/plain; charset=utf-8", "", text, "--" + b,
		"Content-Type: application/pdf; name=\"" + m.Name + "\"", "Content-Disposition: attachment; filename=\"" + m.Name + "\"",
		"Content-Transfer-Encoding: base64", "", wrap(base64.StdEncoding.EncodeToString(m.Data)), "--" + b + "--", "",
	}
	return []byte(strings.Join(append(head, body...), "\r\n"))
}

func wrap(s string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s
}
