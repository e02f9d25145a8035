package letter

import (
	"slices"
	"strings"
	"unicode"
)

// paragraph is running text with the line that each of its bytes stood on.
type paragraph struct {
	text  string
	lines []int // by byte
}

// paragraphs joins the lines that no label, table or signature has taken.
func (s *sheet) paragraphs() []paragraph {
	var out []paragraph
	var cur paragraph
	flush := func() {
		if cur.text != "" {
			out = append(out, cur)
		}
		cur = paragraph{}
	}
	for i := range s.cells {
		if s.blank(i) || s.used[i] {
			flush()
			continue
		}
		t := strings.Join(strings.Fields(s.lines[i].text), " ")
		if listMarkEnd(t) > 0 && cur.text != "" {
			flush()
		}
		if cur.text != "" {
			cur.text += " "
			cur.lines = append(cur.lines, i)
		}
		cur.text += t
		for range len(t) {
			cur.lines = append(cur.lines, i)
		}
	}
	flush()
	return out
}

const nameChars = `([\p{L}][\p{L}'’.,\- ]{2,80}?)`

var (
	proseNIP    = compile(`(?i)\(?\b(?:dengan\s+)?(?:nomor\s+)?n\.?i\.?p\.?\s*[:.,]?\s*(\d[\d .\-]{16,24}\d)\)?`)
	proseNIK    = compile(`(?i)\b(?:nik|nomor induk kependudukan|no\.? ?ktp)\.?\s*[:.]?\s*(\d[\d .\-]{14,20}\d)`)
	proseName   = compile(`(?i)(?:atas nama|a\.\s?n\.|\ba/n\b|\bbernama|nama saya|saya,?|\bkami,?|sdri?\.|saudarai?|saudari|pegawai kami,?|pejabat kami,?|kepada|bapak|ibu|\bbpk\.?|yaitu|yakni|pejabat|pegawai|ybs\.?,?|kami:)\s+(?:yang bernama\s+|nama\s+|sdri?\.\s*|saudara\s+|saudari\s+|bapak\s+|ibu\s+|bpk\.\s*|pejabat\s+|pegawai\s+|asn\s+)*` + nameChars + `\s*[,;(–-]*\s*$`)
	proseAlone  = compile(`(?i)(?:atas nama|a\.\s?n\.|\ba/n\b|\bbernama|nama saya)\s+(?:sdri?\.\s*|saudara\s+|saudari\s+|bapak\s+|ibu\s+|bpk\.\s*|pejabat\s+|pegawai\s+)*([\p{L}][\p{L}'’.\- ]{2,60}(?:,\s*(?:[SMAD]\.?\s?[A-Z][\p{L}.]{0,6}\.?(?:\s?[A-Z][\p{L}]{0,5}\.?)?|Apt\.?|Ners?\.?|[A-Z]{2}\.?)){0,5}\.?)`)
	prosePos    = compile(`(?i)\b(?:jabatan(?: sebagai| saat ini)?|selaku|menjabat(?: sebagai)?|sebagai)\s*:?\s+([^,;.()]{3,90}?)(?:\s*[,;.()]|\s+(?:dengan|yang|e-?mail|nip|pada akun|mohon|untuk|memohon|mengajukan|telah|sudah|belum|baru|saat ini|sekarang|kini|sedang|masih|tidak|ternyata|sejak|karena|lupa|bermaksud|nomor|no\.)\b|$)`)
	proseRank   = compile(`(?i)\bpangkat(?:\s*/\s*gol(?:ongan)?(?:\.?\s*ruang)?)?\s*:?\s+([A-Z][\p{L} .]{2,30}(?:\s*[,/(]?\s*\(?\s*[IV]+\s*/\s*[a-e]\s*\)?)?)`)
	prosePhone  = compile(`(?i)\b(?:no(?:mor|\.)?\s*)?(?:hp|wa|whatsapp|handphone|telepon|telp|ponsel|kontak)\b[^0-9+(]{0,25}((?:\+?62|0)[\d][\d \-.]{6,16}\d)`)
	proseMobile = compile(`\b(?:nomor|no\.?|di|ke)\s*:?\s*((?:\+?62|0)8[\d][\d \-.]{6,14}\d)`)
	proseUnit   = compile(`(?i)\b(?:unit kerja|perangkat daerah|instansi|opd)\s*:?\s+([^,;.()]{3,90})`)
)

