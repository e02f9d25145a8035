package letter

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// tableColumn is one column of a table: what it holds, and where its cells lie on the page.
type tableColumn struct {
	field   field
	at, end int
}

// tables reads every table of applicants on the sheet, over page breaks, and marks its lines as used.
func (s *sheet) tables() []*person {
	var out []*person
	for i := 0; i < len(s.cells); i++ {
		if s.used[i] {
			continue
		}
		head, ok := s.tableHead(i)
		if !ok {
			continue
		}
		people, last := s.tableRows(head)
		if len(people) > 0 {
			out = append(out, people...)
			i = last
		}
	}
	return out
}

// tableRows reads the rows below a heading.
func (s *sheet) tableRows(h tableHead) ([]*person, int) {
	var rows []int // lines with data
	last := h.last
	misses := 0
	columns := map[int][]tableColumn{} // by page
	page := s.lines[h.last].page
	columns[page] = h.columns
	ended := false
	for i := h.last + 1; i < len(s.cells) && !ended; i++ {
		switch {
		case s.blank(i):
			misses++
			if misses > 12 {
				ended = true
			}
			continue
		case s.used[i]:
			ended = true
			continue
		case s.pageNoise(i) || s.sectionRow(i):
			continue
		}
		if again, ok := s.tableHead(i); ok {
			if len(rows) == 0 || !samePage(s, i, last) || sameFields(again.columns, h.columns) {
				columns[s.lines[i].page] = again.columns
				i = again.last
				continue
			}
			break
		}
		if s.endsTable(i, h) {
			break
		}
		misses = 0
		s.cells[i] = splitNumbers(s.cells[i], h.columns)
		rows = append(rows, i)
		last = i
	}
	if n := s.signatureBelow(rows); n < len(rows) {
		rows = rows[:n]
		last = h.last
		if n > 0 {
			last = rows[n-1]
		}
	}
	people := s.assemble(rows, columns, h.columns)
	if len(people) == 0 {
		return nil, h.last
	}
	for i := h.first; i <= last; i++ {
		s.used[i], s.table[i] = true, true
	}
	return people, last
}

// splitNumbers parts a NIP or NIK from the text of the next column where only one blank stands between them.
func splitNumbers(cells []cell, cols []tableColumn) []cell {
	own := false
	for _, c := range cols {
		own = own || c.field == fieldNIP || c.field == fieldNIK
		if c.field == fieldIdentity || c.field == fieldNIPNIK {
			return cells
		}
	}
	if !own {
		return cells
	}
	var out []cell
	for _, c := range cells {
		for !onlyNIP.MatchString(c.text) {
			m := numberEdge.FindStringSubmatchIndex(c.text)
			if m == nil {
				break
			}
			cut := max(m[2], m[4]) // the blank
			at := c.at + utf8.RuneCountInString(c.text[:cut])
			out = append(out, cell{strings.TrimSpace(c.text[:cut]), c.at, at})
			c = cell{c.text[cut+1:], at + 1, c.end}
		}
		out = append(out, c)
	}
	return out
}

// numberEdge is the blank between text and a number of eight digits or more, or behind one and before text.
var numberEdge = compile(`[\pL.,)]( )\d{8}|\d{8}( )\pL`)

// signatureBelow is how many of the rows belong to the table where a signature follows it without a sentence between them: the lines of one
// cell above a bare "NIP. ..." that a blank line sets off.
func (s *sheet) signatureBelow(rows []int) int {
	for k, i := range rows {
		if len(s.cells[i]) != 1 || !onlyNIP.MatchString(s.cells[i][0].text) {
			continue
		}
		cut := len(rows)
		for j := k; j > 0 && len(s.cells[rows[j]]) == 1; j-- {
			c, nip := s.cells[rows[j]][0], s.cells[i][0]
			if j < k && (rows[j]-rows[j-1] > 1 || beginsWithPosition(c.text) && (abs(c.at-nip.at) <= 1 || abs(c.at+c.end-nip.at-nip.end) <= 4)) {
				cut = j
			}
		}
		if cut < k && positionWord.MatchString(s.cells[rows[cut]][0].text) {
			return cut
		}
	}
	return len(rows)
}

func samePage(s *sheet, a, b int) bool { return s.lines[a].page == s.lines[b].page }

func sameFields(a, b []tableColumn) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].field != b[i].field {
			return false
		}
	}
	return true
}

// pageNoise: page numbers and running feet within a table.
func (s *sheet) pageNoise(i int) bool {
	t := strings.ToLower(strings.TrimSpace(s.lines[i].text))
	t = strings.Trim(t, "-– ")
	if strings.HasPrefix(t, "halaman") || strings.HasPrefix(t, "hal.") || strings.HasPrefix(t, "page ") || strings.Contains(t, "ditandatangani secara elektronik") ||
		strings.Contains(t, "balai sertifikasi elektronik") || strings.Contains(t, "lanjutan") || strings.Trim(t, "+-=|_ ") == "" {
		return true
	}
	// Column numbers below a heading: 1 2 3 4 5.
	if len(s.cells[i]) >= 3 {
		for k, c := range s.cells[i] {
			if strings.Trim(c.text, "() .") != strconv.Itoa(k+1) {
				return false
			}
		}
		return true
	}
	return len(s.cells[i]) == 1 && isOrdinal(s.cells[i][0].text) && s.cells[i][0].at > 20 && s.blankAround(i)
}

