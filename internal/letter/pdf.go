package letter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// pdf reads a PDF's text page by page; pages without any go through OCR.
func (w *work) pdf(ctx context.Context, data []byte, name string) []document {
	w.checkSignatures(ctx, data, name)
	opts := w.reader.opts
	last := strconv.Itoa(opts.MaxPages + 1)
	out, err := w.run(ctx, child{path: opts.PDFToText, args: []string{"-layout", "-enc", "UTF-8", "-l", last, "-", "-"}, input: data})
	if err != nil {
		var te *toolError
		if errors.As(err, &te) && strings.Contains(te.message, "password") {
			w.unread(name, "file-encrypted", "PDF dikunci dengan kata sandi")
			return nil
		}
		if len(bytes.TrimSpace(out)) == 0 || errors.Is(err, errTooLarge) {
			w.unreadBecause(name, err)
			return nil
		}
		w.find("file-degraded", Warning, fmt.Sprintf("Berkas %q hanya terbaca sebagian.", name))
	}
	pages := strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
	if len(pages) > opts.MaxPages {
		pages = pages[:opts.MaxPages]
		w.find("pages-left-out", Warning, fmt.Sprintf("Berkas %q lebih dari %d halaman; sisanya tidak dibaca.", name, opts.MaxPages))
	}
	var scanned []int
	for i, p := range pages {
		if letters(p) < 25 {
			scanned = append(scanned, i+1)
		}
	}
	d := newDocument(name, "text", strings.Join(pages, "\f")+pageEnd(pages))
	lines, doubtful := newSheet(d).layOutTables()
	if w.ruledPages(ctx, data, doubtful, pages) {
		d = newDocument(name, "text", strings.Join(pages, "\f")+pageEnd(pages))
		lines, _ = newSheet(d).layOutTables()
	}
	d.lines = lines
	if len(scanned) == 0 {
		return []document{d}
	}
	if len(scanned) < len(pages) && len(pages)-len(scanned) >= 1 && blankPages(data) {
		return []document{d}
	}
	return w.scan(ctx, data, name, d, scanned, len(pages))
}

// pageEnd makes a text of one page count as paged.
func pageEnd(pages []string) string {
	if len(pages) == 1 {
		return "\f"
	}
	return ""
}