// prose reads identities out of running text: each NIP starts one, and where there is none, each "atas nama".
func (s *sheet) prose() []*person {
	var out []*person
	for _, read := range []func(paragraph) []*person{paragraph.byLabels, paragraph.byNIP} {
		for _, p := range s.paragraphs() {
			out = append(out, read(p)...)
		}
		if len(out) > 0 {
			return out
		}
	}
	for _, p := range s.paragraphs() {
		out = append(out, p.byName()...)
	}
	return out
}

// torn takes from people what was read on other lines than their number where a page is laid in columns that weren't understood as a table: it
// may be another row's. It tells whether there was such a value.
func (s *sheet) torn(people []*person) bool {
	found := false
	for _, p := range people {
		at, ok := p.lines[fieldNIP]
		for _, f := range []field{fieldEmail, fieldPhone, fieldPosition, fieldNIK, fieldRank, fieldOffice} {
			if line := p.lines[f]; ok && p.values[f] != "" && line != at && (s.inColumns(line) || s.columnsNear(at)) {
				delete(p.values, f)
				found = true
			}
		}
	}
	return found
}

func (s *sheet) columnsNear(i int) bool {
	for j := max(0, i-2); j <= i+2 && j < len(s.cells); j++ {
		if s.inColumns(j) {
			return true
		}
	}
	return false
}

// inColumns: a line of three cells or more of which one is nothing but a number or an address; justified text has gaps too.
func (s *sheet) inColumns(i int) bool {
	return len(s.cells[i]) >= 3 && slices.ContainsFunc(s.cells[i], func(c cell) bool {
		return len(digitsOf(c.text)) >= 10 && strings.Trim(c.text, "0123456789 .+-") == "" || strings.Contains(c.text, "@") && !strings.ContainsAny(c.text, " ,;")
	})
}

func (p paragraph) line(at int) int {
	if at < len(p.lines) {
		return p.lines[at]
	}
	return p.lines[len(p.lines)-1]
}

// byLabels reads labels that follow each other within a sentence: "... kami. Nama: Slamet; NIP: 1970...; Jabatan: Camat".
func (p paragraph) byLabels() []*person {
	at := inlineLabel.FindAllStringSubmatchIndex(p.text, 60)
	var out []*person
	var cur *person
	for k, m := range at {
		f, ok := fieldOf(p.text[m[2]:m[3]])
		if !ok {
			continue
		}
		if f == fieldName {
			cur = newPerson(p.line(m[0]))
			out = append(out, cur)
		}
		if cur == nil {
			continue
		}
		end := len(p.text)
		if k+1 < len(at) {
			end = at[k+1][0]
		}
		v := p.text[m[1]:end]
		if i := strings.IndexByte(v, ';'); i >= 0 {
			v = v[:i]
		}
		if k+1 == len(at) {
			v, _, _ = strings.Cut(v+" ", ". ")
		}
		cur.set(f, strings.TrimRight(v, " .,"), p.line(m[1]))
		cur.last = p.line(m[1])
	}
	kept := out[:0]
	for _, x := range out {
		if x.weight() >= 2 {
			kept = append(kept, x)
		}
	}
	return kept
}

