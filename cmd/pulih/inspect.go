package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pulih/internal/config"
	"pulih/internal/letter"
	"pulih/mailflow"
)

// InspectCmd reads letters from files, without any service, and shows what was found.
type InspectCmd struct {
	JSON   bool     `name:"json" help:"One JSON object a line instead of a report for a person."`
	Config string   `placeholder:"FILE" type:"path" help:"Configuration file: adds the findings of the directory."`
	Agency string   `placeholder:"KEY" help:"Agency of the configuration; may be left out where there is one only."`
	Roots  string   `type:"existingdir" help:"Folder with trusted root certificates, for PDF signatures."`
	NoOCR  bool     `name:"no-ocr" help:"Leave scans unread."`
	Color  string   `enum:"auto,always,never" default:"auto" help:"Colours in the report: ${enum}."`
	Files  []string `arg:"" name:"file" help:"Letters: .eml, .pdf, .docx, .jpg, .png, .zip, .txt, .html."`
}

// Run reads each file in turn. A file that can't be understood gives a reading with findings; one that can't be opened is an error, told
// after the others were shown.
func (c *InspectCmd) Run(ctx context.Context) error {
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	reader := letter.NewReader(letter.Options{Roots: c.Roots, NoOCR: c.NoOCR})
	var failed []error
	for _, name := range c.Files {
		data, err := os.ReadFile(name)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		in := letter.InputOf(filepath.Base(name), data)
		r := reader.Read(ctx, in)
		r.File = name
		if tenant != nil {
			r.Findings = append(r.Findings, letter.Check(r, envelope(in, tenant), tenant.Agency, nil, time.Now())...)
		}
		if c.JSON {
			err = writeJSON(os.Stdout, r)
		} else {
			err = report(os.Stdout, r, c.colours())
		}
		if err != nil {
			return fmt.Errorf("writing the reading: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// tenant is the agency whose directory the letters are held against; nil without --config.
func (c *InspectCmd) tenant() (*config.Tenant, error) {
	if c.Config == "" {
		if c.Agency != "" {
			return nil, errors.New("--agency needs --config")
		}
		return nil, nil
	}
	cfg, err := config.Load(c.Config)
	if err != nil {
		return nil, err
	}
	if c.Agency == "" && len(cfg.Tenants) == 1 {
		return &cfg.Tenants[0], nil
	}
	if t, ok := cfg.Tenant(c.Agency); ok {
		return t, nil
	}
	var keys []string
	for _, a := range cfg.Agencies() {
		keys = append(keys, a.Key)
	}
	return nil, fmt.Errorf("--agency: %q is unknown; expected one of %s", c.Agency, strings.Join(keys, ", "))
}

// envelope is what a file itself tells about how its letter came. Without an own mail server's results nothing vouches for the sender.
func envelope(in letter.Input, t *config.Tenant) letter.Envelope {
	if in.Mail == nil {
		return letter.Envelope{}
	}
	env := letter.Envelope{Channel: "mail"}
	m, err := letter.ParseMail(in.Mail)
	if err != nil {
		return env
	}
	env.ReceivedAt = m.Date
	if len(m.From) > 0 {
		env.From = m.From[0].Address
	}
	if t.Inbox != nil && t.Inbox.AuthservID != "" {
		auth := mailflow.Authenticate(m, in.Mail, mailflow.Trust{ServerID: t.Inbox.AuthservID})
		env.Auth = &auth
	}
	return env
}

// writeJSON writes one line. The signer is always an object, with null for what isn't there, so that scripts need no special case.
func writeJSON(w io.Writer, r letter.Reading) error {
	if r.Letter.Signer == nil {
		r.Letter.Signer = &letter.Signer{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

func (c *InspectCmd) colours() bool {
	switch c.Color {
	case "always":
		return true
	case "never":
		return false
	}
	st, err := os.Stdout.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// paint wraps text in an ANSI colour.
type paint bool

func (p paint) in(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

var kindWords = map[letter.Kind]string{
	letter.ResetRequest: "permohonan reset passphrase", letter.Complaint: "pengaduan", letter.Reply: "balasan", letter.Disposition: "disposisi",
	letter.Bounce: "surel terpental", letter.AutoReply: "balasan otomatis", letter.ProviderNotice: "pemberitahuan BSrE",
	letter.OtherCertificateService: "layanan sertifikat lain", letter.Other: "surat lain", letter.Unclear: "belum jelas: perlu dilihat manusia",
}

// report shows a reading to a person: what it is, the fields with the line each was found on, and the findings.
func report(w io.Writer, r letter.Reading, colour bool) error {
	p := paint(colour)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.in("1", printable(r.File)))
	fmt.Fprintf(&b, "  jenis      %s (%s)\n", p.in(kindColour(r.Kind), string(r.Kind)), kindWords[r.Kind])
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "             %s\n", p.in("2", printable(reason)))
	}
	line := lines{b: &b, p: p, r: r}
	line.field("nomor", "letter.number", r.Letter.Number)
	line.field("tanggal", "letter.date", r.Letter.Date)
	line.field("perihal", "letter.subject", r.Letter.Subject)
	line.field("kantor", "letter.office", r.Letter.Office)
	if s := r.Letter.Signer; s != nil {
		line.field("penanda tangan", "letter.signer.name", s.Name)
		line.field("  NIP", "letter.signer.nip", s.NIP)
		line.field("  jabatan", "letter.signer.position", s.Position)
	}
	for i, a := range r.Applicants {
		fmt.Fprintf(&b, "  %s\n", p.in("1", fmt.Sprintf("pemohon %d", i+1)))
		at := fmt.Sprintf("applicants[%d].", i)
		line.field("  nama", at+"name", a.Name)
		line.field("  NIP", at+"nip", a.NIP)
		line.field("  NIK", at+"nik", a.NIK)
		line.field("  e-mail", at+"email", a.Email)
		line.field("  telepon", at+"phone", a.Phone)
		line.field("  jabatan", at+"position", a.Position)
		line.field("  pangkat", at+"rank", a.Rank)
		line.field("  unit kerja", at+"office", a.Office)
	}
	for _, a := range r.Attachments {
		fmt.Fprintf(&b, "  lampiran   %s, %s, %d bita\n", printable(a.Name), a.MIME, a.Size)
	}
	if r.Signature.Status != letter.SignatureNone {
		signer := ""
		if r.Signature.Signer != nil {
			signer = " oleh " + printable(*r.Signature.Signer)
		}
		fmt.Fprintf(&b, "  TTE        %s%s\n", r.Signature.Status, signer)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %s %s  %s\n", p.in(severityColour(f.Severity), severityMark(f.Severity)), printable(f.Detail), p.in("2", f.Code))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

type lines struct {
	b *strings.Builder
	p paint
	r letter.Reading
}

// field shows a value and, below it, the line of the letter that it was read from.
func (l lines) field(label, key string, v *string) {
	if v == nil {
		return
	}
	fmt.Fprintf(l.b, "  %-14s %s\n", label, printable(*v))
	for _, e := range l.r.Evidence {
		if e.Field != key {
			continue
		}
		where := e.Part
		if e.Page > 0 {
			where = fmt.Sprintf("%s hal. %d", e.Part, e.Page)
		}
		if e.How == "ocr" {
			where += ", OCR"
		}
		fmt.Fprintf(l.b, "                 %s\n", l.p.in("2", fmt.Sprintf("%s: %s", printable(where), printable(short(e.Text)))))
		return
	}
}

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

// printable keeps a letter's text from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

func kindColour(k letter.Kind) string {
	switch k {
	case letter.ResetRequest:
		return "1;34"
	case letter.Unclear:
		return "1;33"
	}
	return "1"
}

func severityColour(s letter.Severity) string {
	switch s {
	case letter.Danger:
		return "1;31"
	case letter.Warning:
		return "33"
	}
	return "36"
}

// severityMark says the severity without colour.
func severityMark(s letter.Severity) string {
	switch s {
	case letter.Danger:
		return "bahaya   "
	case letter.Warning:
		return "perhatian"
	}
	return "catatan  "
}
