package letter

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds within office files; this code runs in a child under limits of its own.
const (
	maxXMLBytes = 24 << 20 // uncompressed, a part
	maxXMLDepth = 400
)

// member opens one file of a zip, bounded.
func member(data []byte, name string) (io.Reader, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("reading the office file: %w", err)
	}
	for _, f := range z.File {
		if f.Name == name {
			rc, err := f.Open()
			if err != nil {
				return nil, fmt.Errorf("opening the office file's text: %w", err)
			}
			return io.LimitReader(rc, maxXMLBytes), nil
		}
	}
	return nil, errors.New("the office file has no text part")
}

// docxText writes the text of a DOCX: a line a paragraph, cells of a table row separated by tabs, boxes as glyphs. Deleted text is left
// out; struck-out text stands between "~~". Go's XML decoder knows no external entities; a document with its own entities is refused.
func docxText(data []byte, out *bufio.Writer) error {
	for _, part := range []string{"word/header1.xml", "word/header2.xml", "word/header3.xml"} {
		if r, err := member(data, part); err == nil {
			_ = wordXML(r, out) // a broken letterhead must not hide the letter
		}
	}
	r, err := member(data, "word/document.xml")
	if err != nil {
		return err
	}
	if err := wordXML(r, out); err != nil {
		return err
	}
	for _, m := range []string{"word/vbaProject.bin", "word/embeddings/oleObject1.bin"} {
		if _, err := member(data, m); err == nil {
			fmt.Fprintf(out, "\x00%s\n", "macro")
			break
		}
	}
	return nil
}

// wordState is where the reader is in a WordprocessingML document.
type wordState struct {
	blocks [][]string // open containers: the document, then cells
	rows   [][][]string
	para   strings.Builder
	run    strings.Builder
	inText bool
	strike bool
	del    int
	alt    int   // inside mc:Fallback: the same text a second time
	box    *bool // a check box whose definition is being read, and whether it is ticked
	wide   int   // columns of the cell beyond the first
	inBox  int   // inside the glyph that shows a content control's box, whatever its font makes of it
}

func wordXML(r io.Reader, out *bufio.Writer) error {
	s := &wordState{blocks: [][]string{nil}}
	return s.read(r, out, s.open, s.close, func(text xml.CharData) {
		if s.inText && s.del == 0 && s.alt == 0 && s.inBox == 0 {
			s.run.Write(text)
		}
	})
}

// read goes through a document's XML, and writes what was gathered; of a broken one, that far.
func (s *wordState) read(r io.Reader, out *bufio.Writer, open func(xml.StartElement), end func(xml.EndElement), text func(xml.CharData)) error {
	defer flushWord(s, out)
	d := xml.NewDecoder(r)
	for depth := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the document's XML: %w", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return errors.New("the document declares entities or a document type")
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return errors.New("the document nests too deeply")
			}
			open(t)
		case xml.EndElement:
			depth--
			end(t)
		case xml.CharData:
			text(t)
		}
	}
}

