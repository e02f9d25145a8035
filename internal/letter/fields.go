package letter

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"pulih/internal/agency"
)

// content is what one document says.
type content struct {
	sheet      *sheet
	number     valueAt
	misread    *Correction // of the number
	date       valueAt
	subject    valueAt
	office     valueAt
	signer     *person
	applicants []*person
	blanks     int // fields that are labelled but not filled in
	openDate   bool
	torn       bool   // values of applicants were left out that may be another row's
	headline   string // a mail's or Srikandi's subject, where fields were found in it
}

// outside is the line of what was found in the headline.
const outside = -2

// valueAt is a value with the line it was found on.
type valueAt struct {
	text string
	line int
}

// extract reads the fields of one document.
func extract(d document) *content {
	s := newSheet(d)
	c := &content{sheet: s}
	tabled := append(s.tables(), s.transposed()...)
	pairs := s.labelled()
	c.letterFields(pairs)
	for _, f := range pairs {
		if f.field != fieldSkip && f.field != fieldNumber && emptyValue(f.value) {
			c.blanks++
		}
	}
	people := blocks(s, pairs)
	giveRoles(s, people)
	signs := s.signBlocks()
	if len(people)+len(tabled) > 1 && len(signs) == 0 {
		signs = s.labelledSign(people)
	}
	c.choose(people, tabled, signs)
	c.readOffice()
	return c
}

// letterFields finds number, date and subject.
func (c *content) letterFields(pairs []found) {
	s := c.sheet
	numberLine := -1
	for _, f := range pairs {
		switch f.field {
		case fieldNumber:
			v := strings.Join(strings.Fields(f.value), " ")
			if c.number.text == "" && strings.ContainsAny(v, "/") && digitsOf(v) != "" && !emptyValue(v) && s.numberAllowed(f) {
				c.number = valueAt{cutNumber(v), f.line}
				numberLine = f.line
			}
		case fieldSubject:
			if v := cleanValue(f.value); c.subject.text == "" && v != "" && !emptyValue(v) {
				c.subject = valueAt{v, f.line}
			}
		case fieldDate:
			if d, ok := parseDate(f.value); ok && c.date.text == "" && (numberLine < 0 || f.line-numberLine < 12) && s.dateAllowed(f) {
				c.date = valueAt{d, f.line}
			}
		}
	}
	if c.number.text == "" {
		c.titleNumber()
	}
	if s.how == "ocr" {
		c.number.text, c.misread = romanMonth(c.number.text)
	}
	if c.subject.text == "" {
		c.titleSubject()
	}
	if d, line, ok := s.placeDate(); ok {
		c.date = valueAt{d, line}
	}
	if c.date.text == "" {
		c.date = s.bareDate()
	}
	for _, l := range s.lines {
		c.openDate = c.openDate || openDate.MatchString(l.text)
	}
}

// numberAllowed: an annex repeats the number of its letter; a decree's number in the text isn't the letter's.
func (s *sheet) numberAllowed(f found) bool {
	for i := max(0, f.line-1); i < f.line; i++ {
		if legalBasis.MatchString(s.lines[i].text) {
			return false
		}
	}
	return true
}

var legalBasis = compile(`(?i)\b(peraturan|keputusan|undang-undang|surat edaran)\b`)

// cutNumber ends a number where other text follows it.
func cutNumber(v string) string {
	if m := numberEnd.FindStringIndex(v); m != nil {
		v = v[:m[0]]
	}
	return strings.TrimRight(strings.TrimSpace(v), ",;")
}

var numberEnd = compile(`(?i)\s+(tanggal|tgl\.?|perihal|hal|sifat|lampiran|kepada|yth|[a-z]+,\s*\d{1,2}\s+[a-z]+\s+\d{4})\b.*$`)

var titleNumberLine = compile(`(?i)^(?:nomor|no\.)\s*[:.]?\s*([A-Z0-9][\w./\- ]*/[\w./\- ]*)$`)

