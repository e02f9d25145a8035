package letter

import (
	"slices"
	"sort"
	"strings"
)

// layOutTables writes tables anew, a row a line with tabs between its cells, where the lines of their rows might be given to the wrong one
// but for their words: a NIP is broken nowhere else than within its cell. doubtful are the pages, from 1, with tables whose words don't tell
// either. It reads the tables for that, so the sheet is of no use afterwards.
func (s *sheet) layOutTables() (lines []line, doubtful []int) {
	done := 0
	for i := range s.cells {
		head, ok := s.tableHead(i)
		if !ok || s.used[i] || i < done || strings.Contains(strings.TrimSpace(s.lines[i].text), "\t") {
			continue
		}
		people, last := s.tableRows(head)
		if t, ok := s.takeApart(head, last); ok {
			if rows, ok := t.tabbed(); ok {
				lines, done = append(append(lines, s.lines[done:head.first]...), rows...), last+1
				continue
			}
		}
		if len(people) == 0 { // its rows may stand on any page from here
			last = len(s.lines) - 1
		}
		for page := s.lines[head.first].page; page <= s.lines[last].page; page++ {
			doubtful = append(doubtful, page)
		}
	}
	slices.Sort(doubtful)
	return append(lines, s.lines[done:]...), slices.Compact(doubtful)
}

// printedTable is a table as it was printed: for each line, what stands in each column.
type printedTable struct {
	columns []tableColumn
	heading [][]string
	rows    [][]string
	pages   []int // of rows
}

// takeApart tells what stands in which column; ok is false where no blank strips part the columns from top to bottom of each page.
func (s *sheet) takeApart(head tableHead, last int) (t printedTable, ok bool) {
	onPage := map[int][]cell{}
	var lines []int
	for i := head.last + 1; i <= last; i++ {
		if s.blank(i) || s.pageNoise(i) && strings.TrimSpace(s.lines[i].text) != "-" { // a cell may hold nothing but a dash
			continue
		}
		if again, ok := s.tableHead(i); !ok || !sameFields(again.columns, head.columns) { // not the heading of the next page
			lines = append(lines, i)
			onPage[s.lines[i].page] = append(onPage[s.lines[i].page], s.cells[i]...)
		}
	}
	columns := map[int][]tableColumn{}
	for page, cells := range onPage {
		columns[page] = strips(cells)
		if len(columns[page]) != len(head.columns) || page == s.lines[head.first].page && !below(columns[page], head.columns) {
			return t, false
		}
	}
	t.columns = head.columns
	for i := head.first; i <= head.last; i++ {
		t.heading = append(t.heading, s.cellsIn(i, head.columns))
	}
	for _, i := range lines {
		page := s.lines[i].page
		t.rows, t.pages = append(t.rows, s.cellsIn(i, columns[page])), append(t.pages, page)
	}
	return t, len(t.rows) > 0
}

// below tells whether no column stands below another's heading; below its own it may stand beside it.
func below(columns, headings []tableColumn) bool {
	for k, c := range columns {
		for j, h := range headings {
			if j != k && h.at < c.end && c.at < h.end {
				return false
			}
		}
	}
	return true
}

// cellsIn is what a line has in each column.
func (s *sheet) cellsIn(i int, columns []tableColumn) []string {
	out := make([]string, len(columns))
	for _, c := range s.cells[i] {
		k := columnIndex(columns, c)
		out[k] = strings.TrimSpace(out[k] + " " + c.text)
	}
	return out
}

// strips are the columns of text that blanks part from top to bottom.
func strips(cells []cell) []tableColumn {
	sort.Slice(cells, func(a, b int) bool { return cells[a].at < cells[b].at })
	var out []tableColumn
	for _, c := range cells {
		if n := len(out); n > 0 && c.at <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, c.end)
		} else {
			out = append(out, tableColumn{at: c.at, end: c.end})
		}
	}
	return out
}

// tabbed writes the table if its rows can be cut in one way only, and each is one person's then.
func (t printedTable) tabbed() ([]line, bool) {
	starts, ok := t.starts()
	if !ok {
		return nil, false
	}
	out := []line{{t.row(t.heading), t.pages[0]}}
	for n, lines := range cut(t.rows, starts) {
		out = append(out, line{t.row(lines), t.pages[starts[n]]})
	}
	s := newSheet(document{lines: out})
	head, ok := s.tableHead(0)
	if !ok || !sameFields(head.columns, t.columns) {
		return nil, false
	}
	again, _ := s.tableRows(head)
	return out, len(again) == len(starts)
}

