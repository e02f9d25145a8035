package letter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os/exec"
	"path"
	"strings"
	"time"
	"unicode/utf8"
)

// Options of a Reader. The zero value reads with the tools found in PATH, OCR on, no trusted roots.
type Options struct {
	Limits      Limits // of each child process
	PDFToText   string // path of pdftotext; empty means the one in PATH
	PDFToPPM    string
	Tesseract   string
	Roots       string           // folder with trusted root certificates (PEM or DER), for signatures; empty means none
	NoOCR       bool             // leave scans unread
	MaxFile     int64            // bytes of one attachment; zero means 35 MiB
	MaxPages    int              // pages of a PDF that are read; zero means 30
	MaxOCRPages int              // pages that go through OCR; zero means 6
	MaxTime     time.Duration    // processor time of all children of one letter together; zero means 8 s
	Now         func() time.Time // when signatures without a timestamp are judged; nil means time.Now
}

// Reader reads letters. It is safe for concurrent use.
type Reader struct {
	opts Options
}

// NewReader prepares a reader; missing tools show as findings of the letters that needed them.
func NewReader(opts Options) *Reader {
	opts.Limits = opts.Limits.withDefaults()
	opts.PDFToText = tool(opts.PDFToText, "pdftotext")
	opts.PDFToPPM = tool(opts.PDFToPPM, "pdftoppm")
	opts.Tesseract = tool(opts.Tesseract, "tesseract")
	if opts.MaxFile == 0 {
		opts.MaxFile = 35 << 20
	}
	if opts.MaxPages == 0 {
		opts.MaxPages = 30
	}
	if opts.MaxOCRPages == 0 {
		opts.MaxOCRPages = 6
	}
	if opts.MaxTime == 0 {
		opts.MaxTime = 8 * time.Second
	}
	return &Reader{opts: opts}
}

func tool(given, name string) string {
	if given != "" {
		return given
	}
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	return name
}

// Read reads one letter. It never fails: what can't be read, or not in time, is a finding.
func (r *Reader) Read(ctx context.Context, in Input) Reading {
	w := &work{reader: r, ctx: ctx, seen: map[string]bool{}, left: r.opts.MaxTime}
	m := in.Parsed
	if m == nil && in.Mail != nil {
		var err error
		if m, err = ParseMail(in.Mail); err != nil {
			w.unreadable++
			w.find("mail-unreadable", Warning, "Surel tidak dapat dibaca: kosong atau terlalu besar.")
		}
	}
	if m != nil {
		w.mail(m, 0)
	}
	if in.Meta != nil {
		w.meta(in.Meta)
	}
	for _, f := range in.Files {
		w.file(f, 0, false)
	}
	return w.conclude(m, in.Meta)
}

// document is the text of one part of a letter.
type document struct {
	part  string // "mail", "srikandi", or the attachment's name
	how   string // "text", "ocr", "metadata"
	lines []line
	cover bool // the mail's own text, which may only introduce the letter
	mail  *Mail
	sure  int // of OCR: letters and digits in words that tesseract is sure of
}

// line is one line of a document; cells of a table row are separated by tabs, columns of a laid-out page by two or more blanks.
type line struct {
	text string
	page int // from 1; 0 where there are no pages
}

