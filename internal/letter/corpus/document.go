package corpus

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// Doc is a letter before it is rendered.
type Doc struct{ blocks []block }

type block struct {
	kind  string // center, para, pair, table, sign, columns, blank, page, pre
	label string
	text  string
	rows  [][]string
	width []float64
	left  []string
	right []string
	depth int
}

func (d *Doc) add(b block) *Doc { d.blocks = append(d.blocks, b); return d }

// Center is a line of a letterhead or a title.
func (d *Doc) Center(lines ...string) *Doc {
	for _, l := range lines {
		d.add(block{kind: "center", text: l})
	}
	return d
}

// Para is running text.
func (d *Doc) Para(text string) *Doc { return d.add(block{kind: "para", text: text}) }

// Pair is "label : value".
func (d *Doc) Pair(label, value string) *Doc {
	return d.add(block{kind: "pair", label: label, text: value})
}

// Pairs are several of them.
func (d *Doc) Pairs(lv ...string) *Doc {
	for i := 0; i+1 < len(lv); i += 2 {
		if lv[i+1] != "" {
			d.add(block{kind: "pair", label: lv[i], text: lv[i+1], depth: 1})
		}
	}
	return d
}

// Table has its heading as the first row; widths are millimetres.
func (d *Doc) Table(width []float64, rows ...[]string) *Doc {
	return d.add(block{kind: "table", rows: rows, width: width})
}

// Middle centres the cells of the last table vertically and horizontally, as word processors do.
func (d *Doc) Middle() *Doc { d.blocks[len(d.blocks)-1].depth = 1; return d }

// Columns are two blocks of lines side by side.
func (d *Doc) Columns(left, right []string) *Doc {
	return d.add(block{kind: "columns", left: left, right: right})
}

// Sign is a signature block at the right.
func (d *Doc) Sign(lines ...string) *Doc { return d.add(block{kind: "sign", right: lines}) }

// Lines are written as they are.
func (d *Doc) Lines(lines ...string) *Doc { return d.add(block{kind: "pre", left: lines}) }

// Blank is an empty line.
func (d *Doc) Blank() *Doc { return d.add(block{kind: "blank"}) }

// Page begins a new page.
func (d *Doc) Page() *Doc { return d.add(block{kind: "page"}) }

