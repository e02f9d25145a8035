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
			if out := s.columnsOfPeople(i); len(out) > 1 {
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
		} else if cells[0].at < heads[0].at-2 {
			break
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
	for _, v := range values {
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
