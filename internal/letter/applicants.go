package letter

import (
	"strings"
)

// person is an identity block as found, with the line of each field.
type person struct {
	values map[field]string
	lines  map[field]int
	first  int // first and last line of the block
	last   int
	role   personRole
	fixed  map[field]Correction // numbers that were not read as digits
}

type personRole int

const (
	roleUnknown personRole = iota
	roleSelf               // "yang bertanda tangan di bawah ini"
	roleApplicant
	roleOther // contact, verifier, recommender by name
)

func newPerson(first int) *person {
	return &person{values: map[field]string{}, lines: map[field]int{}, fixed: map[field]Correction{}, first: first, last: first}
}

// set stores a value unless the field has one.
func (p *person) set(f field, value string, line int) {
	if value = p.tidy(f, value); value == "" {
		return
	}
	if _, taken := p.values[f]; !taken {
		p.values[f], p.lines[f] = value, line
	}
}

// take copies a field of the same person from another block.
func (p *person) take(f field, from *person) {
	p.values[f], p.lines[f] = from.values[f], from.lines[f]
	if c, ok := from.fixed[f]; ok {
		p.fixed[f] = c
	}
}

func (p *person) tidy(f field, v string) string {
	if emptyValue(v) {
		return ""
	}
	switch f {
	case fieldName:
		v = cleanName(v)
		if len(digitsOf(v)) > 3 {
			return ""
		}
		return v
	case fieldNIP:
		if n, ok := findNIP(v); ok {
			return n
		}
		return p.number(f, v, 18)
	case fieldNIK:
		if n, ok := findNIK(v); ok {
			return n
		}
		return p.number(f, v, 16)
	case fieldEmail:
		e, ok := findEmail(v)
		if m := torn.FindStringSubmatch(strings.TrimSpace(v)); ok && m != nil {
			p.fixed[f] = Correction{Read: m[0], Proposed: m[1] + "_" + e, Used: true}
			return m[1] + "_" + e
		}
		if ok {
			return e
		}
		return ""
	case fieldPhone:
		return cleanPhone(v)
	case fieldPosition:
		if first, rest, ok := strings.Cut(v, " "); ok && strings.EqualFold(first, "jabatan") {
			v = rest
		}
	}
	return cleanValue(v)
}

// number reads a number that isn't n plain digits. Where letters stand for digits, or a colon was read as a one, the digits are a proposal:
// it is taken where it has the structure of a NIP or NIK, else the number stays as it was read; both are told.
func (p *person) number(f field, v string, n int) string {
	c := Correction{Read: strings.Trim(strings.Join(strings.Fields(v), " "), " .,:;-"), Proposed: correction(v, n)}
	if d := digitsOf(v); len(d) == n+1 && d[0] == '1' && strings.Trim(v, "0123456789 .-") == "" {
		c.Proposed = d[1:] // OCR reads a colon before the number as a one
		if !sound(f, c.Proposed) {
			c.Proposed = ""
		}
	}
	if c.Proposed == "" {
		return rawDigits(v)
	}
	c.Used = sound(f, c.Proposed)
	p.fixed[f] = c
	if c.Used {
		return c.Proposed
	}
	return strings.Join(strings.Fields(c.Read), "")
}

// sound: the digits have the structure of a NIP or NIK.
func sound(f field, digits string) bool {
	if f == fieldNIP {
		return nipProblem(digits) == ""
	}
	_, ok := nikDate(digits)
	return ok
}

// torn is an address with a blank within its name: OCR doesn't see the underscore there.
var torn = compile(`^([a-z0-9]+) [a-z0-9._-]+@[a-z0-9.-]+$`)

// rawDigits keeps a number that has not the right length as its digits, and one with OCR's letters as it was read.
func rawDigits(v string) string {
	v = strings.Trim(v, " .,:;-")
	d := digitsOf(v)
	switch {
	case len(d) < 6:
		return ""
	case strings.Trim(v, "0123456789 .-") == "":
		return d
	}
	head := numberHead.FindString(v)
	if h := digitsOf(head); len(h) >= 14 {
		return h
	}
	return strings.Join(strings.Fields(v), "")
}

var numberHead = compile(`^[\d .\-]+`)

// cleanPhone keeps a telephone number as written, without what follows it.
func cleanPhone(v string) string {
	v = nikRun.ReplaceAllString(nipRun.ReplaceAllString(v, ";"), ";") // no slice of these is one
	v = strings.Trim(strings.Join(strings.Fields(v), " "), " :;,.")
	if at := phoneRun.FindStringIndex(v); at != nil {
		return strings.TrimRight(strings.TrimSpace(v[at[0]:at[1]]), "(. -")
	}
	if len(digitsOf(v)) >= 6 {
		return v
	}
	return ""
}

// weight is how many fields that identify a person the block has.
func (p *person) weight() int {
	n := 0
	for _, f := range []field{fieldName, fieldNIP, fieldNIK, fieldEmail, fieldPosition, fieldRank, fieldPhone} {
		if p.values[f] != "" {
			n++
		}
	}
	return n
}

