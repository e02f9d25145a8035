package mailflow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// noticeColumns is the width of the text part: RFC 5322 section 2.1.1 wants less than 78, and a reply adds "> ".
const noticeColumns = 76

// textNarrowest is the least width of a column.
const textNarrowest = 8

// text is the page as plain text.
func (p templatePage) text() string {
	var b strings.Builder
	for _, line := range textBlocks(p.body, noticeColumns) {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString("\n" + strings.Repeat("-", noticeColumns) + "\n")
	for _, line := range textBlocks(p.foot, noticeColumns) {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// textBlocks are the lines of the blocks below n, a blank line between two blocks.
func textBlocks(n *html.Node, width int) []string {
	var out []string
	add := func(lines []string) {
		if len(lines) == 0 {
			return
		}
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, lines...)
	}
	var loose strings.Builder // text and inline elements between blocks
	flush := func() {
		add(textWrap(loose.String(), width))
		loose.Reset()
	}
	for c := range n.ChildNodes() {
		if !textIsBlock(c) {
			textInline(&loose, c)
			continue
		}
		flush()
		add(textBlock(c, width))
	}
	flush()
	return out
}

func textIsBlock(n *html.Node) bool {
	return n.Type == html.ElementNode && slices.Contains([]string{"h1", "h2", "p", "ul", "ol", "blockquote", "div", "table"}, n.Data)
}

func textBlock(n *html.Node, width int) []string {
	class := nodeClass(n)
	switch {
	case class == "only-html":
		return nil
	case class == "only-text":
		return textBlocks(n, width)
	case n.Data == "h1":
		return textHeading(n, "=", width)
	case n.Data == "h2":
		return textHeading(n, "-", width)
	case n.Data == "p" && class == "button":
		return textButtons(n)
	case n.Data == "ul" || n.Data == "ol":
		return textList(n, width)
	case n.Data == "blockquote":
		return textIndent(textBlocks(n, width-4), "    ", "    ")
	case n.Data == "div":
		return textIndent(textBlocks(n, width-2), "| ", "| ")
	case n.Data == "table" && class == "facts":
		return textFacts(n, width)
	case n.Data == "table" && class == "tiles":
		return textTiles(n)
	case n.Data == "table":
		return textGrid(n, class == "rows", width)
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		textInline(&b, c)
	}
	return textWrap(b.String(), width)
}

func textHeading(n *html.Node, line string, width int) []string {
	lines := textWrap(nodeText(n), width)
	longest := 0
	for _, l := range lines {
		longest = max(longest, utf8.RuneCountInString(l))
	}
	return append(lines, strings.Repeat(line, longest))
}

// textButtons gives each address a line of its own, unbroken, so that programs make it a link.
func textButtons(n *html.Node) []string {
	var out []string
	for c := range n.ChildNodes() {
		if c.Data == "a" {
			out = append(out, nodeText(c)+":", "  "+nodeAttr(c, "href"))
		}
	}
	return out
}

func textList(n *html.Node, width int) []string {
	var out []string
	i := 0
	for c := range n.ChildNodes() {
		if c.Data != "li" {
			continue
		}
		i++
		mark := "- "
		if n.Data == "ol" {
			mark = fmt.Sprintf("%d. ", i)
		}
		out = append(out, textIndent(textBlocks(c, width-len(mark)), mark, strings.Repeat(" ", len(mark)))...)
	}
	return out
}

func textIndent(lines []string, first, rest string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		if i == 0 {
			out[i] = first + l
		} else {
			out[i] = rest + l
		}
	}
	return out
}

// textInline writes running text; a link's address follows it in angle brackets (RFC 3986 appendix C).
func textInline(b *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		text := strings.Join(strings.Fields(n.Data), " ")
		if startsBlank(n.Data) {
			b.WriteByte(' ')
		}
		b.WriteString(text)
		if text != "" && endsBlank(n.Data) {
			b.WriteByte(' ')
		}
	case nodeClass(n) == "only-html":
	case n.Data == "br":
		b.WriteByte('\n')
	case n.Data == "a":
		label, href := nodeText(n), nodeAttr(n, "href")
		b.WriteString(label)
		if !strings.HasPrefix(href, "mailto:") && label != href {
			b.WriteString(" <" + href + ">")
		}
	default:
		for c := range n.ChildNodes() {
			textInline(b, c)
		}
	}
}

func startsBlank(s string) bool { return s != "" && strings.ContainsAny(s[:1], " \n\t\r") }
func endsBlank(s string) bool   { return s != "" && strings.ContainsAny(s[len(s)-1:], " \n\t\r") }

