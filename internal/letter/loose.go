package letter

import (
	"strings"
)

// firstPerson: the writer's own passphrase is meant.
var firstPerson = compile(`(?is)\b(saya|sy|aku)\b[^.?!\n]{0,60}\b(lupa|ingat|reset|passphrase|tte)|\b(lupa|reset|passphrase|tte)\b[^.?!\n]{0,60}\b(saya|sy|aku)\b`)

// bareNIP is a number of 18 digits with a NIP's dates, without any word that announces it.
var bareNIP = compile(`\b(?:19|20)\d{2}[01]\d[0-3]\d ?(?:19|20)\d{2}\d{2} ?[12] ?\d{3}\b`)

// loose reads people as short messages name them: a name, a NIP without a label, and what else stands on the same line or right below.
func (s *sheet) loose() []*person {
	var out []*person
	for i := range s.cells {
		text := strings.Join(strings.Fields(s.lines[i].text), " ")
		at := bareNIP.FindStringIndex(text)
		if at == nil {
			continue
		}
		p := newPerson(i)
		p.role = roleApplicant
		p.set(fieldNIP, text[at[0]:at[1]], i)
		before := strings.TrimRight(nipWord.ReplaceAllString(text[:at[0]], ""), " ,;:(/|–-")
		if n := listMarkEnd(before); n > 0 {
			before = before[n:]
		}
		if name, _ := nameBefore(before); name != "" {
			p.set(fieldName, name, i)
		} else if before == "" && i > 0 && !s.blank(i-1) && looksLikeName(s.cells[i-1][0].text) {
			p.set(fieldName, s.cells[i-1][0].text, i-1)
		}
		s.details(p, text[at[1]:], i)
		out = append(out, s.around(p))
	}
	return out
}

var nipWord = compile(`(?i)\bn\.?i\.?p\.?\s*[:.,]?\s*$`)

// around gives a person the address, telephone and position that stand right below, as in the signature of a mail.
func (s *sheet) around(p *person) *person {
	last := p.first
	for _, l := range p.lines {
		last = max(last, l)
	}
	p.last = last
	for i := last + 1; i < len(s.cells) && i <= last+5 && !s.blank(i) && !bareNIP.MatchString(s.lines[i].text) && listMarkEnd(s.lines[i].text) == 0; i++ {
		s.details(p, strings.Join(strings.Fields(s.lines[i].text), " "), i)
		p.last = i
	}
	return p
}

// details reads a line's pieces for what they look like.
func (s *sheet) details(p *person, text string, line int) {
	if e, ok := findEmail(text); ok {
		p.set(fieldEmail, e, line)
		text = emailRun.ReplaceAllString(text, " ")
	}
	if n, ok := findNIK(text); ok {
		p.set(fieldNIK, n, line)
		text = nikRun.ReplaceAllString(text, " ")
	}
	if n := phoneRun.FindString(text); n != "" {
		p.set(fieldPhone, n, line)
	}
	for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/|;,()", r) }) {
		if piece = strings.TrimSpace(piece); positionWord.MatchString(piece) && !startsSentence(piece) && len(piece) < 80 {
			p.set(fieldPosition, piece, line)
		}
	}
}