func flushWord(s *wordState, out *bufio.Writer) {
	s.endPara()
	for len(s.blocks) > 1 {
		s.endCell()
	}
	for _, l := range s.blocks[0] {
		out.WriteString(l)
		out.WriteByte('\n')
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (s *wordState) open(e xml.StartElement) {
	switch e.Name.Local {
	case "t":
		s.inText = true
	case "del", "moveFrom":
		s.del++
	case "Fallback":
		s.alt++
	case "tab":
		if attr(e, "val") == "" && attr(e, "pos") == "" { // not a tab stop's definition
			s.run.WriteByte('\t')
		}
	case "br", "cr":
		s.endRun()
		s.para.WriteByte('\n')
	case "noBreakHyphen":
		s.run.WriteByte('-')
	case "checkbox", "checkBox": // w14:checkbox of a content control, w:checkBox of an old form field
		s.box = new(bool)
	case "checked", "default":
		if s.box != nil {
			v := attr(e, "val")
			*s.box = v != "0" && v != "false"
		}
	case "sdtContent":
		if s.inBox > 0 {
			s.inBox++
		} else if s.box != nil {
			s.tick()
			s.inBox = 1
		}
	case "sym":
		s.run.WriteString(symbol(attr(e, "char")))
	case "r":
		s.strike = false
	case "strike", "dstrike":
		v := attr(e, "val")
		s.strike = v != "0" && v != "false"
	case "tbl":
		s.endPara()
	case "tr":
		s.rows = append(s.rows, nil)
	case "tc":
		s.blocks = append(s.blocks, nil)
	case "gridSpan":
		n, _ := strconv.Atoi(attr(e, "val"))
		s.wide = max(0, min(n, 30)-1)
	}
}

func (s *wordState) close(e xml.EndElement) {
	switch e.Name.Local {
	case "t":
		s.inText = false
	case "del", "moveFrom":
		s.del--
	case "Fallback":
		s.alt--
	case "checkBox":
		s.tick()
	case "sdtContent":
		s.inBox = max(0, s.inBox-1)
	case "r":
		s.endRun()
	case "p":
		s.endPara()
	case "tc":
		s.endCell()
	case "tr":
		if n := len(s.rows); n > 0 {
			s.add(rowLines(s.rows[n-1])...)
			s.rows = s.rows[:n-1]
		}
	}
}

// tick shows a box as its glyph.
func (s *wordState) tick() {
	if s.box == nil {
		return
	}
	if *s.box {
		s.run.WriteString("☑ ")
	} else {
		s.run.WriteString("☐ ")
	}
	s.box = nil
}

func (s *wordState) endRun() {
	t := s.run.String()
	s.run.Reset()
	if s.strike && strings.TrimSpace(t) != "" {
		t = "~~" + t + "~~"
	}
	s.para.WriteString(t)
}

func (s *wordState) endPara() {
	s.endRun()
	t := strings.TrimRight(s.para.String(), " \t")
	s.para.Reset()
	if t == "" && len(s.blocks) > 1 {
		return
	}
	s.add(strings.Split(t, "\n")...)
}

func (s *wordState) add(lines ...string) {
	n := len(s.blocks) - 1
	s.blocks[n] = append(s.blocks[n], lines...)
}

func (s *wordState) endCell() {
	s.endPara()
	n := len(s.blocks)
	if n < 2 {
		return
	}
	cell := s.blocks[n-1]
	s.blocks = s.blocks[:n-1]
	if k := len(s.rows); k > 0 {
		// A tab within a cell would look like the next cell.
		for i, l := range cell {
			if !strings.Contains(l, ":") {
				cell[i] = strings.ReplaceAll(l, "\t", " ")
			}
		}
		s.rows[k-1] = append(append(s.rows[k-1], cell), make([][]string, s.wide)...)
		s.wide = 0
	}
}

// symbol maps the glyphs of Wingdings and its like, which are private characters, to those that they show.
func symbol(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return ""
	}
	return boxGlyph(rune(n))
}

func boxGlyph(r rune) string {
	if r >= 0xf000 && r <= 0xf0ff {
		r -= 0xf000
	}
	switch r {
	case 0x6f, 0x70, 0x71, 0x72, 0xa8, 0xa3, 0x2a, 0x30:
		return "☐"
	case 0xfe, 0x52, 0x54:
		return "☑"
	case 0xfd, 0x53, 0x78:
		return "☒"
	case 0xfc, 0x50:
		return "✓"
	case 0xfb, 0x4f, 0x51:
		return "✗"
	}
	if r >= 0x20 && r < 0xf000 {
		return string(r)
	}
	return ""
}

// odtText writes the text of an OpenDocument text.
func odtText(data []byte, out *bufio.Writer) error {
	r, err := member(data, "content.xml")
	if err != nil {
		return err
	}
	s := &wordState{blocks: [][]string{nil}}
	skip := 0
	return s.read(r, out, func(e xml.StartElement) {
		switch e.Name.Local {
		case "tab":
			s.run.WriteByte('\t')
		case "s":
			n, _ := strconv.Atoi(attr(e, "c"))
			s.run.WriteString(strings.Repeat(" ", max(1, min(n, 80))))
		case "line-break":
			s.run.WriteByte('\n')
		case "table-row":
			s.rows = append(s.rows, nil)
		case "table-cell":
			s.blocks = append(s.blocks, nil)
		case "tracked-changes", "annotation":
			skip++
		}
	}, func(e xml.EndElement) {
		switch e.Name.Local {
		case "p", "h":
			s.endPara()
		case "table-cell":
			s.endCell()
		case "table-row":
			if n := len(s.rows); n > 0 {
				s.add(rowLines(s.rows[n-1])...)
				s.rows = s.rows[:n-1]
			}
		case "tracked-changes", "annotation":
			skip--
		}
	}, func(text xml.CharData) {
		if skip == 0 {
			s.run.Write(text)
		}
	})
}