// blocks groups labelled values into persons. A new one begins with a name, or with a field that the current one has already.
func blocks(s *sheet, pairs []found) []*person {
	var out []*person
	var cur *person
	begin := func(line int) {
		cur = newPerson(line)
		out = append(out, cur)
	}
	for _, f := range byColumn(pairs) {
		switch f.field {
		case fieldNumber, fieldDate, fieldSubject:
			continue
		case fieldSkip:
			if cur != nil && f.line-cur.last <= 4 {
				cur.last = f.end
			}
			continue
		case fieldContact:
			if len(digitsOf(f.value)) == 0 && f.value != "" && looksLikeName(f.value) || f.value == "" {
				begin(f.line)
				cur.role = roleOther
			}
			continue
		}
		if cur == nil || f.line-cur.last > 9 || s.startsBlock(cur, f) {
			begin(f.line)
		}
		cur.last = f.end
		switch f.field {
		case fieldIdentity:
			cur.setIdentity(f.value, f.line)
		case fieldNIPNIK:
			if n, ok := findNIP(f.value); ok {
				cur.set(fieldNIP, n, f.line)
			}
			rest := f.value
			if at := nipRun.FindStringIndex(rest); at != nil {
				rest = rest[at[1]:]
			}
			if n, ok := findNIK(rest); ok {
				cur.set(fieldNIK, n, f.line)
			}
		case fieldRankPos:
			setCell(cur, f.field, f.value, f.line)
		case fieldOffice:
			s.setOffice(cur, f)
		case fieldEmail:
			s.setEmail(cur, f)
			if n := phoneRun.FindString(emailRun.ReplaceAllString(f.value, " ")); n != "" { // "E-mail/HP : a@b / 08..."
				cur.set(fieldPhone, n, f.line)
			}
		default:
			cur.set(f.field, f.value, f.line)
		}
	}
	var kept []*person
	for _, p := range out {
		s.nameAbove(p)
		if p.values[fieldName] != "" || p.values[fieldNIP] != "" || p.values[fieldNIK] != "" || p.values[fieldEmail] != "" && p.weight() > 1 {
			kept = append(kept, p)
		}
	}
	s.nameInSentence(kept)
	return kept
}

// nameInSentence gives the only block that has no name the one that the sentences above it tell: "atas nama Slamet, S.Sos. karena lupa:".
func (s *sheet) nameInSentence(people []*person) {
	if len(people) != 1 || people[0].values[fieldName] != "" {
		return
	}
	p, name, line := people[0], "", 0
	for _, text := range s.paragraphs() {
		if text.lines[0] > p.first || p.first-text.lines[len(text.lines)-1] > 6 {
			continue
		}
		for _, at := range personCue.FindAllStringIndex(text.text, 20) {
			found := namePrefix(text.text[at[1]:])
			if found == "" || foldedName(found) == foldedName(name) {
				continue
			}
			if name != "" {
				return // two people: which of them can't be told
			}
			name, line = found, text.line(at[1])
		}
	}
	p.set(fieldName, name, line)
}

// byColumn puts blocks that stand side by side one after the other: where a line announces two names, the labels below them belong to the
// name above.
func byColumn(pairs []found) []found {
	for i := 0; i+1 < len(pairs); i++ {
		a, b := pairs[i], pairs[i+1]
		if a.field != fieldName || b.field != fieldName || a.line != b.line || b.labelAt <= a.labelAt {
			continue
		}
		end := i
		for end < len(pairs) && (end == i || pairs[end].line-pairs[end-1].line <= 3) {
			end++
		}
		var left, right []found
		for _, f := range pairs[i:end] {
			if f.labelAt < b.labelAt-2 {
				left = append(left, f)
			} else {
				right = append(right, f)
			}
		}
		out := append(append([]found{}, pairs[:i]...), left...)
		return append(append(out, right...), pairs[end:]...)
	}
	return pairs
}

// nameAbove gives a block that begins with its number the name on the line above it: "... atas nama Slamet", or a name alone.
func (s *sheet) nameAbove(p *person) {
	i := p.first - 1
	if p.values[fieldName] != "" || p.values[fieldNIP] == "" && p.values[fieldNIK] == "" || i < 0 || s.blank(i) || len(s.cells[i]) != 1 || s.hasPair(i) {
		return
	}
	text := s.cells[i][0].text
	if n := listMarkEnd(text); n > 0 {
		text = text[n:]
	}
	if m := proseName.FindStringSubmatch(text); m != nil && capitalised(cleanName(m[1])) {
		p.set(fieldName, m[1], i)
	} else if looksLikeName(text) && p.weight() > 1 {
		p.set(fieldName, text, i)
	}
}

// startsBlock: the value belongs to another person than the block so far.
func (s *sheet) startsBlock(cur *person, f found) bool {
	if f.field == fieldName || f.field == fieldIdentity {
		return cur.values[fieldName] != "" || cur.weight() > 0 && s.roleBetween(cur.last, f.line)
	}
	if cur.values[f.field] == "" || f.field == fieldOffice || f.field == fieldEmail || f.field == fieldPhone || f.field == fieldPosition {
		return false
	}
	return cur.values[f.field] != newPerson(0).tidy(f.field, f.value)
}

