package letter

import (
	"sort"
	"strings"
)

// tableHead is a heading: its lines, and the labels in it.
type tableHead struct {
	first, last int
	columns     []tableColumn
}

// headFields counts the labels in a line that may head a table; a line with a colon or long text doesn't.
func (s *sheet) headFields(i int) int {
	for _, c := range s.cells[i] {
		if len(c.text) > 45 || strings.Contains(c.text, ":") {
			return 0
		}
	}
	n := 0
	for _, c := range s.cells[i] {
		if f, ok := headField(c.text); ok && f != fieldSkip {
			n++
		}
	}
	return n
}

// headField is what a column's heading announces. "No", "Ket." and their like are columns too.
func headField(t string) (field, bool) {
	t = strings.Trim(t, "|*_ ")
	switch strings.ToLower(strings.Trim(t, ". ")) {
	case "no", "nomor", "nomor urut", "no urut", "#":
		return fieldSkip, true
	}
	f, ok := fieldOf(t)
	if !ok {
		f, ok = combinedHead(t)
	}
	switch f {
	case fieldSubject, fieldDate, fieldContact, fieldNumber:
		f = fieldSkip
	}
	return f, ok
}

// combinedHead is what a heading announces of several values in one cell, or of a person by other words: "Nama / NIP / Pangkat", "Nama Kepala
// Desa", "Identitas"; a word for the person before another heading comes from the heading above it ("Identitas NIP").
func combinedHead(t string) (field, bool) {
	if m := personHead.FindStringSubmatch(t); m != nil {
		if m[2] == "" {
			return fieldIdentity, true
		}
		return headField(m[2])
	}
	if nameOfHead.MatchString(t) {
		return fieldName, true
	}
	if f, ok := joinedHead(strings.Split(headParts.ReplaceAllString(t, "/"), "/")); ok {
		return f, true
	}
	return joinedHead(strings.Fields(t))
}

// joinedHead is what several headings of one column announce.
func joinedHead(parts []string) (field, bool) {
	has := map[field]bool{}
	for _, p := range parts {
		if p = strings.Trim(p, " .()"); p == "" || strings.EqualFold(p, "ruang") {
			continue
		}
		f, ok := fieldOf(p)
		if m := personHead.FindStringSubmatch(p); !ok && (m == nil || m[2] != "") {
			return "", false
		} else if !ok {
			f = fieldName
		}
		has[f] = true
	}
	switch {
	case len(has) < 2:
		return "", false
	case has[fieldName] || has[fieldIdentity]:
		return fieldIdentity, true
	case has[fieldNIP] || has[fieldNIK]:
		return fieldNIPNIK, true
	}
	return "", false
}

var (
	personHead = compile(`^(?i:(identitas|biodata|(?:data|profil)(?: diri)?|pemohon|pegawai|pejabat)(?: (?:pemohon|pegawai|pejabat|asn|pns|diri|pengguna|user))?)(?: (\pL.*))?$`)
	nameOfHead = compile(`(?i)^nama (asn|pns|perangkat|(kepala|camat|lurah|sekretaris|direktur|pimpinan|pejabat|kades|perbekel|keuchik|geuchik|wali nagari|kuwu|guru|bendahara|pambakal|panewu)\b)`)
	headParts  = compile(`\s*[/,&+;|]\s*|\s+[-–]\s+|\s+(?:dan|beserta|serta)\s+|\n`)
)

// tableHead recognises a heading that begins at line i: at least two labels side by side, one of them a name or number of a person. The
// lines above and below may belong to it where headings are wrapped.
func (s *sheet) tableHead(i int) (tableHead, bool) {
	if s.headFields(i) < 1 {
		return tableHead{}, false
	}
	h := tableHead{first: i, last: i}
	tabbed := strings.Contains(strings.TrimSpace(s.lines[i].text), "\t")
	for h.last+1 < len(s.cells) && h.last-i < 3 && (!tabbed && s.headContinues(h.last+1) || tabbed && s.secondStorey(h.last+1)) {
		h.last++
	}
	h.columns = s.headColumns(h.first, h.last)
	n, person := 0, false
	for _, c := range h.columns {
		if c.field != "" && c.field != fieldSkip {
			n++
		}
		person = person || c.field == fieldName || c.field == fieldNIP || c.field == fieldIdentity
	}
	return h, n >= 2 && (person || s.personBelow(h))
}

