package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// documented is a key as the struct has it.
type documented struct {
	key, kind, otherwise string // path without indexes; type in the document's words; default, or "required"
}

// keys lists every key of the file.
func keys(t reflect.Type, prefix string) []documented {
	var out []documented
	for i := range t.NumField() {
		f := t.Field(i)
		name, typ := f.Tag.Get("yaml"), f.Type
		if name == "-" {
			continue
		}
		key := prefix + name
		d := documented{key, "", f.Tag.Get("default")}
		if f.Tag.Get("required") != "" {
			d.otherwise = "required"
		}
		list := typ.Kind() == reflect.Slice && !isSetter(typ)
		if list {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case typ == reflect.TypeFor[Secret]():
			out = append(out, documented{key + "_file", "path", ""}, documented{key + "_env", "text", ""})
			continue
		case typ.Kind() == reflect.Struct && !isSetter(typ):
			d.kind = "keys"
		case f.Tag.Get("oneof") != "":
			d.kind = strings.Join(strings.Fields(f.Tag.Get("oneof")), ", ")
		case f.Tag.Get("is") != "":
			d.kind = rules[f.Tag.Get("is")].noun
		default:
			d.kind = map[reflect.Type]string{
				reflect.TypeFor[string](): "text", reflect.TypeFor[bool](): "true, false", reflect.TypeFor[int](): "number",
				reflect.TypeFor[float64](): "number", reflect.TypeFor[time.Duration](): "time", reflect.TypeFor[Date](): "day",
				reflect.TypeFor[Size](): "size", reflect.TypeFor[Intervals](): "hours", reflect.TypeFor[Window](): "window",
				reflect.TypeFor[Schedule](): "schedule",
			}[typ]
		}
		if list {
			d.kind = "list of " + d.kind
			if d.otherwise != "" && d.otherwise != "required" {
				d.otherwise = "[" + strings.Join(strings.Fields(d.otherwise), ", ") + "]"
			}
		}
		out = append(out, d)
		if typ.Kind() == reflect.Struct && !isSetter(typ) && !sameAsHead(name) {
			out = append(out, keys(typ, key+".")...)
		}
	}
	return out
}

// sameAsHead: these lists have the keys of head, which are documented once.
func sameAsHead(name string) bool { return name == "acting" || name == "officials" }

// The document's tables have a row a key: | `key` | type | default | meaning | example |.
var row = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|([^|]+)\\|([^|]*)\\|([^|]*)\\|([^|]*)\\|$")

func TestEveryKeyIsDocumentedWithTypeDefaultAndExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		for i := range m {
			m[i] = strings.Trim(strings.TrimSpace(m[i]), "`")
		}
		if rows[m[1]] != nil {
			t.Errorf("%s is documented twice", m[1])
		}
		rows[m[1]] = m
	}
	all := keys(reflect.TypeFor[Config](), "")
	for _, want := range all {
		m := rows[want.key]
		if m == nil {
			t.Errorf("docs/configuration.md lacks %s (%s, default %q)", want.key, want.kind, want.otherwise)
			continue
		}
		delete(rows, want.key)
		if m[2] != want.kind {
			t.Errorf("%s: documented as %q, is %q", want.key, m[2], want.kind)
		}
		if want.otherwise != "" && m[3] != want.otherwise {
			t.Errorf("%s: documented default %q, is %q", want.key, m[3], want.otherwise)
		}
		if want.kind != "keys" && want.kind != "list of keys" && m[5] == "" {
			t.Errorf("%s: no example", want.key)
		}
	}
	for key := range rows {
		t.Errorf("docs/configuration.md has %s, which is no key", key)
	}
}

func TestDocumentedExamplesAreValid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		examples[m[1]] = strings.Trim(strings.TrimSpace(m[5]), "`")
	}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, prefix string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, ft := f.Tag.Get("yaml"), f.Type
			if ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice && !isSetter(ft) && ft.Elem().Kind() == reflect.Struct && !isSetter(ft.Elem()) {
				ft = ft.Elem()
			}
			switch {
			case name == "-" || ft == reflect.TypeFor[Secret]() || sameAsHead(name):
			case ft.Kind() == reflect.Struct && !isSetter(ft):
				walk(ft, prefix+name+".")
			default:
				body, err := parseExample(name, examples[prefix+name])
				if err != nil {
					t.Errorf("%s: the example %q is no YAML: %s", prefix+name, examples[prefix+name], err)
					continue
				}
				r := newReader("docs", nil)
				r.value(body, reflect.New(f.Type).Elem(), prefix+name, f.Tag)
				if len(r.problems) > 0 {
					t.Errorf("the example of %s", r.problems)
				}
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

func TestEveryDefaultIsValid(t *testing.T) {
	t.Parallel()
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			ft := f.Type
			if ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice && !isSetter(ft) {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct && !isSetter(ft) && ft.PkgPath() == reflect.TypeFor[Config]().PkgPath() && ft != reflect.TypeFor[Secret]() {
				walk(ft)
				continue
			}
			text := f.Tag.Get("default")
			if text == "" || f.Type.Kind() == reflect.Slice { // a list's default is read in the example's test
				continue
			}
			body, err := parseExample(f.Tag.Get("yaml"), `"`+text+`"`)
			if err != nil {
				t.Fatal(err)
			}
			r := newReader("tags", nil)
			r.value(body, reflect.New(f.Type).Elem(), f.Tag.Get("yaml"), f.Tag)
			if len(r.problems) > 0 {
				t.Errorf("the default of %s", r.problems)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

func parseExample(name, example string) (ast.Node, error) {
	body, _, err := parse([]byte(name + ": " + example + "\n"))
	if err != nil {
		return nil, err
	}
	return body.(*ast.MappingNode).Values[0].Value, nil
}
