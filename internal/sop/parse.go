package sop

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// ShippedNames are the SOPs that come with the program.
var ShippedNames = []string{"purbalingga", "madiun"}

// ends lists what may end a step, in the order of a request's life.
var ends = []Ends{EndsReceived, EndsDisposition, EndsApproved, EndsReset, EndsLink, EndsPassphrase, EndsCertificate, EndsUsable}

// Shipped returns an SOP that comes with the program, by its name in ShippedNames.
func Shipped(name string) (*SOP, error) {
	if !slices.Contains(ShippedNames, name) {
		return nil, fmt.Errorf("SOP %q is unknown; expected one of %s", name, strings.Join(ShippedNames, ", "))
	}
	data, err := shipped.ReadFile("data/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading the shipped SOP %s: %w", name, err)
	}
	return Parse(data, name+".yaml")
}

// Parse reads an SOP file strictly: an unknown key, a missing or an impossible value is an error that names the file, the line and what
// was expected. The steps must follow a request's life, and dispositions go down the chain.
func Parse(data []byte, name string) (*SOP, error) {
	var f file
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")) // the library counts a comment before CRLF as two lines
	err := decode(data, &f)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1: the file is empty; expected an SOP with id, title, source and steps", name)
	}
	if err != nil {
		return nil, decodeError(name, data, err)
	}
	c := checker{name: name}
	s := c.sop(f)
	if c.err != nil {
		return nil, c.err
	}
	said, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("%s: naming its version: %w", name, err)
	}
	s.Version, s.File = fmt.Sprintf("%x", sha256.Sum256(said))[:12], data
	return s, nil
}

// maxSOP bounds an SOP file; the shipped ones have 3 KB. Nesting is bounded for the sake of the YAML library, which needs minutes for some
// hundred brackets.
const (
	maxSOP     = 64 << 10
	maxNesting = 50
)

func decode(data []byte, f *file) (err error) {
	defer func() {
		if p := recover(); p != nil { // a broken file must end in a message, whatever the library makes of it
			err = fmt.Errorf("the YAML library gave up: %v", p)
		}
	}()
	if len(data) > maxSOP {
		return fmt.Errorf("larger than %d KB", maxSOP>>10)
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		if bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{"))+bytes.Count(line, []byte("- ")) > maxNesting || indent > 2*maxNesting {
			return &lineError{i + 1, "not readable as YAML: nested too deep"}
		}
	}
	return yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(f)
}

// The file as it is written. Every leaf remembers its line.
type (
	file struct {
		ID           text              `yaml:"id"`
		Title        text              `yaml:"title"`
		Source       text              `yaml:"source"`
		Total        *totalFile        `yaml:"total"`
		Steps        []stepFile        `yaml:"steps"`
		Requirements []requirementFile `yaml:"requirements"`
		Complaints   []classFile       `yaml:"complaints"`
	}
	totalFile struct {
		Norm  text `yaml:"norm"`
		Clock text `yaml:"clock"`
		Ends  text `yaml:"ends"`
	}
	stepFile struct {
		ID     text   `yaml:"id"`
		Title  text   `yaml:"title"`
		Actors []text `yaml:"actors"`
		Ends   text   `yaml:"ends"`
		Norm   text   `yaml:"norm"`
		Clock  text   `yaml:"clock"`
		Needs  text   `yaml:"needs"`
		Output text   `yaml:"output"`
	}
	requirementFile struct {
		ID    text `yaml:"id"`
		Title text `yaml:"title"`
	}
	classFile struct {
		ID     text `yaml:"id"`
		Title  text `yaml:"title"`
		Norm   text `yaml:"norm"`
		Clock  text `yaml:"clock"`
		Holder text `yaml:"holder"`
	}
)

// text is a scalar with its line; line 0 means that the key is missing.
type text struct {
	value string
	line  int
}

