package main

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"pulih/internal/letter"
)

// report shows readings to a person: what a letter is and why, its fields with the line that each was read from, signatures, findings.
type report struct {
	w      *bufio.Writer
	p      paint
	kinds  map[letter.Kind]int
	danger int
}

const reportWidth = 100

// reading writes one letter. Errors stay in the writer until it is flushed.
func (o *report) reading(r letter.Reading) {
	if o.kinds == nil {
		o.kinds = map[letter.Kind]int{}
	}
	o.kinds[r.Kind]++
	title := printable(r.File)
	fmt.Fprintf(o.w, "%s %s\n", o.p.in("1", title), o.p.in("2", strings.Repeat("─", max(3, reportWidth-1-utf8.RuneCountInString(title)))))
	fmt.Fprintf(o.w, "%s  %s\n", o.p.in(kindColour(r.Kind), strings.ToUpper(kindWords[r.Kind])), o.p.in("2", string(r.Kind)))
	for _, reason := range once(r.Reasons) {
		o.wrapped("  · ", printable(reason), "2")
	}
	l := lines{o: o, r: r}
	l.block("Surat")
	l.field("nomor", "letter.number", r.Letter.Number)
	l.field("tanggal", "letter.date", inWords(r.Letter.Date))
	l.field("perihal", "letter.subject", r.Letter.Subject)
	l.field("kantor", "letter.office", r.Letter.Office)
	if s := r.Letter.Signer; s != nil {
		l.field("penanda tangan", "letter.signer.name", s.Name)
		l.field("  NIP", "letter.signer.nip", s.NIP)
		l.field("  jabatan", "letter.signer.position", s.Position)
	}
	l.missing()
	for i, a := range r.Applicants {
		at := fmt.Sprintf("applicants[%d].", i)
		l.block(fmt.Sprintf("Pemohon %d", i+1))
		l.field("nama", at+"name", a.Name)
		l.field("NIP", at+"nip", a.NIP)
		l.field("NIK", at+"nik", a.NIK)
		l.field("e-mail", at+"email", a.Email)
		l.field("telepon", at+"phone", a.Phone)
		l.field("jabatan", at+"position", a.Position)
		l.field("pangkat", at+"rank", a.Rank)
		l.field("unit kerja", at+"office", a.Office)
		l.missing()
	}
	o.signatures(r)
	o.findings(r.Findings)
	if len(r.Attachments) > 0 {
		fmt.Fprintf(o.w, "%s\n", o.p.in("1", "Berkas"))
		for _, a := range r.Attachments {
			fmt.Fprintf(o.w, "  %s  %s\n", printable(a.Name), o.p.in("2", fileWords(a)))
		}
	}
	fmt.Fprintln(o.w)
}

// sum is the last line over several letters.
func (o *report) sum() {
	total, parts := 0, []string{}
	for _, k := range sortedKinds(o.kinds) {
		total += o.kinds[k]
		parts = append(parts, fmt.Sprintf("%d %s", o.kinds[k], kindWords[k]))
	}
	fmt.Fprintf(o.w, "%s: %s; %s\n", o.p.in("1", fmt.Sprintf("%d surat", total)), strings.Join(parts, ", "),
		o.p.in(severities[letter.Danger].colour, fmt.Sprintf("%d dengan tanda bahaya", o.danger)))
}

func sortedKinds(kinds map[letter.Kind]int) []letter.Kind {
	var out []letter.Kind
	for k := range kinds {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b letter.Kind) int { return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b)) })
	return out
}

// lines writes fields, and the letter's line below each. A line that several fields share is shown once.
type lines struct {
	o      *report
	r      letter.Reading
	name   string
	absent []string
	shown  string // the line shown last
	begun  bool
}

func (l *lines) block(name string) { l.name, l.begun, l.absent, l.shown = name, false, nil, "" }