// roleBetween: a sentence that introduces another person stands between the lines.
func (s *sheet) roleBetween(from, to int) bool {
	for i := from + 1; i < to && i < len(s.lines); i++ {
		if applicantCue.MatchString(s.lines[i].text) || selfCue.MatchString(s.lines[i].text) {
			return true
		}
	}
	return false
}

// setOffice prefers the unit to the institution that it belongs to.
func (s *sheet) setOffice(p *person, f found) {
	rank := officeRank(s.lines[f.line].text)
	if have := p.values[fieldOffice]; have != "" && officeRank(s.lines[p.lines[fieldOffice]].text) <= rank {
		return
	}
	delete(p.values, fieldOffice)
	p.set(fieldOffice, f.value, f.line)
}

func officeRank(line string) int {
	l := strings.ToLower(strings.TrimLeft(line, " \t-.0123456789)"))
	switch {
	case strings.HasPrefix(l, "unit kerja"), strings.HasPrefix(l, "unit organisasi"):
		return 0
	case strings.HasPrefix(l, "instansi"), strings.HasPrefix(l, "asal instansi"), strings.HasPrefix(l, "lembaga"), strings.HasPrefix(l, "nama instansi"):
		return 3
	case strings.HasPrefix(l, "tempat tugas"), strings.HasPrefix(l, "kantor"):
		return 2
	}
	return 1
}

// setEmail prefers an address labelled official to one that isn't.
func (s *sheet) setEmail(p *person, f found) {
	if have := p.values[fieldEmail]; have != "" {
		old := strings.ToLower(s.lines[p.lines[fieldEmail]].text)
		now := strings.ToLower(s.lines[f.line].text)
		if strings.Contains(old, "dinas") || strings.Contains(old, "resmi") || !strings.Contains(now, "dinas") && !strings.Contains(now, "resmi") {
			return
		}
		delete(p.values, fieldEmail)
	}
	p.set(fieldEmail, f.value, f.line)
}

var (
	selfCue      = compile(`(?i)(ber)?tanda\s?tangan\s+di\s?bawah|yang\s+bertandatangan|bertanda tangan dibawah`)
	applicantCue = compile(`(?i)rekomendasi(kan)?\s+kepada|kepada\s*:?\s*$|atas nama\s*(:|$|berikut|pejabat|pegawai|asn|pns|sdr|sebagai)|untuk\s*(:|$|pegawai|pejabat|asn|pengguna|atas)|(pegawai|pejabat|asn|pns|nama|data|identitas|pengguna|user|pemohon|pemilik)\b.{0,60}(berikut|di ?bawah|tersebut|sbb)|sebagai\s+berikut|sbb\s*:|data\s+(diri\s+)?(pemohon|pegawai|pengguna|user|pemilik)|identitas\s+(pemohon|pemilik|pengguna)|menerangkan\s+(dengan sebenarnya\s+)?bahwa|dengan\s+(data|identitas|rincian)|mengajukan\b.*\b(untuk|atas nama)|pemohon\s*:?\s*$|terhadap\s*:|bagi\s*:|kami ajukan|pejabat tersebut`)
	otherCue     = compile(`(?i)narahubung|contact person|kontak person|dapat menghubungi|menghubungi|data (atasan|pimpinan|pejabat yang mengusulkan|perekomendasi|pejabat yang merekomendasikan|operator|admin|verifikator)|identitas (atasan|pimpinan|perekomendasi|pejabat yang merekomendasikan)|pejabat yang (mengusulkan|merekomendasikan)|pemberi rekomendasi|penanggung jawab|yang merekomendasikan\s*:|kepala (opd|perangkat daerah|upt)\s*:?\s*$|atasan langsung`)
	helperCue    = compile(`(?i)identitas kepala|data kepala`)
)

// giveRoles tells the recommender from the applicants by the words before each block (letters.md, "Two identity blocks").
func giveRoles(s *sheet, people []*person) {
	prev := -1
	for _, p := range people {
		intro := s.intro(prev, p.first)
		if p.role == roleUnknown {
			switch {
			case otherCue.MatchString(intro) && !strings.Contains(strings.ToLower(intro), "pemohon"), helperCue.MatchString(intro):
				p.role = roleOther
			case selfCue.MatchString(intro):
				p.role = roleSelf
			case applicantCue.MatchString(intro):
				p.role = roleApplicant
			}
		}
		prev = p.last
	}
}

// intro is the text that stands between two blocks, at most the eight lines before the second.
func (s *sheet) intro(prev, first int) string {
	var b []string
	for i := max(prev+1, first-8); i < first && i < len(s.lines); i++ {
		if !s.used[i] {
			b = append(b, s.lines[i].text)
		}
	}
	return strings.Join(b, " ")
}