func (d *document) text() string {
	var b strings.Builder
	for _, l := range d.lines {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// maxLines bounds what is read of one document: thirty full pages are 2,000 lines, and some rules look at each line with those around it.
const maxLines = 5000

// nthLine is where a text's n-th line ends; -1 if it has fewer.
func nthLine(text string, n int) int {
	at := 0
	for range n {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return at
}

func newDocument(part, how, text string) document {
	d := document{part: part, how: how}
	text = cleanText(text)
	if len(text) > maxMailText {
		text = strings.ToValidUTF8(text[:maxMailText], "")
	}
	if at := nthLine(text, maxLines); at >= 0 {
		text = text[:at]
	}
	paged := strings.Contains(text, "\f")
	for i, page := range strings.Split(text, "\f") {
		n := 0
		if paged {
			n = i + 1
		}
		for _, l := range strings.Split(page, "\n") {
			if len(l) > 4000 {
				l = strings.ToValidUTF8(l[:4000], "")
			}
			d.lines = append(d.lines, line{text: ruledRow(strings.TrimRight(l, " \t\r")), page: n})
		}
	}
	return d
}

// ruledRow makes a row of a table drawn with bars ("| 1 | Slamet |") one with tabs; its rules are blank lines.
func ruledRow(l string) string {
	t := strings.TrimSpace(l)
	if len(t) > 8 && strings.Trim(t, "+-=|_ ") == "" && strings.ContainsAny(t, "|+") {
		return ""
	}
	if strings.Count(t, "|") < 3 || t[0] != '|' || t[len(t)-1] != '|' {
		return l
	}
	cells := strings.Split(strings.Trim(t, "|"), "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(c)
	}
	return strings.Join(cells, "\t")
}

// Two letters that fold into ASCII (Unicode's CaseFolding.txt): (?i)s matches the long s, and (?i)k the sign of Kelvin.
const longS, kelvin = '\u017f', '\u212a'

// cleanText makes look-alike characters plain: hard and thin blanks, full-width colons, soft hyphens, box glyphs of private fonts.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0', r >= '\u2000' && r <= '\u200a', r == '\u202f', r == '\u3000':
			return ' '
		case r == '\u00ad', r >= '\u200b' && r <= '\u200f', r == '\ufeff', r >= '\u202a' && r <= '\u202e', r >= '\u2060' && r <= '\u2069':
			return -1
		case r == '\u2010', r == '\u2011':
			return '-'
		case r == longS:
			return 's'
		case r == kelvin:
			return 'K'
		case r == '：', r == '\u2236', r == '\ua789':
			return ':'
		case r >= 0xf000 && r <= 0xf0ff:
			if g := boxGlyph(r); g != "" {
				g, _ := utf8.DecodeRuneInString(g)
				return g
			}
			return -1
		case r == 0:
			return -1
		}
		return r
	}, s)
}

// work gathers what is found while one letter is read.
type work struct {
	reader      *Reader
	ctx         context.Context
	docs        []document
	attachments []Attachment
	signatures  []signedFile
	findings    []Finding
	seen        map[string]bool // findings already made
	left        time.Duration   // processor time that children may still take
	unreadable  int             // files that may hold the letter and could not be read
	files       int
	read        int // lines of attachments so far
}

// run starts a child within what is left of the letter's time. The bound is on processor time, since a busy machine makes the same page
// take longer by the clock; by the clock a child may take three times as long.
func (w *work) run(ctx context.Context, c child) ([]byte, error) {
	if w.left < 500*time.Millisecond {
		return nil, errTooSlow
	}
	if c.limit == (Limits{}) {
		c.limit = w.reader.opts.Limits
	}
	c.limit.CPU = min(w.left, w.reader.opts.Limits.Time)
	c.limit.Time = 3 * w.reader.opts.Limits.Time
	out, used, err := c.runTimed(ctx)
	w.left -= used
	return out, err
}

func (w *work) find(code string, s Severity, detail string) {
	if key := code + "\x00" + detail; !w.seen[key] {
		w.seen[key] = true
		w.findings = append(w.findings, Finding{Code: code, Severity: s, Detail: detail})
	}
}

