package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// reader fills structs from YAML by their tags. goccy/go-yaml's own decoder stops at the first mistake, and an operator wants all of them, so
// the library parses and the reader walks its tree.
type reader struct {
	file     string // as the operator wrote it
	dir      string // what paths in the file are relative to
	env      func(string) string
	public   bool           // secrets aren't read
	lines    map[string]int // where each key of the file stands
	problems Problems
	warnings []string
}

func newReader(path string, env func(string) string) *reader {
	return &reader{file: path, dir: filepath.Dir(path), env: env, lines: map[string]int{"": 1}}
}

// read fills the struct that dst points to. It is false when the file isn't a YAML mapping at all, and nothing could be filled.
func (r *reader) read(data []byte, dst any) bool {
	body, line, err := parse(data)
	if err != nil {
		r.lines[""] = line
		r.bad("", "not readable as YAML: %s", strings.ReplaceAll(err.Error(), "'\t'", "TAB"))
		return false
	}
	if _, ok := body.(*ast.MappingNode); !ok {
		r.bad("", "empty, or no list of keys with values; expected keys such as listen, operator, agencies (see docs/configuration.md)")
		return false
	}
	r.value(body, reflect.ValueOf(dst).Elem(), "", "")
	return true
}

// parse answers the one document of the file, or the line of the mistake. Line ends are made equal first: the library counts a comment
// before CRLF as two lines.
func parse(data []byte) (body ast.Node, line int, err error) {
	defer func() {
		if p := recover(); p != nil { // a broken file must end in a message, whatever the library makes of it
			line, err = 1, fmt.Errorf("the YAML library gave up: %v", p)
		}
	}()
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	if line, err := tame(data); err != nil {
		return nil, line, err
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()) // duplicates are reported with all the rest
	var at yaml.Error
	switch {
	case errors.As(err, &at) && at.GetToken() != nil:
		return nil, at.GetToken().Position.Line, errors.New(at.GetMessage())
	case err != nil:
		return nil, 1, err
	case len(file.Docs) == 0:
		return nil, 1, errors.New("empty")
	case len(file.Docs) > 1 && file.Docs[1].Start != nil:
		return nil, file.Docs[1].Start.Position.Line, errors.New("a second document; expected one")
	}
	return file.Docs[0].Body, 0, nil
}

// tame refuses what no configuration needs and what costs the library its stack or minutes: a file too large, or nested too deep.
func tame(data []byte) (line int, err error) {
	if len(data) > maxFile {
		return 1, fmt.Errorf("larger than %d MB", maxFile>>20)
	}
	for i, text := range bytes.Split(data, []byte("\n")) {
		brackets := bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		if brackets > 100 || indent > 200 || bytes.Count(text, []byte("- ")) > 100 {
			return i + 1, errors.New("nested too deep")
		}
	}
	return 0, nil
}

// value fills v from a node. The tag is that of the field that v is, or is an item of.
func (r *reader) value(n ast.Node, v reflect.Value, key string, tag reflect.StructTag) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.bad(key, "anchors (&), aliases (*) and tags (!) are not read here; write the value out")
		return
	case *ast.NullNode:
		r.bad(key, "has no value; expected %s, or remove the key", expectation(v.Type(), tag))
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if set, ok := v.Addr().Interface().(setter); ok {
		if text, ok := r.scalar(n, key, v.Type(), tag); ok {
			if err := set.set(text); err != nil {
				r.bad(key, "%s", err)
				return
			}
			r.bounds(v, key, text, tag)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		r.mapping(n, v, key)
	case reflect.Slice:
		r.sequence(n, v, key, tag)
	default:
		if text, ok := r.scalar(n, key, v.Type(), tag); ok {
			r.fill(v, text, key, tag)
		}
	}
}

// setter is a type of this package that reads itself from a scalar. Its error says what was expected.
type setter interface{ set(text string) error }

func (r *reader) mapping(n ast.Node, v reflect.Value, key string) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.bad(key, "expected keys with values: %s", strings.Join(keysOf(v.Type()), ", "))
		return
	}
	seen := map[string]int{}
	for _, kv := range m.Values {
		name := kv.Key.GetToken().Value
		at, line := join(key, name), kv.Key.GetToken().Position.Line
		if first, twice := seen[name]; twice {
			r.problems = append(r.problems, Problem{File: r.file, Line: line, Key: at, Text: fmt.Sprintf("given twice, first in line %d", first)})
			continue
		}
		seen[name] = line
		r.lines[at] = line
		r.field(kv.Value, v, key, name)
	}
	for i := range v.NumField() {
		r.missing(v.Type().Field(i), v.Field(i), key)
	}
}

