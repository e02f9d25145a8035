package letter

import (
	"strings"
)

// signBlock is a signature at the end of a letter.
type signBlock struct {
	name, nip, position string
	read                string // the NIP as it stands there
	nameLine, nipLine   int
	posLine             int
	first, last         int
	own                 bool // "Pemohon", "Yang menyatakan": not the head of the office
}

var (
	closing    = compile(`(?i)^\s*(hormat kami|hormat saya|salam hormat|wassalam.*|terima kasih|demikian.*|atas perhatian.*|mengetahui|menyetujui|merekomendasikan|mengesahkan|tertanda|ditandatangani (secara )?(elektronik|digital)( oleh)?|dokumen ini .*|telah ditandatangani.*|materai.*|meterai.*|cap.*|tanda tangan.*|\$\{.*|\(?\s*(t\.?t\.?d|dto|tte)\b\.?(\s*(elektronik|digital|basah|&|dan|/|\+|cap|stempel|qr|code))*\s*\)?|#+|\^+|\[.*\]|qr.?code|salam|regards|disetujui( oleh)?|oleh|a\.?/?n pemohon)\s*[,:.]*\s*$`)
	ownCue     = compile(`(?i)^\s*(yang\s+(menyatakan|membuat\s+pernyataan|bersangkutan|mengajukan|bermohon|memohon)|pemohon|pembuat pernyataan|yang bertanda tangan|pegawai yang bersangkutan)\s*[,:.]*\s*$`)
	actingCue  = compile(`(?i)^\s*(plt|plh|pj|pjs|a\.?\s?n|u\.?\s?b)\b\.?`)
	carbonCopy = compile(`(?i)^\s*tembusan`)
)

// signBlocks finds the blocks of name and NIP that no label announces, working upwards from each NIP; and, where a letter gives no NIP,
// from the closing words downwards.
func (s *sheet) signBlocks() []signBlock {
	var out []signBlock
	for i := range s.cells {
		if s.used[i] && !s.lonelyNIP(i) {
			continue
		}
		for k, c := range s.cells[i] {
			m := onlyNIP.FindStringSubmatch(c.text)
			if m == nil && k+1 < len(s.cells[i]) { // "NIP" and ": 1970..." in two cells
				if f, ok := fieldOf(c.text); ok && f == fieldNIP {
					m = onlyNIP.FindStringSubmatch(c.text + " " + s.cells[i][k+1].text)
				}
			}
			if m == nil {
				continue
			}
			if len(digitsOf(m[1])) < 12 {
				continue
			}
			if b, ok := s.blockAbove(i, c); ok {
				b.read, b.nip, b.nipLine, b.last = m[1], newPerson(i).tidy(fieldNIP, m[1]), i, i
				out = append(out, b)
			}
		}
	}
	if len(out) == 0 {
		if b, ok := s.blockBelowClosing(); ok {
			s.numberBelow(&b)
			out = append(out, b)
		}
	}
	return out
}

// labelledSign reads a signature with labels: "Kepala Dinas, / (blank) / Nama : Slamet / NIP : 1970...".
func (s *sheet) labelledSign(people []*person) []signBlock {
	if len(people) == 0 {
		return nil
	}
	p := people[len(people)-1]
	above := p.first - 1
	for above > 0 && above > p.first-8 && s.blank(above) {
		above--
	}
	if above < 0 || !p.onlyNamed() || p.values[fieldNIP] == "" || len(s.cells[above]) != 1 || s.hasPair(above) || !beginsWithPosition(s.cells[above][0].text) {
		return nil
	}
	b := signBlock{name: p.values[fieldName], nameLine: p.lines[fieldName], nip: p.values[fieldNIP], read: p.values[fieldNIP], nipLine: p.lines[fieldNIP],
		position: strings.TrimRight(s.cells[above][0].text, " ,:"), posLine: above, first: above, last: p.last}
	return []signBlock{b}
}

// numberBelow finds the NIP of a signature that stands apart from its name, as where one of the two is centred.
func (s *sheet) numberBelow(b *signBlock) {
	for i := b.last + 1; i < len(s.cells) && i <= b.last+4; i++ {
		for _, c := range s.cells[i] {
			if m := onlyNIP.FindStringSubmatch(c.text); m != nil {
				b.read, b.nip, b.nipLine, b.last = m[1], newPerson(i).tidy(fieldNIP, m[1]), i, i
				return
			}
		}
	}
}

