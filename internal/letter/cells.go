package letter

import (
	"strings"
	"unicode/utf8"
)

// cell is a run of text on a line, set off by a tab or by two or more blanks. at and end are its columns; cells of tabbed rows lie 200
// columns apart, so that the same rules read tables of every source.
type cell struct {
	text    string
	at, end int
}

const tabStop = 200

// cellsOf splits a line.
func cellsOf(s string) []cell {
	var out []cell
	if strings.Contains(strings.TrimSpace(s), "\t") {
		for i, part := range strings.Split(s, "\t") {
			if t := strings.Join(strings.Fields(part), " "); t != "" {
				out = append(out, cell{t, i * tabStop, i*tabStop + utf8.RuneCountInString(t)})
			}
		}
		return out
	}
	s = strings.ReplaceAll(s, "\t", "    ")
	col, start, startCol, blanks := 0, -1, 0, 0
	lastEnd, lastCol := 0, 0
	for i, r := range s {
		if r == ' ' {
			blanks++
			if blanks >= 2 && start >= 0 {
				out = append(out, cell{s[start:lastEnd], startCol, lastCol})
				start = -1
			}
		} else {
			if start < 0 {
				start, startCol = i, col
			}
			blanks = 0
			lastEnd, lastCol = i+utf8.RuneLen(r), col+1
			if r == utf8.RuneError {
				lastEnd = i + 1
			}
		}
		col++
	}
	if start >= 0 {
		out = append(out, cell{s[start:lastEnd], startCol, lastCol})
	}
	return out
}

// sheet is a document with its lines split into cells.
type sheet struct {
	document
	cells [][]cell
	used  []bool // lines that a label, table or signature has taken
	table []bool // lines of tables
	shown *shown
}

// shown is a sheet's text as it may be shown, in the same lines.
type shown struct {
	lines  []string
	secret bool // something was masked
}

func (s *sheet) masked() shown {
	if s.shown == nil { // a secret may stand below its word, so that its line alone doesn't tell
		text, hit := mask(s.text())
		s.shown = &shown{strings.Split(text, "\n"), hit}
	}
	return *s.shown
}

func newSheet(d document) *sheet {
	if d.how == "ocr" {
		d.lines = recolon(d.lines)
	}
	s := &sheet{document: d, cells: make([][]cell, len(d.lines)), used: make([]bool, len(d.lines)), table: make([]bool, len(d.lines))}
	for i, l := range d.lines {
		s.cells[i] = cellsOf(undash(l.text))
		for k, c := range s.cells[i] {
			if k > 0 && strings.HasPrefix(c.text, "= ") {
				s.cells[i][k].text = ":" + c.text[1:] // "Nama      = Slamet"
			}
		}
	}
	return s
}

func (s *sheet) blank(i int) bool { return len(s.cells[i]) == 0 }

// next is the first line after i that isn't blank, at most two lines on; -1 if there is none.
func (s *sheet) next(i int) int {
	for j := i + 1; j < len(s.cells) && j <= i+2; j++ {
		if !s.blank(j) {
			return j
		}
	}
	return -1
}

// undash puts a colon where a dash or an arrow stands between a label and its value.
func undash(text string) string {
	at := dash.FindStringIndex(text)
	if at == nil {
		return text
	}
	f, ok := fieldOf(unmarked(strings.TrimSpace(text[:at[0]])))
	value := strings.TrimSpace(text[at[1]:])
	head, _, _ := strings.Cut(value, " ")
	if !ok || f == fieldSkip || f == fieldContact || !plausible(f, value) || isLabel(head) {
		return text
	}
	return text[:at[0]] + " : " + text[at[1]:]
}

var dash = compile(`\s(?:[—–-]|->|→)\s`)

// falseColon is a label and, in the place of its colon, what OCR makes of one.
var falseColon = compile(`^(\s*\S.{1,30}?)\s{2,}([1!|;iltI.'*-]|[\d.|;:!'*-]{2,3})(\s+)(\S.*)$`)

// recolon puts back the colons that OCR took for other characters, in lines that begin with a known label.
func recolon(lines []line) []line {
	out := make([]line, len(lines))
	for i, l := range lines {
		out[i] = l
		if m := falseColon.FindStringSubmatchIndex(l.text); m != nil {
			if f, ok := fieldOf(unmarked(strings.TrimSpace(l.text[m[2]:m[3]]))); ok && f != fieldSkip {
				out[i].text = l.text[:m[4]] + ":" + l.text[m[5]:]
			}
		}
	}
	return out
}

// found is a labelled value.
type found struct {
	field   field
	value   string
	line    int
	labelAt int
	valueAt int // column of the value on its line
	end     int // last line of the value
}