// Text renders plain mail text, wrapped at 76 columns.
func (d *Doc) Text() string {
	var b strings.Builder
	for i, x := range d.blocks {
		switch x.kind {
		case "center":
			fmt.Fprintf(&b, "%s\n", x.text)
		case "para":
			for _, l := range wrap(x.text, 76) {
				b.WriteString(l + "\n")
			}
			b.WriteString("\n")
		case "pair":
			w := 10
			if x.depth > 0 {
				w = 20
			}
			fmt.Fprintf(&b, "%-*s : %s\n", w, x.label, x.text)
			if i+1 < len(d.blocks) && d.blocks[i+1].kind != "pair" {
				b.WriteString("\n")
			}
		case "table":
			for _, r := range x.rows {
				b.WriteString(strings.ReplaceAll(strings.Join(r, "\t"), "\n", " ") + "\n")
			}
			b.WriteString("\n")
		case "columns":
			left := wrapAll(x.left, 62)
			for k := range max(len(left), len(x.right)) {
				fmt.Fprintf(&b, "%-66s%s\n", at(left, k), at(x.right, k))
			}
			b.WriteString("\n")
		case "sign":
			for _, l := range x.right {
				b.WriteString(l + "\n")
			}
			b.WriteString("\n")
		case "pre":
			b.WriteString(strings.Join(x.left, "\n") + "\n")
		case "blank", "page":
			b.WriteString("\n")
		}
	}
	return b.String()
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// wrapAll wraps each line; what continues a "label : value" stands below the value.
func wrapAll(lines []string, n int) []string {
	var out []string
	for _, l := range lines {
		indent := ""
		if i := strings.Index(l, ": "); i > 0 && i < 14 {
			indent = strings.Repeat(" ", i+2)
		}
		if len(l) <= n {
			out = append(out, l)
			continue
		}
		head := ""
		if indent != "" {
			head, l = l[:len(indent)], l[len(indent):]
		}
		for k, part := range wrap(l, n-len(indent)) {
			if k == 0 {
				out = append(out, head+part)
			} else {
				out = append(out, indent+part)
			}
		}
	}
	return out
}

func wrap(s string, n int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(s) {
		if line != "" && len(line)+1+len(w) > n {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(out, line)
}

// HTML renders the body of an HTML mail, as Outlook writes it.
func (d *Doc) HTML() string {
	var b strings.Builder
	e := html.EscapeString
	b.WriteString("<html><head><style>p{margin:0}</style></head><body>\n")
	open := false
	end := func() {
		if open {
			b.WriteString("</table>\n")
			open = false
		}
	}
	for _, x := range d.blocks {
		if x.kind != "pair" {
			end()
		}
		switch x.kind {
		case "center":
			fmt.Fprintf(&b, "<p align=center><b>%s</b></p>\n", e(x.text))
		case "para":
			fmt.Fprintf(&b, "<p>%s</p><p>&nbsp;</p>\n", e(x.text))
		case "pair":
			if !open {
				b.WriteString("<table border=0>")
				open = true
			}
			fmt.Fprintf(&b, "<tr><td>%s</td><td>:</td><td>%s</td></tr>\n", e(x.label), e(x.text))
		case "table":
			b.WriteString("<table border=1>")
			for _, r := range x.rows {
				b.WriteString("<tr>")
				for _, c := range r {
					fmt.Fprintf(&b, "<td><p>%s</p></td>", strings.ReplaceAll(e(c), "\n", "<br>"))
				}
				b.WriteString("</tr>\n")
			}
			b.WriteString("</table>\n")
		case "columns":
			fmt.Fprintf(&b, "<table><tr><td>%s</td><td>%s</td></tr></table>\n", brs(x.left), brs(x.right))
		case "sign":
			fmt.Fprintf(&b, "<div style=\"margin-left:300px\">%s</div>\n", brs(x.right))
		case "pre":
			fmt.Fprintf(&b, "<div>%s</div>\n", brs(x.left))
		case "blank":
			b.WriteString("<p>&nbsp;</p>\n")
		}
	}
	end()
	b.WriteString("</body></html>\n")
	return b.String()
}

func brs(lines []string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = html.EscapeString(l)
	}
	return strings.Join(out, "<br>\n")
}

// PDF renders pages of A4 with text.
func (d *Doc) PDF() []byte { return d.render(fpdf.New("P", "mm", "A4", "")) }

// EncryptedPDF is PDF, locked with a password.
func (d *Doc) EncryptedPDF(password string) []byte {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetProtection(0, password, password+"-pemilik")
	return d.render(p)
}

func (d *Doc) render(p *fpdf.Fpdf) []byte {
	p.SetMargins(22, 18, 18)
	p.SetAutoPageBreak(true, 20)
	p.SetCatalogSort(true)
	p.AddPage()
	tr := p.UnicodeTranslatorFromDescriptor("")
	p.SetFont("Times", "", 12)
	const h = 5.6
	for _, x := range d.blocks {
		switch x.kind {
		case "center":
			p.SetFont("Times", "B", 13)
			p.MultiCell(0, h+0.6, tr(x.text), "", "C", false)
			p.SetFont("Times", "", 12)
		case "para":
			p.MultiCell(0, h, tr(x.text), "", "J", false)
			p.Ln(2)
		case "pair":
			lw := 24.0
			if x.depth > 0 {
				p.SetX(p.GetX() + 8)
				lw = 46
			}
			if p.GetY() > 262 {
				p.AddPage()
				if x.depth > 0 {
					p.SetX(30)
				}
			}
			p.CellFormat(lw, h, tr(x.label), "", 0, "L", false, 0, "")
			p.CellFormat(4, h, ":", "", 0, "L", false, 0, "")
			p.MultiCell(92, h, tr(x.text), "", "L", false)
		case "table":
			pdfTable(p, tr, x)
			p.Ln(3)
		case "columns":
			y := p.GetY()
			left := wrapAll(x.left, 48)
			for k := range max(len(left), len(x.right)) {
				p.SetXY(22, y+float64(k)*h)
				p.CellFormat(90, h, tr(at(left, k)), "", 0, "L", false, 0, "")
				p.CellFormat(80, h, tr(at(x.right, k)), "", 0, "L", false, 0, "")
			}
			p.Ln(h + 2)
		case "sign":
			if p.GetY()+float64(len(x.right))*h > 275 {
				p.AddPage()
			}
			for _, l := range wrapAll(x.right, 38) {
				p.SetX(112)
				p.CellFormat(80, h, tr(l), "", 1, "L", false, 0, "")
			}
			p.Ln(3)
		case "pre":
			for _, l := range x.left {
				p.CellFormat(0, h, tr(l), "", 1, "L", false, 0, "")
			}
		case "blank":
			p.Ln(h)
		case "page":
			p.AddPage()
		}
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pdfTable(p *fpdf.Fpdf, tr func(string) string, x block) {
	const h = 4.8
	p.SetFont("Times", "", 9.5)
	defer p.SetFont("Times", "", 12)
	for _, r := range x.rows {
		lines, most := make([][]string, len(r)), 1
		for i, c := range r {
			lines[i] = p.SplitText(tr(c), x.width[i]-2)
			most = max(most, len(lines[i]))
		}
		if p.GetY()+float64(most)*h > 275 {
			p.AddPage()
		}
		left, y := p.GetX(), p.GetY()
		at := left
		for i, c := range r {
			p.Rect(at, y, x.width[i], float64(most)*h, "D")
			align, down := "L", 0.0
			if x.depth == 1 {
				down = float64(most-len(lines[i])) * h / 2
				if len(c) < 4 {
					align = "C"
				}
			}
			for k, l := range lines[i] {
				p.SetXY(at, y+down+float64(k)*h)
				p.CellFormat(x.width[i], h, l, "", 0, align, false, 0, "")
			}
			at += x.width[i]
		}
		p.SetXY(left, y+float64(most)*h)
	}
}

// DOCX renders a WordprocessingML document, pairs with tabs as clerks type them.
func (d *Doc) DOCX() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`)
	for _, x := range d.blocks {
		switch x.kind {
		case "center", "para":
			b.WriteString(paragraphXML(x.text))
		case "pair":
			b.WriteString("<w:p>" + runXML(x.label) + "<w:r><w:tab/></w:r>" + runXML(": "+x.text) + "</w:p>")
		case "table":
			b.WriteString("<w:tbl>")
			for _, r := range x.rows {
				b.WriteString("<w:tr>")
				for _, c := range r {
					b.WriteString("<w:tc>")
					for _, l := range strings.Split(c, "\n") {
						b.WriteString(paragraphXML(l))
					}
					b.WriteString("</w:tc>")
				}
				b.WriteString("</w:tr>")
			}
			b.WriteString("</w:tbl>")
		case "columns":
			b.WriteString("<w:tbl><w:tr>")
			for _, side := range [][]string{x.left, x.right} {
				b.WriteString("<w:tc>")
				for _, l := range side {
					b.WriteString(paragraphXML(l))
				}
				b.WriteString("</w:tc>")
			}
			b.WriteString("</w:tr></w:tbl>")
		case "sign", "pre":
			for _, l := range append(append([]string{}, x.left...), x.right...) {
				b.WriteString(paragraphXML(l))
			}
		case "blank", "page":
			b.WriteString("<w:p/>")
		}
	}
	b.WriteString("</w:body></w:document>")
	return Zip(File{"[Content_Types].xml", []byte(`<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`)},
		File{"word/document.xml", []byte(b.String())})
}

func paragraphXML(s string) string { return "<w:p>" + runXML(s) + "</w:p>" }

func runXML(s string) string {
	var b strings.Builder
	b.WriteString(`<w:r><w:t xml:space="preserve">`)
	_ = xml.EscapeText(&b, []byte(s))
	b.WriteString("</w:t></w:r>")
	return b.String()
}

// File is a named file.
type File struct {
	Name string
	Data []byte
}

// Zip packs files.
func Zip(files ...File) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err != nil {
			panic(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
