package letter

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"strconv"
	"strings"
)

// Bounds of archives.
const (
	maxZipFiles = 40
	maxZipDepth = 2        // archives within archives
	maxZipBytes = 40 << 20 // uncompressed, all files of one archive
	maxZipEntry = 25 << 20
)

// unzip writes the files of an archive as frames. It runs in a child; what is too many, too large or encrypted is named instead.
func unzip(data []byte, out *bufio.Writer) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	left, n := int64(maxZipBytes), 0
	for _, f := range z.File {
		name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
		if f.FileInfo().IsDir() || strings.HasPrefix(name, "._") || name == ".DS_Store" || strings.Contains(f.Name, "__MACOSX") {
			continue
		}
		if n++; n > maxZipFiles {
			return writeFrame(out, frame{Name: name, Problem: "too-many"}, nil)
		}
		if f.Flags&1 != 0 {
			if err := writeFrame(out, frame{Name: name, Problem: "encrypted"}, nil); err != nil {
				return err
			}
			continue
		}
		body, problem := inflate(f, min(left, maxZipEntry))
		left -= int64(len(body))
		if err := writeFrame(out, frame{Name: name, Problem: problem}, body); err != nil {
			return err
		}
	}
	return nil
}

func inflate(f *zip.File, limit int64) ([]byte, string) {
	rc, err := f.Open()
	if err != nil {
		return nil, "broken"
	}
	defer rc.Close()
	body, err := io.ReadAll(io.LimitReader(rc, limit+1))
	switch {
	case int64(len(body)) > limit:
		return nil, "too-large"
	case err != nil:
		return nil, "broken"
	}
	return body, ""
}

// xlsxText writes the sheets of a workbook as lines with tabs: an annex of applicants comes as one now and then.
func xlsxText(data []byte, out *bufio.Writer) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("reading the workbook: %w", err)
	}
	var shared []string
	if r, err := member(data, "xl/sharedStrings.xml"); err == nil {
		if shared, err = sharedStrings(r); err != nil {
			return err
		}
	}
	var sheets []string
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "xl/worksheets/sheet") {
			sheets = append(sheets, f.Name)
		}
	}
	sort.Strings(sheets)
	for _, s := range sheets[:min(len(sheets), 10)] {
		r, err := member(data, s)
		if err != nil {
			return err
		}
		if err := sheetRows(r, shared, out); err != nil {
			return err
		}
	}
	return nil
}

func sharedStrings(r io.Reader) ([]string, error) {
	var out []string
	var b strings.Builder
	d := xml.NewDecoder(r)
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("reading the workbook's strings: %w", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, errors.New("the workbook declares entities or a document type")
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if t.Name.Local == "si" {
				b.Reset()
			}
		case xml.EndElement:
			if t.Name.Local == "si" {
				out = append(out, strings.Join(strings.Fields(b.String()), " "))
			}
		}
	}
}

func sheetRows(r io.Reader, shared []string, out *bufio.Writer) error {
	d := xml.NewDecoder(r)
	var cells []string
	kind, value, col := "", "", 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the workbook's sheet: %w", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return errors.New("the workbook declares entities or a document type")
		case xml.StartElement:
			switch t.Name.Local {
			case "row":
				cells = nil
			case "c":
				kind, value, col = attr(t, "t"), "", column(attr(t, "r"))
			}
		case xml.CharData:
			value += string(t)
			if len(value) > 4000 {
				value = value[:4000]
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "c":
				if kind == "s" {
					if i, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && i >= 0 && i < len(shared) {
						value = shared[i]
					}
				}
				for len(cells) < min(col, 60) {
					cells = append(cells, "")
				}
				cells = append(cells, strings.Join(strings.Fields(value), " "))
			case "row":
				out.WriteString(strings.TrimRight(strings.Join(cells, "\t"), "\t"))
				out.WriteByte('\n')
			}
		}
	}
}

// column is the index of a cell reference such as "C7".
func column(ref string) int {
	n := 0
	for _, r := range ref {
		if r < 'A' || r > 'Z' {
			break
		}
		n = n*26 + int(r-'A') + 1
		if n > 1000 {
			return 0
		}
	}
	return max(0, n-1)
}