// labelled finds every "label : value" of the sheet, in order.
func (s *sheet) labelled() []found {
	var out []found
	for i := range s.cells {
		if s.used[i] {
			continue
		}
		out = append(out, s.pairs(i)...)
	}
	for k := range out {
		limit := len(s.cells)
		if k+1 < len(out) && out[k+1].line > out[k].line {
			limit = out[k+1].line
		} else if k+1 < len(out) && out[k+1].line == out[k].line && out[k+1].labelAt > out[k].labelAt {
			limit = nextLine(out[k+1:], out[k].line, len(s.cells))
		}
		s.continueValue(&out[k], limit)
	}
	for _, f := range out {
		for i := f.line; i <= f.end && i < len(s.used); i++ {
			s.used[i] = true
		}
	}
	return out
}

func nextLine(rest []found, line, limit int) int {
	for _, f := range rest {
		if f.line > line {
			return f.line
		}
	}
	return limit
}

// pairs finds the labelled values that begin on one line.
func (s *sheet) pairs(i int) []found {
	cells := s.cells[i]
	var out []found
	for k := 0; k < len(cells); {
		f, taken := s.pair(i, k)
		if taken == 0 {
			k++
			continue
		}
		k += taken
		out = append(out, splitInline(f)...)
	}
	return out
}

// pair reads a labelled value that begins at cell k; taken is how many cells it used.
func (s *sheet) pair(i, k int) (found, int) {
	cells := s.cells[i]
	c := cells[k]
	f := found{line: i, end: i, labelAt: c.at, valueAt: -1}
	if fd, v, ok := cutLabel(c.text); ok {
		f.field = fd
		if v != "" {
			f.value, f.valueAt = v, c.end-utf8.RuneCountInString(v)
			return f, 1 + s.extend(&f, i, k+1)
		}
		return f, 1 + s.extend(&f, i, k+1)
	}
	fd, ok := fieldOf(unmarked(c.text))
	if !ok && k == 0 && strings.Contains(s.lines[i].text, "@") {
		if m := mailAddressLine.FindStringSubmatchIndex(s.lines[i].text); m != nil && (s.identityLine(i-1) || s.identityLine(i+1)) {
			f.field, f.value, f.valueAt = fieldEmail, s.lines[i].text[m[2]:m[3]], c.at
			return f, len(cells)
		}
	}
	if !ok {
		fd, ok = s.wrappedLabel(i, k)
	}
	if !ok {
		return s.bareLabel(i, f)
	}
	f.field = fd
	if k+1 < len(cells) && strings.HasPrefix(cells[k+1].text, ":") {
		v := strings.TrimSpace(strings.TrimLeft(cells[k+1].text, ": "))
		if v != "" {
			f.value, f.valueAt = v, cells[k+1].end-utf8.RuneCountInString(v)
		}
		return f, 2 + s.extend(&f, i, k+2)
	}
	if fd == fieldSkip || strings.HasSuffix(c.text, ",") && fd != fieldNIP { // OCR reads the point of "NIP." as a comma
		return f, 0
	}
	// Two columns without a colon: exactly a label and a value.
	if fd != fieldDate && k+2 == len(cells) && (k == 0 || k == 1 && isOrdinal(cells[0].text)) && !isLabel(cells[k+1].text) && plausible(fd, cells[k+1].text) {
		f.value, f.valueAt = cells[k+1].text, cells[k+1].at
		return f, 2
	}
	// A label alone on its line: the value is on the next one.
	if len(cells) == 1 {
		if j := s.next(i); j >= 0 && len(s.cells[j]) == 1 && !isLabel(s.cells[j][0].text) && !s.hasPair(j) &&
			plausible(fd, strings.TrimLeft(s.cells[j][0].text, ": ")) {
			f.value, f.valueAt, f.end = strings.TrimLeft(s.cells[j][0].text, ": "), s.cells[j][0].at, j
			return f, 1
		}
	}
	return f, 0
}

// mailAddressLine is an e-mail address alone behind a label, whatever the label says.
var mailAddressLine = compile(`^\s*\pL[\pL .-]{1,30}\s*:\s*([\w.+-]+@[\w.-]+)\s*$`)

// identityLine: a line with a label of a person's.
func (s *sheet) identityLine(i int) bool {
	if i < 0 || i >= len(s.cells) || len(s.cells[i]) == 0 {
		return false
	}
	before, _, ok := cutColon(s.lines[i].text)
	if !ok {
		return false
	}
	switch f, _ := fieldOf(unmarked(strings.TrimSpace(before))); f {
	case fieldName, fieldNIP, fieldNIK, fieldPosition, fieldRank, fieldOffice, fieldPhone:
		return true
	}
	return false
}

