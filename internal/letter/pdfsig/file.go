package pdfsig

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Bounds of one file.
const (
	maxRevisions = 200
	maxObjects   = 300_000
	maxInflated  = 24 << 20 // of one stream
	maxTotal     = 96 << 20 // of all streams
)

// place is where an object lives: at an offset, or within an object stream.
type place struct {
	offset   int
	inStream int // number of the object stream; 0 for none
	index    int
	revision int
}

// revision is one cross-reference section: what an incremental update says about objects (ISO 32000-1 section 7.5).
type revision struct {
	places  map[int]place
	trailer dict
	at      int // offset of its xref
}

// file is a PDF with its revisions, newest first.
type file struct {
	b         []byte
	revisions []revision
	inflated  int
	objstm    map[[2]int]map[int]any // by stream number and offset
}

// open follows the chain of cross-reference sections from the end of the file.
func open(b []byte) (*file, error) {
	f := &file{b: b, objstm: map[[2]int]map[int]any{}}
	at, err := startxref(b)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for at >= 0 && !seen[at] {
		if len(f.revisions) >= maxRevisions {
			return nil, errors.New("too many revisions")
		}
		seen[at] = true
		r, err := f.section(at)
		if err != nil {
			return nil, fmt.Errorf("reading cross-references: %w", err)
		}
		f.revisions = append(f.revisions, r)
		if hybrid, ok := integer(r.trailer["XRefStm"]); ok && !seen[hybrid] {
			seen[hybrid] = true
			h, err := f.section(hybrid)
			if err == nil {
				for n, p := range h.places {
					if have, ok := r.places[n]; !ok || have.offset < 0 { // old readers see these objects as free (section 7.5.8.4)
						r.places[n] = p
					}
				}
			}
		}
		prev, ok := integer(r.trailer["Prev"])
		if !ok {
			break
		}
		at = prev
	}
	if len(f.revisions) == 0 {
		return nil, errors.New("no cross-references")
	}
	return f, nil
}

func startxref(b []byte) (int, error) {
	tail := b[max(0, len(b)-4096):]
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return 0, errors.New("no startxref")
	}
	p := parser{b: tail, at: i + len("startxref")}
	v, err := p.value()
	n, ok := integer(v)
	if err != nil || !ok || n >= len(b) {
		return 0, errors.New("broken startxref")
	}
	return n, nil
}

// section reads a cross-reference table or stream.
func (f *file) section(at int) (revision, error) {
	if at < 0 || at >= len(f.b) {
		return revision{}, errSyntax
	}
	p := parser{b: f.b, at: at}
	p.skip()
	if bytes.HasPrefix(f.b[p.at:], []byte("xref")) {
		p.at += 4
		return f.table(&p, at)
	}
	return f.xrefStream(at)
}

func (f *file) table(p *parser, at int) (revision, error) {
	r := revision{places: map[int]place{}, at: at}
	for {
		p.skip()
		if bytes.HasPrefix(f.b[p.at:], []byte("trailer")) {
			p.at += len("trailer")
			v, err := p.value()
			d, ok := v.(dict)
			if err != nil || !ok {
				return r, errSyntax
			}
			r.trailer = d
			return r, nil
		}
		first, ok1 := p.integer()
		count, ok2 := p.integer()
		if !ok1 || !ok2 || count > maxObjects || len(r.places) > maxObjects {
			return r, errSyntax
		}
		for i := range count {
			offset, ok1 := p.integer()
			_, ok2 := p.integer()
			p.skip()
			if !ok1 || !ok2 || p.at >= len(f.b) {
				return r, errSyntax
			}
			kind := f.b[p.at]
			p.at++
			if kind == 'n' {
				r.places[first+i] = place{offset: offset}
			} else {
				r.places[first+i] = place{offset: -1}
			}
		}
	}
}