// byNIP reads one person around each NIP of the paragraph.
func (p paragraph) byNIP() []*person {
	all := proseNIP.FindAllStringSubmatchIndex(p.text, 40)
	var out []*person
	prev := 0
	for k, m := range all {
		nip, ok := findNIP(p.text[m[2]:m[3]])
		if !ok {
			nip = digitsOf(p.text[m[2]:m[3]])
			if len(nip) < 16 || len(nip) > 20 {
				continue
			}
		}
		until := len(p.text)
		if k+1 < len(all) {
			until = all[k+1][0]
			if name, at := nameBefore(p.text[m[1]:until]); name != "" {
				until = m[1] + at // what stands behind the next person's name is theirs
			}
		}
		person := newPerson(p.line(m[0]))
		person.set(fieldNIP, nip, p.line(m[2]))
		before := p.text[prev:m[0]]
		if name, at := nameBefore(before); name != "" {
			person.set(fieldName, name, p.line(prev+at))
			if writerCue.MatchString(before[:at]) {
				person.role = roleSelf
			}
			_, position := cutPosition(strings.TrimRight(before[at:], " ,;(/–-"))
			person.set(fieldPosition, position, p.line(prev+at))
		}
		if leaverCue.MatchString(p.text[m[1]:until]) {
			person.role = roleOther
		}
		p.rest(person, m[1], until)
		person.last = p.line(m[1])
		out = append(out, person)
		prev = m[1]
	}
	return out
}

// writerCue stands before the name of who writes, leaverCue behind the number of who is no longer in office.
var (
	writerCue = compile(`(?i)(\bperkenalkan|\bsaya|\bnama saya)\s*,?\s*$`)
	leaverCue = compile(`(?i)^\W*((yang\s+)?(telah|sudah)\s+)?(pensiun|mutasi|pindah|meninggal|digantikan|purna\s?tugas)\b`)
)

var (
	contactCue   = compile(`(?i)\b(menghubungi|hubungi)\s+(saya|kami|operator|admin)\b|\bnarahubung\b`)
	mobileBehind = compile(`@[\w.-]+\s*[/,;|]\s*((?:\+?62|0)8\d[\d \-.]{6,14}\d)`)
	labelAhead   = compile(`(?i)^\s*(e-?mail|surel|nik|pangkat|golongan|no\.? ?hp|hp|unit kerja)\b`)
)

// nameBefore finds the name that ends where a NIP begins.
func nameBefore(s string) (string, int) {
	s = strings.TrimRight(s, " ,;(/–-")
	begin := clauseStart(s)
	name, at := nameAtEnd(s[begin:])
	return name, begin + at
}

// clauseStart is where the last sentence of a text begins, or what stands in a bracket that it doesn't close: no name reaches over either.
func clauseStart(s string) int {
	begin := 0
	for i, r := range s {
		switch r {
		case '(':
			if !strings.Contains(s[i:], ")") {
				begin = i + 1
			}
		case '.', '?', '!':
			w := s[strings.LastIndexByte(s[:i], ' ')+1 : i]
			if i+1 < len(s) && s[i+1] == ' ' && len(w) > 3 && !strings.Contains(w, ".") && !degree.MatchString(w) {
				begin = i + 1
			}
		}
	}
	return begin
}

func nameAtEnd(s string) (string, int) {
	if m := proseName.FindStringSubmatchIndex(s); m != nil {
		// The last cue counts: "permohonan ... kepada Bapak ... atas nama Slamet".
		name, at := s[m[2]:m[3]], m[2]
		for {
			n := proseName.FindStringSubmatchIndex(name)
			if n == nil {
				break
			}
			at += n[2]
			name = name[n[2]:n[3]]
		}
		first, rest, _ := strings.Cut(name, " ")
		if next, _, _ := strings.Cut(rest, " "); strings.ToLower(first) == first && capitalised(next) && !smallWord.MatchString(first) && !notAName.MatchString(next) {
			name, at = rest, at+len(first)+1 // "kami laporkan Slamet"
		}
		if c := cleanName(name); capitalised(c) {
			return c, at
		}
	}
	// A list item: "1. Slamet Riyadi, S.Pd. (NIP ...)".
	at := 0
	if i := strings.LastIndexAny(s, ":;"); i >= 0 {
		at = i + 1
	}
	t := s[at:]
	if n := listMarkEnd(t); n > 0 {
		at += n
		t = t[n:]
	}
	t = strings.TrimPrefix(strings.TrimSpace(t), "dan ")
	t = strings.TrimPrefix(strings.TrimPrefix(t, "serta "), ", ")
	if f, rest, ok := strings.Cut(t, " "); ok && strings.EqualFold(f, "nama") {
		t = rest
	}
	if first, _, _ := strings.Cut(t, " "); notAName.MatchString(strings.Trim(first, ",:")) {
		return nameSuffix(s)
	}
	if c := cleanName(t); c != "" && len(strings.Fields(c)) <= 9 && capitalised(c) && nameLike.MatchString(c) {
		return c, at
	}
	return nameSuffix(s)
}