// titleNumber reads "NOMOR 500.12/33/2026" without a colon below a title.
func (c *content) titleNumber() {
	for i, l := range c.sheet.lines[:min(len(c.sheet.lines), 25)] {
		if m := titleNumberLine.FindStringSubmatch(strings.TrimSpace(l.text)); m != nil && digitsOf(m[1]) != "" {
			c.number = valueAt{cutNumber(strings.Join(strings.Fields(m[1]), " ")), i}
			c.sheet.used[i] = true
			return
		}
	}
}

var titleLine = compile(`^\s*(SURAT|PERMOHONAN|FORMULIR|FORM|BERITA ACARA|NOTA DINAS|LUPA|RESET)\b[\p{Lu}\s()/.,&-]*$`)

// titleSubject takes the title of a form or statement as its subject.
func (c *content) titleSubject() {
	lines := c.sheet.lines
	for i := 0; i < len(lines) && i < 30; i++ {
		t := strings.Trim(strings.TrimSpace(lines[i].text), "*_")
		if !titleLine.MatchString(t) || len(strings.Fields(t)) < 2 || strings.HasPrefix(t, "NOTA DINAS") || t == "SURAT PERNYATAAN" && i+1 >= len(lines) {
			continue
		}
		title := strings.Join(strings.Fields(t), " ")
		last := i
		for j := i + 1; j < len(lines) && j <= i+3; j++ {
			n := strings.Trim(strings.TrimSpace(lines[j].text), "*_")
			if n == "" {
				if j == i+1 {
					continue
				}
				break
			}
			if n != strings.ToUpper(n) || strings.Contains(n, ":") || headOffice.MatchString(n) || letterhead.MatchString(n) || strings.HasPrefix(n, "NOMOR") || len(digitsOf(n)) > 3 {
				break
			}
			title += " " + strings.Join(strings.Fields(n), " ")
			last = j
		}
		c.subject = valueAt{title, i}
		for j := i; j <= last; j++ {
			c.sheet.used[j] = true
		}
		return
	}
}

// dateAllowed: not a date of birth or of an event.
func (s *sheet) dateAllowed(f found) bool {
	l := strings.ToLower(s.lines[f.line].text)
	return !strings.Contains(l, "lahir") && !strings.Contains(l, "hari")
}

// placeDate finds "Purbalingga, 19 November 2026" at the head or above the signature, or "pada tanggal : ...".
func (s *sheet) placeDate() (string, int, bool) {
	for i, l := range s.lines {
		low := strings.ToLower(l.text)
		if strings.Contains(low, "lahir") {
			continue
		}
		for _, c := range s.cells[i] {
			if m := placeDate.FindStringSubmatch(c.text); m != nil && len(strings.Fields(m[1])) <= 4 && !legalBasis.MatchString(m[1]) {
				if d, ok := parseDate(m[2]); ok {
					return d, i, true
				}
			}
		}
		if strings.HasPrefix(strings.TrimSpace(low), "pada tanggal") || strings.HasPrefix(strings.TrimSpace(low), "tanggal ditetapkan") {
			if d, ok := parseDate(l.text); ok && len(s.cells[i]) <= 3 && len(l.text) < 120 && len(strings.Fields(low)) <= 7 {
				return d, i, true
			}
		}
	}
	return "", 0, false
}

// bareDate is a date that stands alone beside or above the letter's head, or above its signature; never a letter's number.
func (s *sheet) bareDate() valueAt {
	for i := range s.cells {
		for k, c := range s.cells[i] {
			beside := len(s.cells[i]) <= 2 || k == len(s.cells[i])-1 && s.hasPair(i)
			if d, ok := parseDate(c.text); ok && beside && loneDate.MatchString(c.text) && !(k > 0 && strings.HasPrefix(c.text, ":")) {
				if f, _ := fieldOf(s.cells[i][0].text); k > 0 && f == fieldNumber && !wordDate.MatchString(c.text) {
					continue
				}
				return valueAt{d, i}
			}
		}
	}
	return valueAt{}
}

var loneDate = compile(`^(?i:tanggal\s*:?\s*|` + weekday + `\s*,?\s+|[^\d\s]\S{0,2}\s|` + hijriDate + `\s*H?\.?\s*[/|]\s*)?\d{1,2}[-. /]*(\pL{3,9}|\d{1,2})[-. /]*\d{4}(?i:` + hijri + `)\.?$`)