// mail takes a message apart: its own text, mails within it, and its attachments.
func (w *work) mail(m *Mail, depth int) {
	for _, p := range m.Problems {
		w.find("mail-degraded", Info, "Surel tidak sepenuhnya sah: "+p+".")
	}
	if alternativesDiffer(m) {
		w.find("alternatives-differ", Danger, "Teks biasa dan HTML dalam surel ini memuat nomor atau alamat yang berbeda; periksa keduanya.")
	}
	part := "mail"
	if depth > 0 {
		part = "mail:" + fmt.Sprint(depth)
	}
	d := newDocument(part, "text", m.Text)
	d.cover, d.mail = true, m
	w.docs = append(w.docs, d)
	if strings.TrimSpace(m.Forwarded) != "" {
		f := newDocument(part+":forwarded", "text", m.Forwarded)
		f.cover, f.mail = true, m
		w.docs = append(w.docs, f)
	}
	for _, p := range m.Parts {
		switch {
		case p.Mail != nil && depth < 4:
			w.mail(p.Mail, depth+1)
		case p.MIME == "message/delivery-status", p.MIME == "text/rfc822-headers", p.MIME == "application/pgp-signature",
			p.MIME == "application/pkcs7-signature", p.MIME == "application/x-pkcs7-signature":
		default:
			w.file(File{Name: p.Name, MIME: p.MIME, Data: p.Data}, 0, p.Inline)
		}
	}
}

// file reads one attachment by its content, whatever its name says.
func (w *work) file(f File, depth int, inline bool) {
	if w.files++; w.files > 60 {
		w.find("too-many-files", Warning, "Lampiran terlalu banyak; sebagian tidak dibaca.")
		return
	}
	sum := sha256.Sum256(f.Data)
	kind := sniff(f)
	name := f.Name
	if name == "" {
		name = "lampiran-" + fmt.Sprint(w.files)
	}
	a := Attachment{Name: name, MIME: kind, Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:])}
	at := len(w.attachments)
	w.attachments = append(w.attachments, a)
	if int64(len(f.Data)) > w.reader.opts.MaxFile {
		w.unread(name, "file-too-large", "terlalu besar untuk dibaca")
		return
	}
	w.suspicious(f, kind, name)
	docs := w.open(w.ctx, f, kind, name, depth, inline)
	for _, d := range docs {
		w.read += len(d.lines)
	}
	if w.read > maxLines+1 {
		w.unread(name, "file-limits", "surat ini memuat teks terlalu banyak")
		return
	}
	var text []string
	for _, d := range docs {
		if t := strings.TrimSpace(d.text()); t != "" {
			text = append(text, t)
		}
	}
	if len(text) > 0 {
		masked := Mask(strings.Join(text, "\n\f\n"))
		w.attachments[at].Text = &masked
	}
	w.docs = append(w.docs, docs...)
}

func saysPDF(f File) bool {
	return strings.EqualFold(f.MIME, "application/pdf") || strings.HasSuffix(strings.ToLower(strings.TrimSpace(f.Name)), ".pdf")
}

// partOfText: a text that is longer than what is read of it.
func (w *work) partOfText(f File, name string) {
	if len(f.Data) > maxMailText || nthLine(string(f.Data), maxLines) >= 0 {
		w.find("file-degraded", Warning, fmt.Sprintf("Berkas %q terlalu panjang; hanya sebagian yang dibaca.", name))
	}
}

// open returns the documents within a file.
func (w *work) open(ctx context.Context, f File, kind, name string, depth int, inline bool) []document {
	switch {
	case len(f.Data) == 0:
		w.unread(name, "file-empty", "kosong")
	case kind == "application/pdf":
		return w.pdf(ctx, f.Data, name)
	case kind == mimeDOCX, kind == mimeODT, kind == mimeXLSX:
		return w.office(ctx, f.Data, kind, name)
	case kind == "application/zip":
		w.zip(ctx, f.Data, name, depth)
	case strings.HasPrefix(kind, "image/"):
		return w.image(ctx, f.Data, kind, name, inline)
	case kind == "message/rfc822":
		if m, err := ParseMail(f.Data); err == nil && depth < maxZipDepth {
			w.mail(m, depth+1)
		}
	case kind == "text/html":
		w.partOfText(f, name)
		return []document{newDocument(name, "text", htmlText(decodeText(f.Data)))}
	case kind == "text/calendar", kind == "text/x-vcard", kind == "text/vcard":
	case strings.HasPrefix(kind, "text/"):
		if saysPDF(f) { // a damaged letter, or none at all: what it says may help, but a human must look
			w.unread(name, "file-broken", "bernama PDF tetapi isinya bukan PDF")
		}
		w.partOfText(f, name)
		return []document{newDocument(name, "text", decodeText(f.Data))}
	case kind == "application/ms-tnef":
		w.unread(name, "winmail", "berformat winmail.dat milik Outlook; mintalah surel dikirim ulang dalam format HTML atau teks biasa")
	default:
		w.unread(name, "file-unsupported", unsupported(kind)+"; mintalah dikirim ulang sebagai PDF atau DOCX")
	}
	return nil
}