// lonelyNIP: a line that was taken for a labelled NIP but stands below a name without a label, as in a signature.
func (s *sheet) lonelyNIP(i int) bool {
	if s.table[i] {
		return false
	}
	for k, c := range s.cells[i] {
		split := k+1 < len(s.cells[i]) && onlyNIP.MatchString(c.text+" "+s.cells[i][k+1].text)
		if onlyNIP.MatchString(c.text) || split {
			for j := i - 1; j >= 0 && j >= i-2; j-- {
				if s.blank(j) || rankOnly.MatchString(strings.TrimSpace(s.lines[j].text)) {
					continue
				}
				if s.hasPair(j) || isLabel(s.cells[j][0].text) {
					return false
				}
			}
			return true
		}
	}
	return false
}

// above is the cell of line i that stands over the given one; where that one is alone on its line, the two may stand apart.
func (s *sheet) above(i int, c cell, alone bool) (cell, bool) {
	best, score := cell{}, -1<<30
	for _, x := range s.cells[i] {
		overlap := min(x.end, c.end) - max(x.at, c.at)
		if overlap > score {
			best, score = x, overlap
		}
	}
	return best, score > -18 || alone && len(s.cells[i]) == 1 && score > -70 && (positionWord.MatchString(best.text) || looksLikeName(best.text))
}

func (s *sheet) blockAbove(i int, c cell) (signBlock, bool) {
	b := signBlock{nameLine: -1, posLine: -1, first: i}
	var position []string
	var at []int     // the line of each part of the position
	gap, own := 0, 0 // own are the parts of the position below the last blank line
	alone := len(s.cells[i]) == 1 && !s.numberAbove(i)
	for j := i - 1; j >= 0 && j >= i-16; j-- {
		if s.blank(j) {
			gap++
			if gap > 8 {
				break
			}
			continue
		}
		x, ok := s.above(j, c, alone)
		if !ok {
			gap++
			continue
		}
		t := strings.Trim(x.text, " *_")
		if b.nameLine < 0 && rankOnly.MatchString(t) {
			continue
		}
		if placeDate.MatchString(t) || openDate.MatchString(t) || s.hasPair(j) || s.table[j] || s.used[j] && b.nameLine >= 0 {
			break
		}
		if b.nameLine < 0 {
			if closing.MatchString(t) {
				continue
			}
			name := cleanName(strings.Trim(t, "()"))
			if !looksLikeName(t) || gap > 1 && j < i-3 {
				return b, false
			}
			b.name, b.nameLine, gap = name, j, 0
			continue
		}
		if onlyNIP.MatchString(t) || listMarkEnd(t) > 0 && strings.ContainsAny(t[:1], "0123456789") { // the list of those whom the letter is about
			if own > 0 {
				position, at = position[len(position)-own:], at[len(at)-own:]
				b.first = at[0]
			}
			break
		}
		if gap == 0 && len(position) == 0 && j == b.nameLine-1 && strings.HasSuffix(t, ",") && !closing.MatchString(t) && looksLikeName(t) && wrappedName.MatchString(t+" "+b.name) {
			b.name, b.nameLine = cleanName(t+" "+b.name), j
			continue
		}
		if ownCue.MatchString(t) {
			b.own = true
			b.first = j
			break
		}
		if closing.MatchString(t) || rankOnly.MatchString(t) {
			if strings.HasPrefix(strings.ToLower(t), "demikian") || strings.HasPrefix(strings.ToLower(t), "atas perhatian") {
				break
			}
			continue
		}
		if startsSentence(t) && !actingCue.MatchString(t) || len(x.text) > 75 && !positionWord.MatchString(x.text) || len(t) > 110 {
			break
		}
		if len(position) > 0 && gap > 1 && !actingCue.MatchString(t) {
			break
		}
		if strings.HasSuffix(t, ".") && len(t) > 30 && !beginsWithPosition(t) {
			break
		}
		if gap > 0 {
			own = len(position)
		}
		gap = 0
		position, at = append([]string{t}, position...), append([]int{j}, at...)
		b.first = j
	}
	b.position = joinPosition(position)
	for k, l := range position {
		if positionWord.MatchString(l) {
			b.posLine = at[k]
			break
		}
	}
	if b.position != "" && !positionWord.MatchString(b.position) {
		b.position, b.posLine = "", -1
	}
	return b, b.name != ""
}

