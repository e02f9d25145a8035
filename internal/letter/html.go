package letter

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxHTMLTokens bounds the work on one HTML text.
const maxHTMLTokens = 400_000

// quoteMark begins a line that stood in a quoted mail.
const quoteMark = "> "

// htmlText makes text of HTML: a line a block, the cells of a table row separated by tabs, quoted mail marked as in plain text. It works on
// tokens, so nesting costs nothing; what is hidden from a reader's eyes is left out.
func htmlText(src string) string {
	b := &htmlBuilder{}
	z := html.NewTokenizer(strings.NewReader(src))
	z.SetMaxBuf(4 << 20)
	for range maxHTMLTokens {
		switch z.Next() {
		case html.ErrorToken:
			return b.finish()
		case html.TextToken:
			b.text(string(z.Text()))
		case html.StartTagToken:
			b.open(z.Token(), false)
		case html.SelfClosingTagToken:
			b.open(z.Token(), true)
		case html.EndTagToken:
			b.close(z.Token().DataAtom)
		}
	}
	return b.finish()
}

// htmlBuilder collects lines. Tables nest: each frame is a table whose current row gathers cells, and a cell gathers lines.
type htmlBuilder struct {
	lines  []string
	line   strings.Builder
	space  bool
	tables []*htmlTable
	quotes []bool // open blockquotes and quote divs: does this one mark a quotation
	divs   []bool
	skip   int // inside style, script, head
	hidden []atom.Atom
	pre    int
}

type htmlTable struct {
	row   [][]string // finished cells of the row, each a list of lines
	cell  bool
	saved []string
	wide  int         // columns of the cell
	high  int         // rows of the cell
	held  map[int]int // by column, the rows below that a cell above reaches into
}

func (b *htmlBuilder) text(s string) {
	if b.skip > 0 || len(b.hidden) > 0 {
		return
	}
	if b.pre > 0 {
		for i, l := range strings.Split(strings.ReplaceAll(s, "\r", ""), "\n") {
			if i > 0 {
				b.flush(true)
			}
			b.line.WriteString(l)
		}
		return
	}
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\f':
			b.space = true
		case '\u200b', '\ufeff', '\u00ad':
		default:
			if b.space && b.line.Len() > 0 {
				b.line.WriteByte(' ')
			}
			b.space = false
			if r == '\u00a0' {
				r = ' '
			}
			b.line.WriteRune(r)
		}
	}
}

// flush ends the current line; empty ones only where keep says so.
func (b *htmlBuilder) flush(keep bool) {
	s := strings.TrimRight(b.line.String(), " ")
	b.line.Reset()
	b.space = false
	if s == "" && !keep {
		return
	}
	for _, q := range b.quotes {
		if q {
			s = quoteMark + s
		}
	}
	b.lines = append(b.lines, s)
}

func (b *htmlBuilder) open(t html.Token, selfClosing bool) {
	if len(b.hidden) > 0 {
		if t.DataAtom == b.hidden[0] && !selfClosing && !voidElement(t.DataAtom) {
			b.hidden = append(b.hidden, t.DataAtom)
		}
		return
	}
	class, style, cite := "", "", false
	for _, a := range t.Attr {
		switch a.Key {
		case "class", "id":
			class += " " + strings.ToLower(a.Val)
		case "style":
			style = strings.ToLower(strings.ReplaceAll(a.Val, " ", ""))
		case "type":
			cite = strings.EqualFold(a.Val, "cite")
		}
	}
	if hiddenStyle(style) && !selfClosing && !voidElement(t.DataAtom) {
		b.hidden = append(b.hidden, t.DataAtom)
		return
	}
	switch t.DataAtom {
	case atom.Style, atom.Script, atom.Title, atom.Noscript, atom.Template:
		if !selfClosing {
			b.skip++
		}
	case atom.Br:
		b.flush(true)
	case atom.Pre:
		b.flush(false)
		b.pre++
	case atom.Blockquote:
		b.flush(false)
		b.quotes = append(b.quotes, cite || strings.Contains(class, "quote") || strings.Contains(class, "cite"))
	case atom.Div:
		b.flush(false)
		b.divs = append(b.divs, false)
		if strings.Contains(class, "divrplyfwdmsg") || strings.Contains(class, "appendonsend") {
			b.lines = append(b.lines, "________________________________")
		}
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.Ul, atom.Ol, atom.Hr, atom.Section, atom.Article, atom.Header, atom.Footer,
		atom.Form, atom.Fieldset, atom.Dl, atom.Dt, atom.Center:
		b.flush(false)
		if t.DataAtom == atom.P || t.DataAtom == atom.Hr {
			b.blank()
		}
	case atom.Li:
		b.flush(false)
	case atom.Dd:
		b.line.WriteByte('\t')
	case atom.Input:
		b.checkbox(t)
	case atom.Table:
		b.flush(false)
		b.tables = append(b.tables, &htmlTable{})
	case atom.Tr:
		b.endCell()
		b.endRow()
	case atom.Td, atom.Th:
		b.endCell()
		b.beginCell(t)
	}
}

func (b *htmlBuilder) close(a atom.Atom) {
	if n := len(b.hidden); n > 0 {
		if a == b.hidden[n-1] {
			b.hidden = b.hidden[:n-1]
		}
		return
	}
	switch a {
	case atom.Style, atom.Script, atom.Title, atom.Noscript, atom.Template:
		if b.skip > 0 {
			b.skip--
		}
	case atom.Pre:
		b.flush(false)
		if b.pre > 0 {
			b.pre--
		}
	case atom.Blockquote:
		b.flush(false)
		if n := len(b.quotes); n > 0 {
			b.quotes = b.quotes[:n-1]
		}
	case atom.Div, atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.Li, atom.Ul, atom.Ol, atom.Dd, atom.Dl, atom.Section, atom.Center:
		b.flush(false)
		if a == atom.P {
			b.blank()
		}
	case atom.Td, atom.Th:
		b.endCell()
	case atom.Tr:
		b.endCell()
		b.endRow()
	case atom.Table:
		b.endCell()
		b.endRow()
		if n := len(b.tables); n > 0 {
			b.tables = b.tables[:n-1]
		}
	}
}