// personCue stands before a name in running text.
var personCue = compile(`(?i)(?:\batas nama|\ba\.\s?n\.|\ba/n|\bbernama|\bsdri?\.|\bsaudarai?|\bsaudari|\bbapak|\bibu|\bbpk\.|\bkami,|\bkami \(|\bpegawai|\bpejabat|\bbagi)\s*`)

// namePrefix is the name that a text begins with: two words at least, capitalised or titles.
func namePrefix(s string) string {
	words := strings.Fields(s)
	end := 0
	for end < len(words) && nameWord(words[end]) && (end == 0 || !strings.HasSuffix(words[end-1], ",") || degree.MatchString(strings.Trim(words[end], ",.)"))) &&
		(end == 0 || !strings.HasSuffix(words[end-1], ")")) {
		end++
	}
	name := cleanName(strings.TrimRight(strings.Join(words[:end], " "), ")"))
	if end < 2 || ofOffice(name) {
		return ""
	}
	return name
}

// nameSuffix is the name that a text ends with: the longest run of capitalised words and titles, whatever stands before it.
func nameSuffix(s string) (string, int) {
	at := len(s)
	next := ""
	for {
		rest := strings.TrimRight(s[:at], " ")
		i := strings.LastIndexByte(rest, ' ') + 1
		w := rest[i:]
		if w == "" || strings.HasSuffix(w, ",") && next != "" && !degree.MatchString(strings.Trim(next, ",")) || !nameWord(w) {
			break
		}
		at, next = i, w
	}
	name := cleanName(s[at:])
	if name == "" || strings.Trim(s[at:], " ,") == "" || len(strings.Fields(name)) > 9 || degree.MatchString(name) || ofOffice(name) {
		return "", 0
	}
	return name, at
}

// ofOffice: it names an office or a position, its titles left out: "S.Pd.SD." is no school.
func ofOffice(name string) bool {
	name, _, _ = strings.Cut(name, ",")
	return officeWord.MatchString(name) || positionWord.MatchString(name)
}

var (
	degree    = compile(`^(?:(?:[SMAD]|Ph|Sp|Gr)\.?\s?[A-Z][\p{L}.]*|(?i:m\.?[a-z]{1,3}|apt|ners?|ns|prof|dr|drg|drh|drs|dra|ir|hj?|amd)\.?|[A-Z]{2,5}\.?)$`)
	notAName  = compile(`^(?i:tte|nip|nik|asn|pns|pppk|opd|upt|bsre|passphrase|reset|yth|bapak|ibu|bpk|sdri?|saudarai?|kepala|camat|lurah|pejabat|pegawai|pemilik|atas|nama|an|permohonan|elektronik|sertifikat|tanda|tangan|surat|hal|mohon|karena|sehubungan|berhubung|terlampir|berikut|bahwa|dengan|untuk|kepada|kami|saya|oleh|yaitu|yakni|dan|serta|dinas|kabupaten|kota|email|e-mail)$`)
	smallWord = compile(`^(?i:dr|drg|drh|drs|dra|ir|apt|bin|binti|van|al|h|hj|ns)\.?,?$`)
)