// sectionRow: an office over all columns, whose people's rows follow.
func (s *sheet) sectionRow(i int) bool {
	next := s.next(i)
	return len(s.cells[i]) == 1 && next >= 0 && len(s.cells[next]) >= 3 && isOrdinal(s.cells[next][0].text) &&
		(headOffice.MatchString(s.cells[i][0].text) || listMarkEnd(s.cells[i][0].text) > 0 && officeWord.MatchString(s.cells[i][0].text))
}

func (s *sheet) blankAround(i int) bool {
	return (i == 0 || s.blank(i-1)) && (i+1 >= len(s.cells) || s.blank(i+1))
}

// endsTable: running text, a signature or a labelled line follows.
func (s *sheet) endsTable(i int, h tableHead) bool {
	cells := s.cells[i]
	first := cells[0].text
	if onlyNIP.MatchString(first) && len(cells) == 1 && cells[0].at > 20 && s.columnAt(h.columns, cells[0]) == nil {
		return true
	}
	if startsSentence(first) || placeDate.MatchString(s.lines[i].text) || s.hasPair(i) {
		return true
	}
	tabbed := strings.Contains(strings.TrimSpace(s.lines[h.last].text), "\t")
	if tabbed {
		return !strings.Contains(s.lines[i].text, "\t")
	}
	return len(cells) == 1 && len(first) > 60
}

func (s *sheet) columnAt(cols []tableColumn, c cell) *tableColumn {
	for k := range cols {
		if c.at < cols[k].end && cols[k].at < c.end {
			return &cols[k]
		}
	}
	return nil
}

// piece is a cell of a row with its column.
type piece struct {
	line, col int
	text      string
}

// assemble makes persons of the rows.
func (s *sheet) assemble(rows []int, byPage map[int][]tableColumn, heading []tableColumn) []*person {
	cols := map[int][]tableColumn{}
	ordinals := false
	for _, i := range rows {
		p := s.lines[i].page
		if _, ok := cols[p]; !ok {
			cols[p] = s.fitColumns(rows, p, byPage[p], heading)
		}
		first := s.cells[i][0]
		if isOrdinal(first.text) && len(cols[p]) > 0 && columnIndex(cols[p], first) == 0 && cols[p][0].field == fieldSkip {
			ordinals = true
		}
	}
	lines := make([][]piece, len(rows))
	starts := make([]bool, len(rows))
	for k, i := range rows {
		lines[k], starts[k] = s.pieces(i, cols[s.lines[i].page], ordinals)
	}
	if ordinals {
		s.wholeRows(rows, lines, starts, cols)
	}
	fieldAt := func(x piece) field { return cols[s.lines[x.line].page][x.col].field }
	var records [][]piece
	if ordinals {
		records = numbered(lines, starts, fieldAt)
	} else {
		records = unnumbered(lines, fieldAt, func(k int) bool { return strings.Contains(s.lines[rows[k]].text, "\t") })
	}
	var out []*person
	for _, r := range records {
		if p := recordPerson(r, fieldAt); p.values[fieldName] != "" && p.weight() >= 2 || p.values[fieldNIP] != "" {
			out = append(out, p)
		}
	}
	return out
}

// wholeRows: a tabbed line with a name and a NIP is a row of its own, even if its number can't be read.
func (s *sheet) wholeRows(rows []int, lines [][]piece, starts []bool, cols map[int][]tableColumn) {
	for k, i := range rows {
		name, nip := false, false
		for _, x := range lines[k] {
			f := cols[s.lines[i].page][x.col].field
			name = name || f == fieldName || f == fieldIdentity
			nip = nip || f == fieldNIP && len(digitsOf(x.text)) >= 14
		}
		starts[k] = starts[k] || name && nip && strings.Contains(s.lines[i].text, "\t")
	}
}

// pieces assigns the cells of a line to columns; starts says that the line bears a row's number.
func (s *sheet) pieces(i int, c []tableColumn, ordinals bool) (line []piece, starts bool) {
	for k, x := range s.cells[i] {
		col := columnIndex(c, x)
		text := strings.Trim(x.text, "| ")
		if k == 0 && col == 0 && c[0].field == fieldSkip {
			if isOrdinal(text) {
				starts = true
				continue
			}
			if n := listMarkEnd(x.text + " "); ordinals && n > 0 && n < len(x.text) {
				starts, text, col = true, x.text[n:], 1 // "1. Slamet" where number and name stand close
			}
		}
		if ordinals && k == 0 && !starts && len(c) > 1 && col == 1 {
			if o, rest, ok := strings.Cut(text, " "); ok && isOrdinal(o) {
				starts, text = true, rest
			}
		}
		line = append(line, piece{i, col, text})
	}
	return line, starts
}