// blankPages: a PDF without any image has blank pages, not scanned ones.
func blankPages(data []byte) bool {
	return !bytes.Contains(data, []byte("/Image")) && !bytes.Contains(data, []byte("/ObjStm"))
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// scan reads the given pages by OCR. Their text is a document of its own, so that each line knows how it was read.
func (w *work) scan(ctx context.Context, data []byte, name string, d document, scanned []int, total int) []document {
	opts := w.reader.opts
	if opts.NoOCR {
		if len(scanned) == total {
			w.unread(name, "scan-unread", "hasil pindai, dan OCR dimatikan")
			return nil
		}
		return []document{d}
	}
	if len(scanned) > opts.MaxOCRPages {
		scanned = scanned[:opts.MaxOCRPages]
		w.find("pages-left-out", Warning, fmt.Sprintf("Berkas %q memuat banyak halaman pindaian; hanya %d yang dibaca dengan OCR.", name, opts.MaxOCRPages))
	}
	o := document{part: name, how: "ocr"}
	for _, page := range scanned {
		if w.left < time.Second {
			w.find("pages-left-out", Warning, fmt.Sprintf("Waktu OCR untuk berkas %q habis; sebagian halaman tidak dibaca.", name))
			break
		}
		text, sure, err := w.scanPage(ctx, data, page)
		if err != nil {
			if len(o.lines) == 0 && len(scanned) == total {
				w.unreadBecause(name, err)
				return nil
			}
			w.find("file-degraded", Warning, fmt.Sprintf("Halaman %d berkas %q tidak terbaca.", page, name))
			continue
		}
		o.sure += sure
		for _, l := range newDocument(name, "ocr", text).lines {
			l.page = page
			o.lines = append(o.lines, l)
		}
	}
	return w.afterOCR(name, d, o)
}

func (w *work) afterOCR(name string, d, o document) []document {
	var out []document
	if letters(d.text()) > 0 {
		out = append(out, d)
	}
	if letters(o.text()) > 0 {
		w.find("ocr", Info, fmt.Sprintf("Berkas %q dibaca dengan OCR; periksa setiap angka dan nama pada surat aslinya.", name))
		if o.sure < 60 && len(out) == 0 {
			w.unread(name, "scan-unreadable", "pindaian hampir tidak memuat tulisan yang terbaca")
		}
		out = append(out, o)
	} else if len(out) == 0 {
		w.unread(name, "scan-unreadable", "tidak ada tulisan yang terbaca pada pindaian")
	}
	return out
}

// scanPage renders one page and reads it with tesseract.
func (w *work) scanPage(ctx context.Context, pdf []byte, page int) (text string, sure int, err error) {
	n := strconv.Itoa(page)
	img, err := w.run(ctx, child{path: w.reader.opts.PDFToPPM, args: []string{"-q", "-gray", "-scale-to", strconv.Itoa(ocrSide), "-f", n, "-l", n, "-singlefile", "-"}, input: pdf})
	if err != nil {
		return "", 0, err
	}
	clean, err := w.run(ctx, w.reader.self("image", img))
	if err != nil {
		return "", 0, err
	}
	rules, img := readRules(clean)
	return w.ocr(ctx, img, rules)
}

// Pages renders the first pages of a PDF as PNG images for a person to look at, in a child under limits.
func (r *Reader) Pages(ctx context.Context, pdf []byte, maxPages int) ([][]byte, error) {
	limit := r.opts.Limits
	limit.Output = 64 << 20
	out, err := child{path: r.opts.PDFToPPM, args: []string{"-q", "-png", "-scale-to", "1600", "-f", "1", "-l", strconv.Itoa(max(1, maxPages)), "-"},
		input: pdf, limit: limit}.run(ctx)
	pages := splitPNG(out)
	if err != nil && len(pages) == 0 {
		return nil, fmt.Errorf("rendering the pages: %w", err)
	}
	return pages, nil
}

// splitPNG cuts concatenated PNG files at their IEND chunks.
func splitPNG(b []byte) [][]byte {
	const signature = "\x89PNG\r\n\x1a\n"
	var out [][]byte
	for bytes.HasPrefix(b, []byte(signature)) {
		at, done := len(signature), false
		for at+12 <= len(b) {
			n := int(binary.BigEndian.Uint32(b[at:]))
			kind := string(b[at+4 : at+8])
			if n < 0 || at+12+n > len(b) {
				return out
			}
			at += 12 + n
			if kind == "IEND" {
				done = true
				break
			}
		}
		if !done {
			return out
		}
		out = append(out, b[:at])
		b = b[at:]
	}
	return out
}

// image reads a picture of a letter by OCR. Small pictures within a mail are logos.
func (w *work) image(ctx context.Context, data []byte, kind, name string, inline bool) []document {
	if inline && len(data) < 30<<10 {
		return nil
	}
	if w.reader.opts.NoOCR {
		if !inline {
			w.unread(name, "scan-unread", "gambar, dan OCR dimatikan")
		}
		return nil
	}
	img := data
	var rules []rule
	if kind == "image/jpeg" || kind == "image/png" || kind == "image/gif" {
		c := w.reader.self("image", data)
		c.limit.Output = 32 << 20
		out, err := w.run(ctx, c)
		if err != nil {
			w.unreadBecause(name, err)
			return nil
		}
		rules, img = readRules(out)
	}
	text, sure, err := w.ocr(ctx, img, rules)
	if err != nil && strings.TrimSpace(text) == "" {
		w.unreadBecause(name, err)
		return nil
	}
	o := newDocument(name, "ocr", text)
	o.sure = sure
	if inline && letters(text) < 60 {
		return nil
	}
	return w.afterOCR(name, document{}, o)
}

// office reads DOCX, ODT and XLSX in a child.
func (w *work) office(ctx context.Context, data []byte, kind, name string) []document {
	job := map[string]string{mimeDOCX: "docx", mimeODT: "odt", mimeXLSX: "xlsx"}[kind]
	out, err := w.run(ctx, w.reader.self(job, data))
	if i := bytes.IndexByte(out, 0); i >= 0 {
		out = out[:i]
		w.find("file-macro", Danger, fmt.Sprintf("Berkas %q memuat makro atau objek tertanam; jangan dibuka di luar sistem ini.", name))
	}
	if err != nil {
		var te *toolError
		if errors.As(err, &te) && strings.Contains(te.message, "entities") {
			w.find("file-entities", Danger, fmt.Sprintf("Berkas %q menyatakan entitas XML; berkas wajar tidak demikian, dan tidak dibaca.", name))
		}
		w.unreadBecause(name, err)
		return nil
	}
	d := newDocument(name, "text", string(out))
	if letters(d.text()) < 5 {
		w.unread(name, "file-without-text", "tidak memuat teks")
		return nil
	}
	return []document{d}
}

// zip reads the files within an archive, archives within it to a small depth.
func (w *work) zip(ctx context.Context, data []byte, name string, depth int) {
	if depth >= maxZipDepth {
		w.unread(name, "zip-too-deep", "arsip bersarang terlalu dalam")
		return
	}
	c := w.reader.self("zip", data)
	c.limit.Output = maxZipBytes + 1<<20
	out, err := w.run(ctx, c)
	files := readFrames(out)
	if err != nil && len(files) == 0 {
		w.unreadBecause(name, err)
		return
	}
	for _, f := range files {
		switch f.Problem {
		case "":
			w.file(File{Name: f.Name, Data: f.data}, depth+1, false)
		case "encrypted":
			w.unread(f.Name, "file-encrypted", "arsip dikunci dengan kata sandi")
		case "too-large":
			w.unread(f.Name, "file-limits", "isi arsip melewati batas ukuran")
		case "too-many":
			w.unread(name, "file-limits", "berkas dalam arsip terlalu banyak")
		default:
			w.unread(f.Name, "file-broken", "berkas dalam arsip rusak")
		}
	}
}
