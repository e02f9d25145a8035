package letter

import (
	"slices"
	"sort"
)

// doubtfulTables tells whether the sheet has a table whose lines may be given to the wrong row or column. It reads the tables for that, so the
// sheet is of no use afterwards.
func (s *sheet) doubtfulTables() bool {
	for i := range s.cells {
		if head, ok := s.tableHead(i); ok && !s.used[i] {
			if people, last := s.tableRows(head); !s.clear(head, last, len(people)) {
				return true
			}
		}
	}
	return false
}

// clear tells whether a table can be read in one way only: on one page, with blank strips that part its columns from top to bottom, and each
// person on a line that fills every column, but for lines below it that can't be another row's.
func (s *sheet) clear(head tableHead, last, people int) bool {
	var all []cell
	var wrapped []int // lines below each whole one
	for i := head.first; i <= last; i++ {
		if s.blank(i) || s.pageNoise(i) {
			continue
		}
		all = append(all, s.cells[i]...)
		switch {
		case !samePage(s, i, head.first):
			return false
		case i <= head.last:
		case len(s.cells[i]) == len(head.columns):
			wrapped = append(wrapped, 0)
		case len(wrapped) == 0:
			return false
		default:
			wrapped[len(wrapped)-1]++
		}
	}
	return people > 0 && len(wrapped) == people && strips(all) == len(head.columns) && setAtTop(wrapped)
}

// setAtTop tells whether lines between whole ones can only belong to the row above. Cells set at the bottom leave none below the last row; of
// cells set in the middle of a row, half of its lines stand above the whole one and half below, so that the first row, which has none above,
// tells of each how many the next must have.
func setAtTop(wrapped []int) bool {
	below, end := 0, wrapped[len(wrapped)-1]
	for _, n := range wrapped[:len(wrapped)-1] {
		if below = n - below; below < 0 {
			break
		}
	}
	return end > 0 && end != below || slices.Max(wrapped) == 0
}

// strips counts the columns of text that blanks part from top to bottom.
func strips(cells []cell) int {
	sort.Slice(cells, func(a, b int) bool { return cells[a].at < cells[b].at })
	n, end := 0, -1
	for _, c := range cells {
		if c.at > end {
			n++
		}
		end = max(end, c.end)
	}
	return n
}
