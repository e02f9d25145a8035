package mailflow

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// templatePage is an executed template as trees, before it is dressed as HTML or text.
type templatePage struct {
	subject    string
	body, foot *html.Node
}

// newTemplatePage executes "subject", "page" and "foot". All go through html/template, so what a stranger wrote is escaped by context; parsing
// then gives it back as the text of one node.
func newTemplatePage(set *template.Template, view any) (templatePage, error) {
	subject, err := templateTree(set, "subject", view)
	if err != nil {
		return templatePage{}, err
	}
	number, err := templateTree(set, "number", view)
	if err != nil {
		return templatePage{}, err
	}
	body, err := templateTree(set, "page", view)
	if err != nil {
		return templatePage{}, err
	}
	foot, err := templateTree(set, "foot", view)
	if err != nil {
		return templatePage{}, err
	}
	line := noticeCleanText("["+nodeText(number)+"] "+nodeText(subject), "")
	return templatePage{subject: noticeCut(line, noticeMaxSubject), body: body, foot: foot}, nil
}

// templateBlocks are the elements that a template may use, with their classes. Anything else is an error: an image or a script would
// call on a host outside.
var templateBlocks = map[string][]string{
	"h1": nil, "h2": nil, "p": {"quiet", "button", "small"}, "ul": nil, "ol": nil, "li": nil, "blockquote": nil,
	"div":   {"note", "good", "warn", "danger", "only-html", "only-text"},
	"table": {"facts", "grid", "rows", "tiles", "trend", "bar"}, "thead": nil, "tbody": nil, "tr": nil,
	"th": {"num"}, "td": {"num", "late", "kept", "broken", "base"},
	"a": nil, "strong": nil, "em": nil, "br": nil, "span": {"late", "quiet", "big", "label"},
}

// templateTree executes one definition and checks the result.
func templateTree(set *template.Template, name string, view any) (*html.Node, error) {
	var b strings.Builder
	if err := set.ExecuteTemplate(&b, name, view); err != nil {
		return nil, err
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(b.String()), root)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	for n := range root.Descendants() {
		if err := templateNode(n); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	return root, nil
}

func templateNode(n *html.Node) error {
	switch n.Type {
	case html.TextNode:
		return nil
	case html.ElementNode:
	default:
		return fmt.Errorf("a template has text and elements only")
	}
	classes, ok := templateBlocks[n.Data]
	if !ok {
		return fmt.Errorf("<%s> is not among the elements of a mail template", n.Data)
	}
	for _, a := range n.Attr {
		switch {
		case a.Key == "class" && slices.Contains(classes, a.Val):
		case a.Key == "class":
			return fmt.Errorf("<%s class=%q>: that class is not known", n.Data, a.Val)
		case a.Key == "href" && n.Data == "a":
			if !templateAddress(a.Val) {
				return fmt.Errorf("a link must begin with https://, http:// or mailto:")
			}
		case a.Key == "colspan" && (n.Data == "td" || n.Data == "th"):
		case a.Key == "data-height" && n.Data == "td":
		default:
			return fmt.Errorf("<%s %s>: that attribute is not known", n.Data, a.Key)
		}
	}
	return nil
}

func templateAddress(s string) bool {
	for _, scheme := range []string{"https://", "http://", "mailto:"} {
		if strings.HasPrefix(strings.ToLower(s), scheme) {
			return true
		}
	}
	return false
}

// preheader is what inbox lists show behind the subject: the first paragraph after the salutation.
func (p templatePage) preheader() string {
	paragraphs := 0
	for n := range p.body.Descendants() {
		if n.Data == "p" && n.Type == html.ElementNode {
			if paragraphs++; paragraphs == 2 {
				return noticeCut(nodeText(n), 140)
			}
		}
	}
	return ""
}

// nodeText is the text below a node with blanks collapsed, without what only HTML shows.
func nodeText(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
		case nodeClass(n) == "only-html":
		case n.Data == "br":
			b.WriteString(" ")
		default:
			for c := range n.ChildNodes() {
				walk(c)
			}
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func nodeAttr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func nodeClass(n *html.Node) string { return nodeAttr(n, "class") }