func (l *lines) field(label, key string, v *string) {
	if v == nil {
		l.absent = append(l.absent, strings.TrimSpace(label))
		return
	}
	if !l.begun {
		fmt.Fprintf(l.o.w, "%s\n", l.o.p.in("1", l.name))
		l.begun = true
	}
	fmt.Fprintf(l.o.w, "  %s %s\n", l.o.p.in("2", fmt.Sprintf("%-14s", label)), printable(*v))
	i := slices.IndexFunc(l.r.Evidence, func(e letter.Evidence) bool { return e.Field == key })
	if i < 0 {
		return
	}
	e := l.r.Evidence[i]
	line := short(printable(e.Text))
	if at := place(e, l.r); at+line != l.shown {
		fmt.Fprintf(l.o.w, "                 %s %s\n", l.o.p.in("2", "└ "+at), l.o.p.marked(line, printable(*v)))
		l.shown = at + line
	}
}

// missing names what the letter doesn't say.
func (l *lines) missing() {
	if l.begun && len(l.absent) > 0 {
		fmt.Fprintf(l.o.w, "  %s\n", l.o.p.in("2", fmt.Sprintf("%-14s %s", "tidak ada", strings.Join(l.absent, ", "))))
	}
}

// place is where a line stands: the file is named only where there are several.
func place(e letter.Evidence, r letter.Reading) string {
	where := printable(e.Part)
	switch {
	case e.Part == "mail":
		where = "isi surel"
	case strings.HasPrefix(e.Part, "mail:"):
		where = "surel terusan"
	case len(r.Attachments) == 1 && e.Part == r.Attachments[0].Name:
		where = ""
	}
	if e.Page > 0 {
		where = strings.TrimSpace(fmt.Sprintf("%s hal. %d", where, e.Page))
	}
	if e.How == "ocr" {
		where = strings.TrimSpace(where + " (OCR)")
	}
	if where == "" {
		return ""
	}
	return where + ":"
}

var signatureWords = map[letter.SignatureStatus]struct{ mark, words, colour string }{
	letter.SignatureValid:         {"✓", "sah", "32"},
	letter.SignatureIndeterminate: {"?", "belum dapat dipastikan", "33"},
	letter.SignatureUntrusted:     {"?", "utuh, penerbit tidak dipercaya", "33"},
	letter.SignatureInvalid:       {"✗", "tidak sah", "1;31"},
}

func (o *report) signatures(r letter.Reading) {
	s, ok := signatureWords[r.Signature.Status]
	if !ok {
		return
	}
	fmt.Fprintf(o.w, "%s  %s\n", o.p.in("1", "Tanda tangan elektronik"), o.p.in(s.colour, s.mark+" "+s.words))
	for _, one := range r.Signature.Each {
		who := "stempel waktu dokumen"
		if one.Signer != nil {
			who = printable(*one.Signer)
		}
		if one.Issuer != nil {
			who += o.p.in("2", ", diterbitkan "+printable(*one.Issuer))
		}
		s := signatureWords[one.Status]
		when := "tanpa stempel waktu tepercaya"
		if one.Time != nil {
			when = one.Time.In(wib).Format("2-1-2006 15.04 WIB")
		}
		fmt.Fprintf(o.w, "  %s %s  %s\n", o.p.in(s.colour, s.mark), who, o.p.in("2", s.words+", "+when))
	}
}

var wib = time.FixedZone("WIB", 7*60*60)

// findings go from the heaviest to the lightest.
func (o *report) findings(list []letter.Finding) {
	if len(list) == 0 {
		return
	}
	order := map[letter.Severity]int{letter.Danger: 0, letter.Warning: 1, letter.Info: 2}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b letter.Finding) int { return order[a.Severity] - order[b.Severity] })
	if list[0].Severity == letter.Danger {
		o.danger++
	}
	fmt.Fprintf(o.w, "%s\n", o.p.in("1", "Temuan"))
	for _, f := range list {
		mark := fmt.Sprintf("  %s ", severities[f.Severity].mark)
		o.w.WriteString(o.p.in(severities[f.Severity].colour, mark))
		code := "[" + f.Code + "]"
		text := wrap(printable(f.Detail)+" "+code, utf8.RuneCountInString(mark))
		fmt.Fprintf(o.w, "%s%s\n", strings.TrimSuffix(text, code), o.p.in("2", code))
	}
}