// checkbox shows a form's box as its glyph.
func (b *htmlBuilder) checkbox(t html.Token) {
	kind, checked := "", false
	for _, a := range t.Attr {
		switch a.Key {
		case "type":
			kind = strings.ToLower(a.Val)
		case "checked":
			checked = true
		}
	}
	if kind != "checkbox" && kind != "radio" {
		return
	}
	if checked {
		b.text(" ☑ ")
	} else {
		b.text(" ☐ ")
	}
}

func (b *htmlBuilder) blank() {
	if n := len(b.lines); n > 0 && b.lines[n-1] != "" {
		b.lines = append(b.lines, "")
	}
}

func (b *htmlBuilder) table() *htmlTable {
	if n := len(b.tables); n > 0 {
		return b.tables[n-1]
	}
	return nil
}

// span is a cell's colspan or rowspan.
func span(t html.Token, key string) int {
	for _, a := range t.Attr {
		if a.Key == key {
			n, _ := strconv.Atoi(strings.TrimSpace(a.Val))
			return max(1, min(n, 30))
		}
	}
	return 1
}

func (b *htmlBuilder) beginCell(token html.Token) {
	t := b.table()
	if t == nil || len(b.tables) > 30 {
		b.flush(false)
		return
	}
	b.flush(false)
	t.saved, b.lines = b.lines, nil
	t.cell, t.wide, t.high = true, span(token, "colspan"), span(token, "rowspan")
	t.skipHeld()
}

// skipHeld leaves the columns empty that a cell of a row above reaches into.
func (t *htmlTable) skipHeld() {
	for n := t.held[len(t.row)]; n > 0; n = t.held[len(t.row)] {
		t.held[len(t.row)] = n - 1
		t.row = append(t.row, nil)
	}
}

func (b *htmlBuilder) endCell() {
	t := b.table()
	if t == nil || !t.cell {
		return
	}
	b.flush(false)
	for i := range t.wide {
		if t.high > 1 {
			if t.held == nil {
				t.held = map[int]int{}
			}
			t.held[len(t.row)] = t.high - 1
		}
		if i == 0 {
			t.row = append(t.row, trimBlank(b.lines))
		} else {
			t.row = append(t.row, nil)
		}
	}
	b.lines, t.saved, t.cell = t.saved, nil, false
}

func (b *htmlBuilder) endRow() {
	t := b.table()
	if t == nil || len(t.row) == 0 {
		return
	}
	b.flush(false)
	t.skipHeld()
	b.lines = append(b.lines, rowLines(t.row)...)
	t.row = nil
}

func (b *htmlBuilder) finish() string {
	for len(b.tables) > 0 {
		b.close(atom.Table)
	}
	b.flush(false)
	return strings.Join(b.lines, "\n")
}

// rowLines writes one table row as lines. A row of single-line cells is one line with tabs. A cell that holds several lines is a layout: if
// several cells have the same number of lines, labels and values stand side by side and are paired; if a cell holds label lines of its
// own, the cells are written one below the other; else its lines are one wrapped value.
func rowLines(row [][]string) []string {
	for len(row) > 0 && len(row[len(row)-1]) == 0 {
		row = row[:len(row)-1]
	}
	most, same, filled := 0, 0, 0
	for _, c := range row {
		if len(c) > 0 {
			filled++
		}
		if len(c) > most {
			most, same = len(c), 1
		} else if len(c) == most {
			same++
		}
	}
	if filled == 0 {
		return nil
	}
	if most > 1 && filled == 1 {
		for _, c := range row {
			if len(c) > 0 {
				return c
			}
		}
	}
	if most > 1 && same >= 2 && labelCount(row[firstWith(row, most)]) >= 2 {
		var out []string
		for i := range most {
			var cells []string
			for _, c := range row {
				switch {
				case len(c) == most:
					cells = append(cells, c[i])
				case len(c) == 1 && i == 0:
					cells = append(cells, c[0])
				}
			}
			out = append(out, strings.Join(cells, "\t"))
		}
		return out
	}
	for _, c := range row {
		if len(c) > 1 && (labelCount(c) >= 2 || len(c) > 6 || len(c) > 2 && filled <= 2) {
			var out []string
			for _, c := range row {
				if len(c) > 0 {
					out = append(out, c...)
					out = append(out, "")
				}
			}
			return out
		}
	}
	cells := make([]string, len(row))
	for i, c := range row {
		cells[i] = strings.Join(c, " ")
	}
	return []string{strings.Join(cells, "\t")}
}

func firstWith(row [][]string, n int) int {
	for i, c := range row {
		if len(c) == n {
			return i
		}
	}
	return 0
}

// labelCount is how many of the lines begin with a label that letters use.
func labelCount(lines []string) int {
	n := 0
	for _, l := range lines {
		_, _, ok := cutLabel(l)
		if !ok {
			_, ok = fieldOf(unmarked(l))
		}
		if ok {
			n++
		}
	}
	return n
}

func trimBlank(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func hiddenStyle(style string) bool {
	return strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") ||
		strings.Contains(style, "font-size:0") && !strings.Contains(style, "font-size:0.")
}

func voidElement(a atom.Atom) bool {
	switch a {
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Area, atom.Base, atom.Col, atom.Embed, atom.Source, atom.Wbr:
		return true
	}
	return false
}
