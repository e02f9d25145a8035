package mailflow

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mailStyle is mail.css read: declarations by selector. Mail programs drop style sheets, so each declaration goes into its element.
// Selectors are "tag", "tag.class", and either behind "table.class " or "box " for what stands in such a table or in a box.
type mailStyle map[string][]string

func templateStyle(override fs.FS) (mailStyle, error) {
	source, err := templateSource("mail.css", override)
	if err != nil {
		return nil, fmt.Errorf("reading mail.css: %w", err)
	}
	style := mailStyle{}
	for i, line := range strings.Split(source, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "/*") {
			continue
		}
		selector, rest, ok := strings.Cut(line, "{")
		declarations, end, closed := strings.Cut(rest, "}")
		if !ok || !closed || strings.TrimSpace(end) != "" || strings.Contains(declarations, "url(") {
			return nil, fmt.Errorf("reading mail.css: line %d: expected one rule `selector { property: value }` without url()", i+1)
		}
		for _, d := range strings.Split(declarations, ";") {
			if d = strings.TrimSpace(d); d != "" {
				key := strings.TrimSpace(selector)
				style[key] = append(style[key], d)
			}
		}
	}
	return style, nil
}

// of gives the declarations of an element in its surroundings ("table.facts", "div.note" or ""), later ones replacing earlier ones of the same
// property.
func (s mailStyle) of(tag, class, around string) string {
	outer, _, _ := strings.Cut(around, ".")
	keys := []string{tag, tag + "." + class, outer + " " + tag, around + " " + tag, around + " " + tag + "." + class}
	var order []string
	value := map[string]string{}
	for _, k := range keys {
		for _, d := range s[k] {
			property, v, _ := strings.Cut(d, ":")
			if _, seen := value[property]; !seen {
				order = append(order, property)
			}
			value[property] = strings.TrimSpace(v)
		}
	}
	var b strings.Builder
	for _, p := range order {
		b.WriteString(p + ":" + value[p] + ";")
	}
	return b.String()
}

// write renders what is below root, dressed.
func (s mailStyle) write(w io.Writer, root *html.Node) error {
	for _, d := range s.dressAll(root, "") {
		if err := html.Render(w, d); err != nil {
			return err
		}
	}
	return nil
}

func (s mailStyle) dressAll(n *html.Node, around string) []*html.Node {
	var out []*html.Node
	for c := range n.ChildNodes() {
		if c.Data == "h2" { // brings room of its own
			out = mailNoGap(out)
		}
		out = append(out, s.dress(c, around)...)
	}
	return out
}

// mailNoGap drops a gap at the end.
func mailNoGap(nodes []*html.Node) []*html.Node {
	i := len(nodes) - 1
	for i >= 0 && nodes[i].Type == html.TextNode && strings.TrimSpace(nodes[i].Data) == "" {
		i--
	}
	if i >= 0 && nodes[i].Data == "div" {
		return nodes[:i]
	}
	return nodes
}

// dress copies a node with its styles. Word, which draws mails in Outlook, knows neither the margin of a table nor the padding of a div or
// link: so boxes, quotations and buttons become cells, and a gap follows each table.
func (s mailStyle) dress(n *html.Node, around string) []*html.Node {
	if n.Type == html.TextNode {
		return []*html.Node{{Type: html.TextNode, Data: n.Data}}
	}
	class := nodeClass(n)
	switch {
	case class == "only-text":
		return nil
	case class == "only-html":
		return s.dressAll(n, around)
	case n.Data == "p" && class == "button":
		return []*html.Node{s.buttons(n), s.gap()}
	case n.Data == "div":
		return []*html.Node{s.box(n, class), s.gap()}
	case n.Data == "blockquote":
		return []*html.Node{s.box(n, "quote"), s.gap()}
	}
	out := mailElement(n.DataAtom)
	s.attributes(out, n, around)
	if n.Data == "table" {
		around = "table." + class
	}
	for _, c := range s.dressAll(n, around) {
		out.AppendChild(c)
	}
	if n.Data == "table" && class != "bar" {
		return []*html.Node{out, s.gap()}
	}
	return []*html.Node{out}
}