// starts are the lines that rows begin with, if nothing else is possible: either those that fill every column, with none below them that can
// be another row's, or, where cells are set in the middle of their rows, as many lines above each ordinal as stand below it.
func (t printedTable) starts() ([]int, bool) {
	whole := t.linesWith(func(l []string) bool { return !slices.Contains(l, "") })
	if len(whole) > 0 && whole[0] == 0 {
		others := slices.DeleteFunc(waysBut(whole, len(t.rows)), t.tears)
		return whole, len(others) == 0 && !t.tears(whole)
	}
	ordinals := t.linesWith(func(l []string) bool { return t.columns[0].field == fieldSkip && isOrdinal(l[0]) })
	middle, ok := inMiddle(ordinals, len(t.rows))
	return middle, ok && t.numbersAround(ordinals, middle) && !t.tears(middle)
}

func (t printedTable) linesWith(is func([]string) bool) []int {
	var out []int
	for k, l := range t.rows {
		if is(l) {
			out = append(out, k)
		}
	}
	return out
}

// waysBut are the other ways in which rows can lie than to begin with these lines, each as the lines they'd begin with: these are their
// middles or their ends.
func waysBut(starts []int, lines int) [][]int {
	var out [][]int
	for _, way := range []func([]int, int) ([]int, bool){inMiddle, atEnd} {
		if others, ok := way(starts, lines); ok && !slices.Equal(others, starts) {
			out = append(out, others)
		}
	}
	return out
}

// inMiddle is where rows begin that have as many lines above the given ones as below: those above the first tell how many are below it, and
// so on to the last.
func inMiddle(middles []int, lines int) (starts []int, ok bool) {
	start := 0
	for _, m := range middles {
		if start > m {
			return nil, false
		}
		starts = append(starts, start)
		start = 2*m - start + 1
	}
	return starts, start == lines
}

// atEnd is where rows begin that end with the given lines.
func atEnd(ends []int, lines int) (starts []int, ok bool) {
	start := 0
	for _, e := range ends {
		starts = append(starts, start)
		start = e + 1
	}
	return starts, start == lines
}

// numbersAround tells whether each row's NIP or NIK has a part above its middle and the rest below: then the lines above the first ordinal are
// no heading, and nothing else than a row set in the middle looks so.
func (t printedTable) numbersAround(middles, starts []int) bool {
	return slices.ContainsFunc([]field{fieldNIP, fieldNIK}, func(f field) bool {
		k := slices.IndexFunc(t.columns, func(c tableColumn) bool { return c.field == f })
		for n, lines := range cut(t.rows, starts) {
			m := middles[n] - starts[n]
			if k < 0 || lines[m][k] != "" || len(parts(k, lines[:m])) == 0 || len(parts(k, lines[m:])) == 0 {
				return false
			}
		}
		return true
	})
}

// cut are the lines from each start to the next; the last goes to the end.
func cut[T any](lines []T, starts []int) [][]T {
	var out [][]T
	for n, from := range starts {
		to := len(lines)
		if n+1 < len(starts) {
			to = starts[n+1]
		}
		out = append(out, lines[from:to])
	}
	return out
}

// row writes some lines as one, with tabs between the cells.
func (t printedTable) row(lines [][]string) string {
	var out []string
	for k := range t.columns {
		out = append(out, unwrap(parts(k, lines)))
	}
	return strings.Join(out, "\t")
}

// parts are what a column has on some lines.
func parts(column int, lines [][]string) []string {
	var out []string
	for _, l := range lines {
		if l[column] != "" {
			out = append(out, l[column])
		}
	}
	return out
}

// tears tells whether rows that began with these lines would have a cell that can't begin or end so, or not one number each.
func (t printedTable) tears(starts []int) bool {
	for _, lines := range cut(t.rows, starts) {
		numbered := false
		for k, c := range t.columns {
			pieces := parts(k, lines)
			text := unwrap(pieces)
			ordinal := k == 0 && c.field == fieldSkip
			if tornCell(c.field, text) || len(pieces) > 1 && (ordinal || slices.ContainsFunc(pieces, emptyValue)) || ordinal && !isOrdinal(text) {
				return true // less than one row's cell, or two rows'
			}
			numbered = numbered || ordinal || len(digitsOf(text)) >= 16
		}
		if !numbered {
			return true
		}
	}
	return false
}

// wholeAddress begins a cell, or stands behind a telephone.
var wholeAddress = compile(`^(?:[\d+() \-]{8,} )?[\w.%+\-]+@[\w\-]+(?:\.[\w\-]+)*\.[A-Za-z]{2,4}(?:\s|$)`)

// tornCell: the text is no whole value of its column.
func tornCell(f field, text string) bool {
	digits := digitsOf(text)
	if emptyValue(text) {
		return false
	}
	switch f {
	case fieldSkip:
		return false
	case fieldNIP, fieldIdentity:
		return !sound(fieldNIP, digits)
	case fieldNIK:
		return !sound(fieldNIK, digits)
	case fieldNIPNIK:
		return len(digits) != 34
	case fieldEmail:
		return !wholeAddress.MatchString(text) || strings.Count(text, "@") > 1
	}
	return goesOn.MatchString(text)
}

// goesOn is a text that goes on: a title follows the comma of a name.
var goesOn = compile(`(?i)(,|&|/|\b(dan|atau|serta|pada|di))$`)