// field fills the struct's field of that name: the key itself, or for a secret one of its two keys.
func (r *reader) field(n ast.Node, v reflect.Value, key, name string) {
	at := join(key, name)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		own := f.Tag.Get("yaml")
		switch {
		case own == "-":
		case f.Type == reflect.TypeFor[Secret]():
			if name == own {
				r.bad(at, "a secret never stands in this file; put it into a file and name that as %s_file, or an environment variable as %s_env", own, own)
				return
			}
			if name == own+"_file" || name == own+"_env" {
				r.secret(n, v.Field(i), at, join(key, own))
				return
			}
		case own == name:
			r.value(n, v.Field(i), at, f.Tag)
			return
		}
	}
	r.bad(at, "unknown key; expected one of: %s", strings.Join(keysOf(v.Type()), ", "))
}

// missing gives a field that the file doesn't have its default, or says that it has to be there.
func (r *reader) missing(f reflect.StructField, v reflect.Value, key string) {
	name := f.Tag.Get("yaml")
	at := join(key, name)
	if name == "-" || r.has(at) {
		return
	}
	if f.Type == reflect.TypeFor[Secret]() {
		if !r.has(at+"_file") && !r.has(at+"_env") && !r.has(at) && f.Tag.Get("required") != "" {
			r.bad(at, "missing; expected %s_file or %s_env", name, name)
		}
		return
	}
	switch {
	case f.Tag.Get("required") != "":
		r.bad(at, "missing; expected %s", expectation(f.Type, f.Tag))
	case f.Type.Kind() == reflect.Struct && !isSetter(f.Type): // its own fields have defaults
		for i := range v.NumField() {
			r.missing(f.Type.Field(i), v.Field(i), at)
		}
	case f.Type.Kind() == reflect.Slice && f.Tag.Get("default") != "":
		for _, text := range strings.Fields(f.Tag.Get("default")) {
			item := reflect.New(f.Type.Elem()).Elem()
			r.fill(item, text, at, f.Tag)
			v.Set(reflect.Append(v, item))
		}
	case f.Tag.Get("default") != "":
		if set, ok := v.Addr().Interface().(setter); ok {
			_ = set.set(f.Tag.Get("default")) // a test reads every default
			return
		}
		r.fill(v, f.Tag.Get("default"), at, f.Tag)
	}
}

func (r *reader) has(key string) bool { _, ok := r.lines[key]; return ok && key != "" }

func (r *reader) sequence(n ast.Node, v reflect.Value, key string, tag reflect.StructTag) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.bad(key, "expected a list, each item %s", expectation(v.Type().Elem(), tag))
		return
	}
	for i, item := range s.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		r.lines[at] = item.GetToken().Position.Line
		e := reflect.New(v.Type().Elem()).Elem()
		r.value(item, e, at, tag)
		v.Set(reflect.Append(v, e))
	}
	if len(s.Values) == 0 && tag.Get("required") != "" {
		r.bad(key, "empty; expected at least one item, each %s", expectation(v.Type().Elem(), tag))
	}
}

// scalar is the text of a single value as it is written, so that 0281 stays a telephone number and 19800101... a NIP.
func (r *reader) scalar(n ast.Node, key string, t reflect.Type, tag reflect.StructTag) (string, bool) {
	var text string
	switch n := n.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		text = n.GetToken().Value
	default:
		r.bad(key, "expected %s, a single value", expectation(t, tag))
		return "", false
	}
	text = strings.TrimSpace(text)
	if text == "" {
		r.bad(key, "has no value; expected %s, or remove the key", expectation(t, tag))
		return "", false
	}
	if strings.ContainsFunc(text, unicode.IsControl) { // a line end in a name would end in a mail's header
		r.bad(key, "holds a line end or another control character; expected %s on one line", expectation(t, tag))
		return "", false
	}
	return text, true
}

