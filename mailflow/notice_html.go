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
// Selectors are "tag", "tag.class", and either behind "table.class " for what stands in such a table.
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

// of gives the declarations of an element, later ones replacing earlier ones of the same property.
func (s mailStyle) of(tag, class, table string) string {
	keys := []string{tag, tag + "." + class, "table." + table + " " + tag, "table." + table + " " + tag + "." + class}
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
	for c := range root.ChildNodes() {
		for _, d := range s.dress(c, "") {
			if err := html.Render(w, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// dress copies a node with its styles; table is the class of the table around it.
func (s mailStyle) dress(n *html.Node, table string) []*html.Node {
	if n.Type == html.TextNode {
		return []*html.Node{{Type: html.TextNode, Data: n.Data}}
	}
	class := nodeClass(n)
	switch {
	case class == "only-text":
		return nil
	case class == "only-html":
		return s.dressAll(n, table)
	case n.Data == "p" && class == "button":
		return []*html.Node{s.button(n)}
	}
	out := &html.Node{Type: html.ElementNode, Data: n.Data, DataAtom: n.DataAtom}
	s.attributes(out, n, table)
	if n.Data == "table" {
		table = class
	}
	for _, c := range s.dressAll(n, table) {
		out.AppendChild(c)
	}
	return []*html.Node{out}
}

func (s mailStyle) dressAll(n *html.Node, table string) []*html.Node {
	var out []*html.Node
	for c := range n.ChildNodes() {
		out = append(out, s.dress(c, table)...)
	}
	return out
}

// attributes sets what Outlook reads instead of CSS, the classes that the dark style sheet needs, and the style.
func (s mailStyle) attributes(out, n *html.Node, table string) {
	set := func(key, value string) { out.Attr = append(out.Attr, html.Attribute{Key: key, Val: value}) }
	class := nodeClass(n)
	style := s.of(n.Data, class, table)
	for _, a := range n.Attr {
		switch a.Key {
		case "href", "colspan":
			set(a.Key, a.Val)
		case "class":
			set("class", strings.TrimSpace(a.Val))
		case "data-height":
			set("height", a.Val)
			style += "height:" + a.Val + "px;"
		}
	}
	switch n.Data {
	case "table":
		if !slices.Contains([]string{"facts", "grid"}, class) {
			set("role", "presentation")
		}
		set("cellpadding", "0")
		set("cellspacing", "0")
		set("border", "0")
		if class != "bar" {
			set("width", "100%")
		}
	case "th":
		set("align", map[bool]string{true: "right", false: "left"}[class == "num"])
		set("scope", map[bool]string{true: "row", false: "col"}[table == "facts"])
	case "td":
		if class == "num" {
			set("align", "right")
		}
	}
	if style != "" {
		set("style", style)
	}
}

// button is a link as a table cell: Outlook ignores padding on a link, but keeps that of a cell.
func (s mailStyle) button(p *html.Node) *html.Node {
	element := func(a atom.Atom, attrs ...string) *html.Node {
		n := &html.Node{Type: html.ElementNode, Data: a.String(), DataAtom: a}
		for i := 0; i < len(attrs); i += 2 {
			n.Attr = append(n.Attr, html.Attribute{Key: attrs[i], Val: attrs[i+1]})
		}
		return n
	}
	table := element(atom.Table, "role", "presentation", "cellpadding", "0", "cellspacing", "0", "border", "0", "class", "button",
		"style", s.of("table", "button", ""))
	row := element(atom.Tr)
	table.AppendChild(row)
	for link := range p.ChildNodes() {
		if link.Data != "a" {
			continue
		}
		first := row.FirstChild == nil
		kind := map[bool]string{true: "button", false: "second"}[first]
		cell := element(atom.Td, "class", kind, "style", s.of("td", kind, ""))
		if !first {
			row.AppendChild(element(atom.Td, "width", "12", "style", "width:12px;font-size:1px;line-height:1px;"))
		}
		a := element(atom.A, "href", nodeAttr(link, "href"), "class", kind, "style", s.of("a", kind, ""))
		a.AppendChild(&html.Node{Type: html.TextNode, Data: nodeText(link)})
		cell.AppendChild(a)
		row.AppendChild(cell)
	}
	return table
}