// wrappedLabel joins a label that runs on below itself, its value beside the first line: "Nomor Induk   : 3303... / Kependudukan".
func (s *sheet) wrappedLabel(i, k int) (field, bool) {
	if k > 0 && !(k == 1 && isOrdinal(s.cells[i][0].text)) || k+1 >= len(s.cells[i]) || i+1 >= len(s.cells) || len(s.cells[i+1]) == 0 {
		return "", false
	}
	c, below := s.cells[i][k], s.cells[i+1][0]
	if abs(below.at-c.at) > 1 || len(below.text) > 24 || len(s.cells[i+1]) > 1 && strings.HasPrefix(s.cells[i+1][1].text, ":") || isLabel(below.text) {
		return "", false
	}
	f, ok := fieldOf(unmarked(c.text) + " " + below.text)
	return f, ok && f != fieldSkip
}

// bareLabel reads "nama slamet riyadi" above "nip 1970...": labels without a colon, several lines of them, or a number below a label with one.
func (s *sheet) bareLabel(i int, f found) (found, int) {
	m := labelAndValue.FindStringSubmatch(strings.TrimSpace(s.lines[i].text))
	if m == nil || len(s.cells[i]) > 2 {
		return f, 0
	}
	fd, ok := fieldOf(m[1])
	near := false
	if i > 0 && (fd == fieldNIP || fd == fieldNIK) {
		_, _, near = cutLabel(strings.TrimSpace(s.lines[i-1].text))
	}
	for _, j := range []int{i - 1, i + 1} {
		near = near || j >= 0 && j < len(s.lines) && labelAndValue.MatchString(strings.TrimSpace(s.lines[j].text))
	}
	if !ok || !near || !plausible(fd, m[2]) {
		return f, 0
	}
	f.field, f.value, f.valueAt = fd, m[2], f.labelAt+len(m[1])+1
	return f, len(s.cells[i])
}

var labelAndValue = compile(`(?i)^(nama(?: lengkap)?|nip|nik|jabatan|pangkat|unit kerja|opd|instansi|e-?mail(?: dinas)?|no\.? ?hp|no\.? ?wa|hp|wa)[.,]?\s+([^:=]+)$`)

// extend gives a value the cells behind it on the line: the first one if the value is still empty, and those that a justified line or a
// blank within a number has torn off.
func (s *sheet) extend(f *found, i, k int) int {
	cells := s.cells[i]
	taken := 0
	for ; k < len(cells); k++ {
		c := cells[k]
		text := strings.TrimSpace(strings.TrimLeft(c.text, ": "))
		if isLabel(c.text) && strings.Contains(c.text, ":") || k+1 < len(cells) && strings.HasPrefix(cells[k+1].text, ":") && isLabel(c.text) {
			break
		}
		switch {
		case f.value == "" && f.valueAt < 0:
			if text == "" {
				taken++
				continue
			}
			if f.field == fieldNumber && startsColumn(text) || f.field != fieldDate && placeDate.MatchString(text) {
				return taken
			}
			f.value, f.valueAt = text, c.at
		case f.field == fieldNumber && (strings.HasSuffix(f.value, "/") || strings.HasPrefix(text, "/")):
			f.value += " " + text
		case c.at-cells[k-1].end <= 3 && cells[k-1].at%tabStop+c.at%tabStop != 0 && !startsColumn(text) && f.field != fieldNumber:
			if f.field == fieldSubject && s.columnBegins(i, c.at) {
				return taken
			}
			f.value += " " + text
		case (f.field == fieldNIP || f.field == fieldNIK) && digitsOf(text) != "" && strings.Trim(text, "0123456789 .-") == "" && c.at-cells[k-1].end <= 4:
			f.value += " " + text
		default:
			return taken
		}
		taken++
	}
	if f.value == "" && taken == 0 && len(cells) == k {
		s.valueBelow(f, i)
	}
	return taken
}

// columnBegins: on a line above or below, a cell begins at the same place: there is the column of the address.
func (s *sheet) columnBegins(i, at int) bool {
	for j := max(0, i-2); j < min(len(s.cells), i+3); j++ {
		for k, c := range s.cells[j] {
			if j != i && k > 0 && abs(c.at-at) <= 1 || j == i-1 && c.at == at && len(s.cells[j]) == 1 {
				return true
			}
		}
	}
	return false
}

// valueBelow looks for the value of "Label :" on the next line.
func (s *sheet) valueBelow(f *found, i int) {
	if f.field == fieldSkip || f.field == fieldContact || len(s.cells[i]) > 1 && !strings.HasPrefix(s.cells[i][1].text, ":") {
		return
	}
	j := s.next(i)
	if j < 0 || len(s.cells[j]) > 2 || s.hasPair(j) || isLabel(s.cells[j][0].text) {
		return
	}
	v := s.cells[j][0].text
	if !plausible(f.field, v) || startsSentence(v) {
		return
	}
	f.value, f.valueAt, f.end = v, s.cells[j][0].at, j
}

