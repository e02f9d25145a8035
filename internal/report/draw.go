package report

import (
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// rgb is a colour. Red is for a broken promise and nothing else (desk.md, "Look").
type rgb struct{ r, g, b int }

var (
	ink    = rgb{0x1d, 0x23, 0x2b}
	quiet  = rgb{0x5c, 0x66, 0x73}
	faint  = rgb{0xd9, 0xde, 0xe5}
	paper  = rgb{0xf4, 0xf6, 0xf9}
	accent = rgb{0x1f, 0x4e, 0x8c}
	pale   = rgb{0xa9, 0xc1, 0xde}
	broken = rgb{0xb3, 0x26, 0x1e}
	white  = rgb{0xff, 0xff, 0xff}
)

// The page: A4, millimetres.
const (
	left, right = 18.0, 192.0
	top, bottom = 18.0, 278.0
	width       = right - left
)

// sheet draws on pages from top to bottom. Text is cut or broken to its column, never printed over another.
type sheet struct {
	pdf *fpdf.Fpdf
	tr  func(string) string
	y   float64
}

func (s *sheet) fill(c rgb)  { s.pdf.SetFillColor(c.r, c.g, c.b) }
func (s *sheet) color(c rgb) { s.pdf.SetTextColor(c.r, c.g, c.b) }
func (s *sheet) font(style string, size float64, c rgb) {
	s.pdf.SetFont("Helvetica", style, size)
	s.color(c)
}

// box fills a rectangle.
func (s *sheet) box(x, y, w, h float64, c rgb) {
	s.fill(c)
	s.pdf.Rect(x, y, w, h, "F")
}

func (s *sheet) line(x1, y, x2 float64, c rgb) {
	s.pdf.SetDrawColor(c.r, c.g, c.b)
	s.pdf.SetLineWidth(0.2)
	s.pdf.Line(x1, y, x2, y)
}

// put writes one line into a width, cut with an ellipsis where it doesn't fit. align is L, R or C.
func (s *sheet) put(x, y, w, h float64, text, align string) {
	s.pdf.SetXY(x, y)
	s.pdf.CellFormat(w, h, s.tr(s.cut(text, w)), "", 0, align+"M", false, 0, "")
}

func (s *sheet) cut(text string, w float64) string {
	text = strings.Join(strings.Fields(text), " ")
	if s.pdf.GetStringWidth(s.tr(text)) <= w-2 {
		return text
	}
	runes := []rune(text)
	for len(runes) > 1 && s.pdf.GetStringWidth(s.tr(string(runes)+"…")) > w-2 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// breaks splits text into at most most lines of a width; the last is cut.
func (s *sheet) breaks(text string, w float64, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		next := strings.TrimSpace(line + " " + word)
		if s.pdf.GetStringWidth(s.tr(next)) <= w-2 || line == "" {
			line = next
			continue
		}
		lines, line = append(lines, line), word
	}
	if line != "" {
		lines = append(lines, line)
	}
	if len(lines) > most {
		lines = append(lines[:most-1], strings.Join(lines[most-1:], " "))
	}
	for i, l := range lines {
		lines[i] = s.cut(l, w)
	}
	return lines
}

// room begins a new page unless h millimetres are left.
func (s *sheet) room(h float64) {
	if s.y+h > bottom {
		s.pdf.AddPage()
		s.y = top
	}
}

func (s *sheet) heading(text string, needs float64) {
	s.room(needs + 12)
	if s.y > top {
		s.y += 5
	}
	s.font("B", 12.5, ink)
	s.put(left-1, s.y, width, 6, text, "L")
	s.y += 8
}

// say writes a paragraph.
func (s *sheet) say(text string, c rgb) {
	s.font("", 9.5, c)
	for _, l := range s.breaks(text, width, 6) {
		s.room(4.6)
		s.put(left-1, s.y, width, 4.6, l, "L")
		s.y += 4.6
	}
	s.y += 1.2
}

// column of a table. Its cells are broken into lines; numbers stand right.
type column struct {
	title string
	w     float64
	right bool
}

// cell of a table: text, or a bar whose parts add up to one.
type cell struct {
	text string
	late bool
	bold bool
	bar  []part
}

type part struct {
	share float64
	c     rgb
}

func text(s string) cell { return cell{text: s} }

const rowLine = 4.3

// table draws rows below a head that is repeated on each page; zebra lines keep the eye.
func (s *sheet) table(columns []column, rows [][]cell) {
	s.tableHead(columns)
	for _, row := range rows {
		s.font("", 8.8, ink)
		var lines [][]string
		most := 1
		for i, c := range row {
			l := s.breaks(c.text, columns[i].w, 3)
			lines, most = append(lines, l), max(most, len(l))
		}
		h := float64(most)*rowLine + 2
		if s.y+h > bottom {
			s.room(h)
			s.tableHead(columns)
		}
		x := left
		for i, c := range row {
			s.cell(x, columns[i], c, lines[i])
			x += columns[i].w
		}
		s.y += h
		s.line(left, s.y, right, faint)
	}
	s.y += 2
}

func (s *sheet) tableHead(columns []column) {
	s.font("B", 8, quiet)
	x := left
	for _, c := range columns {
		s.put(x, s.y, c.w, 5, c.title, align(c.right))
		x += c.w
	}
	s.y += 5.6
	s.line(left, s.y, right, quiet)
}

func (s *sheet) cell(x float64, col column, c cell, lines []string) {
	if c.bar != nil {
		s.bar(x+2, s.y+1.5, col.w-4, 3.2, c.bar)
		return
	}
	style, colour := "", ink
	if c.bold {
		style = "B"
	}
	if c.late {
		style, colour = "B", broken
	}
	s.font(style, 8.8, colour)
	for i, l := range lines {
		s.put(x, s.y+1+float64(i)*rowLine, col.w, rowLine, l, align(col.right))
	}
}

func align(right bool) string {
	if right {
		return "R"
	}
	return "L"
}

// bar draws parts side by side on a track.
func (s *sheet) bar(x, y, w, h float64, parts []part) {
	s.box(x, y, w, h, paper)
	for _, p := range parts {
		if p.share > 0 {
			s.box(x, y, w*p.share, h, p.c)
		}
		x += w * p.share
	}
}

// tile is a big number with its words.
func (s *sheet) tile(x, w float64, number, label, note string, late bool) {
	s.box(x, s.y, w, 25, paper)
	c := ink
	if late {
		c = broken
	}
	s.font("B", 20, c)
	s.put(x+2, s.y+3, w-4, 9, number, "L")
	s.font("", 9, ink)
	s.put(x+2, s.y+12.5, w-4, 4.5, label, "L")
	s.font("", 7.4, quiet)
	s.put(x+2, s.y+18, w-4, 4, note, "L")
}

// columns draws a chart of standing bars with a value above and words below each; two parts, the second in red.
func (s *sheet) columns(x, w, h float64, bars []standing) {
	highest := 1
	for _, b := range bars {
		highest = max(highest, b.kept+b.late)
	}
	base := s.y + h
	step := w / float64(max(len(bars), 1))
	thick := min(step*0.62, 13)
	for i, b := range bars {
		at := x + float64(i)*step + (step-thick)/2
		kept, late := h*0.86*float64(b.kept)/float64(highest), h*0.86*float64(b.late)/float64(highest)
		s.box(at, base-kept, thick, kept, b.color())
		s.box(at, base-kept-late, thick, late, broken)
		if n := b.kept + b.late; n > 0 && b.value {
			s.font("B", 7.6, ink)
			s.put(at-6, base-kept-late-4, thick+12, 4, itoa(n), "C")
		}
		s.font("", 7, quiet)
		if b.label != "" {
			s.put(x+float64(i)*step-4, base+0.8, step+8, 3.6, b.label, "C")
		}
	}
	s.line(x, base, x+w, quiet)
	s.y = base + 6
}

// standing is one bar of a chart.
type standing struct {
	label      string
	kept, late int
	value      bool // written above
	pale       bool
}

func (b standing) color() rgb {
	if b.pale {
		return pale
	}
	return accent
}

// legend explains colours in words.
func (s *sheet) legend(x float64, entries ...legendEntry) {
	for _, e := range entries {
		s.box(x, s.y+0.7, 2.8, 2.8, e.c)
		s.font("", 7.6, quiet)
		w := s.pdf.GetStringWidth(s.tr(e.text)) + 4
		s.put(x+3.2, s.y, w+2, 4.2, e.text, "L")
		x += w + 6
	}
	s.y += 5.5
}

type legendEntry struct {
	c    rgb
	text string
}