// personBelow finds the column of persons whose heading isn't known by the NIPs in the lines below it.
func (s *sheet) personBelow(h tableHead) bool {
	for i, seen := h.last+1, 0; i < len(s.cells) && seen < 4; i++ {
		for _, c := range s.cells[i] {
			if _, ok := findNIP(c.text); !ok {
				continue
			}
			if k := columnIndex(h.columns, c); h.columns[k].field == "" {
				h.columns[k].field = fieldIdentity
				return true
			}
			return false
		}
		if !s.blank(i) {
			seen++
		}
	}
	return false
}

// secondStorey: a tabbed line that holds nothing but headings, below those of its groups.
func (s *sheet) secondStorey(i int) bool {
	if !strings.Contains(s.lines[i].text, "\t") || s.blank(i) {
		return false
	}
	for _, c := range s.cells[i] {
		if f, ok := fieldOf(c.text); !ok || f == fieldSkip {
			return false
		}
	}
	return true
}

// headContinues: the line holds nothing but short words, so it may still be heading.
func (s *sheet) headContinues(i int) bool {
	if s.blank(i) {
		return false
	}
	known, short := false, true
	for _, c := range s.cells[i] {
		if len(c.text) > 24 || digitsOf(c.text) != "" || strings.ContainsAny(c.text, ":@,") {
			return false
		}
		switch strings.ToLower(strings.Trim(c.text, "./() ")) {
		case "ruang", "gol", "golongan", "gol ruang", "gol. ruang", "dinas", "resmi", "nip", "nik", "hp", "wa", "kerja", "lengkap", "ktp", "email", "e-mail", "telepon", "whatsapp", "pangkat", "jabatan", "no", "nama", "unit kerja", "instansi", "go.id", "elektronik", "daerah", "perangkat daerah":
			known = true
		}
		short = short && len(c.text) <= 4 && strings.ToLower(c.text) == c.text
	}
	return known || short
}

// groupsBelow counts the headings of the next line that stand below a cell: of several, it names only the group.
func (s *sheet) groupsBelow(c cell, i, last int) int {
	n := 0
	for j := i + 1; j <= last && n == 0; j++ {
		for _, x := range s.cells[j] {
			if x.at < c.end+1 && c.at < x.end+1 {
				n++
			}
		}
	}
	return n
}

// headColumns joins heading cells that stand above each other.
func (s *sheet) headColumns(first, last int) []tableColumn {
	type head struct {
		text    string
		at, end int
		slashed string // with a slash between what stands on different lines
	}
	var heads []head
	for i := first; i <= last; i++ {
		for _, c := range s.cells[i] {
			joined := s.groupsBelow(c, i, last) > 1
			for k := range heads {
				if c.at < heads[k].end+1 && heads[k].at < c.end+1 {
					heads[k].text, heads[k].slashed = heads[k].text+" "+c.text, heads[k].slashed+"/"+c.text
					heads[k].at, heads[k].end = min(heads[k].at, c.at), max(heads[k].end, c.end)
					joined = true
					break
				}
			}
			if !joined {
				heads = append(heads, head{c.text, c.at, c.end, c.text})
			}
		}
	}
	sort.Slice(heads, func(a, b int) bool { return heads[a].at < heads[b].at })
	var out []tableColumn
	for _, h := range heads {
		column := tableColumn{at: h.at, end: h.end}
		for _, t := range []string{
			h.text,
			strings.ReplaceAll(h.text, "/ ", "/"),
			strings.ReplaceAll(h.text, " ", ""), // broken within a word
			h.slashed,                           // several values stand in a cell
			h.slashed[strings.LastIndexByte(h.slashed, '/')+1:], // below the heading of a group
		} {
			if f, ok := headField(t); ok {
				column.field = f
				break
			}
		}
		out = append(out, column)
	}
	return out
}