// nameWord: a capitalised word or a title that may stand within a name.
func nameWord(w string) bool {
	core := strings.Trim(w, ",.()")
	if core == "" || notAName.MatchString(core) || !nameLike.MatchString(w) || strings.HasSuffix(w, ".") && !degree.MatchString(w) && len(core) > 4 {
		return false
	}
	r := []rune(core)[0]
	return unicode.IsUpper(r) || smallWord.MatchString(w)
}

// capitalised: most words begin with a capital, as names in running text do.
func capitalised(s string) bool {
	n, caps := 0, 0
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		if smallWord.MatchString(w) {
			continue // "drh." begins small wherever it stands
		}
		n++
		if r := []rune(strings.Trim(w, ".")); len(r) > 0 && strings.ToUpper(string(r[0])) == string(r[0]) {
			caps++
		}
	}
	return n > 0 && caps*4 >= n*3 && n <= 12
}

// rest reads the other fields of a person from the text between its NIP and the next person.
func (p paragraph) rest(person *person, from, until int) {
	t := p.text[from:until]
	if at := contactCue.FindStringIndex(t); at != nil {
		t = t[:at[0]] // another person's number follows
	}
	take := func(f field, re *pattern) {
		if m := re.FindStringSubmatchIndex(t); m != nil {
			person.set(f, strings.TrimSpace(t[m[2]:m[3]]), p.line(from+m[2]))
		}
	}
	take(fieldNIK, proseNIK)
	take(fieldPhone, prosePhone)
	take(fieldPhone, proseMobile)
	take(fieldPhone, mobileBehind)
	take(fieldRank, proseRank)
	take(fieldOffice, proseUnit)
	if at := emailRun.FindStringIndex(t); at != nil {
		e, _ := findEmail(t[at[0]:])
		person.set(fieldEmail, e, p.line(from+at[0]))
	}
	if m := prosePos.FindStringSubmatchIndex(t); m != nil {
		person.setPost(strings.TrimSpace(t[m[2]:m[3]]), p.line(from+m[2]))
		return
	}
	bare := strings.TrimLeft(t, " ,;)(")
	if pos, next, ok := strings.Cut(bare, ","); ok && len(pos) < 90 && !startsSentence(pos) && (positionWord.MatchString(pos) || capitalised(pos) && len(pos) > 4 && digitsOf(pos) == "" && labelAhead.MatchString(next)) {
		person.setPost(pos, p.line(from))
	}
}

// setPost sets a position, and the office behind it: "Bendahara pada Dinas Sosial", "Arsiparis di Kecamatan Mojo".
func (p *person) setPost(post string, line int) {
	low := strings.ToLower(post)
	for _, word := range []string{" pada ", " di "} {
		i := strings.Index(low, word)
		if i <= 0 {
			continue
		}
		office := strings.TrimSpace(post[i+len(word):])
		named := officeWord.MatchString(office)
		if named {
			p.set(fieldOffice, office, line)
		}
		if named || word == " pada " {
			post = post[:i]
			break
		}
	}
	p.set(fieldPosition, post, line)
}

// byName reads persons that are named without a NIP.
func (p paragraph) byName() []*person {
	var out []*person
	for _, m := range proseAlone.FindAllStringSubmatchIndex(p.text, 20) {
		if m[3] < len(p.text) && unicode.IsLetter(rune(p.text[m[3]])) { // ", NIK ..." is no title
			m[3] = m[2] + max(0, strings.LastIndexByte(p.text[m[2]:m[3]], ','))
		}
		name := cleanName(p.text[m[2]:m[3]])
		if !capitalised(name) || ofOffice(name) || len(name) < 3 {
			continue
		}
		person := newPerson(p.line(m[2]))
		person.set(fieldName, name, p.line(m[2]))
		p.rest(person, m[3], len(p.text))
		person.last = p.line(m[3] - 1)
		out = append(out, person)
	}
	return out
}