// numbered cuts the lines into records by the rows' numbers. The number stands beside a row's first line, or, where cells are centred,
// beside its middle: whichever reading gives more complete NIPs is right.
func numbered(lines [][]piece, starts []bool, fieldAt func(piece) field) [][]piece {
	var at []int
	for k := range starts {
		if starts[k] {
			at = append(at, k)
		}
	}
	if len(at) == 0 {
		return nil
	}
	top, middle := []int{0}, []int{0}
	for n := 1; n < len(at); n++ {
		top = append(top, at[n])
		// Above and below the number stand as many lines, give or take one.
		end := 2*at[n-1] - middle[n-1] + 1
		best := end
		for _, e := range []int{end, end + 1, end - 1} {
			if e > at[n-1] && e <= at[n] && nipDigits(lines[middle[n-1]:e], fieldAt) == 18 {
				best = e
				break
			}
		}
		middle = append(middle, min(max(best, at[n-1]+1), at[n]))
	}
	cuts := top
	if complete(lines, middle, fieldAt) > complete(lines, top, fieldAt) || at[0] > 0 && complete(lines, middle, fieldAt) == complete(lines, top, fieldAt) {
		cuts = middle
	}
	var records [][]piece
	for _, row := range cut(lines, cuts) {
		if r := slices.Concat(row...); len(r) > 0 {
			records = append(records, r)
		}
	}
	return records
}

// complete counts the records whose NIP has its 18 digits.
func complete(lines [][]piece, cuts []int, fieldAt func(piece) field) int {
	n := 0
	for _, row := range cut(lines, cuts) {
		if nipDigits(row, fieldAt) == 18 {
			n++
		}
	}
	return n
}

func nipDigits(lines [][]piece, fieldAt func(piece) field) int {
	n := 0
	for _, l := range lines {
		for _, x := range l {
			if f := fieldAt(x); f == fieldNIP || f == fieldIdentity {
				n += len(digitsOf(x.text))
			}
		}
	}
	return n
}

// unnumbered cuts where the name column is filled again after a NIP was seen.
func unnumbered(lines [][]piece, fieldAt func(piece) field, tabbed func(int) bool) [][]piece {
	var records [][]piece
	var pending []piece
	seen := false
	for k, l := range lines {
		starts := false
		for _, x := range l {
			f := fieldAt(x)
			starts = starts || (f == fieldName || f == fieldIdentity) && (seen || tabbed(k)) && len(l) > 1
		}
		if starts && len(pending) > 0 {
			records = append(records, pending)
			pending, seen = nil, false
		}
		pending = append(pending, l...)
		for _, x := range l {
			f := fieldAt(x)
			seen = seen || (f == fieldNIP || f == fieldIdentity) && len(digitsOf(x.text)) >= 8
		}
	}
	if len(pending) > 0 {
		records = append(records, pending)
	}
	return records
}

// recordPerson joins the cells of each column of a record.
func recordPerson(r []piece, fieldAt func(piece) field) *person {
	p := newPerson(r[0].line)
	p.role = roleApplicant
	joined, first := map[int]string{}, map[int]piece{}
	var order []int
	for _, x := range r {
		p.last = x.line
		if _, ok := joined[x.col]; !ok {
			order = append(order, x.col)
			joined[x.col], first[x.col] = x.text, x
			continue
		}
		sep := " "
		if f := fieldAt(x); f == fieldIdentity {
			sep = "\n"
		} else if f == fieldEmail || strings.HasSuffix(joined[x.col], "@") || f == fieldPhone && !strings.Contains(x.text, " ") && len(x.text) < 5 {
			sep = ""
		}
		joined[x.col] += sep + x.text
	}
	for _, col := range order {
		setCell(p, fieldAt(first[col]), joined[col], first[col].line)
	}
	return p
}

// setCell stores a table cell, which may hold more than its heading says.
func setCell(p *person, f field, text string, line int) {
	switch f {
	case fieldIdentity, fieldName:
		p.setIdentity(text, line)
	case fieldRankPos:
		if at := rankFirst.FindStringIndex(text); at != nil {
			p.set(fieldRank, text[:at[1]], line)
			text = text[at[1]:]
		}
		p.set(fieldPosition, strings.TrimLeft(text, " /,;"), line)
	case fieldNIPNIK:
		if n, ok := findNIP(text); ok {
			p.set(fieldNIP, n, line)
			text = text[nipRun.FindStringIndex(text)[1]:]
		}
		if n, ok := findNIK(text); ok {
			p.set(fieldNIK, n, line)
		}
		p.set(fieldRank, rankWithin.FindString(text), line)
	case fieldEmail, fieldPhone:
		if e, ok := findEmail(text); ok {
			p.set(fieldEmail, e, line)
			text = strings.Replace(text, emailRun.FindString(text), " ", 1)
		} else if f == fieldEmail {
			p.set(fieldEmail, text, line)
			return
		}
		if strings.TrimSpace(text) != "" {
			p.set(fieldPhone, text, line)
		}
	case fieldSkip, fieldContact, "":
	default:
		p.set(f, text, line)
	}
}