// choose tells applicants from the signer.
func (c *content) choose(people, tabled []*person, signs []signBlock) {
	s := c.sheet
	var self, applicants []*person
	for _, p := range people {
		switch p.role {
		case roleSelf:
			self = append(self, p)
		case roleOther:
		default:
			applicants = append(applicants, p)
		}
	}
	applicants = append(applicants, tabled...)
	sign, signed := chooseSigner(signs)
	applicants = s.withoutFarewells(withoutSigns(applicants, signs))
	markSigns(s, signs)
	if len(applicants) == 0 {
		applicants = s.withoutFarewells(c.fromProse(self))
		c.torn = s.torn(applicants)
	}
	switch nobody := len(applicants)+len(self) == 0; {
	case nobody && signed && firstPerson.MatchString(s.text()):
		applicants = append(applicants, s.around(signerOf(sign)))
	case nobody:
		applicants = s.loose()
		c.torn = s.torn(applicants)
		for _, b := range signs { // a letter that names nobody isn't about him who signed it
			applicants = slices.DeleteFunc(applicants, func(p *person) bool { return b.position != "" && b.nip != "" && p.values[fieldNIP] == b.nip })
		}
	}
	var recommender *person
	switch {
	case len(applicants) == 0:
		applicants = self
	case len(self) > 0 && !samePerson(applicants[0], self[0]):
		recommender = self[0]
		applicants = append(applicants, self[1:]...)
	}
	c.applicants = withoutOffices(dedupe(applicants), signs)
	if signed {
		c.signer = signerOf(sign)
	}
	if recommender != nil && (c.signer == nil || sameSigner(c.signer, recommender)) {
		c.signer = signerWith(c.signer, recommender)
	}
}

// signerWith is the signer as the signature and, where that leaves something out, the recommender's own lines tell of them.
func signerWith(signer, recommender *person) *person {
	both := newPerson(recommender.first)
	for _, src := range []*person{signer, recommender} {
		if src == nil {
			continue
		}
		for _, f := range []field{fieldName, fieldNIP, fieldPosition} {
			if v := src.values[f]; v != "" && both.values[f] == "" {
				both.take(f, src)
			}
		}
	}
	return both
}

// onlyNamed: nothing but name, rank and NIP is known of the person, as in a signature.
func (p *person) onlyNamed() bool {
	return p.values[fieldNIK]+p.values[fieldEmail]+p.values[fieldPhone]+p.values[fieldPosition] == ""
}

// withoutSigns drops the blocks that are nothing but a signature.
func withoutSigns(people []*person, signs []signBlock) []*person {
	return slices.DeleteFunc(people, func(p *person) bool {
		return p.onlyNamed() && slices.ContainsFunc(signs, func(b signBlock) bool {
			return b.nip == p.values[fieldNIP] && b.position != "" && (p.values[fieldName] == "" || b.nipLine == p.lines[fieldNIP])
		})
	})
}

// withoutOffices drops those whose name is a position, and who have no number or the signer's: the heads of columns in a signature.
func withoutOffices(people []*person, signs []signBlock) []*person {
	return slices.DeleteFunc(people, func(p *person) bool {
		nip := p.values[fieldNIP]
		return beginsWithPosition(p.values[fieldName]) && p.values[fieldNIK] == "" &&
			(nip == "" || slices.ContainsFunc(signs, func(b signBlock) bool { return b.nip == nip }))
	})
}

// withoutFarewells drops who stands below the words that end a letter, where somebody is named above them: the sender's own signature in a
// mail, and those who get a copy.
func (s *sheet) withoutFarewells(people []*person) []*person {
	var out []*person
	for _, p := range people {
		named := len(out) > 0 && out[0].values[fieldName] != "" && (out[0].values[fieldNIP] != "" || out[0].values[fieldNIK] != "")
		if !named || !s.farewellAbove(p) {
			out = append(out, p)
		}
	}
	return out
}