// unsupported names a format that isn't read, in words that an office can act upon.
func unsupported(mime string) string {
	switch mime {
	case "application/msword":
		return "berformat Office lama (.doc atau .xls)"
	case "application/rtf":
		return "berformat RTF"
	case "application/vnd.rar", "application/x-7z-compressed", "application/x-rar-compressed", "application/x-gzip":
		return "dimampatkan dalam format selain ZIP"
	}
	return "berformat " + mime
}

// unread notes a file that might have been the letter.
func (w *work) unread(name, code, why string) {
	w.unreadable++
	w.find(code, Warning, fmt.Sprintf("Berkas %q tidak dapat dibaca: %s.", name, why))
}

// unreadBecause turns a child's error into a finding.
func (w *work) unreadBecause(name string, err error) {
	var refused *toolError
	switch {
	case errors.Is(err, errTooSlow):
		w.unread(name, "file-limits", "pembacaan melewati batas waktu")
	case errors.Is(err, errTooLarge):
		w.unread(name, "file-limits", "isinya melewati batas ukuran")
	case errors.Is(err, errChildDied):
		w.unread(name, "file-limits", "pembacaan melewati batas memori atau berkas rusak")
	case errors.As(err, &refused):
		w.unread(name, "file-broken", "berkas rusak atau bukan format yang dinyatakan")
	default:
		w.unread(name, "tool-failed", "alat pembaca tidak dapat dijalankan")
	}
}

// suspicious names what a harmless letter doesn't have.
func (w *work) suspicious(f File, kind, name string) {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".exe", ".js", ".vbs", ".bat", ".cmd", ".scr", ".lnk", ".jar", ".msi", ".ps1", ".hta", ".iso", ".docm", ".xlsm", ".apk":
		w.find("file-dangerous", Danger, fmt.Sprintf("Berkas %q dapat menjalankan program; jangan dibuka.", name))
	}
	declared := f.MIME
	if byExt := mime.TypeByExtension(ext); byExt != "" && (declared == "" || declared == "application/octet-stream") {
		declared = byExt
	}
	declared, _, _ = strings.Cut(declared, ";")
	if kind == "application/pdf" && bytes.Index(f.Data[:min(len(f.Data), 1024)], []byte("%PDF-")) > 0 {
		w.find("polyglot", Warning, fmt.Sprintf("Berkas %q dimulai dengan isi lain sebelum PDF; berkas wajar tidak demikian.", name))
	}
	if family(declared) != "" && family(kind) != "" && family(declared) != family(kind) {
		w.find("type-differs", Warning, fmt.Sprintf("Isi berkas %q (%s) tidak sesuai dengan jenis yang dinyatakan (%s).", name, kind, declared))
	}
}

func family(mime string) string {
	switch {
	case mime == "application/pdf":
		return "pdf"
	case strings.HasPrefix(mime, "image/"):
		return "image"
	case mime == mimeDOCX, mime == mimeODT, mime == mimeXLSX:
		return "office"
	case mime == "application/zip", mime == "application/x-zip-compressed":
		return "zip"
	}
	return ""
}

