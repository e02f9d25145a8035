package srikandi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"pulih/internal/agency"
)

// row reads the fields of one JSON object with the contract's tolerance: unknown fields are ignored, null is missing, and a scalar that
// plainly means the right thing (a number for an agenda number, "3" for 3) is taken. Its errors name the field and never hold its
// content: encoding/json's own would quote it.
type row struct {
	fields map[string]json.RawMessage
	path   string
	zone   *time.Location
	first  *error
	flaws  *[]string
}

func newRow(raw json.RawMessage, path string, zone *time.Location) row {
	r := row{path: path, zone: zone, first: new(error), flaws: new([]string)}
	if json.Unmarshal(raw, &r.fields) != nil || r.fields == nil {
		r.fail("", "expected a JSON object")
	}
	return r
}

func (r row) err() error { return *r.first }

// fail keeps the first thing that was wrong.
func (r row) fail(field, what string) {
	if *r.first != nil {
		return
	}
	if name := strings.Trim(r.path+"."+field, "."); name != "" {
		what = name + ": " + what
	}
	*r.first = fmt.Errorf("%s", what)
}

func (r row) flaw(err error) {
	if len(*r.flaws) < maxFlaws {
		*r.flaws = append(*r.flaws, err.Error())
	}
}

// maxElements bounds a list inside a letter, maxFlaws what is said about it.
const maxElements, maxFlaws = 2000, 20

// get returns a field's JSON, nil where it is missing or null.
func (r row) get(field string) json.RawMessage {
	raw := r.fields[field]
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return raw
}

func (r row) text(field string) string {
	raw := r.get(field)
	if raw == nil {
		return ""
	}
	if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
		return string(raw)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		r.fail(field, "expected a text")
	}
	// PostgreSQL stores no NUL in a text.
	return strings.TrimSpace(strings.ReplaceAll(s, "\x00", ""))
}

func (r row) number(field string) int64 {
	s := r.text(field)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		r.fail(field, "expected a whole number")
		return 0
	}
	return n
}

func (r row) yes(field string) bool {
	switch string(r.get(field)) {
	case "", "false", "0", `"false"`, `"0"`, `""`:
		return false
	case "true", "1", `"true"`, `"1"`:
		return true
	}
	r.fail(field, "expected true or false")
	return false
}

// layouts without a zone are those that SIKD writes; RFC 3339 takes fractions of a second by itself.
var layouts = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

func (r row) time(field string) time.Time {
	s := r.text(field)
	if s == "" {
		return time.Time{}
	}
	for _, layout := range layouts {
		// Years that no letter has would overflow in the database.
		if t, err := time.ParseInLocation(layout, s, r.zone); err == nil && t.Year() >= 1900 && t.Year() < 10000 {
			return t
		}
	}
	r.fail(field, "expected a timestamp (RFC 3339)")
	return time.Time{}
}

func (r row) object(field string) row {
	in := row{path: r.path + "." + field, zone: r.zone, first: r.first, flaws: r.flaws}
	if raw := r.get(field); raw != nil && json.Unmarshal(raw, &in.fields) != nil {
		r.fail(field, "expected a JSON object")
	}
	return in
}

// each reads a list. An element that can't be read is left out and named in the flaws, so that one bad disposition doesn't hide a letter.
func each[T any](r row, field string, read func(row) T) []T {
	raw := r.get(field)
	if raw == nil {
		return nil
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		r.fail(field, "expected a list")
		return nil
	}
	if len(elements) > maxElements {
		r.flaw(fmt.Errorf("%s: more than %d elements", field, maxElements))
		elements = elements[:maxElements]
	}
	out := make([]T, 0, len(elements))
	for i, element := range elements {
		in := newRow(element, fmt.Sprintf("%s.%s[%d]", r.path, field, i), r.zone)
		in.flaws = r.flaws
		v := read(in)
		if err := in.err(); err != nil {
			r.flaw(err)
			continue
		}
		out = append(out, v)
	}
	return out
}

// validID holds for identifiers that can stand in a log and, escaped, as one segment of a path; none leads up, should a proxy undo the escape.
func validID(id string) bool {
	up := func(segment string) bool { return segment == "." || segment == ".." }
	return id != "" && len(id) <= 200 && strings.IndexFunc(id, unicode.IsControl) < 0 &&
		!slices.ContainsFunc(strings.FieldsFunc(id, func(c rune) bool { return c == '/' || c == '\\' }), up)
}

func digits(s string) string { return agency.Digits(s) }