// integer reads digits, without looking for a reference.
func (p *parser) integer() (int, bool) {
	p.skip()
	start := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	n, err := strconv.Atoi(string(p.b[start:p.at]))
	return n, err == nil
}

func (f *file) xrefStream(at int) (revision, error) {
	r := revision{places: map[int]place{}, at: at}
	_, v, err := f.objectAt(at)
	s, ok := v.(*stream)
	if err != nil || !ok {
		return r, errSyntax
	}
	r.trailer = s.dict
	data, err := f.inflate(s)
	if err != nil {
		return r, err
	}
	var w [3]int
	ws, _ := s.dict["W"].(array)
	if len(ws) < 3 {
		return r, errSyntax
	}
	for i := range w {
		if w[i], ok = integer(ws[i]); !ok || w[i] > 8 {
			return r, errSyntax
		}
	}
	size, _ := integer(s.dict["Size"])
	index, _ := s.dict["Index"].(array)
	if index == nil {
		index = array{0.0, float64(size)}
	}
	row := w[0] + w[1] + w[2]
	if row == 0 {
		return r, errSyntax
	}
	for k := 0; k+1 < len(index); k += 2 {
		first, _ := integer(index[k])
		count, _ := integer(index[k+1])
		for i := 0; i < count && len(data) >= row && len(r.places) < maxObjects; i++ {
			kind, a, b := 1, bigEndian(data[w[0]:w[0]+w[1]]), bigEndian(data[w[0]+w[1]:row])
			if w[0] > 0 {
				kind = bigEndian(data[:w[0]])
			}
			data = data[row:]
			switch kind {
			case 0:
				r.places[first+i] = place{offset: -1}
			case 1:
				r.places[first+i] = place{offset: a}
			case 2:
				r.places[first+i] = place{inStream: a, index: b}
			}
		}
	}
	return r, nil
}

func bigEndian(b []byte) int {
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n & (1<<40 - 1)
}

// objectAt reads "num gen obj ..." at an offset.
func (f *file) objectAt(at int) (int, any, error) {
	if at < 0 || at >= len(f.b) {
		return 0, nil, errSyntax
	}
	p := parser{b: f.b, at: at}
	num, ok1 := p.integer()
	_, ok2 := p.integer()
	p.skip()
	if !ok1 || !ok2 || !bytes.HasPrefix(f.b[p.at:], []byte("obj")) {
		return 0, nil, errSyntax
	}
	p.at += 3
	v, err := p.value()
	if err != nil {
		return 0, nil, err
	}
	d, ok := v.(dict)
	if !ok {
		return num, v, nil
	}
	p.skip()
	if !bytes.HasPrefix(f.b[p.at:], []byte("stream")) {
		return num, d, nil
	}
	start := p.at + len("stream")
	if start < len(f.b) && f.b[start] == '\r' {
		start++
	}
	if start < len(f.b) && f.b[start] == '\n' {
		start++
	}
	n, ok := integer(d["Length"])
	if r, isRef := d["Length"].(ref); isRef {
		n, ok = integer(f.get(r))
	}
	if !ok || start+n > len(f.b) {
		i := bytes.Index(f.b[start:], []byte("endstream"))
		if i < 0 {
			return num, nil, errSyntax
		}
		n = i
	}
	return num, &stream{d, f.b[start : start+n]}, nil
}

// lookup finds an object's place as seen from a revision (0 is the newest).
func (f *file) lookup(num, from int) (place, bool) {
	for i := from; i < len(f.revisions); i++ {
		if p, ok := f.revisions[i].places[num]; ok {
			p.revision = i
			return p, p.offset >= 0
		}
	}
	return place{}, false
}

// get resolves a value, following references, as the newest revision sees it.
func (f *file) get(v any) any {
	for range 20 {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		p, ok := f.lookup(r.num, 0)
		if !ok {
			return nil
		}
		v = f.load(r.num, p, 0)
	}
	return nil
}