// attributes sets what Outlook reads instead of CSS, the classes that the dark style sheet needs, and the style.
func (s mailStyle) attributes(out, n *html.Node, around string) {
	set := func(key, value string) { out.Attr = append(out.Attr, html.Attribute{Key: key, Val: value}) }
	class := nodeClass(n)
	style := s.of(n.Data, class, around)
	for _, a := range n.Attr {
		switch a.Key {
		case "data-height":
			set("height", a.Val)
			style += "height:" + a.Val + "px;"
		default:
			set(a.Key, a.Val)
		}
	}
	switch {
	case n.Data == "table":
		if !slices.Contains([]string{"facts", "grid", "rows"}, class) {
			set("role", "presentation")
		}
		set("cellpadding", "0")
		set("cellspacing", "0")
		set("border", "0")
		if class != "bar" {
			set("width", "100%")
		}
	case n.Data == "th" && around == "table.facts":
		set("scope", "row")
		set("align", "left")
	case n.Data == "th":
		set("scope", "col")
		set("align", map[bool]string{true: "right", false: "left"}[class == "num"])
	case n.Data == "td" && class == "num":
		set("align", "right")
	}
	if style != "" {
		set("style", style)
	}
}

// gap is the room below a table.
func (s mailStyle) gap() *html.Node {
	gap := mailElement(atom.Div, "style", s.of("div", "gap", ""))
	gap.AppendChild(&html.Node{Type: html.TextNode, Data: "\u00a0"})
	return gap
}

// box is a div or blockquote as the one cell of a table.
func (s mailStyle) box(n *html.Node, class string) *html.Node {
	table := mailElement(atom.Table, "role", "presentation", "width", "100%", "cellpadding", "0", "cellspacing", "0", "border", "0",
		"style", s.of("table", "box", ""))
	row := mailElement(atom.Tr)
	cell := mailElement(atom.Td, "class", class, "style", s.of("td", class, ""))
	table.AppendChild(row)
	row.AppendChild(cell)
	blocks := slices.DeleteFunc(s.dressAll(n, "box."+class), func(c *html.Node) bool {
		return c.Type == html.TextNode && strings.TrimSpace(c.Data) == ""
	})
	for i, c := range blocks {
		if i == len(blocks)-1 {
			mailNoMargin(c)
		}
		cell.AppendChild(c)
	}
	return table
}

// mailNoMargin takes the margin from a box's last block.
func mailNoMargin(n *html.Node) {
	for i, a := range n.Attr {
		if a.Key == "style" {
			n.Attr[i].Val = strings.Replace(a.Val, "margin:0 0 8px", "margin:0", 1)
		}
	}
}

// buttons are links side by side, the first one filled.
func (s mailStyle) buttons(p *html.Node) *html.Node {
	table := mailElement(atom.Table, "role", "presentation", "cellpadding", "0", "cellspacing", "0", "border", "0", "class", "buttons",
		"style", s.of("table", "buttons", ""))
	row := mailElement(atom.Tr)
	table.AppendChild(row)
	for link := range p.ChildNodes() {
		if link.Data != "a" {
			continue
		}
		kind := "button"
		if row.FirstChild != nil {
			kind = "second"
			row.AppendChild(mailElement(atom.Td, "width", "12", "style", "width:12px;height:12px;font-size:1px;line-height:1px;"))
		}
		cell := mailElement(atom.Td, "class", kind, "style", s.of("td", kind, ""))
		a := mailElement(atom.A, "href", nodeAttr(link, "href"), "style", s.of("a", kind, ""))
		a.AppendChild(&html.Node{Type: html.TextNode, Data: nodeText(link)})
		cell.AppendChild(a)
		row.AppendChild(cell)
	}
	return table
}

func mailElement(a atom.Atom, attrs ...string) *html.Node {
	n := &html.Node{Type: html.ElementNode, Data: a.String(), DataAtom: a}
	for i := 0; i < len(attrs); i += 2 {
		n.Attr = append(n.Attr, html.Attribute{Key: attrs[i], Val: attrs[i+1]})
	}
	return n
}