// textWrap breaks at blanks; a word longer than the width is cut, unless it is an address.
func textWrap(s string, width int) []string {
	width = max(width, textNarrowest)
	var out []string
	for _, paragraph := range strings.Split(s, "\n") {
		line, length := "", 0
		for _, word := range strings.Fields(paragraph) {
			for _, piece := range textPieces(word, width) {
				n := utf8.RuneCountInString(piece)
				switch {
				case length == 0:
					line, length = piece, n
				case length+1+n <= width:
					line, length = line+" "+piece, length+1+n
				default:
					out = append(out, line)
					line, length = piece, n
				}
			}
		}
		if length > 0 {
			out = append(out, line)
		}
	}
	return out
}

func textPieces(word string, width int) []string {
	r := []rune(word)
	if len(r) <= width || strings.Contains(word, "://") {
		return []string{word}
	}
	var out []string
	for len(r) > width {
		out, r = append(out, string(r[:width])), r[width:]
	}
	return append(out, string(r))
}

// textCell is a cell's text, one line for each <br>; the addresses of its links are left to textGrid.
func textCell(n *html.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		if c.Data == "a" {
			b.WriteString(nodeText(c))
			continue
		}
		textInline(&b, c)
	}
	return strings.TrimSpace(b.String())
}

// textRows are the cells of a table, row by row.
func textRows(table *html.Node) [][]*html.Node {
	var rows [][]*html.Node
	for n := range table.Descendants() {
		switch n.Data {
		case "tr":
			rows = append(rows, nil)
		case "td", "th":
			rows[len(rows)-1] = append(rows[len(rows)-1], n)
		}
	}
	return slices.DeleteFunc(rows, func(r []*html.Node) bool { return len(r) == 0 })
}

// textFacts is "Label : value", values aligned and wrapped.
func textFacts(table *html.Node, width int) []string {
	rows := textRows(table)
	labels := 0
	for _, r := range rows {
		labels = max(labels, min(24, utf8.RuneCountInString(textCell(r[0]))))
	}
	var out []string
	for _, r := range rows {
		label := textPad(textCell(r[0]), labels) + " : "
		value := textWrap(textCell(r[len(r)-1]), width-labels-3)
		out = append(out, textIndent(value, label, strings.Repeat(" ", labels+3))...)
	}
	return out
}

// textTiles is a figure and its label a line.
func textTiles(table *html.Node) []string {
	var out []string
	widest := 0
	var cells [][2]string
	for _, r := range textRows(table) {
		for _, c := range r {
			figure, label, _ := strings.Cut(textCell(c), "\n")
			widest = max(widest, utf8.RuneCountInString(label))
			cells = append(cells, [2]string{strings.TrimSpace(figure), strings.TrimSpace(label)})
		}
	}
	for _, c := range cells {
		out = append(out, textPad(c[1], widest)+" : "+c[0])
	}
	return out
}

// textGrid aligns columns two blanks apart; the widest columns give way until the table fits. Spaced rows have a blank line between them
// and the addresses of their links below, each on a line of its own.
func textGrid(table *html.Node, spaced bool, width int) []string {
	rows := textRows(table)
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			for _, l := range strings.Split(textCell(c), "\n") {
				widths[i] = max(widths[i], utf8.RuneCountInString(strings.TrimSpace(l)))
			}
		}
	}
	total := func() int {
		sum := 2 * (len(widths) - 1)
		for _, w := range widths {
			sum += w
		}
		return sum
	}
	for total() > width && slices.Max(widths) > textNarrowest {
		widths[slices.Index(widths, slices.Max(widths))]--
	}
	var out []string
	for i, r := range rows {
		if spaced && i > 1 {
			out = append(out, "")
		}
		out = append(out, textRow(r, widths)...)
		for _, c := range r {
			for a := range c.Descendants() {
				if a.Data == "a" {
					out = append(out, nodeAttr(a, "href"))
				}
			}
		}
		if i == 0 && r[0].Data == "th" {
			out = append(out, strings.Repeat("-", total()))
		}
	}
	return out
}

func textRow(cells []*html.Node, widths []int) []string {
	columns := make([][]string, len(cells))
	height := 0
	for i, c := range cells {
		columns[i] = textWrap(textCell(c), widths[i])
		height = max(height, len(columns[i]))
	}
	out := make([]string, height)
	for i, column := range columns {
		for l := range out {
			cell := ""
			if l < len(column) {
				cell = column[l]
			}
			if i > 0 {
				out[l] += "  "
			}
			if nodeClass(cells[i]) == "num" {
				out[l] += strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))) + cell
			} else {
				out[l] += textPad(cell, widths[i])
			}
		}
	}
	return out
}

func textPad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
