package pdfsig

import (
	"bytes"
	"errors"
	"strconv"
)

// The values of a PDF (ISO 32000-1 section 7.3): nil, bool, float64, name, text, array, dict, ref, *stream.
type (
	name  string
	text  []byte // string, decoded
	array []any
	dict  map[name]any
	ref   struct{ num, gen int }
)

type stream struct {
	dict dict
	data []byte // as stored
}

// hexAt is a hexadecimal string with its place in the file, so that a ByteRange can be held against it.
type hexAt struct {
	data       []byte
	start, end int // "<" and the byte after ">"
}

var errSyntax = errors.New("broken PDF syntax")

// parser reads one value after another. Depth bounds recursion.
type parser struct {
	b     []byte
	at    int
	depth int
}

const maxDepth = 60

func isSpace(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (p *parser) skip() {
	for p.at < len(p.b) {
		c := p.b[p.at]
		switch {
		case isSpace(c):
			p.at++
		case c == '%':
			for p.at < len(p.b) && p.b[p.at] != '\n' && p.b[p.at] != '\r' {
				p.at++
			}
		default:
			return
		}
	}
}

// value reads the next value.
func (p *parser) value() (any, error) {
	p.skip()
	if p.at >= len(p.b) {
		return nil, errSyntax
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	switch c := p.b[p.at]; {
	case c == '/':
		return p.name(), nil
	case c == '(':
		return p.literal()
	case c == '<' && p.at+1 < len(p.b) && p.b[p.at+1] == '<':
		return p.dict()
	case c == '<':
		return p.hex()
	case c == '[':
		return p.array()
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	}
	return p.keyword()
}

func (p *parser) name() name {
	p.at++
	var out []byte
	for p.at < len(p.b) && !isSpace(p.b[p.at]) && !isDelimiter(p.b[p.at]) {
		c := p.b[p.at]
		if c == '#' && p.at+2 < len(p.b) {
			if n, err := strconv.ParseUint(string(p.b[p.at+1:p.at+3]), 16, 8); err == nil {
				out = append(out, byte(n))
				p.at += 3
				continue
			}
		}
		out = append(out, c)
		p.at++
	}
	return name(out)
}

func (p *parser) literal() (any, error) {
	p.at++
	var out []byte
	for open := 1; p.at < len(p.b); p.at++ {
		switch c := p.b[p.at]; c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				p.at++
				return text(out), nil
			}
		case '\\':
			p.at++
			if p.at < len(p.b) {
				out = append(out, p.b[p.at])
			}
			continue
		}
		out = append(out, p.b[p.at])
	}
	return nil, errSyntax
}

func (p *parser) hex() (any, error) {
	h := hexAt{start: p.at}
	p.at++
	half, have := byte(0), false
	for ; p.at < len(p.b); p.at++ {
		c := p.b[p.at]
		var v byte
		switch {
		case c == '>':
			if have {
				h.data = append(h.data, half<<4)
			}
			p.at++
			h.end = p.at
			return h, nil
		case isSpace(c):
			continue
		case c >= '0' && c <= '9':
			v = c - '0'
		case c >= 'a' && c <= 'f':
			v = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			v = c - 'A' + 10
		default:
			return nil, errSyntax
		}
		if have {
			h.data = append(h.data, half<<4|v)
		}
		half, have = v, !have
	}
	return nil, errSyntax
}

func (p *parser) array() (any, error) {
	p.at++
	var out array
	for {
		p.skip()
		if p.at >= len(p.b) || len(out) > 200_000 {
			return nil, errSyntax
		}
		if p.b[p.at] == ']' {
			p.at++
			return out, nil
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

func (p *parser) dict() (any, error) {
	p.at += 2
	out := dict{}
	for {
		p.skip()
		if p.at+1 >= len(p.b) || len(out) > 100_000 {
			return nil, errSyntax
		}
		if p.b[p.at] == '>' && p.b[p.at+1] == '>' {
			p.at += 2
			return out, nil
		}
		if p.b[p.at] != '/' {
			return nil, errSyntax
		}
		k := p.name()
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		if _, twice := out[k]; twice && (k == "ByteRange" || k == "Contents") {
			return nil, errSyntax // readers differ on which one counts
		}
		out[k] = v
	}
}

// number reads a number, or a reference where "gen R" follows.
func (p *parser) number() (any, error) {
	start := p.at
	for p.at < len(p.b) && !isSpace(p.b[p.at]) && !isDelimiter(p.b[p.at]) {
		p.at++
	}
	s := string(p.b[start:p.at])
	if num, err := strconv.Atoi(s); err == nil && num >= 0 {
		back := p.at
		p.skip()
		g := p.at
		for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
			p.at++
		}
		if p.at > g && p.at-g < 6 {
			gen, _ := strconv.Atoi(string(p.b[g:p.at]))
			p.skip()
			if p.at < len(p.b) && p.b[p.at] == 'R' && (p.at+1 >= len(p.b) || isSpace(p.b[p.at+1]) || isDelimiter(p.b[p.at+1])) {
				p.at++
				return ref{num, gen}, nil
			}
		}
		p.at = back
		return float64(num), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, errSyntax
	}
	return f, nil
}

func (p *parser) keyword() (any, error) {
	start := p.at
	for p.at < len(p.b) && !isSpace(p.b[p.at]) && !isDelimiter(p.b[p.at]) {
		p.at++
	}
	switch string(p.b[start:p.at]) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	return nil, errSyntax
}

// integer is a non-negative whole number; ok is false for anything else.
func integer(v any) (int, bool) {
	f, ok := v.(float64)
	if !ok || f < 0 || f > 1<<40 || f != float64(int(f)) {
		return 0, false
	}
	return int(f), true
}