func (s *sheet) farewellAbove(p *person) bool {
	if at, ok := p.lines[fieldName]; ok && s.hasPair(at) {
		return false // "Nama : ..."
	}
	for i := p.first - 1; i >= max(0, p.first-8) && s.lines[i].page == s.lines[p.first].page; i-- {
		if farewell.MatchString(s.lines[i].text) {
			return true
		}
	}
	return false
}

var farewell = compile(`(?i)^\s*(hormat (kami|saya)|salam( hormat)?|wassalam\S*|wassalamu.*|pengirim|regards|tembusan)\s*[,.:]*\s*$`)

func markSigns(s *sheet, signs []signBlock) {
	for _, b := range signs {
		for i := b.first; i <= b.last && i < len(s.used); i++ {
			s.used[i] = true
		}
	}
}

func signerOf(b signBlock) *person {
	p := newPerson(b.first)
	p.set(fieldNIP, b.read, b.nipLine)
	for f, v := range map[field]valueAt{fieldName: {b.name, b.nameLine}, fieldPosition: {b.position, b.posLine}} {
		if v.text != "" {
			p.values[f], p.lines[f] = v.text, v.line
		}
	}
	return p
}

func samePerson(a, b *person) bool {
	if x, y := a.values[fieldNIP], b.values[fieldNIP]; x != "" && y != "" {
		return x == y
	}
	return foldedName(a.values[fieldName]) != "" && foldedName(a.values[fieldName]) == foldedName(b.values[fieldName])
}

// otherName: one letter gives two people the same NIP.
func otherName(a, b *person) bool {
	x, y := a.values[fieldName], b.values[fieldName]
	return x != "" && y != "" && foldedPerson(x) != foldedPerson(y) && foldedName(x) != foldedName(y)
}

func sameSigner(a, b *person) bool {
	return samePerson(a, b) || a.values[fieldName] == ""
}

// foldedPerson compares names without titles, as the directory does.
func foldedPerson(s string) string { return agency.FoldName(s) }