// The media types of office files.
const (
	mimeDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	mimeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mimeODT  = "application/vnd.oasis.opendocument.text"
)

// sniff tells a file's type by its content.
func sniff(f File) string {
	d := f.Data
	head := d[:min(len(d), 1024)]
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return "application/pdf"
	case bytes.HasPrefix(d, []byte("PK\x03\x04")), bytes.HasPrefix(d, []byte("PK\x05\x06")):
		switch {
		case bytes.Contains(d, []byte("word/document.xml")):
			return mimeDOCX
		case bytes.Contains(d, []byte("xl/workbook.xml")):
			return mimeXLSX
		case bytes.Contains(d[:min(len(d), 200)], []byte("application/vnd.oasis.opendocument.text")):
			return mimeODT
		}
		return "application/zip"
	case bytes.HasPrefix(d, []byte("\xd0\xcf\x11\xe0")):
		return "application/msword"
	case bytes.HasPrefix(d, []byte("{\\rtf")):
		return "application/rtf"
	case bytes.HasPrefix(d, []byte("II*\x00")), bytes.HasPrefix(d, []byte("MM\x00*")):
		return "image/tiff"
	case bytes.HasPrefix(d, []byte("Rar!")):
		return "application/vnd.rar"
	case bytes.HasPrefix(d, []byte("7z\xbc\xaf")):
		return "application/x-7z-compressed"
	case bytes.HasPrefix(d, []byte("\x78\x9f\x3e\x22")):
		return "application/ms-tnef"
	}
	declared, _, _ := strings.Cut(strings.ToLower(f.MIME), ";")
	ext := strings.ToLower(path.Ext(f.Name))
	guess, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch {
	case strings.HasPrefix(guess, "image/"), guess == "text/html":
		return guess
	case guess != "text/plain" && !(utf8.Valid(d) && len(d) > 0 && bytes.IndexByte(d, 0) < 0):
		return guess
	case declared == "message/rfc822" || ext == ".eml" || looksLikeMail(d):
		return "message/rfc822"
	case declared == "text/html" || ext == ".html" || ext == ".htm":
		return "text/html"
	case strings.HasPrefix(declared, "text/"):
		return declared
	}
	return "text/plain"
}

// looksLikeMail: a text that begins with at least three of the header fields that every mail has.
func looksLikeMail(d []byte) bool {
	n := 0
	rest := d[:min(len(d), 32<<10)]
	for range 60 {
		l, next := cutLine(rest)
		if len(l) == 0 {
			break
		}
		if l[0] != ' ' && l[0] != '\t' {
			key, _, ok := fieldLine(l)
			if !ok {
				return false
			}
			switch strings.ToLower(key) {
			case "from", "to", "subject", "date", "message-id", "received", "mime-version", "return-path", "content-type":
				n++
			}
		}
		rest = next
	}
	return n >= 3
}

func decodeText(d []byte) string {
	switch {
	case bytes.HasPrefix(d, []byte("\xff\xfe")), bytes.HasPrefix(d, []byte("\xfe\xff")):
		return decodeUTF16(d)
	case utf8.Valid(d):
		return string(d)
	}
	m := Mail{}
	return string(m.text("text/plain", d))
}

func decodeUTF16(d []byte) string {
	big := d[0] == 0xfe
	var b strings.Builder
	for i := 2; i+1 < len(d); i += 2 {
		u := rune(d[i]) | rune(d[i+1])<<8
		if big {
			u = rune(d[i])<<8 | rune(d[i+1])
		}
		b.WriteRune(u)
	}
	return b.String()
}

// InputOf makes an input of one file: a mail is read as such, anything else as an attachment without a mail.
func InputOf(name string, data []byte) Input {
	f := File{Name: name, Data: data}
	if sniff(f) == "message/rfc822" {
		return Input{Mail: data}
	}
	return Input{Files: []File{f}}
}