// fill reads a plain Go value.
func (r *reader) fill(v reflect.Value, text, key string, tag reflect.StructTag) {
	switch v.Interface().(type) {
	case time.Duration:
		d, err := parseDuration(text)
		if err != nil {
			r.bad(key, "%q is no length of time; expected %s", text, expectation(v.Type(), tag))
			return
		}
		v.SetInt(int64(d))
	case string:
		r.text(v, text, key, tag)
		return
	case bool:
		if text != "true" && text != "false" {
			r.bad(key, "%q is neither true nor false", text)
			return
		}
		v.SetBool(text == "true")
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			r.bad(key, "%q is no whole number; expected %s", text, expectation(v.Type(), tag))
			return
		}
		v.SetInt(int64(n))
	case float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			r.bad(key, "%q is no number", text)
			return
		}
		v.SetFloat(x)
	default:
		panic(fmt.Sprintf("config: the reader knows no %s", v.Type()))
	}
	r.bounds(v, key, text, tag)
}

// text reads a string and holds it to the tags oneof and is.
func (r *reader) text(v reflect.Value, text, key string, tag reflect.StructTag) {
	if list := tag.Get("oneof"); list != "" {
		for _, want := range strings.Fields(list) {
			if text == want {
				v.SetString(text)
				return
			}
		}
		r.bad(key, "%q is unknown; expected one of: %s", text, strings.Join(strings.Fields(list), ", "))
		return
	}
	if name := tag.Get("is"); name != "" {
		rule := rules[name]
		if !rule.ok(text) {
			if rule.private {
				text = "the value"
			} else {
				text = strconv.Quote(text)
			}
			r.bad(key, "%s is no %s; expected %s", text, rule.noun, rule.want)
			return
		}
		if name == "path" {
			text = r.path(text)
		}
	}
	v.SetString(text)
}

// bounds holds a number to the tags min and max.
func (r *reader) bounds(v reflect.Value, key, text string, tag reflect.StructTag) {
	for _, side := range []string{"min", "max"} {
		bound := tag.Get(side)
		if bound == "" || !v.CanInt() {
			continue
		}
		limit := reflect.New(v.Type()).Elem()
		if set, ok := limit.Addr().Interface().(setter); ok {
			_ = set.set(bound)
		} else {
			(&reader{}).fill(limit, bound, "", "")
		}
		if side == "min" && v.Int() < limit.Int() {
			r.bad(key, "%s is too small; expected at least %s", text, bound)
		}
		if side == "max" && v.Int() > limit.Int() {
			r.bad(key, "%s is too large; expected at most %s", text, bound)
		}
	}
}

// path resolves a path of the file: relative ones are beside the file.
func (r *reader) path(p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(r.dir, p)
}

// secret reads a secret from the file or the environment variable that the key names. Neither the value nor the name is repeated in a
// message: people write the secret itself there.
func (r *reader) secret(n ast.Node, v reflect.Value, key, field string) {
	if !v.Interface().(Secret).IsZero() {
		r.bad(key, "%s is given twice; expected either the file or the environment variable", field)
		return
	}
	v.Set(reflect.ValueOf(NewSecret(""))) // configured, if only badly: one mistake, one message
	name, ok := r.scalar(n, key, reflect.TypeFor[string](), "")
	if !ok {
		return
	}
	if r.public {
		return
	}
	if strings.HasSuffix(key, "_env") {
		if !envName.MatchString(name) {
			r.bad(key, "the value is no name of an environment variable; expected e.g. PULIH_IMAP_PASSWORD")
			return
		}
		value := r.env(name)
		if value == "" {
			r.bad(key, "the environment variable %s is not set", name)
			return
		}
		v.Set(reflect.ValueOf(NewSecret(value)))
		return
	}
	path := r.path(name)
	value, err := readSecret(path)
	if err != nil {
		r.bad(key, "the file named here can't be read (paths are relative to this file): %s", err)
		return
	}
	if exposed(path) {
		r.warnings = append(r.warnings, fmt.Sprintf("%s:%d: %s: berkas rahasia dapat dibaca semua pengguna; jalankan: chmod o= pada berkas itu", r.file, r.line(key), key))
	}
	s := NewSecret(value)
	s.file = path
	v.Set(reflect.ValueOf(s))
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// keysOf lists the keys that a struct reads, in its order.
func keysOf(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		switch {
		case name == "-":
		case f.Type == reflect.TypeFor[Secret]():
			out = append(out, name+"_file", name+"_env")
		default:
			out = append(out, name)
		}
	}
	return out
}