// foldedName compares names within one letter: letters of what stands before the first comma.
func foldedName(s string) string {
	s, _, _ = strings.Cut(s, ",")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// fromProse reads applicants from running text; the one who signs is not one unless they say so ("saya, ..., lupa passphrase").
func (c *content) fromProse(self []*person) []*person {
	var out, writers []*person
	for _, p := range c.sheet.prose() {
		switch {
		case len(self) > 0 && samePerson(p, self[0]), p.role == roleOther:
		case p.role == roleSelf:
			writers = append(writers, p)
		default:
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return writers
	}
	return out
}

func dedupe(people []*person) []*person {
	var out []*person
	for _, p := range people {
		dup := false
		for _, q := range out {
			if samePerson(p, q) && !otherName(p, q) {
				dup = true
				for f := range p.values {
					if q.values[f] == "" {
						q.take(f, p)
					}
				}
			}
		}
		if !dup {
			out = append(out, p)
		}
	}
	return out
}

var (
	letterhead  = compile(`(?i)^\s*(pemerintah\s+(kabupaten|kota|daerah|provinsi|aceh|distrik|nagari|gampong)|sekretariat daerah)\b`)
	headOffice  = compile(`(?i)^(dinas|badan|biro|cabang dinas|suku dinas|suku badan|kecamatan|kelurahan|inspektorat|sekretariat|uptd?|unit pelaksana|puskesmas|rumah sakit|rsud|satuan polisi|kantor|bagian|smp|sd |smpn|sdn|tk |balai|laboratorium|sekolah|desa|distrik|nagari|gampong|kapanewon|kalurahan|kemantren|kampung)\b`)
	addressLine = compile(`(?i)^(jl\.?|jalan|alamat|telp|telepon|tlp|kode pos|website|laman|e-?mail|surel|fax|faks)\b|@|www\.|\d{5}|telp|☎`)
)

// readOffice takes the office from the letterhead: the last office named below "PEMERINTAH ...", which is the unit where a unit writes.
func (c *content) readOffice() {
	s := c.sheet
	start := -1
	for i := 0; i < len(s.lines) && i < 14; i++ {
		if letterhead.MatchString(strings.Join(strings.Fields(s.lines[i].text), " ")) {
			start = i
			break
		}
	}
	for i := max(start, 0); i < len(s.lines) && i < max(start, 0)+12; i++ {
		t := strings.Join(strings.Fields(strings.Trim(s.lines[i].text, " *|")), " ")
		if t == "" {
			continue
		}
		if addressLine.MatchString(t) || s.hasPairAt(i) || placeDate.MatchString(t) {
			break
		}
		if c.office.text != "" && c.office.text == strings.ToUpper(c.office.text) && t != strings.ToUpper(t) {
			break // an address below the office's name
		}
		if headOffice.MatchString(t) && !(i > 0 && titleLine.MatchString(strings.TrimSpace(s.lines[i-1].text))) && (start >= 0 || t == strings.ToUpper(t) && i < 5) && len(t) < 90 {
			c.office = valueAt{t, i}
			for j := i + 1; j < len(s.lines) && j <= i+2; j++ {
				n := strings.Join(strings.Fields(strings.Trim(s.lines[j].text, " *|")), " ")
				if n == "" || n != strings.ToUpper(n) || addressLine.MatchString(n) || headOffice.MatchString(n) || titleLine.MatchString(n) || strings.Contains(n, ":") ||
					letterhead.MatchString(n) || strings.HasPrefix(n, "KABUPATEN") || strings.HasPrefix(n, "KOTA ") || !danglingEnd(c.office.text) && !wrappedOffice(c.office.text, n) {
					break
				}
				c.office.text += " " + n
			}
		} else if start < 0 && t != strings.ToUpper(t) {
			break
		}
	}
	if c.office.text == "" && c.signer != nil {
		c.officeOfPosition()
	}
}

// wrappedOffice: an office's name can't end in such a word, so it goes on below: "PELAYANAN TERPADU SATU / PINTU".
func wrappedOffice(head, next string) bool {
	return unfinished[strings.ToLower(head[strings.LastIndexByte(head, ' ')+1:])] || strings.HasPrefix(next, "DAN ")
}

var unfinished = setOf("satu terpadu pelayanan daya sumber tenaga tata kawasan lingkungan kesatuan perlindungan pengendalian penanggulangan pemberdayaan pengembangan pengelolaan perencanaan administrasi dewan perwakilan rumah")

func (s *sheet) hasPairAt(i int) bool { return len(s.cells[i]) > 0 && s.hasPair(i) }

var positionOffice = compile(`(?i)^(?:(?:plt|plh|pj|a\.?\s?n|u\.?\s?b)\.?\s*)*(?:kepala|camat|direktur|inspektur|lurah|sekretaris)\s+((?:dinas|badan|biro|cabang dinas|suku dinas|upt|uptd|satuan|bagian|kantor|puskesmas|smp|sd|rsud|rumah sakit|inspektorat|kecamatan|kelurahan|distrik)\b.*)$|^(?:(?:plt|plh|pj|a\.?\s?n)\.?\s*)*kepala\s+((?-i:BK[A-Z]+|BP[A-Z]+|D[PIK][A-Z]+|B[AKE][A-Z]+|Din[a-z]{3,}|Dis[a-z]{3,}|Satpol|Setda)\b.*)$`)

func (c *content) officeOfPosition() {
	pos := c.signer.values[fieldPosition]
	if m := positionOffice.FindStringSubmatch(pos); m != nil {
		if office := strings.TrimSpace(belowHead.ReplaceAllString(m[1]+m[2], "")); strings.Contains(office, " ") || m[2] != "" { // "Dinas" alone is none
			c.office = valueAt{office, c.signer.lines[fieldPosition]}
		}
	}
	if c.office.text == "" {
		c.office = valueAt{officeOfHead(pos), c.signer.lines[fieldPosition]}
	}
}

// belowHead is what follows the office in the position of one who signs for its head.
var belowHead = compile(`(?i),?\s+(sekretaris|u\.?\s?b|kepala (bidang|bagian|sub)|kabid|kabag|asisten)\b.*$`)

// headOf are offices that are named by their head alone.
var headOf = compile(`(?i)^(?:(?:plt|plh|pj|a\.?\s?n)\.?\s*)*(camat|lurah|inspektur|sekretaris)\s+(\S.*)$`)

// officeOfHead: a Camat leads a Kecamatan of that name, a Lurah a Kelurahan, the Inspektur the Inspektorat.
func officeOfHead(position string) string {
	m := headOf.FindStringSubmatch(position)
	if m == nil || strings.EqualFold(m[1], "sekretaris") && !strings.HasPrefix(strings.ToLower(m[2]), "dprd") && !strings.HasPrefix(strings.ToLower(m[2]), "daerah") {
		return ""
	}
	return map[string]string{"camat": "Kecamatan ", "lurah": "Kelurahan ", "inspektur": "Inspektorat ", "sekretaris": "Sekretariat "}[strings.ToLower(m[1])] + belowHead.ReplaceAllString(m[2], "")
}

func str(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// write puts the contents of a document into a reading, with the evidence of each field.
func (c *content) write(r *Reading) {
	shown := c.sheet.masked().lines
	note := func(name string, at int, v string) *string {
		if v == "" {
			return nil
		}
		if at >= 0 && at < len(c.sheet.lines) {
			r.Evidence = append(r.Evidence, Evidence{Field: name, Part: c.sheet.part, Page: c.sheet.lines[at].page,
				Text: strings.TrimSpace(strings.ReplaceAll(shown[at], "\t", "  ")), How: c.sheet.how})
		}
		if at == outside {
			r.Evidence = append(r.Evidence, Evidence{Field: name, Part: c.sheet.part, Text: Mask(c.headline), How: "metadata"})
		}
		v = Mask(v)
		return &v
	}
	set := func(dst **string, name string, v valueAt) {
		if *dst == nil {
			*dst = note(name, v.line, v.text)
		}
	}
	if r.Letter.Number == nil && c.misread != nil {
		r.Corrections = append(r.Corrections, *c.misread)
	}
	set(&r.Letter.Number, "letter.number", c.number)
	set(&r.Letter.Date, "letter.date", c.date)
	set(&r.Letter.Subject, "letter.subject", c.subject)
	set(&r.Letter.Office, "letter.office", c.office)
	if c.signer != nil && r.Letter.Signer == nil {
		s := &Signer{}
		r.correct(c.signer, fieldNIP, "letter.signer.nip")
		set(&s.Name, "letter.signer.name", valueAt{c.signer.values[fieldName], c.signer.lines[fieldName]})
		set(&s.NIP, "letter.signer.nip", valueAt{c.signer.values[fieldNIP], c.signer.lines[fieldNIP]})
		set(&s.Position, "letter.signer.position", valueAt{c.signer.values[fieldPosition], c.signer.lines[fieldPosition]})
		r.Letter.Signer = s
	}
	for _, p := range c.applicants {
		if len(r.Applicants) >= 200 {
			return
		}
		i := len(r.Applicants)
		a := Applicant{}
		for _, x := range []struct {
			dst   **string
			field field
			key   string
		}{{&a.Name, fieldName, "name"}, {&a.NIP, fieldNIP, "nip"}, {&a.NIK, fieldNIK, "nik"}, {&a.Email, fieldEmail, "email"},
			{&a.Phone, fieldPhone, "phone"}, {&a.Position, fieldPosition, "position"}, {&a.Rank, fieldRank, "rank"}, {&a.Office, fieldOffice, "office"}} {
			r.correct(p, x.field, fmt.Sprintf("applicants[%d].%s", i, x.key))
			*x.dst = note(fmt.Sprintf("applicants[%d].%s", i, x.key), p.lines[x.field], p.values[x.field])
		}
		r.Applicants = append(r.Applicants, a)
	}
}

// correct notes that a person's number was not read as digits.
func (r *Reading) correct(p *person, f field, name string) {
	if c, ok := p.fixed[f]; ok && p.values[f] != "" {
		c.Field = name
		r.Corrections = append(r.Corrections, c)
	}
}