func (o *report) wrapped(head, text, colour string) {
	fmt.Fprintf(o.w, "%s\n", o.p.in(colour, head+wrap(text, utf8.RuneCountInString(head))))
}

// wrap breaks a text into lines that hang below its first.
func wrap(s string, indent int) string {
	var b strings.Builder
	at := indent
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		if i > 0 && at+1+n > reportWidth {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		} else if i > 0 {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

func once(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

var months = []string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"}

// inWords writes a date as a letter does.
func inWords(date *string) *string {
	if date == nil {
		return nil
	}
	t, err := time.Parse(time.DateOnly, *date)
	if err != nil {
		return date
	}
	s := fmt.Sprintf("%d %s %d", t.Day(), months[t.Month()-1], t.Year())
	return &s
}

func fileWords(a letter.Attachment) string {
	size := fmt.Sprintf("%d bita", a.Size)
	switch {
	case a.Size >= 10<<20:
		size = fmt.Sprintf("%d MB", a.Size>>20)
	case a.Size >= 1<<10:
		size = fmt.Sprintf("%d KB", a.Size>>10)
	}
	kind := a.MIME
	for _, k := range [][2]string{{"pdf", "PDF"}, {"wordprocessing", "Word"}, {"spreadsheet", "Excel"}, {"opendocument", "OpenDocument"}, {"image/", "gambar"}, {"zip", "arsip"}, {"text/", "teks"}} {
		if strings.Contains(a.MIME, k[0]) {
			kind = k[1]
			break
		}
	}
	if a.Text == nil {
		return kind + ", " + size + ", tidak terbaca"
	}
	return kind + ", " + size
}

// paint wraps text in an ANSI colour.
type paint bool

func (p paint) in(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// marked is a dim line with the value in it bright; digits may stand apart in the letter.
func (p paint) marked(line, value string) string {
	from, to, ok := span(line, value)
	if !bool(p) || !ok {
		return p.in("2", line)
	}
	out := p.in("36", line[from:to])
	if from > 0 {
		out = p.in("2", line[:from]) + out
	}
	if to < len(line) {
		out += p.in("2", line[to:])
	}
	return out
}

// span finds a value in a line, whatever blanks stand within.
func span(line, value string) (from, to int, ok bool) {
	want := strings.ReplaceAll(value, " ", "")
	for from = range line {
		rest := want
		for i, r := range line[from:] {
			if r == ' ' && i > 0 {
				continue
			}
			var fits bool
			if rest, fits = strings.CutPrefix(rest, string(r)); !fits {
				break
			}
			if rest == "" {
				return from, from + i + utf8.RuneLen(r), true
			}
		}
	}
	return 0, 0, false
}

var kindWords = map[letter.Kind]string{
	letter.ResetRequest: "permohonan reset passphrase", letter.Complaint: "pengaduan", letter.Reply: "balasan", letter.Disposition: "disposisi",
	letter.Bounce: "surel terpental", letter.AutoReply: "balasan otomatis", letter.ProviderNotice: "pemberitahuan BSrE",
	letter.OtherCertificateService: "layanan sertifikat lain", letter.Other: "surat lain", letter.Unclear: "belum jelas, perlu dilihat manusia",
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

// severities are how a finding's weight is shown, with colour and without.
var severities = map[letter.Severity]struct{ colour, mark string }{
	letter.Danger:  {"1;31", "✗ bahaya   "},
	letter.Warning: {"33", "! perhatian"},
	letter.Info:    {"36", "· catatan  "},
}

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

// printable keeps a letter's text from steering the terminal, and from turning its direction.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return ' '
		}
		return r
	}, s)
}