func (f *file) load(num int, p place, from int) any {
	if p.inStream == 0 {
		n, v, err := f.objectAt(p.offset)
		if err != nil || n != num {
			return nil
		}
		return v
	}
	sp, ok := f.lookup(p.inStream, from)
	if !ok || sp.inStream != 0 {
		return nil
	}
	key := [2]int{p.inStream, sp.offset}
	if _, ok := f.objstm[key]; !ok {
		f.objstm[key] = f.objectStream(sp)
	}
	return f.objstm[key][num]
}

func (f *file) objectStream(p place) map[int]any {
	out := map[int]any{}
	_, v, err := f.objectAt(p.offset)
	s, ok := v.(*stream)
	if err != nil || !ok {
		return out
	}
	data, err := f.inflate(s)
	if err != nil {
		return out
	}
	n, _ := integer(s.dict["N"])
	first, _ := integer(s.dict["First"])
	head := parser{b: data}
	for range min(n, maxObjects) {
		num, ok1 := head.integer()
		offset, ok2 := head.integer()
		if !ok1 || !ok2 || first+offset >= len(data) {
			break
		}
		body := parser{b: data, at: first + offset}
		if v, err := body.value(); err == nil {
			if _, twice := out[num]; !twice {
				out[num] = v
			}
		}
	}
	return out
}

// inflate decodes FlateDecode with PNG predictors, which is what cross-reference and object streams use.
func (f *file) inflate(s *stream) ([]byte, error) {
	filter := f.get(s.dict["Filter"])
	if a, ok := filter.(array); ok && len(a) == 1 {
		filter = a[0]
	}
	switch filter {
	case nil:
		return s.data, nil
	case name("FlateDecode"):
	default:
		return nil, errors.New("unsupported filter")
	}
	z, err := zlib.NewReader(bytes.NewReader(s.data))
	if err != nil {
		return nil, fmt.Errorf("inflating a stream: %w", err)
	}
	limit := min(maxInflated, maxTotal-f.inflated)
	out, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
	f.inflated += len(out)
	if len(out) > limit {
		return nil, errors.New("streams inflate beyond the limit")
	}
	if err != nil && len(out) == 0 {
		return nil, fmt.Errorf("inflating a stream: %w", err)
	}
	parms := f.get(s.dict["DecodeParms"])
	if a, ok := parms.(array); ok && len(a) == 1 {
		parms = f.get(a[0])
	}
	d, _ := parms.(dict)
	if pr, _ := integer(d["Predictor"]); pr >= 10 {
		columns, ok := integer(d["Columns"])
		if !ok {
			columns = 1
		}
		return unpredict(out, columns)
	}
	return out, nil
}

func unpredict(data []byte, columns int) ([]byte, error) {
	if columns <= 0 || columns > 1<<16 {
		return nil, errSyntax
	}
	var out []byte
	prev := make([]byte, columns)
	for len(data) > columns {
		kind, row := data[0], append([]byte(nil), data[1:1+columns]...)
		data = data[1+columns:]
		switch kind {
		case 0:
		case 1:
			for i := 1; i < columns; i++ {
				row[i] += row[i-1]
			}
		case 2:
			for i := range row {
				row[i] += prev[i]
			}
		case 3:
			for i := range row {
				left := 0
				if i > 0 {
					left = int(row[i-1])
				}
				row[i] += byte((left + int(prev[i])) / 2)
			}
		case 4:
			for i := range row {
				a, c := 0, 0
				if i > 0 {
					a, c = int(row[i-1]), int(prev[i-1])
				}
				row[i] += paeth(a, int(prev[i]), c)
			}
		default:
			return nil, errors.New("unsupported predictor")
		}
		out = append(out, row...)
		prev = row
	}
	return out, nil
}

// paeth is the predictor of PNG (RFC 2083 section 6.6).
func paeth(a, b, c int) byte {
	p := a + b - c
	pa, pb, pc := max(p-a, a-p), max(p-b, b-p), max(p-c, c-p)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}