// UnmarshalYAML keeps the scalar as it is written, with the line on which it stands.
func (t *text) UnmarshalYAML(node ast.Node) error {
	t.line = node.GetToken().Position.Line
	switch n := node.(type) {
	case *ast.StringNode:
		t.value = n.Value
	case *ast.LiteralNode:
		t.value = strings.TrimSpace(n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		t.value = node.GetToken().Value
	default:
		return &lineError{t.line, "has no plain text; expected a single value, not a list or keys"}
	}
	return nil
}

// lineError is an error on a line of a file whose name is added further up.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

func decodeError(name string, data []byte, err error) error {
	if at, ok := errors.AsType[*lineError](err); ok {
		return fmt.Errorf("%s:%d: %s", name, at.line, at.text)
	}
	line := 1
	message := err.Error()
	if y, ok := errors.AsType[yaml.Error](err); ok {
		message = y.GetMessage()
		if tok := y.GetToken(); tok != nil {
			line = tok.Position.Line
		}
	}
	if unknown, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		return fmt.Errorf("%s:%d: %q is no key here; expected one of %s", name, line, unknown.Token.Value, keysAt(data, unknown.Token))
	}
	if _, ok := errors.AsType[*yaml.UnexpectedNodeTypeError](err); ok {
		return fmt.Errorf("%s:%d: has another shape than expected (%s)", name, line, message)
	}
	return fmt.Errorf("%s:%d: not readable as YAML: %s", name, line, message)
}

// keysAt lists the keys that could have stood where the token does.
func keysAt(data []byte, tok *token.Token) string {
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return "the documented ones"
	}
	at := keyFinder{offset: tok.Position.Offset}
	for _, doc := range parsed.Docs {
		ast.Walk(&at, doc)
	}
	section, _, _ := strings.Cut(strings.TrimPrefix(at.path, "$."), ".")
	section, _, _ = strings.Cut(section, "[")
	entry := reflect.TypeFor[file]()
	for f := range entry.Fields() {
		if f.Tag.Get("yaml") == section && f.Type.Kind() != reflect.Struct {
			entry = f.Type.Elem()
		}
	}
	var keys []string
	for f := range entry.Fields() {
		keys = append(keys, f.Tag.Get("yaml"))
	}
	return strings.Join(keys, ", ")
}

// keyFinder finds the path of the key at an offset.
type keyFinder struct {
	offset int
	path   string
}

func (k *keyFinder) Visit(node ast.Node) ast.Visitor {
	if pair, ok := node.(*ast.MappingValueNode); ok && pair.Key.GetToken().Position.Offset == k.offset {
		k.path = pair.GetPath()
	}
	return k
}

// checker turns the file into an SOP and keeps the first error.
type checker struct {
	name string
	line int // where the entry being read stands, for what it lacks
	err  error
}

func (c *checker) fail(line int, format string, args ...any) {
	if line == 0 {
		line = max(c.line, 1)
	}
	if c.err == nil {
		c.err = fmt.Errorf("%s:%d: %s", c.name, line, fmt.Sprintf(format, args...))
	}
}

// near remembers where an entry stands, for what it lacks: the first line of what it has.
func (c *checker) near(entry ...text) {
	first := 0
	for _, t := range entry {
		if t.line > 0 && (first == 0 || t.line < first) {
			first = t.line
		}
	}
	if first > 0 {
		c.line = first
	}
}

func (c *checker) sop(f file) *SOP {
	c.near(f.ID, f.Title, f.Source)
	s := &SOP{ID: c.id("id", f.ID), Title: c.required("title", f.Title), Source: c.required("source", f.Source)}
	for i, r := range f.Requirements {
		where := fmt.Sprintf("requirements[%d]", i)
		c.near(r.ID, r.Title)
		s.Requirements = append(s.Requirements, Requirement{ID: c.id(where+".id", r.ID), Title: c.required(where+".title", r.Title)})
	}
	unique(c, "requirements", f.Requirements, func(r requirementFile) text { return r.ID })
	c.steps(s, f.Steps)
	if f.Total != nil {
		c.near(f.Total.Norm, f.Total.Clock, f.Total.Ends)
		s.Total = c.norm("total", f.Total.Norm, f.Total.Clock, true)
		s.TotalEnds = c.ends("total.ends", f.Total.Ends)
		if !slices.ContainsFunc(s.Steps, func(st Step) bool { return st.Ends == s.TotalEnds }) {
			c.fail(f.Total.Ends.line, "total.ends: no step ends with %q; expected the end of a step", s.TotalEnds)
		}
	}
	for i, k := range f.Complaints {
		where := fmt.Sprintf("complaints[%d]", i)
		c.near(k.ID, k.Title, k.Norm, k.Clock, k.Holder)
		class := ComplaintClass{ID: c.id(where+".id", k.ID), Title: c.required(where+".title", k.Title), Holder: Verifier}
		if k.Holder.line > 0 {
			if class.Holder = Role(k.Holder.value); class.Holder.Depth() < 0 {
				c.fail(k.Holder.line, "%s.holder: %q is unknown; expected one of %s", where, k.Holder.value, join(Chain))
			}
		}
		if n := c.norm(where, k.Norm, k.Clock, true); n != nil {
			class.Norm = *n
		}
		s.Complaints = append(s.Complaints, class)
	}
	unique(c, "complaints", f.Complaints, func(k classFile) text { return k.ID })
	return s
}

