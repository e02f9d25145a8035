package letter

import "strings"

// transposed reads tables in which each person is a column: "Nama | A | B", "NIP | 1 | 2".
func (s *sheet) transposed() []*person {
	for i := range s.cells {
		cells := s.cells[i]
		if s.used[i] || len(cells) < 3 || len(cells) > 8 {
			continue
		}
		if f, ok := fieldOf(cells[0].text); !ok || f != fieldName || strings.HasPrefix(cells[1].text, ":") {
			continue
		}
		people := true
		for _, c := range cells[1:] {
			people = people && plausible(fieldName, c.text) && !isLabel(c.text)
		}
		if people {
			if out := s.columnsOfPeople(i); len(out) > 0 {
				return out
			}
		}
	}
	return nil
}

func (s *sheet) columnsOfPeople(i int) []*person {
	heads := s.cells[i][1:]
	values := make([]map[field]string, len(heads))
	for k := range values {
		values[k] = map[field]string{}
	}
	lines := map[field]int{}
	cur, last, nips := field(""), i, 0
	for j := i; j < len(s.cells) && j < i+40; j++ {
		if s.blank(j) {
			continue
		}
		cells := s.cells[j]
		if f, ok := fieldOf(cells[0].text); ok && cells[0].at < heads[0].at-2 {
			cur, cells = f, cells[1:]
			lines[f] = j
		} else if cells[0].at < heads[0].at-2 || len(cells) == 1 && cells[0].at >= heads[0].at-2 && cur != fieldPosition && beginsWithPosition(cells[0].text) || onlyNIP.MatchString(cells[0].text) {
			break // the signature
		}
		for _, c := range cells {
			best, score := 0, 1<<30
			for k, h := range heads {
				if d := abs(c.at - h.at); d < score {
					best, score = k, d
				}
			}
			sep := " "
			if values[best][cur] == "" || cur == fieldEmail {
				sep = ""
			}
			values[best][cur] += sep + c.text
		}
		last = j
	}
	var out []*person
	for k, v := range values {
		if s.recommender(i, k+1) {
			nips++
			continue
		}
		p := newPerson(i)
		p.role, p.last = roleApplicant, last
		for f, t := range v {
			setCell(p, f, t, lines[f])
		}
		if p.values[fieldNIP] != "" {
			nips++
		}
		out = append(out, p)
	}
	if nips < 2 {
		return nil
	}
	for j := i; j <= last; j++ {
		s.used[j], s.table[j] = true, true
	}
	return out
}

// recommender: the heading over a column says that its person asks for the others.
func (s *sheet) recommender(i, column int) bool {
	for j := i - 1; j >= max(0, i-3); j-- {
		if len(s.cells[j]) == len(s.cells[i]) {
			return otherCue.MatchString(s.cells[j][column].text)
		}
	}
	return false
}