func beginsWithPosition(t string) bool {
	at := positionWord.FindStringIndex(t)
	return at != nil && at[0] == 0
}

// numberAbove: another signature's NIP stands in one of the three lines above, so two stand side by side.
func (s *sheet) numberAbove(i int) bool {
	for j := max(0, i-3); j < i; j++ {
		for _, c := range s.cells[j] {
			if onlyNIP.MatchString(c.text) {
				return true
			}
		}
	}
	return false
}

// wrappedName: a name whose titles went to the next line.
var wrappedName = compile(`^[^,]+,.*\.|^[^,]+, (?i:[smad]\.?[\p{L}.]+)`)

// joinPosition joins the lines of a position; place lines such as "KABUPATEN X" belong to it.
func joinPosition(lines []string) string {
	// A position starts at its first line with a word of office; what stands above is a salutation or the end of the text.
	start := -1
	for i, l := range lines {
		if positionWord.MatchString(l) {
			start = i
			break
		}
	}
	if start < 0 {
		return strings.TrimRight(strings.Join(lines, " "), " ,:")
	}
	return strings.TrimRight(strings.Join(lines[start:], " "), " ,:")
}

// blockBelowClosing reads "Hormat kami, / Kepala Dinas X, / (blank) / Nama" without a NIP.
func (s *sheet) blockBelowClosing() (signBlock, bool) {
	for i := len(s.cells) - 1; i >= 0; i-- {
		if s.blank(i) || s.used[i] {
			continue
		}
		c := s.cells[i][len(s.cells[i])-1]
		t := strings.Trim(c.text, " *_()")
		if carbonCopy.MatchString(t) {
			continue
		}
		if !looksLikeName(t) {
			continue
		}
		single := len(strings.Fields(t)) < 2 && !strings.Contains(c.text, "(") // many have one name; it needs a position above it
		b := signBlock{name: cleanName(t), nameLine: i, posLine: -1, nipLine: -1, first: i, last: i}
		var position []string
		seen := false
		for j := i - 1; j >= 0 && j >= i-12; j-- {
			if s.blank(j) {
				continue
			}
			x, ok := s.above(j, c, false)
			if !ok {
				continue
			}
			l := strings.Trim(x.text, " *_")
			if ownCue.MatchString(l) && !single {
				return b, true
			}
			if closing.MatchString(l) || placeDate.MatchString(l) || startsSentence(l) {
				seen = true
				break
			}
			if s.used[j] || len(l) > 90 {
				break
			}
			if positionWord.MatchString(l) || len(position) == 0 && officeWord.MatchString(l) {
				position = append([]string{l}, position...)
				b.posLine, b.first = j, j
			}
		}
		if len(position) > 0 && positionWord.MatchString(strings.Join(position, " ")) {
			b.position = joinPosition(position)
			return b, true
		}
		if seen && !single {
			// Position below the name, as in mails: "Hormat kami, / Slamet / Kepala Dinas X".
			if j := s.next(i); j >= 0 && positionWord.MatchString(s.lines[j].text) && !s.hasPair(j) {
				b.position, b.posLine = strings.TrimRight(strings.TrimSpace(s.lines[j].text), ","), j
			}
			return b, true
		}
	}
	return signBlock{}, false
}

// chooseSigner prefers, among several blocks, the last one that has a position and isn't the applicant's own.
func chooseSigner(list []signBlock) (signBlock, bool) {
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].own && list[i].position != "" && headWord.MatchString(list[i].position) {
			return list[i], true
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].own && list[i].position != "" {
			return list[i], true
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].own {
			return list[i], true
		}
	}
	if len(list) > 0 {
		return list[len(list)-1], true
	}
	return signBlock{}, false
}

var headWord = compile(`(?i)\b(kepala|camat|lurah|direktur|inspektur|sekretaris|plt|plh|pj|a\.?\s?n|pimpinan|bupati|wali\s?kota)\b`)