func (s *sheet) hasPair(i int) bool {
	for _, c := range s.cells[i] {
		if _, _, ok := cutLabel(c.text); ok {
			return true
		}
	}
	return len(s.cells[i]) >= 2 && isLabel(s.cells[i][0].text) && strings.HasPrefix(s.cells[i][1].text, ":")
}

// continueValue joins the lines over which a value runs. Values that are one word or number never do.
func (s *sheet) continueValue(f *found, limit int) {
	if f.value == "" {
		return
	}
	for i := f.end + 1; i < limit && i < len(s.cells) && f.end-f.line < 6; i++ {
		if s.blank(i) || s.lines[i].page != s.lines[f.line].page {
			return
		}
		more, ok := s.continuation(f, i)
		if !ok {
			return
		}
		sep := " "
		if f.field == fieldEmail || f.field == fieldNumber && strings.HasSuffix(f.value, "/") {
			sep = ""
		}
		f.value += sep + more
		f.end = i
	}
}

func (s *sheet) continuation(f *found, i int) (string, bool) {
	c := s.cells[i][0]
	tabbed := strings.Contains(strings.TrimSpace(s.lines[f.line].text), "\t")
	if tabbed && !strings.Contains(s.lines[i].text, "\t") {
		// A tabbed line of a document continues with lines of tabs alone before the text.
		return "", false
	}
	if placeDate.MatchString(s.lines[i].text) && len(s.cells[i]) == 1 {
		return "", false
	}
	aligned := abs(c.at-f.valueAt) <= 1 && f.valueAt > f.labelAt+4 && f.field != fieldName
	if isLabel(c.text) && (strings.Contains(c.text, ":") || s.hasPair(i) || len(s.cells[i]) > 1 && !aligned) || startsSentence(c.text) && !aligned || onlyNIP.MatchString(c.text) {
		return "", false
	}
	if listMarkEnd(c.text) > 0 && f.field != fieldSubject && f.field != fieldPosition {
		return "", false
	}
	indented := c.at > f.labelAt+1 && c.at >= f.valueAt-3 && c.at <= f.valueAt+14
	if indented && c.at < f.labelAt+3 {
		indented = false
	}
	switch f.field {
	case fieldNIP, fieldNIK, fieldPhone, fieldDate:
		if indented && strings.Trim(c.text, "0123456789 .-") == "" {
			return c.text, true
		}
		return "", false
	case fieldEmail:
		if indented && !strings.Contains(f.value, "@") == strings.Contains(c.text, "@") && !strings.Contains(c.text, " ") {
			return c.text, true
		}
		return "", false
	case fieldNumber:
		if indented && (strings.HasSuffix(f.value, "/") || strings.HasPrefix(c.text, "/")) {
			return c.text, true
		}
		return "", false
	case fieldContact, fieldSkip:
		return "", false
	}
	if indented && !startsColumn(c.text) {
		return c.text, true
	}
	// Plain mail wraps long lines back to the margin.
	before := s.lines[f.end].text
	if !tabbed && c.at <= f.labelAt+1 && utf8.RuneCountInString(strings.TrimSpace(before)) >= 58 && len(s.cells[i]) == 1 && listMarkEnd(c.text) == 0 &&
		!strings.HasPrefix(c.text, "(") && utf8.RuneCountInString(c.text) < 60 && f.field != fieldName {
		return c.text, true
	}
	if !tabbed && c.at <= f.labelAt+1 && len(s.cells[i]) == 1 && danglingEnd(f.value) && utf8.RuneCountInString(c.text) < 60 {
		return c.text, true
	}
	return "", false
}

// danglingEnd: a value that can't end so.
func danglingEnd(v string) bool {
	w := strings.Fields(strings.ToLower(v))
	if len(w) == 0 {
		return false
	}
	switch w[len(w)-1] {
	case "dan", "pada", "di", "atau", "serta", "bidang", "dinas", "badan", "&", "seksi", "subbagian", "sub", "kabupaten", "kota", "elektronik-", "a.n.", "tanda", "sertifikat":
		return true
	}
	return strings.HasSuffix(v, ",") && len(w) < 12
}

func unmarked(s string) string {
	if n := listMarkEnd(s); n > 0 {
		if _, ok := fieldOf(s); !ok {
			return s[n:]
		}
	}
	return s
}

func isLabel(s string) bool {
	if _, _, ok := cutLabel(s); ok {
		return true
	}
	_, ok := fieldOf(unmarked(s))
	return ok
}

func isOrdinal(s string) bool {
	s = strings.Trim(s, ".)( ")
	if s == "" || len(s) > 3 {
		return false
	}
	return digitsOf(s) == s
}