func (c *checker) steps(s *SOP, steps []stepFile) {
	if len(steps) == 0 {
		c.fail(0, "steps: missing; expected one step at least")
	}
	depth := -1 // how far down the chain the letter is
	for i, st := range steps {
		where := fmt.Sprintf("steps[%d]", i)
		c.near(append([]text{st.ID, st.Title, st.Ends, st.Norm, st.Clock, st.Needs, st.Output}, st.Actors...)...)
		step := Step{
			ID: c.id(where+".id", st.ID), Title: c.required(where+".title", st.Title), Actors: c.actors(where, st.Actors),
			Ends: c.ends(where+".ends", st.Ends), Norm: c.norm(where, st.Norm, st.Clock, false),
			Needs: st.Needs.value, Output: st.Output.value,
		}
		if i > 0 {
			before := s.Steps[i-1].Ends
			same := step.Ends == before && step.Ends != EndsDisposition
			if same || slices.Index(ends, step.Ends) < slices.Index(ends, before) {
				c.fail(st.Ends.line, "%s.ends: %q can't follow %q; expected the order %s", where, step.Ends, before, join(ends))
			}
		}
		if step.Ends == EndsDisposition {
			depth = c.disposition(where, step, st, depth)
		}
		s.Steps = append(s.Steps, step)
	}
	unique(c, "steps", steps, func(st stepFile) text { return st.ID })
}

// disposition checks that the step hands the letter further down than the step before it did, and returns the depth of its actors.
func (c *checker) disposition(where string, step Step, st stepFile, above int) int {
	deepest := above
	for i, a := range step.Actors {
		line := st.Actors[i].line
		if a.Depth() < 0 || a == Verifier {
			c.fail(line, "%s.actors: %q gives no dispositions; expected head, division or section", where, a)
		}
		if a.Depth() <= above {
			c.fail(line, "%s.actors: dispositions go down the chain (%s); %q was passed before", where, join(Chain), a)
		}
		deepest = max(deepest, a.Depth())
	}
	return deepest
}

func (c *checker) actors(where string, actors []text) []Role {
	if len(actors) == 0 {
		c.fail(0, "%s.actors: missing; expected one actor at least", where)
	}
	known := append([]Role{Applicant, BSrE}, Chain...)
	var out []Role
	for _, a := range actors {
		role := Role(c.required(where+".actors", a))
		if !slices.Contains(known, role) {
			c.fail(a.line, "%s.actors: %q is unknown; expected one of %s", where, role, join(known))
		}
		if slices.Contains(out, role) {
			c.fail(a.line, "%s.actors: %q is there twice", where, role)
		}
		out = append(out, role)
	}
	return out
}

func (c *checker) ends(where string, t text) Ends {
	e := Ends(c.required(where, t))
	if !slices.Contains(ends, e) {
		c.fail(t.line, "%s: %q is unknown; expected one of %s", where, e, join(ends))
	}
	return e
}

func (c *checker) norm(where string, norm, clock text, required bool) *Norm {
	if norm.line == 0 && clock.line == 0 && !required {
		return nil
	}
	length, kind := c.required(where+".norm", norm), c.required(where+".clock", clock)
	n, err := ParseNorm(length, ClockKind(kind))
	if err != nil {
		line := norm.line
		if kind != string(Working) && kind != string(Elapsed) {
			line = clock.line
		}
		c.fail(line, "%s: %s", where, err)
	}
	return &n
}

func (c *checker) required(where string, t text) string {
	if t.line == 0 || t.value == "" {
		c.fail(t.line, "%s: missing or empty", where)
	}
	return t.value
}

// id is a stable key: it stands in the database and in URLs.
func (c *checker) id(where string, t text) string {
	id := c.required(where, t)
	if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		c.fail(t.line, "%s: %q is no key; expected small letters, digits, dots and hyphens", where, id)
	}
	return id
}

func unique[T any](c *checker, where string, list []T, id func(T) text) {
	seen := map[string]bool{}
	for i, x := range list {
		t := id(x)
		if seen[t.value] {
			c.fail(t.line, "%s[%d].id: %q is taken already", where, i, t.value)
		}
		seen[t.value] = true
	}
}

func join[T ~string](list []T) string {
	var words []string
	for _, x := range list {
		words = append(words, string(x))
	}
	return strings.Join(words, ", ")
}
